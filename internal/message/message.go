// Package message is the catalogue of everything that tegata can report: one
// entry for each finding, with its severity, its words in English and
// Japanese, and the command that mends it.
//
// Start with [Lookup]. Ids are stable and never reused; the families are
// listed in docs/messages/README.md.
package message

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// A Message describes one finding. What varies from case to case stands in
// it as {field} and is filled in by [Text.Fill].
type Message struct {
	ID       string   `json:"id"` // TGnnnn
	Severity Severity `json:"severity"`
	Title    Text     `json:"title"`    // one line: what is broken
	Cause    Text     `json:"cause"`    // why, and how it was told from its look-alikes
	Remedy   Text     `json:"remedy"`   // what to do, in words; the click path where there is one
	Command  string   `json:"command"`  // what to type; empty when nothing can be typed
	Where    Where    `json:"where"`    // where to type it
	Evidence []string `json:"evidence"` // names of the fields that a finding carries
	Similar  []string `json:"similar"`  // ids that look alike from outside
	Sources  []string `json:"sources"`  // API page, RFC or thread
}

// Severity says whether the way from the instance to the answer is blocked.
type Severity string

const (
	Error   Severity = "error"   // something does not work
	Warning Severity = "warning" // works, but will not for long or not everywhere
)

// Where says on which machine a remedy is to be run, and with whose rights.
type Where string

const (
	OnInstance Where = "instance" // here, where tegata ran
	AsAdmin    Where = "admin"    // a terminal with an administrator's credentials
	InConsole  Where = "console"  // the AWS console, in a browser
	InApp      Where = "app"      // the application's own files
)

// A Text holds the same words in each language.
type Text map[Lang]string

// Fill returns the text in language l with every {name} replaced by its
// field. A field that is missing stays visible as <name>, so that a command
// with a gap can't be mistaken for a complete one.
func (t Text) Fill(l Lang, fields map[string]string) string {
	s, ok := t[l]
	if !ok {
		s = t[English]
	}
	return Fill(s, fields)
}

// Fill replaces every {name} in s by its field, or by <name> without one.
func Fill(s string, fields map[string]string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(s, "{")
		name, after, closed := strings.Cut(rest, "}")
		if !ok || !closed || !isName(name) {
			b.WriteString(before)
			if !ok {
				return b.String()
			}
			b.WriteString("{")
			s = rest
			continue
		}
		b.WriteString(before)
		if v := fields[name]; v != "" {
			b.WriteString(v)
		} else {
			b.WriteString("<" + name + ">")
		}
		s = after
	}
}

func isName(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz_") == ""
}

//go:embed catalogue.json
var catalogueJSON []byte

var catalogue = sync.OnceValue(func() []Message {
	var all []Message
	if err := json.Unmarshal(catalogueJSON, &all); err != nil {
		panic(fmt.Sprintf("embedded catalogue: %v", err))
	}
	return all
})

// All returns every message in the order of ids.
func All() []Message { return slices.Clone(catalogue()) }

// Lookup returns the message with the given id.
func Lookup(id string) (Message, bool) {
	for _, m := range catalogue() {
		if m.ID == id {
			return m, true
		}
	}
	return Message{}, false
}
