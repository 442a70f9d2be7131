package cli

import (
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
)

// flags returns a flag set for the command, with --lang in it. What the
// flag package would print is left to [session.report].
func (s *session) flags() *flag.FlagSet {
	fs := flag.NewFlagSet(s.command.name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Usage = func() {}
	fs.Func("lang", "", s.setLang)
	return fs
}

// parse reads flags and arguments in any order, as people type them, and
// returns the arguments. All that follows "--" is an argument.
func (s *session) parse(fs *flag.FlagSet) (args []string, err error) {
	rest := s.Args
	for {
		if err := s.parseFlags(fs, rest); err != nil {
			return nil, err
		}
		parsed := rest[:len(rest)-fs.NArg()]
		rest = fs.Args()
		if len(rest) == 0 || len(parsed) > 0 && parsed[len(parsed)-1] == "--" {
			return append(args, rest...), nil
		}
		args, rest = append(args, rest[0]), rest[1:]
	}
}

// parseFlags reads the flags before the first argument.
func (s *session) parseFlags(fs *flag.FlagSet, args []string) error {
	switch err := fs.Parse(args); err {
	case nil:
		return nil
	case flag.ErrHelp:
		return errHelpWanted
	default:
		return usagef("%s", twoDashes(strings.Replace(err.Error(), "flag provided but not defined:", "unknown flag", 1)))
	}
}

// twoDashes writes flags in what the flag package says as the help does: two
// dashes before a word, one before a letter.
func twoDashes(message string) string {
	words := strings.Split(message, " ")
	for i, w := range words {
		if strings.HasPrefix(w, "-") && !strings.HasPrefix(w, "--") && len(strings.TrimSuffix(w, ":")) > 2 {
			words[i] = "-" + w
		}
	}
	return strings.Join(words, " ")
}

// noArgs reads flags where the command takes no arguments.
func (s *session) noArgs(fs *flag.FlagSet) error {
	args, err := s.parse(fs)
	if err == nil && len(args) > 0 {
		err = usagef("unexpected argument %q", args[0])
	}
	return err
}

// choice is a flag with a fixed set of values. The first is the default, and
// where that is "" it can't be typed.
type choice struct {
	value   string
	choices []string
}

func oneOf(choices ...string) *choice { return &choice{choices[0], choices} }

func (c *choice) String() string { return c.value }

func (c *choice) Set(v string) error {
	if v == "" || !slices.Contains(c.choices, v) {
		return fmt.Errorf("want one of %s", strings.TrimPrefix(strings.Join(c.choices, ", "), ", "))
	}
	c.value = v
	return nil
}

// list is a flag that may be given several times.
type list []string

func (l *list) String() string     { return strings.Join(*l, ",") }
func (l *list) Set(v string) error { *l = append(*l, v); return nil }
