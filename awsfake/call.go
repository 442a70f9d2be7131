package awsfake

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"tegata/awsfake/wire"
	"tegata/internal/fault"
)

// A call is a request, and what it turned out to be.
type call struct {
	*wire.Call
	signingName string          // what its signature must be scoped to
	operation   *wire.Operation // nil: none that the account has
	endpoint    host            // of the name that was asked, where that is one of AWS's
	sent        []byte          // the body as it was signed, which may be compressed
}

// recognise finds out which operation is meant. All services share one
// address here, so the form of the request decides, and the service in the
// signature's scope where the form leaves it open.
func (s *Server) recognise(r *http.Request, body []byte) *call {
	c := &call{sent: body, Call: &wire.Call{ID: wire.UUID(), Request: r, Body: expand(r, body), Account: s.options.Account, Clock: s.options.Now}}
	c.Call.Call = fault.Call{Method: r.Method, Path: r.URL.Path}
	c.Keys = func(more map[string]string) map[string]string { return s.context(c.Call, more) }
	c.Decide = s.told(c.Call, decider(c.Call))
	c.endpoint, _ = s.hostOf(r.Host)
	scope := scopeService(r)
	c.Service, c.signingName = scope, scope
	if service, operation, ok := wire.RPC(r.URL.Path); ok && r.Header.Get(wire.HeaderSmithy) != "" {
		s.recogniseTarget(c, service, operation, wire.CBOR)
	} else if target := r.Header.Get("X-Amz-Target"); target != "" {
		service, operation, _ := strings.Cut(target, ".")
		s.recogniseTarget(c, service, operation, wire.JSON, wire.JSON10)
	} else if c.Form = queryForm(r, c.Body); c.Form.Has("Action") || scope == "sts" {
		s.recogniseAction(c, scope)
	} else {
		s.recogniseRoute(c, scope)
	}
	if of := c.endpoint.service; of != "" && of != c.Service {
		c.operation = nil // the host is that of another service
	}
	return c
}

// expand unpacks a body that a client has compressed, as SDKs do with many
// metrics. One that can't be unpacked stays, for the protocol to refuse.
func expand(r *http.Request, body []byte) []byte {
	if r.Header.Get("Content-Encoding") != "gzip" {
		return body
	}
	packed, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return body
	}
	text, err := io.ReadAll(io.LimitReader(packed, maxBody))
	if err != nil {
		return body
	}
	return text
}

// recogniseTarget looks a service up by how the JSON protocols and RPC name it,
// AmazonSSM in X-Amz-Target: AmazonSSM.GetParameter.
func (s *Server) recogniseTarget(c *call, target, operation string, as ...wire.Protocol) {
	c.Protocol = as[0]
	for i := range s.services {
		if of := &s.services[i]; of.Target == target {
			c.is(of, as...)
		}
	}
	s.find(c, operation)
}

// recogniseAction reads the Action of the query protocols, whose services
// differ in their versions.
func (s *Server) recogniseAction(c *call, scope string) {
	c.Protocol = wire.Query
	version := c.Form.Get("Version")
	for i := range s.services {
		of := &s.services[i]
		if of.Version != "" && (of.Version == version || of.Name == scope || scope == "" && of.Name == "sts") {
			c.is(of, wire.Query)
			if of.Version == version {
				break
			}
		}
	}
	s.find(c, c.Form.Get("Action"))
}

// is notes which service is meant, and which of some protocols it is asked in.
func (c *call) is(of *wire.Service, as ...wire.Protocol) {
	c.Service, c.signingName = of.Name, of.Name
	if of.SigningName != "" {
		c.signingName = of.SigningName
	}
	c.Protocol, c.Namespace, c.QueryErrors = of.Speaks(as...), of.Namespace, of.QueryErrors
}

// find looks the operation up in the call's service.
func (s *Server) find(c *call, operation string) {
	c.Operation = operation
	for _, of := range s.services {
		if of.Name != c.Service || c.Form != nil && of.Version != c.Form.Get("Version") {
			continue
		}
		for i := range of.Operations {
			if of.Operations[i].Name == operation {
				c.operation = &of.Operations[i]
				return
			}
		}
	}
}

// queryForm collects the parameters of the query protocols, which come in the
// URL or as a form.
func queryForm(r *http.Request, body []byte) url.Values {
	form := r.URL.Query()
	if r.URL.Path != "/" {
		return url.Values{}
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind != "application/x-www-form-urlencoded" {
		return form
	}
	posted, _ := url.ParseQuery(string(body))
	for name, values := range posted {
		form[name] = append(form[name], values...)
	}
	return form
}

// recogniseRoute compares method and path with the routes of the REST
// services.
func (s *Server) recogniseRoute(c *call, scope string) {
	c.Protocol = wire.RESTJSON
	if scope == "s3" {
		c.Protocol = wire.RESTXML
	}
	for i := range s.services {
		of := &s.services[i]
		for j := range of.Operations {
			o := &of.Operations[j]
			labels, ok := matchRoute(o.Path, c.Request.URL.EscapedPath())
			if !ok || o.Method != c.Method {
				continue
			}
			c.is(of)
			c.operation, c.Operation, c.Labels = o, o.Name, labels
			c.Model = c.Identifier()[strings.LastIndex(c.Identifier(), "/")+1:]
			return
		}
	}
}

// matchRoute compares an escaped path with a route, and gives what stands for
// its {}. An ARN is one segment: its slash arrives as %2F.
func matchRoute(route, escaped string) (labels []string, ok bool) {
	want, got := strings.Split(route, "/"), strings.Split(escaped, "/")
	if route == "" || len(want) != len(got) {
		return nil, false
	}
	for i := range want {
		if want[i] != "{}" {
			if want[i] != got[i] {
				return nil, false
			}
			continue
		}
		label, err := url.PathUnescape(got[i])
		if err != nil || label == "" {
			return nil, false
		}
		labels = append(labels, label)
	}
	return labels, true
}

// refuse writes an error in the shape of the call's service.
func (c *call) refuse(w http.ResponseWriter, err error) {
	e, ok := errors.AsType[*wire.Error](err)
	if !ok {
		e = &wire.Error{Status: http.StatusInternalServerError, Code: "InternalServerException", Message: err.Error()}
	}
	c.Refuse(w, e)
}

func (c *call) unknownOperation() error {
	const more = " tegata's stand-in knows only a few operations of each service."
	switch c.Protocol {
	case wire.Query, wire.EC2Query:
		if c.Operation == "" {
			return wire.Refuse("MissingAction", "The request must contain the parameter Action."+more)
		}
		return wire.Refuse("InvalidAction", "Could not find operation "+c.Operation+" for version "+c.version()+"."+more)
	case wire.JSON, wire.JSON10, wire.CBOR:
		return wire.Refuse("UnknownOperationException", "The requested operation is not recognized by the service."+more)
	}
	return wire.NotFound("UnknownOperationException", "The requested operation is not recognized by the service."+more)
}

func (c *call) version() string {
	if v := c.Form.Get("Version"); v != "" {
		return v
	}
	return "NO_VERSION_SPECIFIED"
}
