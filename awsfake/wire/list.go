package wire

import "encoding/xml"

// A List is a list of an answer that is there even if nothing is in it: of
// member elements in XML.
type List[T any] []T

// MarshalXML writes <Name><member>…</member></Name>.
func (l List[T]) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	return e.EncodeElement(struct {
		Members []T `xml:"member"`
	}{l}, start)
}

// MarshalJSON writes [] for no members, never null.
func (l List[T]) MarshalJSON() ([]byte, error) {
	if l == nil {
		return []byte("[]"), nil
	}
	return Marshal([]T(l)), nil
}
