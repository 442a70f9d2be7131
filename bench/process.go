package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// runs is how often each program is started.
const runs = 40

// coldStart compares the start of tegata with that of a Go program that does
// nothing: the difference is what is linked, and what it does unasked.
func coldStart(ctx context.Context, tegata, empty string) ([]row, error) {
	pairs, err := alternately(runs,
		func() (sample, error) { return runOnce(exec.CommandContext(ctx, tegata, "version")) },
		func() (sample, error) { return runOnce(exec.CommandContext(ctx, empty)) })
	if err != nil {
		return nil, err
	}
	const what, peer = "`tegata version`, ", "an empty Go program"
	return []row{
		compare(what+"processor", peer, 5, pairs, ofProcessor),
		compare(what+"clock", peer, 0, pairs, onTheClock),
	}, nil
}

// twoCurls is what a shell script does to read one value by IMDSv2.
const twoCurls = `set -eu
base=http://169.254.169.254/latest
token=$(curl -fsS -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 300' "$base/api/token")
curl -fsS -H "X-aws-ec2-metadata-token: $token" "$base/meta-data/instance-id"
`

// A reader is a program that reads the id of the instance by IMDSv2.
type reader struct {
	name   string
	needs  string // the program without which it can't be measured
	argv   []string
	budget float64 // of the clock
}

var readers = []reader{
	{"a script with two curls", "curl", []string{"sh", "-c", twoCurls}, 0.5},
	{"Debian's `ec2metadata`", "ec2metadata", []string{"ec2metadata", "--instance-id"}, 0.1},
}

// getInABox compares one read of the metadata with what others do for it.
// All run in the sandbox, so nothing can ask an address of the real metadata
// service. A reader that is not on this machine is left out and told.
func getInABox(ctx context.Context, tegata string) (rows []row, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if err := alsoUnpacked(); err != nil {
		return nil, err
	}
	var missing []error
	for _, r := range readers {
		if _, err := exec.LookPath(r.needs); err != nil {
			missing = append(missing, err)
			continue
		}
		pairs, err := r.beside(ctx, tegata, self)
		if err != nil {
			return rows, err
		}
		const what = "`tegata get instance-id`, "
		rows = append(rows,
			compare(what+"clock", r.name, r.budget, pairs, onTheClock),
			compare(what+"processor", r.name, 0, pairs, ofProcessor))
	}
	return rows, errors.Join(missing...)
}

// alsoUnpacked has programs looked for where .ci/run unpacks Debian's, too.
func alsoUnpacked() error {
	unpacked, err := filepath.Abs("test/debian/usr/bin")
	if err != nil {
		return err
	}
	return os.Setenv("PATH", os.Getenv("PATH")+string(filepath.ListSeparator)+unpacked)
}

// beside takes turns of tegata and the reader in a sandbox.
func (r reader) beside(ctx context.Context, tegata, self string) (pairs []pair, err error) {
	cmd := exec.CommandContext(ctx, tegata, "sandbox", "--", self, "reads", tegata, r.needs)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", cmd, err)
	}
	if err := json.Unmarshal(out, &pairs); err != nil {
		return nil, fmt.Errorf("read what was measured in the sandbox: %w", err)
	}
	return pairs, nil
}

// measureReads runs in the sandbox and writes the pairs as JSON, beside the
// reader that needs the named program.
func measureReads(tegata, needs string, w io.Writer) error {
	i := slices.IndexFunc(readers, func(r reader) bool { return r.needs == needs })
	if i < 0 {
		return fmt.Errorf("no reader needs %s", needs)
	}
	argv := readers[i].argv
	pairs, err := alternately(runs,
		func() (sample, error) { return runOnce(exec.Command(tegata, "get", "instance-id")) },
		func() (sample, error) { return runOnce(exec.Command(argv[0], argv[1:]...)) })
	if err != nil {
		return err
	}
	return json.NewEncoder(w).Encode(pairs)
}
