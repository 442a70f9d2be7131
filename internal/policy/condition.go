package policy

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// holds tells whether the condition is met. The statement's values are
// alternatives, of which a negated operator wants none. A key that the request
// lacks meets only negated and …IfExists operators.
//
// Of a key with several values ForAllValues wants every one to meet that, and
// ForAnyValue one; without either, which IAM leaves open, one is enough to
// match (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html).
func (c Condition) holds(r Request, vars lookup) bool {
	op, err := parseOperator(c.Operator)
	if err != nil {
		return false
	}
	got := r.values(c.Key)
	if op.null {
		got = []string{strconv.FormatBool(len(got) == 0)}
	}
	if len(got) == 0 {
		return op.absent()
	}
	matches := func(got string) bool {
		return slices.ContainsFunc(c.Values, func(want string) bool { return op.matches(want, got, vars) })
	}
	met := func(got string) bool { return matches(got) != op.negated }
	switch op.set {
	case forAll:
		return !slices.ContainsFunc(got, func(v string) bool { return !met(v) })
	case forAny:
		return slices.ContainsFunc(got, met)
	}
	return slices.ContainsFunc(got, matches) != op.negated
}

// values are those that the request has for a key.
func (r Request) values(key string) []string {
	for k, values := range r.Sets {
		if strings.EqualFold(k, key) {
			return values
		}
	}
	if v, ok := contextLookup(r.Context)(key); ok {
		return []string{v}
	}
	return r.implied(key)
}

// implied are the names in other keys of the request, for the two keys that
// AWS makes of them.
func (r Request) implied(key string) []string {
	var prefix string
	switch strings.ToLower(key) {
	case "aws:tagkeys":
		prefix = "aws:requesttag/"
	case "kms:encryptioncontextkeys":
		prefix = "kms:encryptioncontext:"
	default:
		return nil
	}
	var names []string
	for k := range r.Context {
		if len(k) > len(prefix) && strings.EqualFold(k[:len(prefix)], prefix) {
			names = append(names, k[len(prefix):])
		}
	}
	return names
}

// An operator is one name of the table below with its prefix and suffix.
type operator struct {
	comparison
	set      string // "", forAny or forAll
	ifExists bool
	null     bool
}

// absent is the outcome for a key that the request lacks.
func (o operator) absent() bool {
	switch o.set {
	case forAll:
		return true
	case forAny:
		return o.ifExists
	}
	return o.ifExists || o.negated
}

// How an operator takes a key with several values.
const (
	forAny = "ForAnyValue"
	forAll = "ForAllValues"
)

// parseOperator reads "StringLike", "ForAnyValue:StringLike",
// "StringLikeIfExists" and so on.
func parseOperator(name string) (operator, error) {
	if name == "Null" {
		return operator{null: true, comparison: boolean}, nil
	}
	var op operator
	base := name
	if set, rest, ok := strings.Cut(name, ":"); ok {
		if set != forAny && set != forAll {
			return op, fmt.Errorf("unknown condition operator %q", name)
		}
		op.set, base = set, rest
	}
	base, op.ifExists = strings.CutSuffix(base, "IfExists")
	c, ok := comparisons[base]
	if !ok {
		return op, fmt.Errorf("unknown condition operator %q", name)
	}
	op.comparison = c
	return op, nil
}

// A comparison is what an operator does to one value of a statement and the
// one of the request.
type comparison struct {
	matches func(want, got string, vars lookup) bool
	valid   func(want string) bool // nil: every text is
	negated bool
}

func (c comparison) not() comparison {
	c.negated = true
	return c
}

var (
	stringEquals = comparison{matches: func(want, got string, vars lookup) bool {
		g, ok := expand(want, vars, literal)
		return ok && g.match(got)
	}}
	stringEqualsFold = comparison{matches: func(want, got string, vars lookup) bool {
		g, ok := expand(want, vars, literal)
		return ok && strings.EqualFold(string(g), got)
	}}
	stringLike = comparison{matches: func(want, got string, vars lookup) bool {
		g, ok := expand(want, vars, wildcards)
		return ok && g.match(got)
	}}
	arnLike     = comparison{matches: arnMatches}
	boolean     = comparison{valid: isBool, matches: func(want, got string, _ lookup) bool { return strings.EqualFold(want, got) }}
	ipAddress   = comparison{valid: isPrefix, matches: addressIn}
	binaryEqual = comparison{valid: isBase64, matches: func(want, got string, _ lookup) bool { return want == got }}
)

