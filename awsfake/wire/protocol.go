package wire

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
	"strconv"
	"strings"
)

// A Protocol is one of AWS's ways to put calls, answers and errors on the
// wire.
type Protocol int

// The protocols, with services that speak them.
const (
	RESTJSON Protocol = iota // Bedrock
	JSON                     // 1.1: SSM
	JSON10                   // 1.0
	Query                    // IAM
	EC2Query                 // EC2
	RESTXML                  // S3, of which every call is refused
	CBOR                     // Smithy's RPC v2: CloudWatch
)

func (p Protocol) isQuery() bool { return p == Query || p == EC2Query }

// AuthStatus is the HTTP status of refused signatures and callers.
func (p Protocol) AuthStatus() int {
	switch p {
	case JSON, JSON10, CBOR:
		return http.StatusBadRequest
	case EC2Query:
		return http.StatusUnauthorized
	}
	return http.StatusForbidden
}

func (p Protocol) contentType() string {
	switch p {
	case JSON:
		return "application/x-amz-json-1.1"
	case JSON10:
		return "application/x-amz-json-1.0"
	case Query:
		return "text/xml"
	case EC2Query:
		return "text/xml;charset=UTF-8"
	case RESTXML:
		return "application/xml"
	case CBOR:
		return contentTypeCBOR
	}
	return "application/json"
}

// decode reads the input of an operation out of the form or the body.
func (c *Call) decode(in any) error {
	if c.Protocol.isQuery() {
		return decodeForm(c.Form, c.Protocol == Query, in)
	}
	if c.Protocol == CBOR {
		return decodeCBOR(c.Body, in)
	}
	if len(c.Body) == 0 {
		return nil
	}
	if err := json.Unmarshal(c.Body, in); err != nil {
		return Refuse("SerializationException", "")
	}
	return nil
}

// An answer is the body of a reply.
type answer struct {
	contentType string
	body        []byte
}

func (a answer) write(w http.ResponseWriter, status int) { Write(w, status, a.contentType, a.body) }

// Write sends a whole answer.
func Write(w http.ResponseWriter, status int, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	if contentType == contentTypeCBOR {
		w.Header().Set(HeaderSmithy, smithyCBOR)
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	w.Write(body)
}

// WriteJSON sends an answer of a JSON protocol.
func (c *Call) WriteJSON(w http.ResponseWriter, v any) error {
	Write(w, http.StatusOK, c.Protocol.contentType(), Marshal(v))
	return nil
}

func (c *Call) encode(out any) answer {
	a := answer{contentType: c.Protocol.contentType()}
	switch _, empty := out.(Empty); {
	case c.Protocol.isQuery():
		a.body = c.encodeXML(out, empty)
	case empty && c.Protocol != RESTJSON:
		a.body = nil // as these services answer where nothing is to be told
	case c.Protocol == CBOR:
		a.body = MarshalCBOR(out)
	default:
		a.body = Marshal(out)
	}
	return a
}

// encodeXML puts the elements around an answer that the protocol asks for. An
// answer of the query protocol lies in a Result, one of EC2's does not.
func (c *Call) encodeXML(out any, empty bool) []byte {
	var b strings.Builder
	if c.Protocol == EC2Query {
		b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	}
	b.WriteString("<" + c.Operation + `Response xmlns="` + c.Namespace + `">`)
	if c.Protocol == EC2Query {
		b.WriteString("<requestId>" + c.ID + "</requestId>")
		b.Write(members(out))
	} else {
		if !empty {
			b.WriteString("<" + c.Operation + "Result>")
			b.Write(members(out))
			b.WriteString("</" + c.Operation + "Result>")
		}
		b.WriteString("<ResponseMetadata><RequestId>" + c.ID + "</RequestId></ResponseMetadata>")
	}
	b.WriteString("</" + c.Operation + "Response>\n")
	return []byte(b.String())
}

// members is a struct in XML without the element around it.
func members(v any) []byte {
	const name = "answer"
	var b strings.Builder
	enc := xml.NewEncoder(&b)
	if err := enc.EncodeElement(v, xml.StartElement{Name: xml.Name{Local: name}}); err != nil {
		panic(err) // a service's answers can be marshalled
	}
	text := strings.TrimPrefix(b.String(), "<"+name+">")
	return []byte(strings.TrimSuffix(text, "</"+name+">"))
}

// Marshal writes JSON. It gets only values that can be marshalled.
func Marshal(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}
