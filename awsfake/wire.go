package awsfake

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"net/http"
	"strconv"
	"strings"
)

// A failure is an error of AWS.
type failure struct {
	status  int
	code    string
	message string
}

func (f *failure) Error() string { return f.code + ": " + f.message }

func badRequest(code, message string) error {
	return &failure{http.StatusBadRequest, code, message}
}

func invalid(message string) error { return badRequest("ValidationException", message) }

func notFound(message string) error {
	return &failure{http.StatusNotFound, "ResourceNotFoundException", message}
}

func forbidden(message string) error {
	return &failure{http.StatusForbidden, "AccessDeniedException", message}
}

// A protocol is one of AWS's ways to put calls and errors on the wire.
type protocol int

const (
	restJSON protocol = iota // Bedrock
	awsJSON                  // SSM
	awsQuery                 // STS
	restXML                  // S3, of which every call is refused
)

// authStatus is the HTTP status of refused signatures and callers.
func (p protocol) authStatus() int {
	if p == awsJSON {
		return http.StatusBadRequest
	}
	return http.StatusForbidden
}

// refuse writes an error in the shape of the call's service.
func (c *call) refuse(w http.ResponseWriter, err error) {
	f, ok := errors.AsType[*failure](err)
	if !ok {
		f = &failure{http.StatusInternalServerError, "InternalServerException", err.Error()}
	}
	contentType, body, header := c.errorBody(f.status, f.code, f.message)
	for name := range header {
		w.Header().Set(name, header.Get(name))
	}
	write(w, f.status, contentType, body)
}

// errorBody is an error in the shape of the call's service. An empty code
// means the one that belongs to the status.
func (c *call) errorBody(status int, code, message string) (contentType string, body []byte, header http.Header) {
	if code == "" {
		code = c.protocol.codeOf(status)
	}
	switch c.protocol {
	case awsQuery:
		return "text/xml", c.queryError(status, code, message), nil
	case awsJSON:
		return awsJSONType, marshal(withMessage(map[string]string{"__type": code}, message)), nil
	case restXML:
		return "application/xml", c.bareError(code, message), nil
	}
	header = http.Header{}
	header.Set("X-Amzn-ErrorType", code+":http://internal.amazon.com/coral/com.amazon.bedrock/")
	return "application/json", marshal(withMessage(map[string]string{}, message)), header
}

// withMessage adds the text. Refusals by the authorisation layer spell the
// member with a capital letter, all others don't.
func withMessage(members map[string]string, message string) map[string]string {
	switch {
	case message == "":
	case strings.HasPrefix(message, "User: "), message == badAPIKey:
		members["Message"] = message
	default:
		members["message"] = message
	}
	return members
}

// codeOf names the error of a status, for replies that give only a number.
func (p protocol) codeOf(status int) string {
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
	if p == awsQuery {
		return strings.TrimSuffix(code, "Exception")
	}
	return code
}

const awsJSONType = "application/x-amz-json-1.1"

func (c *call) queryError(status int, code, message string) []byte {
	type detail struct {
		Type, Code, Message string
	}
	kind := "Sender"
	if status >= 500 {
		kind = "Receiver"
	}
	return marshalXML(struct {
		XMLName   xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ ErrorResponse"`
		Error     detail
		RequestID string `xml:"RequestId"`
	}{Error: detail{kind, code, message}, RequestID: c.id})
}

func (c *call) bareError(code, message string) []byte {
	return marshalXML(struct {
		XMLName       xml.Name `xml:"Error"`
		Code, Message string
		RequestID     string `xml:"RequestId"`
	}{Code: code, Message: message, RequestID: c.id})
}

func (c *call) unknownOperation() error {
	const more = " tegata's stand-in knows only a few operations of each service."
	switch c.protocol {
	case awsQuery:
		if c.Operation == "" {
			return badRequest("MissingAction", "The request must contain the parameter Action."+more)
		}
		return badRequest("InvalidAction", "Could not find operation "+c.Operation+" for version "+c.version()+"."+more)
	case awsJSON:
		return badRequest("UnknownOperationException", "The requested operation is not recognized by the service."+more)
	}
	return &failure{http.StatusNotFound, "UnknownOperationException", "The requested operation is not recognized by the service." + more}
}

func (c *call) version() string {
	if v := c.form.Get("Version"); v != "" {
		return v
	}
	return "NO_VERSION_SPECIFIED"
}

func writeJSON(w http.ResponseWriter, contentType string, v any) error {
	write(w, http.StatusOK, contentType, marshal(v))
	return nil
}

func write(w http.ResponseWriter, status int, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	w.Write(body)
}

// marshal and marshalXML get only values that can be marshalled.
func marshal(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

func marshalXML(v any) []byte {
	b, err := xml.Marshal(v)
	if err != nil {
		panic(err)
	}
	return append(b, '\n')
}