// comparisons are the operators of
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html.
var comparisons = map[string]comparison{
	"StringEquals":              stringEquals,
	"StringNotEquals":           stringEquals.not(),
	"StringEqualsIgnoreCase":    stringEqualsFold,
	"StringNotEqualsIgnoreCase": stringEqualsFold.not(),
	"StringLike":                stringLike,
	"StringNotLike":             stringLike.not(),
	"ArnEquals":                 arnLike, // IAM gives both pairs the same meaning
	"ArnLike":                   arnLike,
	"ArnNotEquals":              arnLike.not(),
	"ArnNotLike":                arnLike.not(),
	"Bool":                      boolean,
	"BinaryEquals":              binaryEqual,
	"IpAddress":                 ipAddress,
	"NotIpAddress":              ipAddress.not(),
	"NumericEquals":             numeric(func(c int) bool { return c == 0 }),
	"NumericNotEquals":          numeric(func(c int) bool { return c == 0 }).not(),
	"NumericLessThan":           numeric(func(c int) bool { return c < 0 }),
	"NumericLessThanEquals":     numeric(func(c int) bool { return c <= 0 }),
	"NumericGreaterThan":        numeric(func(c int) bool { return c > 0 }),
	"NumericGreaterThanEquals":  numeric(func(c int) bool { return c >= 0 }),
	"DateEquals":                date(func(c int) bool { return c == 0 }),
	"DateNotEquals":             date(func(c int) bool { return c == 0 }).not(),
	"DateLessThan":              date(func(c int) bool { return c < 0 }),
	"DateLessThanEquals":        date(func(c int) bool { return c <= 0 }),
	"DateGreaterThan":           date(func(c int) bool { return c > 0 }),
	"DateGreaterThanEquals":     date(func(c int) bool { return c >= 0 }),
}

// arnMatches compares field by field, so that a * stays within its field.
func arnMatches(want, got string, vars lookup) bool {
	g, ok := expand(want, vars, wildcards)
	if !ok {
		return false
	}
	patterns, fields := g.fields(), strings.SplitN(got, ":", arnFields)
	if len(patterns) != len(fields) {
		return false
	}
	for i, p := range patterns {
		if !p.match(fields[i]) {
			return false
		}
	}
	return true
}

// numeric compares the request's number with the statement's; is gets the
// sign of the difference.
func numeric(is func(int) bool) comparison {
	return comparison{
		valid: func(want string) bool { _, err := strconv.ParseFloat(want, 64); return err == nil },
		matches: func(want, got string, _ lookup) bool {
			w, errW := strconv.ParseFloat(want, 64)
			g, errG := strconv.ParseFloat(got, 64)
			return errW == nil && errG == nil && is(cmp.Compare(g, w))
		},
	}
}

// date compares the request's time with the statement's.
func date(is func(int) bool) comparison {
	return comparison{
		valid: func(want string) bool { _, err := parseDate(want); return err == nil },
		matches: func(want, got string, _ lookup) bool {
			w, errW := parseDate(want)
			g, errG := parseDate(got)
			return errW == nil && errG == nil && is(g.Compare(w))
		},
	}
}

// parseDate reads the W3C profile of ISO 8601, or seconds since 1970.
func parseDate(s string) (time.Time, error) {
	if seconds, err := strconv.ParseInt(s, 10, 64); err == nil && len(s) > len("2006") {
		return time.Unix(seconds, 0), nil
	}
	layouts := []string{time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02", "2006-01", "2006"}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no ISO 8601 date", s)
}

func addressIn(want, got string, _ lookup) bool {
	prefix, errW := parsePrefix(want)
	address, errG := netip.ParseAddr(got)
	return errW == nil && errG == nil && prefix.Contains(address)
}

func parsePrefix(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		return a.Prefix(a.BitLen())
	}
	return netip.ParsePrefix(s)
}

func isPrefix(s string) bool { _, err := parsePrefix(s); return err == nil }
func isBool(s string) bool   { return strings.EqualFold(s, "true") || strings.EqualFold(s, "false") }
func isBase64(s string) bool { _, err := base64.StdEncoding.DecodeString(s); return err == nil }
