// Package gateway gives programs that speak OpenAI's chat API the models of
// Bedrock: one after another or streamed, with tools and pictures.
//
// Start with [Server]: fill in where Bedrock is and serve its
// [Server.Routes]. Every error keeps its cause: the right status, the id of
// the finding, what to do, and the request id that AWS Support asks for.
// docs/gateway.md describes the API.
package gateway

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"tegata/bedrock"
	"tegata/internal/report"
	"tegata/login"
	"tegata/store"
)

// A Server answers the API. Set its fields before [Server.Routes] and leave
// them alone from then on; the zero values of the optional ones are useful. It
// is safe for concurrent use.
type Server struct {
	Source    bedrock.Source
	Catalogue *bedrock.Catalogue

	// Ready looks at the chain from the instance to the model, free of charge.
	// nil means that nothing is looked at, and the server calls itself ready.
	Ready func(context.Context) report.Report

	// Record is told of every call of a model, also of those that failed. It
	// must not wait. nil means that nobody counts.
	Record func(context.Context, store.Call)

	MaxTokens int          // of an answer, when a request does not say; 0 means 4096
	Model     string       // for requests that name none, or "default"; "" means that they have to
	Version   string       // of this program
	Logger    *slog.Logger // nil means no log; prompts, answers and keys never reach it

	gate      gate
	bodies    budget
	readiness readiness
	counts    metrics
	seen      seen
}

// defaultMaxTokens bounds an answer whose request does not. Bedrock reserves
// as many from the quota when the call starts, so more would throttle sooner.
const defaultMaxTokens = 4096

// Routes are the paths of the API with who may use them.
func (s *Server) Routes() []login.Route {
	return []login.Route{
		{Pattern: "POST " + completionsPath, Access: login.Program, Handler: http.HandlerFunc(s.complete)},
		{Pattern: "GET /v1/models", Access: login.Program, Handler: s.counted("models", s.listModels)},
		{Pattern: "GET /v1/models/{id...}", Access: login.Program, Handler: s.counted("models", s.showModel)},
		{Pattern: "/v1/", Access: login.Program, Handler: s.counted("unknown", s.noSuchPath)},
		{Pattern: "GET /health", Access: login.Public, Handler: http.HandlerFunc(s.health)},
		{Pattern: "GET /ready", Access: login.Public, Handler: http.HandlerFunc(s.ready)},
		{Pattern: "GET /metrics", Access: login.Program, Handler: http.HandlerFunc(s.showMetrics)},
	}
}

const completionsPath = "/v1/chat/completions"

// counted wraps a handler that does not ask a model. What it returns is
// written as an error.
func (s *Server) counted(route string, handle func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o := outcome{route: route, status: http.StatusOK, began: time.Now()}
		if err := handle(w, r); err != nil {
			f := s.failureOf(r.Context(), langOf(r), err)
			o.status, o.finding = f.status, f.finding
			f.write(w)
		}
		s.counts.request(o)
	})
}

// noSuchPath answers what programs ask for and the API does not have.
func (s *Server) noSuchPath(w http.ResponseWriter, r *http.Request) error {
	switch r.URL.Path {
	case completionsPath:
		w.Header().Set("Allow", http.MethodPost)
	case "/v1/models":
		w.Header().Set("Allow", http.MethodGet)
	default:
		return refuse(http.StatusNotFound, "", "this API has no %s; it has /v1/chat/completions and /v1/models", shorten(r.URL.Path))
	}
	return refuse(http.StatusMethodNotAllowed, "", "%s can't be asked with %s", r.URL.Path, r.Method)
}

// maxTokens is what an answer may take when its request does not say.
func (s *Server) maxTokens() int { return cmp.Or(s.MaxTokens, defaultMaxTokens) }

func (s *Server) log() *slog.Logger {
	if s.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.Logger
}

// seen is what the last calls of models have shown.
type seen struct {
	mu        sync.Mutex
	answered  time.Time // the last whole answer
	failed    time.Time // the last failure with a known cause
	finding   string    // of that failure
	requestID string    // of that failure
	forgotten time.Time // when the catalogue was last made to load anew
}

func (s *seen) answer() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answered = time.Now()
}

func (s *seen) failure(finding, requestID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed, s.finding, s.requestID = time.Now(), finding, requestID
}

// forgetEvery bounds how often failing calls make the catalogue load anew.
const forgetEvery = time.Minute

// mayForget reports whether the catalogue may be made to load anew, and takes
// note of it.
func (s *seen) mayForget() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.forgotten) < forgetEvery {
		return false
	}
	s.forgotten = time.Now()
	return true
}
