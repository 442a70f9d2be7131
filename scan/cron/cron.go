// Package cron reads crontabs: what they run, and when, stands on one line.
//
// Source: https://man7.org/linux/man-pages/man5/crontab.5.html
package cron

import (
	"errors"
	"regexp"
	"strings"
	"sync"

	"tegata/scan"
)

// Detect hands over the commands of a crontab, each a script of its own.
func Detect(t *scan.Text) (facts scan.Facts) {
	at := 0
	for line := range strings.Lines(t.Body) {
		if m := entry().FindStringIndex(line); m != nil && strings.TrimSpace(line[m[1]:]) != "" {
			facts.Texts = append(facts.Texts, command(t, scan.Span{Start: at + m[1], End: at + len(strings.TrimRight(line, "\r\n"))}))
		}
		at += len(line)
	}
	return facts
}

// entry matches when a command runs and, in crontabs of the system, as whom.
// Those of users have no such word: a name is one only if more than options
// follow it.
var entry = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[ \t]*(?:@\w+|(?:[-\d*,/A-Za-z]+|\{\})(?:[ \t]+(?:[-\d*,/A-Za-z]+|\{\})){4})[ \t]+(?:(?:root|nobody|admin|ubuntu|centos|core|debian|fedora|rocky|www-data|ec2-user|ssm-user|hadoop|jenkins|\{\})[ \t]+)?`)
})

// command takes over a command. A percent sign with a backslash is a percent
// sign; what follows one without is the command's input.
func command(t *scan.Text, at scan.Span) *scan.Text {
	b, from := t.Within(), at.Start
	for i := at.Start; i < at.End; i++ {
		switch {
		case strings.HasPrefix(t.Body[i:at.End], `\%`):
			b.Verbatim(scan.Span{Start: from, End: i})
			b.Decoded(scan.Span{Start: i, End: i + 2}, "%")
			from, i = i+2, i+1
		case t.Body[i] == '%':
			at.End = i
		}
	}
	b.Verbatim(scan.Span{Start: from, End: at.End})
	return b.Text(scan.Shell, scan.Layer{Name: "a crontab", Encode: encode}, "crontab")
}

var errLine = errors.New("a command stands on one line of a crontab")

func encode(s string) (string, error) {
	if strings.Contains(s, "\n") {
		return "", errLine
	}
	return strings.ReplaceAll(s, "%", `\%`), nil
}
