package shell

import (
	"regexp"
	"strings"
	"sync"

	"tegata/scan"
)

// upstartScript matches the start of a script in a job of upstart, up to the
// line that ends it.
//
// Source: https://manpages.debian.org/jessie/upstart/init.5.en.html
var upstartScript = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?m)^[ \t]*(?:(?:pre|post)-(?:start|stop)[ \t]+)?script[ \t]*\r?\n((?s:.*?))^[ \t]*end script[ \t]*\r?$`)
})

// upstart yields the scripts of a job, and returns where they stand.
func upstart(t *scan.Text) (texts []*scan.Text, at []scan.Span) {
	if !strings.Contains(t.Body, "end script") {
		return nil, nil
	}
	for _, m := range upstartScript().FindAllStringSubmatchIndex(t.Body, -1) {
		script := scan.Span{Start: m[2], End: m[3]}
		b := t.Within()
		b.Verbatim(script)
		if inner := b.Text(scan.Shell, scan.Layer{Name: "a job of upstart", Encode: func(s string) (string, error) { return s, nil }}, "script"); readable(inner) {
			texts, at = append(texts, inner), append(at, script)
		}
	}
	return texts, at
}

func readable(t *scan.Text) bool {
	file, _ := parse(t)
	return file != nil
}
