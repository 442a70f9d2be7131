package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"tegata/sandbox"
)

// Where the servers listen in a box. No other process can have taken these:
// the network namespace is new.
const (
	boxIMDS = "http://169.254.169.254/"
	boxAWS  = "127.0.0.1:4566"
)

// A scene is a scenario as it was asked for on the command line. It travels
// to the init of the box and is read again there.
type scene struct {
	File   string // name of the scenario file, for errors; empty for the built-in one
	Data   []byte
	Faults []string
}

// scenario reads the scene. What is wrong in the file is the sandbox's
// failure, an unknown fault is wrong usage.
func (sc scene) scenario() (sandbox.Scenario, error) {
	scenario := sandbox.Default()
	if sc.File != "" {
		var err error
		if scenario, err = sandbox.Parse(sc.File, sc.Data); err != nil {
			return scenario, statusError{sandbox.StatusFailed, hintf(err, "see docs/scenarios.md for the keys of a scenario")}
		}
	}
	for _, name := range sc.Faults {
		if err := scenario.Apply(name); err != nil {
			return scenario, usageError{err}
		}
	}
	return scenario, nil
}

// readScene reads the scenario file, if there is one, and what it says.
func readScene(file string, faults []string) (sc scene, scenario sandbox.Scenario, err error) {
	sc = scene{File: file, Faults: faults}
	if file != "" {
		if sc.Data, err = os.ReadFile(file); err != nil {
			return sc, scenario, statusError{sandbox.StatusFailed, fmt.Errorf("read the scenario: %w", err)}
		}
	}
	scenario, err = sc.scenario()
	return sc, scenario, err
}

func runSandbox(ctx context.Context, s *session) error {
	fs := s.flags()
	file := fs.String("scenario", "", "")
	isolate := oneOf("auto", "never")
	fs.Var(isolate, "isolate", "")
	var faults list
	fs.Var(&faults, "fault", "")
	var record recordFlag
	fs.Var(&record, "record-policy", "")
	state := fs.String("state", "", "")
	model := fs.String("model-upstream", "", "")
	listed := fs.Bool("list-faults", false, "")
	spoiled := fs.Bool("spoil", false, "")
	if err := s.parseFlags(fs, s.Args); err != nil {
		return err
	}
	if *listed || *spoiled {
		return s.listFaults(*spoiled, fs.Args())
	}
	args, err := s.commandOrShell(fs.Args())
	if err != nil {
		return err
	}
	sc, scenario, err := readScene(*file, faults)
	if err != nil {
		return err
	}
	place, err := makePlace(scenario)
	if err != nil {
		return statusError{sandbox.StatusFailed, err}
	}
	defer place.remove()
	files, err := record.open()
	if err != nil {
		return err
	}
	defer closeAll(files)
	options, err := optionsOf(*state, *model)
	if err != nil {
		return err
	}
	if isolate.value == "never" {
		return s.runBeside(scenario, options, place, args, record.wanted, files)
	}
	relay, err := relayFor(*model, place.dir)
	if err != nil {
		return err
	}
	defer relay.close()
	spec := boxSpec{Scene: sc, Options: options, Place: place.dir, Command: args, Record: record.wanted}
	return s.runInBox(ctx, spec, place.environInBox(scenario, s.Env), files...)
}

// optionsOf makes the path of the state absolute: the command may be run
// elsewhere.
func optionsOf(state, model string) (o sandbox.Options, err error) {
	if o.Model = model; model != "" {
		if _, err := parseRelay(model); err != nil {
			return o, err
		}
	}
	if state == "" {
		return o, nil
	}
	if o.State, err = filepath.Abs(state); err != nil {
		return o, statusError{sandbox.StatusFailed, fmt.Errorf("find the file of the account: %w", err)}
	}
	return o, nil
}

// commandOrShell returns the command to run: the user's shell where none is
// given and there is somebody to use it.
func (s *session) commandOrShell(args []string) ([]string, error) {
	if len(args) > 0 {
		return args, nil
	}
	if !onTerminal(s.Stdin) {
		return nil, hintf(usagef("no command given, and stdin is not a terminal for a shell"), "tegata sandbox -- aws sts get-caller-identity")
	}
	if shell := s.Getenv("SHELL"); shell != "" {
		return []string{shell}, nil
	}
	return []string{"sh"}, nil
}

// A place holds what a command in a sandbox finds on disk.
type place struct {
	dir, home, bin string
	self           string // this executable
}

// makePlace makes a fresh home directory with the files of the scenario, and
// a directory for PATH in which tegata is this executable. Both are readable
// for all, so that a script in the box may become another user.
func makePlace(scenario sandbox.Scenario) (*place, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this executable: %w", err)
	}
	dir, err := os.MkdirTemp("", "tegata-sandbox-")
	if err != nil {
		return nil, hintf(fmt.Errorf("make a home for the command: %w", err), "set TMPDIR to a directory that you can write to")
	}
	p := &place{dir: dir, home: filepath.Join(dir, "home"), bin: filepath.Join(dir, "bin"), self: self}
	err = errors.Join(
		os.Chmod(dir, 0o755),
		os.Mkdir(p.home, 0o755),
		os.Mkdir(p.bin, 0o755),
	)
	if err == nil {
		err = p.link()
	}
	if err == nil {
		err = scenario.WriteFiles(p.home)
	}
	if err != nil {
		p.remove()
		return nil, hintf(fmt.Errorf("make a home for the command: %w", err), "set TMPDIR to a directory that you can write to")
	}
	return p, nil
}

// link puts tegata into the directory for PATH. Windows lets few users make
// symbolic links, so there it is a copy.
func (p *place) link() error {
	if runtime.GOOS != "windows" {
		return os.Symlink(p.self, filepath.Join(p.bin, "tegata"))
	}
	program, err := os.ReadFile(p.self)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(p.bin, "tegata.exe"), program, 0o755)
}

// environ is the environment beside the servers of a scenario, without a box.
func (p *place) environ(scenario sandbox.Scenario, outer []string, imds, aws string) ([]string, error) {
	env := scenario.Environ(outer, sandbox.Places{IMDS: imds, AWS: aws, Home: p.home, Path: p.bin})
	if name := sandbox.LeadsOut(env); name != "" {
		err := fmt.Errorf("the scenario's %s would lead AWS clients off this machine", name)
		return nil, statusError{sandbox.StatusFailed, hintf(err, "only a box keeps them here, see tegata help sandbox")}
	}
	return env, nil
}

func (p *place) environInBox(scenario sandbox.Scenario, outer []string) []string {
	return scenario.Environ(outer, sandbox.Places{IMDS: boxIMDS, AWS: "http://" + boxAWS, CA: caFile(p.dir), Home: p.home, Path: p.bin})
}

// remove deletes the place. What can't be deleted, such as read-only
// directories that the command made, stays behind in the system's directory
// for temporary files.
func (p *place) remove() { _ = os.RemoveAll(p.dir) }
