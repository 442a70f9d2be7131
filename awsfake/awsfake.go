// Package awsfake is AWS on the wire for the few calls between an instance's
// identity and a model's answer: STS GetCallerIdentity, SSM GetParameter,
// Bedrock's model and inference profile listings, Converse and ConverseStream.
//
// Signatures are verified, policies are evaluated at ARN level, and errors
// have the codes, texts and shapes of AWS. The model that answers is a
// stand-in and says so. Start with [New]; one [Server] serves all services,
// as AWS_ENDPOINT_URL wants it.
package awsfake

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"tegata/internal/fault"
	"tegata/internal/policy"
)

// Options are what a server knows of its pretended account.
type Options struct {
	Account string // twelve digits
	Region  string // where the models and parameters live; "" means any region

	// Credentials finds an access key. Its policies decide what is allowed.
	Credentials func(accessKeyID string) (Credential, bool)

	Models     []Model
	Profiles   []Profile
	Parameters map[string]Parameter // by name, with the leading slash if it has one

	Replies   *fault.Set       // calls that are answered otherwise
	Now       func() time.Time // nil means time.Now
	FirstByte time.Duration    // the least time before an answer begins; zero means 3 ms
	Pace      time.Duration    // the pause before each piece of a streamed answer; zero means 4 ms
}

// A Credential is what the owner of the access keys knows of one.
type Credential struct {
	SecretAccessKey string
	SessionToken    string    // "" for a long-term key
	Expires         time.Time // zero means never
	Inactive        bool      // switched off, though it exists
	ARN, UserID     string    // of the caller, as GetCallerIdentity tells them
	Policies        []policy.Document
}

// A Model is a foundation model.
type Model struct {
	ID, Name, Provider string
	Input, Output      []string // modalities; none means TEXT
	Streaming          bool
	InferenceTypes     []string // ON_DEMAND, INFERENCE_PROFILE, PROVISIONED
	Lifecycle          Lifecycle
	Access             string // one of the Access constants
}

// What stands between an account and a model.
const (
	AccessGranted      = ""
	AccessDenied       = "denied"       // never enabled for this account
	AccessForm         = "form"         // the provider's use case form is missing
	AccessSubscription = "subscription" // the caller may not subscribe in the Marketplace
	AccessInactive     = "inactive"     // a Legacy model that the account has left unused
)

// A Lifecycle holds the dates of a model. Status is ACTIVE or LEGACY; "" means
// what the dates say.
type Lifecycle struct {
	Status            string
	Legacy, EndOfLife time.Time
}

// A Profile is an inference profile that AWS defines: it routes calls to its
// models in other regions.
type Profile struct {
	ID, Name string
	Models   []string // ids
	Regions  []string // destinations; "" among them is the global routing
	Source   []string // regions where it may be called; none means Regions
}

// A Parameter is one of SSM's parameters.
type Parameter struct {
	Value   string
	Type    string // String, StringList or SecureString; "" means String
	Version int    // zero means 1
	KeyID   string // key id or ARN of a SecureString; "" means AWS's own key for SSM
}

// A Server answers as AWS would. It is an [http.Handler]. Serve it with
// HTTP/1 and with HTTP/2 in clear text ([http.Protocols.SetUnencryptedHTTP2]):
// AWS's JavaScript SDK speaks nothing else to Bedrock Runtime.
type Server struct {
	options Options
}

// defaultFirstByte keeps SDK clients from a race: an answer that arrives
// before net/http has finished sending the request makes it close the
// connection. None of 48 streams failed from 2 ms on, 12 without a pause.
const defaultFirstByte = 3 * time.Millisecond

// defaultPace lets pieces arrive one by one, and keeps tests short: a model
// takes about five times as long.
const defaultPace = 4 * time.Millisecond

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
	if o.Pace == 0 {
		o.Pace = defaultPace
	}
	if o.Credentials == nil {
		o.Credentials = func(string) (Credential, bool) { return Credential{}, false }
	}
	return &Server{options: o}
}

// ServeHTTP answers one call: replies first, then signature, policies and the
// operation itself.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	r.Body = io.NopCloser(bytes.NewReader(body))
	c := s.recognise(r, body)
	c.began = began
	w.Header().Set("x-amzn-RequestId", c.id)
	w.Header().Set("Date", s.options.Now().UTC().Format(http.TimeFormat)) // SDKs set their clocks by it
	if !sleep(r.Context(), s.options.FirstByte) {
		return
	}
	if err != nil {
		c.refuse(w, tooLarge(err))
		return
	}
	s.options.Replies.Find(c.Call).Serve(w, r, c.errorBody, http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) { s.answer(w, r, c) }))
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request, c *call) {
	c.request = r
	if err := s.perform(w, c); err != nil {
		c.refuse(w, err)
	}
}

// perform is the call as AWS takes it: known, signed, then done.
func (s *Server) perform(w http.ResponseWriter, c *call) error {
	operation, ok := operations[c.Service+"."+c.Operation]
	if !ok {
		return c.unknownOperation()
	}
	if err := s.authenticate(c); err != nil {
		return err
	}
	return operation(s, w, c)
}

// operations are what the server can do. Each writes its answer, or returns
// an error before it has written anything.
var operations = map[string]func(*Server, http.ResponseWriter, *call) error{
	"sts.GetCallerIdentity":                  (*Server).getCallerIdentity,
	"ssm.GetParameter":                       (*Server).getParameter,
	"bedrock.ListFoundationModels":           (*Server).listFoundationModels,
	"bedrock.GetFoundationModel":             (*Server).getFoundationModel,
	"bedrock.GetFoundationModelAvailability": (*Server).getFoundationModelAvailability,
	"bedrock.ListInferenceProfiles":          (*Server).listInferenceProfiles,
	"bedrock.GetInferenceProfile":            (*Server).getInferenceProfile,
	"bedrock-runtime.Converse":               (*Server).converse,
	"bedrock-runtime.ConverseStream":         (*Server).converseStream,
}

func tooLarge(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &failure{http.StatusRequestEntityTooLarge, "RequestEntityTooLargeException",
			fmt.Sprintf("Request body exceeds %d bytes.", maxBody)}
	}
	return badRequest("SerializationException", "The request body could not be read.")
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

// requestID makes a random UUID, as AWS names its requests.
func requestID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
