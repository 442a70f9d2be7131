package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"tegata/sandbox"
)

// A relay passes the calls of the box's Bedrock on to one server outside: a
// box has no network but its own, but both sides see the file of the socket.
type relay struct {
	server *http.Server
	ended  chan error
}

// relaySocket is where a relay listens.
func relaySocket(dir string) string { return filepath.Join(dir, "model.sock") }

// relayFor opens a relay to the model that a flag names; none for "".
func relayFor(text, dir string) (*relay, error) {
	if text == "" {
		return nil, nil
	}
	to, err := parseRelay(text)
	if err != nil {
		return nil, err
	}
	r, err := openRelay(dir, to)
	if err != nil {
		return nil, statusError{sandbox.StatusFailed, err}
	}
	return r, nil
}

// parseRelay reads the address of a server that speaks OpenAI's API.
func parseRelay(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, hintf(usagef("the model upstream %q is no address", text), "give its address, such as http://127.0.0.1:11434")
	}
	return u, nil
}

// openRelay listens for calls from the box until close.
func openRelay(dir string, to *url.URL) (*relay, error) {
	path := relaySocket(dir)
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("listen for calls to the model: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("keep calls to the model to this user: %w", err), l.Close())
	}
	proxy := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: to.Scheme, Host: to.Host}) },
		FlushInterval: -1, // a piece of a stream is passed on as it comes
		Transport:     &http.Transport{ForceAttemptHTTP2: true},
		ErrorLog:      log.New(io.Discard, "", 0), // the caller is told by the status
	}
	r := &relay{server: &http.Server{Handler: proxy, ReadHeaderTimeout: time.Minute}, ended: make(chan error, 1)}
	go func() { r.ended <- r.server.Serve(l) }()
	return r, nil
}

func (r *relay) close() {
	if r == nil {
		return
	}
	r.server.Close()
	<-r.ended
}

// relayed is the client that reaches the relay, whatever host it asks. TLS is
// the relay's business.
func relayed(dir string) *http.Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", relaySocket(dir))
	}
	return &http.Client{Transport: &http.Transport{DialContext: dial, DialTLSContext: dial}}
}
