// Package control changes running emulators over HTTP: the options of their
// metadata service, the events that are announced to them, and their faults.
//
// Start with [New]. What it answers is told in docs/emulator.md. The rules are:
//   - Every request carries the bearer token, compared in constant time.
//   - The Host is this machine's loopback, so that no page in a browser gets
//     in by a name that it has pointed here (DNS rebinding).
//   - Unknown keys are errors, and bodies are bounded.
//   - After an error nothing has changed.
package control

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"tegata/emulator"
)

// MinToken is how many characters a token has at least.
const MinToken = 16

const maxBody = 64 << 10 // far above any description of events

// A Changer is what is controlled; [emulator.Server] is one.
type Changer interface {
	Change(emulator.Options) error
}

// An Instance is a running emulator with what it was started with.
type Instance struct {
	Name    string // in paths; without slashes
	Server  Changer
	Options emulator.Options // as they are in effect at the start

	// WithFaults returns the options of the instance as it was started with
	// these faults on top; nil means that it has none to switch.
	WithFaults func(names []string) (emulator.Options, error)
}

// A Control is the API as an [http.Handler].
type Control struct {
	token     [sha256.Size]byte
	mux       *http.ServeMux
	instances []*controlled
}

// A controlled instance is one in its present state.
type controlled struct {
	Instance
	mu     sync.Mutex
	faults []string
}

// New returns the API for the instances, for those who know the token. It
// refuses a token of less than [MinToken] characters and names that are
// empty, doubled or hold a slash.
func New(token string, instances ...Instance) (*Control, error) {
	if len(token) < MinToken {
		return nil, fmt.Errorf("token of the control API: want at least %d characters", MinToken)
	}
	c := &Control{token: sha256.Sum256([]byte(token)), mux: http.NewServeMux()}
	for _, i := range instances {
		if i.Name == "" || strings.Contains(i.Name, "/") || c.find(i.Name) != nil {
			return nil, fmt.Errorf("name %q of an instance: want one of its own, without slashes", i.Name)
		}
		c.instances = append(c.instances, &controlled{Instance: i, faults: []string{}})
	}
	c.mux.HandleFunc("GET /instances", c.list)
	c.handle("GET /instances/{name}", func(*controlled, []byte) error { return nil })
	c.handle("PATCH /instances/{name}/imds", (*controlled).patchIMDS)
	c.handle("PUT /instances/{name}/faults", (*controlled).putFaults)
	for kind, set := range eventKinds() {
		c.handle("PUT /instances/{name}/events/"+kind, func(i *controlled, body []byte) error { return i.changeEvents(set, body) })
		c.handle("DELETE /instances/{name}/events/"+kind, func(i *controlled, _ []byte) error { return i.changeEvents(set, nil) })
	}
	return c, nil
}

// ServeHTTP answers those who know the token.
func (c *Control) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case !isLoopback(r.Host):
		refuse(w, http.StatusForbidden, errors.New("the Host is not this machine's loopback"))
	case !c.knows(r.Header.Get("Authorization")):
		w.Header().Set("WWW-Authenticate", "Bearer")
		refuse(w, http.StatusUnauthorized, errors.New("the bearer token is missing or wrong"))
	default:
		c.mux.ServeHTTP(w, r)
	}
}

func (c *Control) knows(authorization string) bool {
	token, ok := strings.CutPrefix(authorization, "Bearer ")
	sum := sha256.Sum256([]byte(token))
	return ok && subtle.ConstantTimeCompare(sum[:], c.token[:]) == 1
}

// isLoopback reports whether a Host header names this machine in a way that
// no name server has a say in.
func isLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || err == nil && addr.Unmap().IsLoopback()
}

func (c *Control) find(name string) *controlled {
	n := slices.IndexFunc(c.instances, func(i *controlled) bool { return i.Name == name })
	if n < 0 {
		return nil
	}
	return c.instances[n]
}

func (c *Control) list(w http.ResponseWriter, _ *http.Request) {
	all := []state{}
	for _, i := range c.instances {
		i.mu.Lock()
		all = append(all, i.state())
		i.mu.Unlock()
	}
	answer(w, http.StatusOK, map[string]any{"instances": all})
}

// handle answers a pattern by the state of the instance after do.
func (c *Control) handle(pattern string, do func(i *controlled, body []byte) error) {
	c.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		i := c.find(r.PathValue("name"))
		if i == nil {
			refuse(w, http.StatusNotFound, fmt.Errorf("no instance %q", r.PathValue("name")))
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			refuse(w, http.StatusRequestEntityTooLarge, fmt.Errorf("read the body: %w", err))
			return
		}
		i.mu.Lock()
		defer i.mu.Unlock()
		if err := do(i, body); err != nil {
			refuse(w, http.StatusBadRequest, err)
			return
		}
		answer(w, http.StatusOK, i.state())
	})
}

// change puts o into effect.
func (i *controlled) change(o emulator.Options) error {
	if err := i.Server.Change(o); err != nil {
		return err
	}
	i.Options = o
	return nil
}

// putFaults makes the instance what it was started as with these faults on
// top; what was changed since is gone.
func (i *controlled) putFaults(body []byte) error {
	var names []string
	if err := decode(body, &names); err != nil {
		return err
	}
	if i.WithFaults == nil {
		return errors.New("this instance has no faults to switch")
	}
	o, err := i.WithFaults(names)
	if err != nil {
		return err
	}
	if err := i.change(o); err != nil {
		return err
	}
	i.faults = append([]string{}, names...)
	return nil
}

// decode reads one JSON value over v and refuses keys that v does not know.
func decode(body []byte, v any) error {
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("read the body: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("read the body: want one JSON value and no more")
	}
	return nil
}

func refuse(w http.ResponseWriter, status int, err error) {
	answer(w, status, map[string]string{"error": err.Error()})
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // a caller that has gone needs no answer
}
