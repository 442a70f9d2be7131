package wire

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Checks collects what is wrong with an input, and words it as AWS does: all
// of it in one error.
//
//	var v wire.Checks
//	v.Required("name", in.Name != nil)
//	v.Length("name", name, 1, 2048)
//	if err := v.Err(c); err != nil { … }
//
// Members are named as the service's model names them, with a small first
// letter.
type Checks struct{ failed []string }

// Required notes a member that is absent.
func (v *Checks) Required(member string, present bool) {
	if !present {
		v.failed = append(v.failed, "Value null at '"+member+"' failed to satisfy constraint: Member must not be null")
	}
}

// Length bounds the characters of a text; a max of 0 means no upper bound.
func (v *Checks) Length(member, value string, least, most int) {
	n := utf8.RuneCountInString(value)
	switch {
	case n < least:
		v.fail(member, value, fmt.Sprintf("Member must have length greater than or equal to %d", least))
	case most > 0 && n > most:
		v.fail(member, value, fmt.Sprintf("Member must have length less than or equal to %d", most))
	}
}

// Count bounds the elements of a list.
func (v *Checks) Count(member string, values []string, least, most int) {
	text := "[" + strings.Join(values, ", ") + "]"
	switch {
	case len(values) < least:
		v.fail(member, text, fmt.Sprintf("Member must have length greater than or equal to %d", least))
	case len(values) > most:
		v.fail(member, text, fmt.Sprintf("Member must have length less than or equal to %d", most))
	}
}

// TooLong notes a member whose value AWS doesn't repeat: bytes and secrets.
func (v *Checks) TooLong(member string, most int) {
	v.failed = append(v.failed, fmt.Sprintf("Value at '%s' failed to satisfy constraint: Member must have length less than or equal to %d", member, most))
}

// Pattern wants the whole of a text to match a regular expression. AWS shows
// the pattern as its model has it.
func (v *Checks) Pattern(member, value, pattern string) {
	if !regexp.MustCompile(`^(?:` + pattern + `)$`).MatchString(value) {
		v.fail(member, value, "Member must satisfy regular expression pattern: "+pattern)
	}
}

// Range bounds a number.
func (v *Checks) Range(member string, value, least, most int) {
	switch {
	case value < least:
		v.fail(member, fmt.Sprint(value), fmt.Sprintf("Member must have value greater than or equal to %d", least))
	case value > most:
		v.fail(member, fmt.Sprint(value), fmt.Sprintf("Member must have value less than or equal to %d", most))
	}
}

// Enum wants a text to be one of a set; AWS lists them in no order of its own.
func (v *Checks) Enum(member, value string, allowed ...string) {
	for _, a := range allowed {
		if value == a {
			return
		}
	}
	v.fail(member, value, "Member must satisfy enum value set: ["+strings.Join(allowed, ", ")+"]")
}

func (v *Checks) fail(member, value, why string) {
	v.failed = append(v.failed, "Value '"+value+"' at '"+member+"' failed to satisfy constraint: "+why)
}

// Err returns what was noted, as the call's protocol names it: ValidationError
// in the query protocols, else ValidationException. Nil means nothing was.
func (v *Checks) Err(c *Call) error {
	if len(v.failed) == 0 {
		return nil
	}
	errors := "errors"
	if len(v.failed) == 1 {
		errors = "error"
	}
	code := "ValidationException"
	if c.Protocol.isQuery() {
		code = "ValidationError"
	}
	return Refuse(code, fmt.Sprintf("%d validation %s detected: %s", len(v.failed), errors, strings.Join(v.failed, "; ")))
}
