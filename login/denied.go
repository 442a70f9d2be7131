package login

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"

	"tegata/internal/message"
)

// A refusal is an answer of the guard itself, with an error as OpenAI's API
// has it.
type refusal struct {
	status     int
	kind, code string
	phrase     string // English, a key of the phrases
}

// What the guard says no to.
var (
	foreignName = refusal{http.StatusMisdirectedRequest, "invalid_request_error", "foreign_host",
		"This server does not go by this name. Call it by its address, or start it with --public-url and the name."}
	foreignOrigin = refusal{http.StatusForbidden, "permission_error", "foreign_origin",
		"The page of another site sent this request, so it was not carried out."}
	noKey = refusal{http.StatusUnauthorized, "authentication_error", "missing_api_key",
		"A key is needed: make one with tegata client add NAME and send it as Authorization: Bearer KEY."}
	wrongKey = refusal{http.StatusUnauthorized, "authentication_error", "invalid_api_key",
		"This key is not known, or was removed. Make one with tegata client add NAME."}
	notSignedIn = refusal{http.StatusUnauthorized, "authentication_error", "not_signed_in",
		"Sign in first."}
	notForKeys = refusal{http.StatusForbidden, "permission_error", "people_only",
		"A key opens the API under /v1/, not the pages."}
	unreadable = refusal{http.StatusServiceUnavailable, "api_error", "store_unavailable",
		"The store can't be read, so nobody can be let in. Try again in a moment."}
	broken = refusal{http.StatusInternalServerError, "api_error", "internal_error",
		"The server has a problem of its own. Its log says more."}
)

// refuse sends a refusal in the language of the request.
func (g *Guard) refuse(w http.ResponseWriter, r *http.Request, why refusal) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if why.status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", "Bearer")
	}
	if why.status == http.StatusServiceUnavailable {
		h.Set("Retry-After", "5")
	}
	lang, _ := message.Accepted(r.Header.Get("Accept-Language"))
	w.WriteHeader(why.status)
	json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{
		"message": lang.T(why.phrase), "type": why.kind, "code": why.code, "param": nil,
	}})
}

// deny answers who is not let in: a browser that goes to a page may sign in
// first.
func (g *Guard) deny(w http.ResponseWriter, r *http.Request, v visitor) {
	switch {
	case v.who != Who{}:
		g.refuse(w, r, notForKeys)
	case bearer(r) != "":
		g.refuse(w, r, wrongKey)
	case isAPI(strings.TrimPrefix(r.URL.Path, g.Prefix)):
		g.refuse(w, r, noKey)
	case !strings.Contains(r.Header.Get("Accept"), "text/html"):
		g.refuse(w, r, notSignedIn)
	default:
		w.Header().Set("Cache-Control", "no-store")
		http.Redirect(w, r, g.Prefix+"/sign-in"+comeBack(r), http.StatusSeeOther)
	}
}

func isAPI(path string) bool {
	return strings.HasPrefix(path, "/v1/") || path == "/ready" || path == "/metrics"
}

// comeBack is the query that leads back to a page after signing in. There is
// no way back to what a form has sent.
func comeBack(r *http.Request) string {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return ""
	}
	here := url.URL{Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery}
	return "?next=" + url.QueryEscape(here.RequestURI())
}

// failed answers when the store can't tell who somebody is.
func (g *Guard) failed(w http.ResponseWriter, r *http.Request, err error) {
	if !errors.Is(err, context.Canceled) {
		g.log().Error("find out who sends a request", "error", err)
	}
	g.refuse(w, r, unreadable)
}

// catchingPanics answers for a handler that panics: with a 500, or where the
// answer has begun, with the end of the connection. The log gets what kind of
// value it was and where, since a value may hold what a person wrote.
func (g *Guard) catchingPanics(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := &response{ResponseWriter: w}
		defer func() {
			value := recover()
			if value == nil {
				return
			}
			if value == http.ErrAbortHandler {
				panic(value)
			}
			g.log().Error("a handler panicked", "pattern", r.Pattern, "kind", kindOf(value), "stack", string(debug.Stack()))
			if answer.begun {
				panic(http.ErrAbortHandler)
			}
			g.refuse(w, r, broken)
		}()
		next.ServeHTTP(answer, r)
	})
}
