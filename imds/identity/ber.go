package identity

import (
	"bytes"
	"errors"
)

// The messages are in BER, of which AWS uses two forms that DER, and so
// encoding/asn1, does not have: lengths that are left open until two zero
// octets, and octet strings in pieces (X.690, section 8). All numbers below
// are of that standard.

// The identifier octets that occur in a message.
const (
	tagInteger     = 0x02
	tagOctets      = 0x04
	tagNull        = 0x05
	tagOID         = 0x06
	tagOctetPieces = 0x24
	tagSequence    = 0x30
	tagSet         = 0x31
	tagContext0    = 0xa0
)

// maxDepth is twice what a message needs.
const maxDepth = 16

var (
	errTruncated  = errors.New("it ends too early")
	errUnexpected = errors.New("it is not built as a message of AWS is")
)

// An element is one value with its identifier.
type element struct {
	tag     byte
	content []byte
	whole   []byte // with identifier and length
	open    bool   // the length was left open
}

// readElement reads the first element of b, and returns what follows it.
func readElement(b []byte, depth int) (e element, rest []byte, err error) {
	switch {
	case depth > maxDepth:
		return e, nil, errUnexpected
	case len(b) < 2:
		return e, nil, errTruncated
	case b[0]&0x1f == 0x1f: // an identifier of several octets
		return e, nil, errUnexpected
	case b[1] == 0x80:
		return readOpen(b, depth)
	}
	length, header, err := readLength(b)
	if err != nil {
		return e, nil, err
	}
	if length > len(b)-header {
		return e, nil, errTruncated
	}
	end := header + length
	return element{tag: b[0], content: b[header:end], whole: b[:end]}, b[end:], nil
}

// readLength returns the length of the content, and that of what stands
// before it.
func readLength(b []byte) (length, header int, err error) {
	if b[1] < 0x80 {
		return int(b[1]), 2, nil
	}
	octets := int(b[1] & 0x7f)
	switch {
	case octets > 3: // 16 MiB
		return 0, 0, errUnexpected
	case len(b) < 2+octets:
		return 0, 0, errTruncated
	}
	for _, o := range b[2 : 2+octets] {
		length = length<<8 | int(o)
	}
	return length, 2 + octets, nil
}

// readOpen reads an element whose length is left open.
func readOpen(b []byte, depth int) (e element, rest []byte, err error) {
	if b[0]&0x20 == 0 { // not made of elements
		return e, nil, errUnexpected
	}
	for rest = b[2:]; !bytes.HasPrefix(rest, []byte{0, 0}); {
		if _, rest, err = readElement(rest, depth+1); err != nil {
			return e, nil, err
		}
	}
	end := len(b) - len(rest)
	return element{tag: b[0], content: b[2:end], whole: b[:end+2], open: true}, rest[2:], nil
}

// A reader takes one element after the other. After the first error, which
// all readers of a message share, everything it gives is empty.
type reader struct {
	rest []byte
	err  *error
}

func (r reader) fail(err error) {
	if *r.err == nil {
		*r.err = err
	}
}

// next takes an element that must have the tag.
func (r *reader) next(tag byte) element {
	if *r.err != nil {
		return element{}
	}
	e, rest, err := readElement(r.rest, 0)
	if err == nil && e.tag != tag {
		err = errUnexpected
	}
	if err != nil {
		r.fail(err)
		return element{}
	}
	r.rest = rest
	return e
}

// inside returns a reader of what the next element holds.
func (r *reader) inside(tag byte) *reader { return &reader{r.next(tag).content, r.err} }

// is reports whether another element follows, with the tag.
func (r *reader) is(tag byte) bool { return *r.err == nil && len(r.rest) > 0 && r.rest[0] == tag }

// want takes an element that must hold exactly this.
func (r *reader) want(tag byte, content string) {
	if string(r.next(tag).content) != content {
		r.fail(errUnexpected)
	}
}

// end says that nothing follows.
func (r *reader) end() {
	if len(r.rest) > 0 {
		r.fail(errUnexpected)
	}
}

// octets takes an octet string, whole or in pieces.
func (r *reader) octets() []byte {
	if !r.is(tagOctetPieces) {
		return r.next(tagOctets).content
	}
	var all []byte
	pieces := r.inside(tagOctetPieces)
	for pieces.is(tagOctets) {
		all = append(all, pieces.next(tagOctets).content...)
	}
	pieces.end()
	return all
}
