package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// peerOfScan looks for the literal address in the same tree.
const peerOfScan = "rg"

// The tree is like those of the services and tools that people keep together:
// many small sources, and as much again in few files that are not text.
const (
	treeFiles   = 82_000
	treeBytes   = 1 << 30
	treeCallers = 400 // files with a call
	treeFolders = 6_000
	treeRuns    = 9
)

// maxResident is how much memory a scan may take.
const maxResident = 100 << 20

// scanBeside compares a scan with a search for the literal.
func scanBeside(ctx context.Context, tegata string) ([]row, error) {
	if _, err := exec.LookPath(peerOfScan); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "tegata-bench-tree-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	size, err := growTree(dir)
	if err != nil {
		return nil, fmt.Errorf("write the tree: %w", err)
	}
	var resident int64
	pairs, err := alternately(treeRuns,
		func() (sample, error) {
			s, rss, err := found(exec.CommandContext(ctx, tegata, "scan", dir))
			resident = max(resident, rss)
			return s, err
		},
		func() (sample, error) {
			s, _, err := found(exec.CommandContext(ctx, peerOfScan, "-uu", "-F", "-l", "169.254.169.254", dir))
			return s, err
		})
	if err != nil {
		return nil, err
	}
	what := fmt.Sprintf("`tegata scan`, %d files, %d MiB, ", treeFiles, size>>20)
	const peer = "ripgrep for the literal"
	return []row{
		compare(what+"clock", peer, 2, pairs, onTheClock),
		compare(what+"processor", peer, 0, pairs, ofProcessor),
		footprint{"`tegata scan`, greatest resident set", resident, maxResident},
	}, nil
}

// found runs a program that says by its status whether it found something.
func found(cmd *exec.Cmd) (s sample, resident int64, err error) {
	began := time.Now()
	out, err := cmd.CombinedOutput()
	wall := time.Since(began)
	var ended *exec.ExitError
	if err != nil && !(errors.As(err, &ended) && ended.ExitCode() == 3) { // 3 for findings
		return s, 0, fmt.Errorf("run %s: %w\n%.2000s", cmd, err, out)
	}
	return sample{wall, processorTime(cmd.ProcessState)}, greatestResident(cmd.ProcessState), nil
}

// A footprint is a row with bytes, and how many there may be.
type footprint struct {
	what          string
	bytes, atMost int64
}

func (m footprint) String() string {
	return fmt.Sprintf("| %s | %d MiB | – | – | – | ≤ %d MiB |", m.what, m.bytes>>20, m.atMost>>20)
}

// growTree writes the tree, which is the same each time, and returns its size.
func growTree(dir string) (size int64, err error) {
	random := rand.New(rand.NewPCG(6, 169254))
	words := prose(random, 4<<20)
	folders := make([]string, treeFolders)
	for i := range folders {
		parent := dir
		if i > 0 {
			parent = folders[random.IntN(i)/2]
		}
		folders[i] = filepath.Join(parent, fmt.Sprintf("part%d", i))
		if err := os.Mkdir(folders[i], 0o755); err != nil {
			return 0, err
		}
	}
	for i := range treeFiles {
		f := nextFile(random, i, words)
		name := filepath.Join(folders[random.IntN(len(folders))], f.name)
		if err := os.WriteFile(name, f.data, 0o644); err != nil {
			return 0, err
		}
		size += int64(len(f.data))
	}
	return max(size, treeBytes), stretch(dir, treeBytes-size)
}

// stretch makes the tree as large as it is to be, with files that are not text.
func stretch(dir string, missing int64) error {
	const each = 1 << 20
	for i := int64(0); i*each < missing; i++ {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("data%d.bin", i)), make([]byte, each), 0o644); err != nil {
			return err
		}
	}
	return nil
}

type treeFile struct {
	name string
	data []byte
}

// endings are the kinds of files, as often as they occur.
var endings = strings.Fields(strings.Repeat(".go .py .js .ts .java .rb .cs .php .c .h .rs ", 6) +
	strings.Repeat(".yaml .yml .json .tf .md .txt .html .css .svg ", 3) + ".sh .sh .toml .xml .proto .j2 .tpl .ps1 .service .png .bin .gz")

// nextFile makes one file: its size is such that most are small, and a few
// hold most of the bytes.
func nextFile(random *rand.Rand, i int, words []byte) treeFile {
	ending := endings[random.IntN(len(endings))]
	size := min(200+int(6200*random.ExpFloat64()*random.ExpFloat64()*random.ExpFloat64()), len(words)/2)
	at := random.IntN(len(words) - size)
	data := bytes.Clone(words[at : at+size])
	if ending == ".png" || ending == ".bin" || ending == ".gz" {
		data[min(20, size-1)] = 0
	}
	if i%(treeFiles/treeCallers) == 0 {
		ending = ".sh"
		data = append([]byte("#!/bin/sh\nid=$(curl -s http://169.254.169.254/latest/meta-data/instance-id)\n"), []byte("echo $id\n")...)
	}
	return treeFile{fmt.Sprintf("file%d%s", i, ending), data}
}

// prose makes lines that look like source from afar.
func prose(random *rand.Rand, size int) []byte {
	const letters = "etaoinshrdlucmfwypvbgkjqxz"
	var b bytes.Buffer
	for b.Len() < size {
		b.WriteString(strings.Repeat("    ", random.IntN(4)))
		for range 1 + random.IntN(10) {
			for range 1 + random.IntN(9) {
				b.WriteByte(letters[min(int(random.ExpFloat64()*7), len(letters)-1)])
			}
			b.WriteString([]string{" ", " ", " ", ", ", "(", ") ", " = ", ".", ": ", fmt.Sprintf(" %d ", random.IntN(2000))}[random.IntN(10)])
		}
		b.WriteByte('\n')
	}
	return b.Bytes()
}
