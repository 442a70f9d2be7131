package cli

import (
	"cmp"
	"flag"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"tegata/emulator/aemm"
)

// The flags of `tegata emulate` that the amazon-ec2-metadata-mock has.
type mockFlags struct {
	file, hostname, port string
	v2                   bool
}

func (m *mockFlags) declare(fs *flag.FlagSet) {
	for _, name := range []string{"c", "config-file"} {
		fs.StringVar(&m.file, name, "", "")
	}
	for _, name := range []string{"n", "hostname"} {
		fs.StringVar(&m.hostname, name, "", "")
	}
	for _, name := range []string{"p", "port"} {
		fs.StringVar(&m.port, name, "", "")
	}
	for _, name := range []string{"I", "imdsv2"} {
		fs.BoolVar(&m.v2, name, false, "")
	}
}

// apply makes e what the flags say, if there are any.
func (m mockFlags) apply(s *session, e *emulation) error {
	if m == (mockFlags{}) {
		return nil
	}
	if e.file != "" || len(e.addrs) > 0 || len(e.faults) > 0 {
		return usagef("--config-file, --port, --hostname and --imdsv2 don't go with --scenario, --addr and --fault")
	}
	data := []byte("{}")
	if m.file != "" {
		var err error
		if data, err = os.ReadFile(m.file); err != nil {
			return fmt.Errorf("read the configuration: %w", err)
		}
	}
	c, err := aemm.Parse(data, time.Now())
	if err != nil {
		return hintf(fmt.Errorf("%s: %w", m.file, err), "see docs/emulator.md for the keys that are understood")
	}
	if len(c.Ignored) > 0 {
		s.warn("without effect here: %s", strings.Join(c.Ignored, ", "))
	}
	if m.v2 {
		c.Options.Tokens = "required"
	}
	e.mock = &c.Options
	e.addrs = list{net.JoinHostPort(cmp.Or(m.hostname, c.Hostname, "localhost"), cmp.Or(m.port, c.Port, "1338"))}
	return nil
}
