package scan

import (
	"encoding/xml"
	"fmt"
	"io"

	"tegata/internal/message"
)

type junitSuite struct {
	XMLName  xml.Name    `xml:"testsuite"`
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	File    string        `xml:"file,attr,omitempty"`
	Line    int           `xml:"line,attr,omitempty"`
	Failure *junitFailure `xml:"failure"`
	Error   *junitFailure `xml:"error"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
}

// JUnit writes each result as a test that failed, for services that know test
// reports; one that passed stands for a scan that found nothing.
//
// Source: https://github.com/testmoapp/junitxml
func (r *Report) JUnit(w io.Writer, l message.Lang) error {
	suite := junitSuite{Name: "tegata scan", Failures: len(r.Results), Errors: len(r.Problems)}
	for _, f := range r.Results {
		place := fmt.Sprintf("%s:%d:%d", f.Path, f.Start.Line, f.Start.Column)
		suite.Cases = append(suite.Cases, junitCase{
			Class: f.Path, Name: f.ID + " " + place, File: f.Path, Line: f.Start.Line,
			Failure: &junitFailure{f.Title(l), string(f.Severity), place + "\n" + f.Source + "\n" + f.says(l)},
		})
	}
	for _, p := range r.Problems {
		suite.Cases = append(suite.Cases, junitCase{Class: p.Path, Name: p.Path, File: p.Path, Error: &junitFailure{p.reason(), "unread", p.Error()}})
	}
	if len(suite.Cases) == 0 {
		suite.Cases = []junitCase{{Class: "tegata", Name: r.summary(l)}}
	}
	suite.Tests = len(suite.Cases)
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(suite); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}
