package wire

import (
	"cmp"
	"encoding/xml"
	"net/http"
	"strings"
)

// An Error is an error of AWS.
type Error struct {
	Status  int
	Code    string
	Message string
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Refuse returns an error with status 400.
func Refuse(code, message string) error { return &Error{http.StatusBadRequest, code, message} }

// Forbidden returns an error with status 403.
func Forbidden(code, message string) error { return &Error{http.StatusForbidden, code, message} }

// NotFound returns an error with status 404.
func NotFound(code, message string) error { return &Error{http.StatusNotFound, code, message} }

// Conflict returns an error with status 409.
func Conflict(code, message string) error { return &Error{http.StatusConflict, code, message} }

// Refuse writes an error in the shape of the call's service.
func (c *Call) Refuse(w http.ResponseWriter, e *Error) {
	contentType, body, header := c.ErrorBody(e.Status, e.Code, e.Message)
	for name := range header {
		w.Header().Set(name, header.Get(name))
	}
	Write(w, e.Status, contentType, body)
}

// ErrorBody is an error in the shape of the call's service. An empty code
// means the one that belongs to the status.
func (c *Call) ErrorBody(status int, code, message string) (contentType string, body []byte, header http.Header) {
	if code == "" {
		code = c.Protocol.codeOf(status)
	}
	contentType = c.Protocol.contentType()
	switch c.Protocol {
	case Query:
		return contentType, c.queryError(status, c.queryCode(code), message), nil
	case EC2Query:
		return contentType, c.ec2Error(code, message), nil
	case JSON, JSON10:
		return contentType, Marshal(withMessage(map[string]string{"__type": code}, message)), c.queryHeader(status, code)
	case CBOR:
		header = c.queryHeader(status, code)
		header.Set(HeaderSmithy, smithyCBOR)
		return contentType, MarshalCBOR(map[string]string{"__type": code, "message": message}), header
	case RESTXML:
		return contentType, c.bareError(code, message), nil
	}
	header = http.Header{}
	header.Set("X-Amzn-ErrorType", code+":http://internal.amazon.com/coral/com.amazon.bedrock/")
	return contentType, Marshal(withMessage(map[string]string{}, message)), header
}

// BadAPIKey refuses Bedrock's API keys, of which the account has none.
const BadAPIKey = "Authentication failed: Please make sure your API Key is valid."

// withMessage adds the text. Refusals by the authorisation layer spell the
// member with a capital letter, all others don't.
func withMessage(members map[string]string, message string) map[string]string {
	switch {
	case message == "":
	case strings.HasPrefix(message, "User: "), message == BadAPIKey:
		members["Message"] = message
	default:
		members["message"] = message
	}
	return members
}

// codeOf names the error of a status, for replies that give only a number.
func (p Protocol) codeOf(status int) string {
	code := "InternalServerException"
	switch status {
	case http.StatusBadRequest:
		code = "ValidationException"
	case http.StatusForbidden, http.StatusUnauthorized:
		code = "AccessDeniedException"
	case http.StatusNotFound:
		code = "ResourceNotFoundException"
	case http.StatusRequestTimeout:
		code = "ModelTimeoutException"
	case http.StatusTooManyRequests:
		code = "ThrottlingException"
	case http.StatusServiceUnavailable:
		code = "ServiceUnavailableException"
	}
	if p.isQuery() {
		return strings.TrimSuffix(code, "Exception")
	}
	return code
}

// queryCode is what an error was called before its service spoke anything but
// the query protocol, and still is there.
func (c *Call) queryCode(code string) string {
	if old := c.QueryErrors[code]; old != "" || c.QueryErrors == nil {
		return cmp.Or(old, code)
	}
	switch code {
	case "ValidationException":
		return "ValidationError"
	case "UnrecognizedClientException":
		return "InvalidClientTokenId"
	case "InvalidSignatureException":
		return "SignatureDoesNotMatch"
	case "UnknownOperationException":
		return "InvalidAction"
	case "SerializationException":
		return "MalformedInput"
	case "AccessDeniedException", "ThrottlingException", "ExpiredTokenException", "IncompleteSignatureException", "MissingAuthenticationTokenException":
		return strings.TrimSuffix(code, "Exception")
	}
	return code
}

// queryHeader tells clients of a service that was one of the query protocol
// what the error was called there
// (https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#aws-protocols-awsquerycompatible-trait).
func (c *Call) queryHeader(status int, code string) http.Header {
	header := http.Header{}
	if c.QueryErrors != nil {
		header.Set("X-Amzn-Query-Error", c.queryCode(code)+";"+kindOf(status))
	}
	return header
}

// kindOf says whose fault an error is.
func kindOf(status int) string {
	if status >= http.StatusInternalServerError {
		return "Receiver"
	}
	return "Sender"
}

func (c *Call) queryError(status int, code, message string) []byte {
	type detail struct {
		Type, Code, Message string
	}
	return marshalXML(struct {
		XMLName   xml.Name
		Error     detail
		RequestID string `xml:"RequestId"`
	}{XMLName: xml.Name{Space: c.Namespace, Local: "ErrorResponse"}, Error: detail{kindOf(status), code, message}, RequestID: c.ID})
}

func (c *Call) ec2Error(code, message string) []byte {
	type detail struct {
		Code, Message string
	}
	return append([]byte(xml.Header), marshalXML(struct {
		XMLName   xml.Name `xml:"Response"`
		Error     detail   `xml:"Errors>Error"`
		RequestID string
	}{Error: detail{code, message}, RequestID: c.ID})...)
}

func (c *Call) bareError(code, message string) []byte {
	return marshalXML(struct {
		XMLName       xml.Name `xml:"Error"`
		Code, Message string
		RequestID     string `xml:"RequestId"`
	}{Code: code, Message: message, RequestID: c.ID})
}

// marshalXML gets only values that can be marshalled.
func marshalXML(v any) []byte {
	b, err := xml.Marshal(v)
	if err != nil {
		panic(err)
	}
	return append(b, '\n')
}
