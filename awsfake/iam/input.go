package iam

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"tegata/awsfake/wire"
)

// A list is a list of an answer: its element is there when it is empty, too.
type list[T any] struct {
	Members []T `xml:"member"`
}

// listed makes the list of an answer.
func listed[T, U any](all []T, as func(T) U) list[U] {
	var l list[U]
	for _, one := range all {
		l.Members = append(l.Members, as(one))
	}
	return l
}

// same is for lists that are told as they are kept.
func same[T any](v T) T { return v }

// paging is what all lists take.
type paging struct {
	Marker   string
	MaxItems *int
}

// more tells whether a list goes on.
type more struct {
	IsTruncated bool
	Marker      string `xml:"Marker,omitempty"`
}

const defaultPage = 100

// page cuts a page out of all.
func page[T any](p paging, all []T) ([]T, more, error) {
	size := defaultPage
	if p.MaxItems != nil {
		size = *p.MaxItems
	}
	part, next, err := wire.Page(all, size, p.Marker)
	if errors.Is(err, wire.ErrToken) {
		return nil, more{}, wire.Refuse("ValidationError", "Invalid Marker.")
	}
	return part, more{IsTruncated: next != "", Marker: next}, err
}

func (p paging) check(v *wire.Checks) {
	if p.MaxItems != nil {
		v.Range("maxItems", *p.MaxItems, 1, 1000)
	}
}

// allow validates the input of a list that takes nothing else, and decides over
// it.
func (p paging) allow(c *wire.Call) error {
	var v wire.Checks
	p.check(&v)
	if err := v.Err(c); err != nil {
		return err
	}
	return c.Authorize("iam:"+c.Operation, "*", nil)
}

// checks validates an input: first the constraints of the model, all in one
// error, then the characters of names and paths, which IAM words its own way.
type checks struct {
	wire.Checks
	own error // the first
}

func (v *checks) err(c *wire.Call) error {
	if err := v.Err(c); err != nil {
		return err
	}
	return v.own
}

func (v *checks) refuse(format string, args ...any) {
	if v.own == nil {
		v.own = wire.Refuse("ValidationError", fmt.Sprintf(format, args...))
	}
}

// name wants the name of an entity.
func (v *checks) name(member, name string, most int) {
	v.Required(member, name != "")
	v.Length(member, name, 0, most)
	if strings.ContainsFunc(name, func(r rune) bool { return !isLetter(r) && !strings.ContainsRune("_+=,.@-", r) }) {
		v.refuse("The specified value for %s is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-", member)
	}
}

func isLetter(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

// path wants a path or nothing.
func (v *checks) path(member string, path *string) {
	if path == nil {
		return
	}
	v.Length(member, *path, 1, 512)
	if outside := func(r rune) bool { return r < '!' || r > '~' }; !strings.HasPrefix(*path, "/") || !strings.HasSuffix(*path, "/") || strings.ContainsFunc(*path, outside) {
		v.refuse("The specified value for %s is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.", member)
	}
}

// prefix wants the beginning of paths or nothing.
func (v *checks) prefix(prefix *string) {
	if prefix != nil && !strings.HasPrefix(*prefix, "/") {
		v.refuse("The specified value for pathPrefix is invalid. It must begin with / and contain only alphanumeric characters and/or / characters.")
	}
}

// arn wants the ARN of a managed policy or a provider.
func (v *checks) arn(member, arn string) {
	v.Required(member, arn != "")
	if arn == "" {
		return
	}
	v.Length(member, arn, 20, 2048)
	if parts := strings.SplitN(arn, ":", 6); v.own == nil && (len(parts) != 6 || parts[0] != "arn" || parts[2] != "iam") {
		v.own = wire.Refuse("InvalidInput", "ARN "+arn+" is not valid.")
	}
}

// document wants a policy to be there; what is in it is looked at later.
func (v *checks) document(member, text string) {
	v.Required(member, text != "")
	v.Length(member, text, 0, 131072)
}

// pathOr is the path that a new entity gets.
func pathOr(path *string) string {
	if path == nil {
		return "/"
	}
	return *path
}

// valueOr is a text that may be absent.
func valueOr(p *string, fallback string) string {
	if p == nil {
		return fallback
	}
	return *p
}

// encoded is a document as IAM tells it: escaped as RFC 3986 says.
func encoded(document string) string {
	return strings.ReplaceAll(url.QueryEscape(document), "+", "%20")
}

// beside reports whether a name is taken; letters' case makes no difference.
func beside[V any](m map[string]V, name string) bool {
	for taken := range m {
		if strings.EqualFold(taken, name) {
			return true
		}
	}
	return false
}
