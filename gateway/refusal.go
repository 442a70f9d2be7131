package gateway

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"tegata/bedrock"
	"tegata/internal/message"
	"tegata/internal/report"
)

// A refusal is a request that the gateway itself turns down.
type refusal struct {
	status int
	param  string // the field of the request that is to blame, "" for none
	phrase string // English, a key of the phrases
	args   []any
}

// refuse returns an error that is answered with a status and a phrase about a
// field of the request.
func refuse(status int, param, phrase string, args ...any) error {
	return &refusal{status, param, phrase, args}
}

// badField refuses a request for one of its fields.
func badField(param, phrase string, args ...any) error {
	return refuse(http.StatusBadRequest, param, phrase, args...)
}

func (r *refusal) Error() string { return message.English.T(r.phrase, r.args...) }

// A failure is an error as the client sees it.
type failure struct {
	status    int
	finding   string // TG id, or ""
	requestID string // of AWS, or ""
	retry     bool   // trying again may help
	body      errorBody
}

// errorBody is OpenAI's object for errors, with more in it: programs that know
// only that find the cause and the remedy in the message.
type errorBody struct {
	Message   string  `json:"message"`
	Type      string  `json:"type"`
	Code      *string `json:"code"`  // TG id
	Param     *string `json:"param"` // the field of the request that is to blame
	RequestID string  `json:"request_id,omitempty"`
	Title     string  `json:"title,omitempty"`
	Cause     string  `json:"cause,omitempty"`
	Remedy    string  `json:"remedy,omitempty"`
	Command   string  `json:"command,omitempty"`
	Where     string  `json:"where,omitempty"`  // where to type the command
	Detail    string  `json:"detail,omitempty"` // AWS's own words, or those of what failed before
}

// failureOf turns any error of a request into what the client is told.
func (s *Server) failureOf(ctx context.Context, l message.Lang, err error) failure {
	if r, ok := errors.AsType[*refusal](err); ok {
		f := failure{status: r.status, retry: r.status == http.StatusServiceUnavailable}
		f.body = errorBody{Message: l.T(r.phrase, r.args...), Type: typeOf(r.status), Param: optional(r.param)}
		return f
	}
	return failureFrom(s.Explain(ctx, err), l)
}

// failureFrom says a problem in a language.
func failureFrom(p bedrock.Problem, l message.Lang) failure {
	f := failure{status: cmp.Or(p.Status, http.StatusBadGateway), finding: p.ID, requestID: p.RequestID, retry: p.Retry}
	if f.status == bedrock.StatusGone { // something was cancelled, but the client still waits
		f.status = http.StatusServiceUnavailable
	}
	f.body = errorBody{Type: typeOf(f.status), Code: optional(p.ID), RequestID: p.RequestID, Detail: p.Detail}
	if p.ID == "" {
		f.body.Message = cmp.Or(p.Detail, l.T("Bedrock could not be asked, and no cause was found"))
		return f
	}
	w := words(p, l)
	f.body.Title, f.body.Cause, f.body.Remedy, f.body.Command = w.Title, w.Cause, w.Remedy, w.Command
	f.body.Where = w.Where.In(l)
	f.body.Message = l.T("%s. ", w.Title) + w.Remedy
	if p.Detail != "" {
		f.body.Message += " (" + p.Detail + ")"
	}
	return f
}

// words are what the catalogue says to a problem.
func words(p bedrock.Problem, l message.Lang) report.Words {
	finding := report.Finding{ID: p.ID}
	for _, name := range slices.Sorted(maps.Keys(p.Fields)) {
		finding.Evidence = append(finding.Evidence, report.Field{Name: name, Value: p.Fields[name]})
	}
	return report.Step{Status: report.Failed, Finding: &finding}.Words(l)
}

// typeOf is OpenAI's word for the kind of an error.
func typeOf(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return "authentication_error"
	case http.StatusForbidden:
		return "permission_error"
	case http.StatusNotFound:
		return "not_found_error"
	case http.StatusTooManyRequests:
		return "rate_limit_error"
	}
	if status < http.StatusInternalServerError {
		return "invalid_request_error"
	}
	return "api_error"
}

// How long a client should wait. A quota per minute is whole again after one,
// and most of it sooner; credentials that are missing come within seconds once
// their role is there.
const (
	afterThrottling = 15 * time.Second
	afterOutage     = 5 * time.Second
)

// write sends the failure. Clients by OpenAI try again after a 429 or a 5xx
// unless they are told that it is of no use.
func (f failure) write(w http.ResponseWriter) {
	h := w.Header()
	if f.requestID != "" {
		h.Set("X-Request-Id", f.requestID)
	}
	switch {
	case f.retry && f.status == http.StatusTooManyRequests:
		h.Set("Retry-After", seconds(afterThrottling))
	case f.retry && f.status == http.StatusServiceUnavailable:
		h.Set("Retry-After", seconds(afterOutage))
	case !f.retry && (f.status == http.StatusTooManyRequests || f.status >= http.StatusInternalServerError):
		h.Set("X-Should-Retry", "false")
	}
	writeJSON(w, f.status, f.envelope())
}

func (f failure) envelope() any {
	return struct {
		Error errorBody `json:"error"`
	}{f.body}
}

func seconds(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }

// writeJSON sends v, which can be marshalled. An error of the connection shows
// nowhere: nobody is left to read of it.
func writeJSON(w http.ResponseWriter, status int, v any) {
	var body bytes.Buffer
	e := json.NewEncoder(&body)
	e.SetEscapeHTML(false)
	e.Encode(v)
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.Itoa(body.Len()))
	within(w, writeWithin)
	w.WriteHeader(status)
	w.Write(body.Bytes())
	http.NewResponseController(w).Flush() // what follows, such as the log, is not what the client waits for
}

// within gives the next write to the client so much time. Writers that have
// no deadlines are of tests.
func within(w http.ResponseWriter, d time.Duration) {
	http.NewResponseController(w).SetWriteDeadline(time.Now().Add(d))
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// maxQuote bounds what is repeated of a request.
const maxQuote = 100

// shorten cuts what a client sent to a length that an error can hold.
func shorten(s string) string {
	if r := []rune(s); len(r) > maxQuote {
		return string(r[:maxQuote-1]) + "…"
	}
	return s
}

// quote is shorten in quotes.
func quote(s string) string { return fmt.Sprintf("%q", shorten(s)) }
