package web

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"tegata/bedrock"
	"tegata/internal/message"
	"tegata/internal/report"
	"tegata/store"
)

// thousands writes a number as people read it: 12,345.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// tokensOf says what a call took in and gave out; "" if nothing is known.
// What was read from or written to a cache came in as well.
func tokensOf(l message.Lang, u store.Usage) string {
	if u == (store.Usage{}) {
		return ""
	}
	return l.T("%s tokens in, %s out", thousands(u.Input+u.CacheRead+u.CacheWrite), thousands(u.Output))
}

// costOf writes USD with as many digits as small sums need; "" for nothing.
func costOf(usd float64) string {
	switch {
	case usd <= 0:
		return ""
	case usd < 0.0001:
		return "< $0.0001"
	case usd < 0.1:
		return fmt.Sprintf("$%.4f", usd)
	}
	return fmt.Sprintf("$%.2f", usd)
}

// priceOf writes what a million tokens cost, in and out; "" if it is unknown.
func priceOf(id string) string {
	p, ok := bedrock.PriceOf(id)
	if !ok {
		return ""
	}
	usd := func(f float64) string { return "$" + strconv.FormatFloat(math.Round(f*1e4)/1e4, 'f', -1, 64) }
	return usd(p.In) + " / " + usd(p.Out)
}

// elapsed writes how long something took.
func elapsed(d time.Duration) string {
	switch {
	case d <= 0:
		return ""
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + " ms"
	}
	return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
}

// day returns the heading under which a time stands in the list.
func day(l message.Lang, t, now time.Time) string {
	today := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	switch {
	case !t.Before(today):
		return l.T("Today")
	case !t.Before(today.AddDate(0, 0, -1)):
		return l.T("Yesterday")
	case !t.Before(today.AddDate(0, 0, -7)):
		return l.T("The last seven days")
	}
	return l.T("Earlier")
}

// when writes a time of today as a time, and any other as a date.
func when(t, now time.Time) string {
	t = t.In(now.Location())
	if t.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return t.Format("15:04")
	}
	return t.Format(time.DateOnly)
}

// shortModel makes a name of the id of a model: without the area, the
// provider, the date and the version.
func shortModel(id string) string {
	id = id[strings.LastIndex(id, "/")+1:] // of an ARN
	id, _, _ = strings.Cut(id, ":")
	name := id[strings.LastIndex(id, ".")+1:]
	if i := strings.LastIndex(id, "."); i >= 0 && strings.TrimLeft(name, "0123456789") != name {
		name = id[strings.LastIndex(id[:i], ".")+1:] // a dot within the name: "v3.1"
	}
	parts := strings.Split(name, "-")
	for i, p := range parts {
		if i > 0 && (len(p) == 8 && isNumber(p) || len(p) > 1 && p[0] == 'v' && isNumber(p[1:])) {
			return strings.Join(parts[:i], "-")
		}
	}
	return name
}

func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// areaName says what an inference profile means for where data goes.
func areaName(l message.Lang, area string) string {
	switch area {
	case "":
		return l.T("data stays in this region")
	case "jp":
		return l.T("data stays in Japan")
	case "us":
		return l.T("data stays in the United States")
	case "eu":
		return l.T("data stays in the European Union")
	case "au":
		return l.T("data stays in Australia")
	case "apac":
		return l.T("data stays in Asia-Pacific")
	case "ca":
		return l.T("data stays in Canada")
	case "global":
		return l.T("any region of the world")
	}
	return area
}

// lifecycle says what is announced for a model; "" for nothing.
func lifecycle(l message.Lang, o bedrock.Offer) string {
	switch legacy := o.Model.Lifecycle.Status == "LEGACY"; {
	case legacy && !o.Ends.IsZero():
		return l.T("legacy, ends %s", o.Ends.Format(time.DateOnly))
	case legacy:
		return l.T("legacy")
	case !o.Ends.IsZero():
		return l.T("ends %s", o.Ends.Format(time.DateOnly))
	}
	return ""
}

// note says why an answer ended before it was whole; "" if it didn't.
func note(l message.Lang, m store.Message) string {
	switch m.State {
	case store.Stopped:
		return l.T("Stopped.")
	case store.Interrupted:
		return l.T("Interrupted: the server ended while this was being written.")
	}
	switch m.StopReason {
	case "max_tokens":
		return l.T("The answer reached the longest that was allowed.")
	case "model_context_window_exceeded":
		return l.T("The conversation is as long as the model can read.")
	case "content_filtered", "guardrail_intervened":
		return l.T("A filter ended the answer.")
	}
	return ""
}

// wordsOf returns what the catalogue says to a finding, with everything filled
// in. It reports false for an id that the catalogue doesn't have.
func wordsOf(l message.Lang, id string, fields map[string]string) (report.Words, bool) {
	m, ok := message.Lookup(id)
	if !ok {
		return report.Words{}, false
	}
	f := report.Finding{ID: id}
	for _, name := range m.Evidence {
		f.Evidence = append(f.Evidence, report.Field{Name: name, Value: fields[name]})
	}
	return report.Step{Status: report.Failed, Finding: &f}.Words(l), true
}
