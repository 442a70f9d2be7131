package bedrock

import (
	"context"
	"errors"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// unknown is the finding for what Bedrock says and no rule knows.
const unknown = "TG6900"

// Explain returns the id of the finding that an error stands for, and what
// the error itself gives as evidence. It reads the errors of this package,
// and the words of AWS in errors of any other origin: another SDK, the AWS
// CLI, a line of a log.
//
// It reports false for what is not about Bedrock: credentials that could not
// be had, a context that ended, any other text.
func Explain(err error) (id string, fields map[string]string, ok bool) {
	return explain(err, time.Now())
}

func explain(err error, now time.Time) (string, map[string]string, bool) {
	if errors.Is(err, context.Canceled) || errors.As(err, new(*credentialsError)) {
		return "", nil, false
	}
	if errors.Is(err, ErrNoRegion) {
		return "TG4003", map[string]string{}, true
	}
	var none *NoProfileError
	if errors.As(err, &none) {
		return none.explain(now)
	}
	var e *Error
	if !errors.As(err, &e) {
		return explainText(err.Error(), now)
	}
	c := caseOf(e, now)
	for _, r := range rules {
		if r.matches(c) {
			return r.id, c.fields(), true
		}
	}
	return unknown, c.fields(), true
}

// explain tells a model that is gone from one that the region never had.
func (e *NoProfileError) explain(now time.Time) (string, map[string]string, bool) {
	id, fields := "TG6003", map[string]string{"model": e.Model, "region": e.Region, "message": e.Error()}
	if l, ok := Retired(e.Model); ok && l.Ended(now) {
		id, fields["end_of_life"] = "TG6014", l.EndOfLifeTime.Format(time.DateOnly)
		if s := first(e.Instead); s != "" {
			fields["successor"] = s
		}
	}
	return id, fields, true
}

// explainText reads AWS's words where only they are left.
func explainText(text string, now time.Time) (string, map[string]string, bool) {
	c := caseOf(errorIn(text), now)
	for _, r := range rules {
		if r.text != nil && r.matches(c) {
			return r.id, c.fields(), true
		}
	}
	return "", nil, false
}

// errorIn finds the parts of an error in a text, such as the AWS CLI's "An
// error occurred (CODE) when calling the OPERATION operation: MESSAGE" or the
// Go SDK's "operation error Bedrock Runtime: OPERATION, … api error CODE:
// MESSAGE".
func errorIn(text string) *Error {
	status, _ := strconv.Atoi(group(`(?i)status ?code:? (\d{3})`, text))
	return &Error{
		Code:      group(`\b([A-Z][A-Za-z]+Exception|ExpiredToken|InvalidClientTokenId|SignatureDoesNotMatch|AccessDenied|FTUFormNotFilled)\b`, text),
		Operation: group(`when calling the (\w+) operation|\bBedrock(?: Runtime)?: (\w+),`, text),
		RequestID: group(`(?i)request ?id:? ([0-9a-f-]{36})`, text),
		Status:    status,
		Message:   withoutSecrets(text),
	}
}

// group returns the first group that is not empty of the first match of a
// pattern. It compiles the pattern in every call: errors are rare, while what
// a package compiles for itself delays every start.
func group(pattern, s string) string {
	m := regexp.MustCompile(pattern).FindStringSubmatch(s)
	for _, g := range m[min(len(m), 1):] {
		if g != "" {
			return g
		}
	}
	return ""
}

// A symptom is an error with everything that rules ask of it.
type symptom struct {
	*Error
	text   string // Message as rules are written: lower case, straight apostrophes, single spaces
	denial denial
	now    time.Time
}

func caseOf(e *Error, now time.Time) symptom {
	return symptom{Error: e, text: normal(e.Message), denial: denialIn(e.Message), now: now}
}

// normal makes texts comparable. AWS writes "isn’t" with U+2019 in some
// messages and with a straight apostrophe in others.
func normal(s string) string {
	s = strings.NewReplacer("\u2019", "'", "\u2018", "'", "\u02bc", "'").Replace(s)
	return strings.ToLower(strings.Join(strings.Fields(s), " "))
}

// unresolved returns the host of Bedrock that DNS does not know, or "".
func unresolved(err error) string {
	var dns *net.DNSError
	if errors.As(err, &dns) && dns.IsNotFound && strings.HasPrefix(dns.Name, "bedrock") {
		return dns.Name
	}
	return ""
}

func timedOut(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

// A denial is what IAM says when it refuses.
//
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
type denial struct{ User, Action, Resource string }

func denialIn(message string) denial {
	return denial{
		User:     group(`User: (\S+) is not authorized to perform:`, message),
		Action:   group(`is not authorized to perform: (\S+)`, message),
		Resource: group(`is not authorized to perform: \S+ on resource: (\S+)`, message),
	}
}

// resourceRegion returns the region in the ARN that was refused; "" for a
// global model.
func (d denial) resourceRegion() string {
	f := strings.SplitN(d.Resource, ":", 5)
	if len(f) < 5 {
		return ""
	}
	return f[3]
}

func (s symptom) ofBedrock() bool { return strings.HasPrefix(s.denial.Action, "bedrock:") }

func (s symptom) asksToStream() bool {
	return s.denial.Action == "bedrock:InvokeModelWithResponseStream"
}

// viaProfile reports whether the refused resource is one that only a call
// through an inference profile asks for: the profile itself, or a model that
// is not of the region of the call.
func (s symptom) viaProfile() bool {
	if !s.ofBedrock() {
		return false
	}
	if strings.Contains(s.denial.Resource, "inference-profile/") || isProfile(s.Model) {
		return true
	}
	return strings.Contains(s.denial.Resource, ":foundation-model/") &&
		(s.denial.resourceRegion() == "" || s.Region != "" && s.denial.resourceRegion() != s.Region)
}

// fields returns the evidence that the error itself gives.
func (s symptom) fields() map[string]string {
	all := map[string]string{
		"operation": s.Operation, "model": s.modelID(), "region": s.Region, "code": s.Code,
		"message": s.Message, "request_id": s.RequestID, "host": unresolved(s.Err),
		"user": s.denial.User, "role": group(`:assumed-role/([^/]+)/`, s.denial.User),
		"action": s.denial.Action, "resource": s.denial.Resource,
		"policy": group(`explicit deny in an? (identity-based policy|permissions boundary)`, s.Message),
	}
	if l, ok := Retired(s.modelID()); ok {
		all["end_of_life"] = l.EndOfLifeTime.Format(time.DateOnly)
	}
	if s.Status != 0 {
		all["status"] = strconv.Itoa(s.Status)
	}
	if s.Err != nil {
		all["message"] = s.Err.Error()
	}
	for name, v := range all {
		if v == "" {
			delete(all, name)
		}
	}
	return all
}

// modelID returns the model of the call, or the one that the words name.
func (s symptom) modelID() string {
	if s.Model != "" {
		return s.Model
	}
	return group(`model ID (\S+) with`, s.Message)
}

// matches reports whether the rule knows the symptom. Whatever the rule
// leaves open matches anything.
func (r rule) matches(s symptom) bool {
	return r.matchesCode(s) && r.matchesText(s.text) && (r.when == nil || r.when(s))
}

// matchesCode lets words alone decide where they came without a code, unless
// other services say the same and nothing names Bedrock.
func (r rule) matchesCode(s symptom) bool {
	if s.Code == "" && s.text != "" {
		return r.text != nil && (!r.shared || strings.Contains(s.text, "bedrock"))
	}
	return r.codes == nil || slices.Contains(r.codes, s.Code)
}

func (r rule) matchesText(text string) bool {
	return r.text == nil || slices.ContainsFunc(r.text, func(t string) bool { return strings.Contains(text, t) })
}
