// Package login lets people and programs in. A [Guard] stands before every
// route: its [Guard.Mux] turns away what comes under a foreign name, from
// another site or from nobody that it knows.
//
// People sign in with the one password, or with a link that opens once; a
// cookie remembers them. Programs send the key of a client, see [AddClient].
// What is stored of all these is a hash.
package login

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"tegata/store"
)

// Access says for whom a route is.
type Access int

// From the most closed to the most open, so that a route which says nothing is
// closed.
const (
	Person  Access = iota // people only
	Program               // whoever has the key of a client, and people
	Public                // everybody
)

func (a Access) admits(who Who) bool {
	switch a {
	case Public:
		return true
	case Program:
		return who != Who{}
	}
	return who.Person
}

// A Route is a handler with the pattern under which [http.ServeMux] knows it,
// such as "GET /v1/models". The pattern is without the prefix of the guard,
// and so is the path that the handler sees.
type Route struct {
	Pattern string
	Access  Access
	Handler http.Handler
}

// Who is who sent a request. The zero value is nobody that is known.
type Who struct {
	Name   string // of the client; "person" for a person
	Person bool
}

// person is the name of everybody who signs in: there is one password.
const person = "person"

// WhoIs returns who sent the request of a context. On a public route that may
// be the zero value.
func WhoIs(ctx context.Context) Who { return visitorOf(ctx).who }

// A visitor is what the guard knows of who sent a request.
type visitor struct {
	who     Who
	session session
	door    *door
}

type visitorKey struct{}

// visitorOf returns the zero value outside of the handlers of a mux.
func visitorOf(ctx context.Context) visitor {
	v, _ := ctx.Value(visitorKey{}).(visitor)
	return v
}

// A Guard decides who comes in. Its fields do not change once [Guard.Mux] has
// been called; it may be copied before.
type Guard struct {
	DB *store.DB

	// PasswordFile holds the hash of the password, in the PHC form of
	// argon2id. "" means that the store keeps it.
	PasswordFile string

	// Off lets everybody in as a person. It is for listeners on loopback;
	// names and origins are checked all the same, since every page in a
	// browser on this machine can reach those.
	Off bool

	// Prefix is where all routes are, such as "/chat"; "" for the root.
	Prefix string

	// Hosts are names under which the server may be called, beside IP
	// addresses and the names of loopback.
	Hosts []string

	// Proxied means that a proxy stands before the server. Then
	// X-Forwarded-Proto tells whether a request came over TLS, and the last
	// entry of X-Forwarded-For is the client, if a private address sent it.
	Proxied bool

	Log *slog.Logger // nil for none; gets no key, cookie, link or password
}

func (g *Guard) log() *slog.Logger {
	if g.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return g.Log
}

// Mux serves the routes to those whom they are for. A route "GET /health" is
// also there without the prefix, for what checks a container from beside it.
//
// Who comes under a foreign name gets status 421, and who posts from another
// site 403. Who is not let in gets 401 with an error as OpenAI's API has it;
// a browser is sent to PREFIX/sign-in?next=PATH instead. A handler that
// panics is a 500 without a word. The body of a request has a minute to arrive.
func (g *Guard) Mux(routes ...Route) http.Handler {
	mux := http.NewServeMux()
	entrance := newDoor()
	for _, route := range routes {
		guarded := g.guarded(route, entrance)
		mux.Handle(prefixed(g.Prefix, route.Pattern), guarded)
		if g.Prefix != "" && route.Pattern == "GET /health" {
			mux.Handle(route.Pattern, guarded)
		}
	}
	if g.Prefix != "" {
		mux.HandleFunc(g.Prefix, g.addSlash)
	}
	return g.catchingPanics(prompt(g.atHome(g.fromHere(mux))))
}

// StillIn reports whether the session that a request came with goes on, which
// what takes long to answer has to ask now and then: the person may have signed
// out meanwhile, or set another password. Where the store can't tell, it does.
func (g *Guard) StillIn(ctx context.Context) bool {
	s := visitorOf(ctx).session
	if !s.is() || g.Off {
		return true
	}
	_, err := g.DB.Session(ctx, s.hash())
	return !errors.Is(err, store.ErrNotFound)
}

// prefixed puts a prefix before the path of a pattern.
func prefixed(prefix, pattern string) string {
	method, path, found := strings.Cut(pattern, " ")
	if !found {
		return prefix + pattern
	}
	return method + " " + prefix + strings.TrimSpace(path)
}

// addSlash leads from the bare prefix to the first page.
func (g *Guard) addSlash(w http.ResponseWriter, r *http.Request) {
	to := g.Prefix + "/"
	if r.URL.RawQuery != "" {
		to += "?" + r.URL.RawQuery
	}
	http.Redirect(w, r, to, http.StatusPermanentRedirect)
}

// guarded finds out who sends a request and serves the route if it is for
// them.
func (g *Guard) guarded(route Route, entrance *door) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, err := g.identify(r)
		if err != nil {
			g.failed(w, r, err)
			return
		}
		v.door = entrance
		if !route.Access.admits(v.who) {
			g.deny(w, r, v)
			return
		}
		if route.Access != Public {
			g.renew(w, r, v)
		}
		route.Handler.ServeHTTP(w, g.unprefixed(route, r.WithContext(context.WithValue(r.Context(), visitorKey{}, v))))
	})
}

// unprefixed is the request as the handler of a route knows it.
func (g *Guard) unprefixed(route Route, r *http.Request) *http.Request {
	r.Pattern = route.Pattern
	if g.Prefix == "" || !strings.HasPrefix(r.URL.Path, g.Prefix+"/") {
		return r
	}
	u := *r.URL
	u.Path = strings.TrimPrefix(u.Path, g.Prefix)
	u.RawPath = strings.TrimPrefix(u.RawPath, g.Prefix) // counts only where it spells Path
	r.URL = &u
	return r
}

// identify finds out who sends a request. Whoever was signed in and whoever
// has a key may be the same; then the person counts, who may do more.
func (g *Guard) identify(r *http.Request) (visitor, error) {
	s, err := g.sessionOf(r)
	if err != nil || s.is() {
		return visitor{who: Who{person, true}, session: s}, err
	}
	client, err := g.clientOf(r)
	who := Who{Name: client}
	if g.Off {
		who.Person = true
		if client == "" {
			who.Name = person
		}
	}
	return visitor{who: who}, err
}
