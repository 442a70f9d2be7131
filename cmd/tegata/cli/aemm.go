package cli

import (
	"cmp"
	"flag"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"tegata/emulator/aemm"
)

// A mockLine is what of a command line, and of the environment, the
// amazon-ec2-metadata-mock would understand.
type mockLine struct {
	subcommand string
	file       string
	said       []mockSetting // in the order in which they count
}

type mockSetting struct{ key, text, origin string }

// mockSubcommand returns the subcommand of the mock that an argument names, or
// "" for none.
func mockSubcommand(arg string) string {
	switch arg {
	case "spot":
		return aemm.Spot
	case "events", "se", "scheduledevents":
		return aemm.Events
	case "asglifecycle", "asg", "autoscaling":
		return aemm.ASGLifecycle
	}
	return ""
}

// A mockFlag is a flag of the mock; some have a letter for the long name.
type mockFlag struct {
	subcommand, letter, name string
	isBool                   bool
}

// mockFlags are its flags, those of all subcommands first.
func mockFlags() []mockFlag {
	return []mockFlag{
		{"", "n", "hostname", false}, {"", "p", "port", false}, {"", "I", "imdsv2", true},
		{"", "d", "mock-delay-sec", false}, {"", "", "mock-trigger-time", false}, {"", "x", "mock-ip-count", false},
		{"", "", "rebalance-delay-sec", false}, {"", "", "rebalance-trigger-time", false},
		{"", "", "asg-termination-delay-sec", false}, {"", "", "asg-termination-trigger-time", false},
		{"", "s", "save-config-to-file", true}, {"", "w", "watch-config-file", true},
		{aemm.Spot, "a", "action", false}, {aemm.Spot, "t", "time", false}, {aemm.Spot, "r", "rebalance-rec-time", false},
		{aemm.Events, "o", "code", false}, {aemm.Events, "t", "state", false}, {aemm.Events, "b", "not-before", false},
		{aemm.Events, "a", "not-after", false}, {aemm.Events, "l", "not-before-deadline", false},
	}
}

// newMockLine takes the subcommand out of the arguments, because the letters
// of flags mean something else after each, and adds what the environment says.
func newMockLine(s *session) *mockLine {
	m := new(mockLine)
	if i := slices.IndexFunc(s.Args, func(arg string) bool { return mockSubcommand(arg) != "" }); i >= 0 {
		m.subcommand = mockSubcommand(s.Args[i])
		s.Args = slices.Delete(slices.Clone(s.Args), i, i+1)
	}
	for _, kv := range s.Env {
		name, value, _ := strings.Cut(kv, "=")
		switch key := aemm.Variable(name); {
		case name == "AEMM_CONFIG_FILE":
			m.file = value
		case key != "" && value != "":
			m.said = append(m.said, mockSetting{key, value, name})
		}
	}
	return m
}

func (m *mockLine) declare(fs *flag.FlagSet) {
	fs.StringVar(&m.file, "c", m.file, "")
	fs.StringVar(&m.file, "config-file", m.file, "")
	for _, f := range mockFlags() {
		if f.subcommand != "" && f.subcommand != m.subcommand {
			continue
		}
		for _, name := range []string{f.letter, f.name} {
			say := func(text string) error {
				m.said = append(m.said, mockSetting{aemm.FlagKey(f.subcommand, f.name), text, "--" + f.name})
				return nil
			}
			switch {
			case name == "":
			case f.isBool:
				fs.BoolFunc(name, "", say)
			default:
				fs.Func(name, "", say)
			}
		}
	}
}

// apply makes e what the mock would be, if it was asked for.
func (m *mockLine) apply(s *session, e *emulation) error {
	if m.subcommand == "" && m.file == "" && len(m.said) == 0 {
		return nil
	}
	if e.file != "" || len(e.addrs) > 0 || len(e.faults) > 0 {
		return hintf(usagef("--scenario, --addr and --fault don't go with what the amazon-ec2-metadata-mock understands"),
			"put everything into a scenario, see docs/scenarios.md; AEMM_* variables count as well")
	}
	config, err := m.config()
	if err != nil {
		return hintf(err, "see docs/emulator.md for the keys that are understood")
	}
	var only []string
	if m.subcommand != "" {
		only = []string{m.subcommand}
	}
	settings, err := config.Settings(time.Now(), only...)
	if err != nil {
		return err
	}
	for _, w := range settings.Warnings {
		line(s.Stderr, "tegata: %s", w)
	}
	e.mock = &settings.Options
	e.addrs = list{net.JoinHostPort(cmp.Or(settings.Hostname, "localhost"), settings.Port)}
	return nil
}

// config is the file, and on top of it the variables and then the flags.
func (m *mockLine) config() (*aemm.Config, error) {
	config := new(aemm.Config)
	if m.file != "" {
		data, err := os.ReadFile(m.file)
		if err != nil {
			return nil, fmt.Errorf("read the configuration: %w", err)
		}
		if config, err = aemm.Parse(m.file, data); err != nil {
			return nil, err
		}
	}
	for _, said := range m.said {
		if err := config.Set(said.key, said.text); err != nil {
			return nil, usageError{fmt.Errorf("%s: %w", said.origin, err)}
		}
	}
	return config, nil
}
