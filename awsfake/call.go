package awsfake

import (
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"tegata/internal/fault"
)

// A call is one request on its way through the server.
type call struct {
	fault.Call        // Service, Operation, Model, Method and Path
	identifier string // what the path names: the id or ARN of a model or profile
	id         string // of the request
	request    *http.Request
	body       []byte
	form       url.Values // of the query protocol
	protocol   protocol
	began      time.Time

	region string     // of the signature
	caller Credential // set by authenticate
}

// recognise finds out which operation is meant. All services share one
// address here, so the form of the request decides, and the service in the
// signature's scope where the form leaves it open.
func (s *Server) recognise(r *http.Request, body []byte) *call {
	c := &call{id: requestID(), request: r, body: body}
	c.Call = fault.Call{Method: r.Method, Path: r.URL.Path}
	scope := scopeService(r)
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		c.recogniseTarget(target, scope)
	} else if c.form = queryForm(r, body); c.form.Has("Action") || scope == "sts" {
		c.recogniseAction(scope)
	} else {
		c.recogniseRoute(scope)
	}
	return c
}

// recogniseTarget reads X-Amz-Target: AmazonSSM.GetParameter.
func (c *call) recogniseTarget(target, scope string) {
	c.protocol = awsJSON
	c.Service = scope
	prefix, operation, _ := strings.Cut(target, ".")
	if prefix == "AmazonSSM" {
		c.Service = "ssm"
	}
	c.Operation = operation
}

// recogniseAction reads the Action of the query protocol.
func (c *call) recogniseAction(scope string) {
	c.protocol = awsQuery
	c.Service = scope
	c.Operation = c.form.Get("Action")
	if scope == "" || c.form.Get("Version") == stsVersion {
		c.Service = "sts"
	}
}

// queryForm collects the parameters of the query protocol, which come in the
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

// routes are the paths of the REST services; {} stands for an identifier.
var routes = []struct{ method, path, service, operation string }{
	{"GET", "/foundation-models", "bedrock", "ListFoundationModels"},
	{"GET", "/foundation-models/{}", "bedrock", "GetFoundationModel"},
	{"GET", "/foundation-model-availability/{}", "bedrock", "GetFoundationModelAvailability"},
	{"GET", "/inference-profiles", "bedrock", "ListInferenceProfiles"},
	{"GET", "/inference-profiles/{}", "bedrock", "GetInferenceProfile"},
	{"POST", "/model/{}/converse", "bedrock-runtime", "Converse"},
	{"POST", "/model/{}/converse-stream", "bedrock-runtime", "ConverseStream"},
	{"POST", "/model/{}/invoke", "bedrock-runtime", "InvokeModel"},
	{"POST", "/model/{}/invoke-with-response-stream", "bedrock-runtime", "InvokeModelWithResponseStream"},
}

func (c *call) recogniseRoute(scope string) {
	c.protocol = restJSON
	c.Service = scope
	for _, route := range routes {
		id, ok := matchRoute(route.path, c.request.URL.EscapedPath())
		if ok && route.method == c.Method {
			c.Service, c.Operation, c.identifier = route.service, route.operation, id
			c.Model = id[strings.LastIndex(id, "/")+1:]
			return
		}
	}
	if scope == "s3" {
		c.protocol = restXML
	}
}

// matchRoute compares an escaped path with a route, and gives the identifier
// in it. An ARN is one segment: its slash arrives as %2F.
func matchRoute(route, escaped string) (id string, ok bool) {
	want, got := strings.Split(route, "/"), strings.Split(escaped, "/")
	if len(want) != len(got) {
		return "", false
	}
	for i := range want {
		if want[i] != "{}" {
			if want[i] != got[i] {
				return "", false
			}
			continue
		}
		var err error
		if id, err = url.PathUnescape(got[i]); err != nil || id == "" {
			return "", false
		}
	}
	return id, true
}

// signingName is the service that the signature must be scoped to.
func (c *call) signingName() string {
	if c.Service == "bedrock-runtime" {
		return "bedrock"
	}
	return c.Service
}
