package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"tegata/internal/policy"
	"tegata/sandbox"
)

// recordFlag is --record-policy: alone it means stdout, with a value a file.
type recordFlag struct {
	wanted bool
	file   string // "" means stdout
}

func (f *recordFlag) String() string   { return f.file }
func (f *recordFlag) IsBoolFlag() bool { return true }

func (f *recordFlag) Set(v string) error {
	f.wanted, f.file = v != "false", v
	if v == "true" || v == "false" || v == "-" {
		f.file = ""
	}
	return nil
}

// open makes the file before the command runs, as a shell does: what a command
// has done for an hour must not be lost to a mistyped name.
func (f *recordFlag) open() (files []*os.File, err error) {
	if f.file == "" {
		return nil, nil
	}
	file, err := os.Create(f.file)
	if err != nil {
		return nil, statusError{sandbox.StatusFailed, fmt.Errorf("record the policy: %w", err)}
	}
	return []*os.File{file}, nil
}

func closeAll(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}

// tellPolicy writes the policy that allows what was recorded, to the one file
// or to stdout, and says on stderr what can't be seen in it.
func (s *session) tellPolicy(r sandbox.Record, files []*os.File) error {
	for _, arn := range r.Others {
		s.warn("the policy is for %s; not in it is what %s did", r.Principal, arn)
	}
	for _, u := range r.Uses {
		if !u.Allowed {
			s.warn("denied, and not in the policy: %s on %s", u.Action, u.Resource)
		}
	}
	least, notes := policy.Least(r.Uses)
	if len(least.Statements) == 0 {
		s.warn("no policy to record: nothing was allowed that needs a permission")
		return nil
	}
	if actions := wide(notes); actions != "" {
		s.warn("these actions take no ARN, so AWS wants * as their resource: %s", actions)
	}
	var out io.Writer = s.Stdout
	if len(files) > 0 {
		out = files[0]
	}
	text, err := json.MarshalIndent(least, "", "  ")
	if err == nil {
		err = line(out, "%s", text)
	}
	if err != nil {
		return statusError{sandbox.StatusFailed, fmt.Errorf("record the policy: %w", err)}
	}
	return nil
}

func wide(notes []policy.Note) string {
	var actions []string
	for _, n := range notes {
		actions = append(actions, n.Action)
	}
	return strings.Join(actions, ", ")
}
