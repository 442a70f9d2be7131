// Command bench measures tegata, each figure beside that of a peer from the
// same run, and prints the table of bench/README.md.
//
//	go run ./bench            everything
//	go run ./bench emulator   one figure: start, get, emulator, gateway, account or scan
//
// It takes about two minutes, asks nothing of the network, and leaves nothing
// behind. A ratio carries over to other machines; the times themselves don't.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures the named figures, or all; or it is one of the processes that
// are measured.
func run(args []string) error {
	switch {
	case len(args) == 3 && args[0] == "serve":
		return serve(args[1], args[2] == "keep-alive")
	case len(args) == 3 && args[0] == "reads":
		return measureReads(args[1], args[2], os.Stdout)
	case len(args) == 2 && args[0] == "proxy":
		return serveProxy(args[1])
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	switch {
	case len(args) == 2 && args[0] == "answers":
		return measureAnswers(ctx, args[1], os.Stdout)
	case len(args) == 2 && args[0] == "streams":
		return measureStreams(ctx, args[1], os.Stdout)
	case len(args) == 2 && args[0] == "account":
		return measureAccount(ctx, args[1], os.Stdout)
	case len(args) == 2 && args[0] == "who":
		return measureWho(ctx, args[1])
	}
	dir, err := os.MkdirTemp("", "tegata-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	tegata, empty, err := buildPrograms(ctx, dir)
	if err != nil {
		return err
	}
	figures, err := choose([]figure{
		{"start", ratioHeader, func() ([]row, error) { return coldStart(ctx, tegata, empty) }},
		{"get", ratioHeader, func() ([]row, error) { return getInABox(ctx, tegata) }},
		{"emulator", ratioHeader, func() ([]row, error) { return emulatorRequests(ctx) }},
		{"account", ratioHeader, func() ([]row, error) { return accountBesideMoto(ctx, tegata) }},
		{"scan", ratioHeader, func() ([]row, error) { return scanBeside(ctx, tegata) }},
		{"gateway", addedHeader, func() ([]row, error) { return gatewayBeside(ctx, tegata) }},
	}, args)
	if err != nil {
		return err
	}
	return report(os.Stdout, figures)
}

// A figure is measured and gives rows of the table under its header.
type figure struct {
	name, header string
	measure      func() ([]row, error)
}

// A row is one line of a table.
type row = fmt.Stringer

func choose(all []figure, names []string) (chosen []figure, err error) {
	if len(names) == 0 {
		return all, nil
	}
	for _, name := range names {
		i := slices.IndexFunc(all, func(f figure) bool { return f.name == name })
		if i < 0 {
			return nil, fmt.Errorf("no figure is called %q", name)
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

// report prints the rows as they come. A figure that can't be measured here
// is left out of the table and returned as an error.
func report(w io.Writer, figures []figure) error {
	fmt.Fprintln(w, machine())
	var failed []error
	header := ""
	for _, f := range figures {
		if f.header != header {
			header = f.header
			fmt.Fprintf(w, "\n%s", header)
		}
		rows, err := f.measure()
		if err != nil {
			failed = append(failed, fmt.Errorf("measure %s: %w", f.name, err))
		}
		for _, r := range rows {
			fmt.Fprintln(w, r)
		}
	}
	return errors.Join(failed...)
}

// buildPrograms builds tegata as it is released, and a program that does
// nothing in the same way.
func buildPrograms(ctx context.Context, dir string) (tegata, empty string, err error) {
	tegata, empty = filepath.Join(dir, "tegata"), filepath.Join(dir, "empty")
	source := filepath.Join(dir, "empty.go")
	if err := os.WriteFile(source, []byte("package main\n\nfunc main() {}\n"), 0o644); err != nil {
		return "", "", err
	}
	return tegata, empty, errors.Join(build(ctx, tegata, "./cmd/tegata"), build(ctx, empty, source))
}

func build(ctx context.Context, to, what string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", to, what)
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", what, err, out)
	}
	return nil
}
