// Package report holds what a look at a system found, and writes it down for
// people and for programs.
//
// A [Report] is made by doctor; [Report.Text] and [Report.JSON] write it.
package report

import (
	"time"

	"tegata/internal/message"
)

// A Report is the outcome of one run: every step that was taken or left out,
// in the order of the chain.
type Report struct {
	Started time.Time
	Elapsed time.Duration
	Steps   []Step
}

// A Step is one check and what came of it.
type Step struct {
	Name    string       // stable name of the check, such as "imds-token"
	Title   message.Text // what was looked at
	Status  Status
	Because string   // for NotRun: the id of the finding that stood in the way
	Facts   []Field  // what was learnt, whether good or bad
	Finding *Finding // set when Status is Failed or Warned
	Elapsed time.Duration
}

// Status is how a step ended.
type Status string

const (
	Passed Status = "passed"
	Warned Status = "warned"
	Failed Status = "failed"
	NotRun Status = "not-run" // a step that it requires failed
)

// A Finding is one message of the catalogue with the evidence for it.
type Finding struct {
	ID       string
	Evidence []Field // in the order in which a reader wants them
}

// A Field is one named fact. Values never hold secrets.
type Field struct {
	Name  string
	Value string

	// Phrase says the fact of a step to people: English words, with %s for
	// the value if it is in them. Facts without one are for programs.
	Phrase string
}
