// Package awsfake is an AWS account on the wire: the services between an
// instance's identity and a model's answer, as AWS's clients speak to them.
//
// Signatures are verified, policies are evaluated at ARN level, and errors
// have the codes, texts and shapes of AWS. The model that answers is a
// stand-in and says so. Start with [New]; one [Server] serves all services,
// as AWS_ENDPOINT_URL wants it. Each service is a package below this one, and
// [wire] is what they share.
package awsfake

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"tegata/awsfake/bedrock"
	"tegata/awsfake/cloudwatch"
	"tegata/awsfake/ssm"
	"tegata/awsfake/wire"
	"tegata/internal/fault"
	"tegata/internal/policy"
)

// Options are what a server knows of its pretended account.
type Options struct {
	Account string // twelve digits
	Region  string // where the parameters live; "" means any region

	State  *State // what there is at the start; nil means nothing. It belongs to the server from then on
	Delays Delays

	// Metrics is what others measure for CloudWatch to tell; nil means nobody does.
	Metrics *cloudwatch.Metrics

	// Credentials finds an access key that was given out elsewhere, as by the
	// metadata service.
	Credentials func(accessKeyID string) (Credential, bool)

	Bedrock    bedrock.Options
	Pace       time.Duration       // the pause before each piece of a streamed answer; zero means 4 ms
	Parameters map[string]ssm.Seed // by name, with the leading slash if it has one

	Replies   *fault.Set       // calls that are answered otherwise
	Now       func() time.Time // nil means time.Now
	FirstByte time.Duration    // the least time before an answer begins; zero means 3 ms
	OnChange  func()           // is called when an operation may have changed the account, before its answer is written; nil means nobody asks

	// OnAuthorize is told of every decision over a call, with all condition
	// keys that the call had; nil means nobody asks. Calls are decided at the
	// same time.
	OnAuthorize func(policy.Use)
}

// A Server answers as AWS would. It is an [http.Handler]. Serve it with
// HTTP/1 and with HTTP/2 in clear text ([http.Protocols.SetUnencryptedHTTP2]):
// AWS's JavaScript SDK speaks nothing else to Bedrock Runtime.
type Server struct {
	options  Options
	of       services
	services []wire.Service
	account  sync.Mutex // over the state of all services
}

// defaultFirstByte keeps SDK clients from a race: an answer that arrives
// before net/http has finished sending the request makes it close the
// connection. None of 48 streams failed from 2 ms on, 12 without a pause.
const defaultFirstByte = 3 * time.Millisecond

// maxBody is the largest request body of Bedrock Runtime in bytes.
const maxBody = 25_000_000

// New returns a server.
func New(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.FirstByte == 0 {
		o.FirstByte = defaultFirstByte
	}
	if o.Credentials == nil {
		o.Credentials = func(string) (Credential, bool) { return Credential{}, false }
	}
	if o.State == nil {
		o.State = new(State)
	}
	if o.Metrics == nil {
		o.Metrics = new(cloudwatch.Metrics)
	}
	s := &Server{options: o, of: newServices(o)}
	s.services = s.of.wires()
	return s
}

// ServeHTTP answers one call: replies first, then signature, policies and the
// operation itself.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	r.Body = io.NopCloser(bytes.NewReader(body))
	c := s.recognise(r, body)
	c.Began = began
	w.Header().Set("x-amzn-RequestId", c.ID)
	w.Header().Set("Date", s.options.Now().UTC().Format(http.TimeFormat)) // SDKs set their clocks by it
	if !sleep(r.Context(), s.options.FirstByte) {
		return
	}
	if err != nil {
		c.refuse(w, tooLarge(err))
		return
	}
	s.options.Replies.Find(c.Call.Call).Serve(w, r, c.ErrorBody, http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) { s.answer(w, r, c) }))
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request, c *call) {
	c.Request = r
	if err := s.perform(w, c); err != nil {
		c.refuse(w, err)
	}
}

// perform is the call as AWS takes it: known, signed, then done.
func (s *Server) perform(w http.ResponseWriter, c *call) error {
	if c.operation == nil {
		return c.unknownOperation()
	}
	if c.operation.Public && !signed(c.Request) {
		c.Region = cmp.Or(c.endpoint.region, s.options.Region, globalRegion)
	} else if err := s.authenticate(c); err != nil {
		return err
	}
	if c.operation.Changes() {
		c.Changed = s.options.OnChange
	}
	return c.operation.Serve(w, c.Call, &s.account)
}

func tooLarge(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &wire.Error{Status: http.StatusRequestEntityTooLarge, Code: "RequestEntityTooLargeException",
			Message: fmt.Sprintf("Request body exceeds %d bytes.", maxBody)}
	}
	return wire.Refuse("SerializationException", "The request body could not be read.")
}

// sleep waits for d and reports whether ctx still lives.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
