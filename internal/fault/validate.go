package fault

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

func (r *Rule) validate(i int) error {
	if err := r.Match.validate(); err != nil {
		return fmt.Errorf("replies[%d].match: %w", i, err)
	}
	if err := r.Reply.validate(); err != nil {
		return fmt.Errorf("replies[%d].reply: %w", i, err)
	}
	return nil
}

func (m *Match) validate() error {
	switch {
	case m.Times < 0:
		return fmt.Errorf("times %d is negative", m.Times)
	case m.Method != strings.ToUpper(m.Method):
		return fmt.Errorf("method %q must be in capital letters", m.Method)
	case m.Path != "" && m.Path[0] != '/' && m.Path[0] != '*':
		return fmt.Errorf("path %q must begin with / or *", m.Path)
	}
	return nil
}

func (r *Reply) validate() error {
	if err := r.validateKind(); err != nil {
		return err
	}
	switch {
	case r.Status != 0 && (r.Status < 200 || r.Status > 599):
		return fmt.Errorf("status %d is not in 200..599", r.Status)
	case (r.Status == http.StatusNoContent || r.Status == http.StatusNotModified) && r.Body != nil && *r.Body != "":
		return fmt.Errorf("status %d has no body", r.Status)
	case r.Body != nil && r.Code != "":
		return errors.New("body and code exclude each other")
	case r.Message != "" && r.Code == "":
		return errors.New("message needs a code")
	case r.Delay < 0:
		return fmt.Errorf("delay %v is negative", r.Delay)
	case !r.Drip.valid():
		return fmt.Errorf("drip %v is not a number of bytes a second", float64(r.Drip))
	case r.Truncate != nil && *r.Truncate < 0:
		return fmt.Errorf("truncate %d is negative", *r.Truncate)
	}
	return r.validateHeaders()
}

// validateKind checks that hang, reset and pass stand alone (a reset may be
// delayed) and that the reply says anything at all: one that doesn't is a
// slip, and would make a scenario without its fault.
func (r *Reply) validateKind() error {
	answers := r.replaces() || r.bends() || r.Message != ""
	kinds := 0
	for _, on := range []bool{r.Hang, r.Reset, r.Pass, answers} {
		if on {
			kinds++
		}
	}
	delayed := r.Delay != 0
	switch {
	case kinds == 0 && !delayed:
		return errors.New("says nothing: give a status, body, code, headers, delay, drip, truncate, hang, reset or pass")
	case kinds > 1, delayed && (r.Hang || r.Pass):
		return errors.New("hang, reset and pass stand alone (reset may have a delay)")
	}
	return nil
}

func (r *Reply) validateHeaders() error {
	for name, value := range r.Headers {
		if name == "" || strings.ContainsFunc(name, notToken) {
			return fmt.Errorf("header name %q is not an HTTP token", name)
		}
		if strings.ContainsAny(value, "\r\n\x00") {
			return fmt.Errorf("header %s: the value holds a line break or NUL", name)
		}
		if frames(name) && value != "" {
			return fmt.Errorf("header %s may only be removed: what is sent decides its value; to end a body early, use truncate", name)
		}
	}
	return nil
}

// frames reports whether the header tells where the body ends. net/http keeps
// such a header true, and reports one that isn't on the server's log.
func frames(name string) bool {
	return strings.EqualFold(name, "Content-Length") || strings.EqualFold(name, "Transfer-Encoding")
}

// notToken reports whether c may not stand in a header name (RFC 9110, 5.6.2).
func notToken(c rune) bool {
	return c <= ' ' || c >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c)
}
