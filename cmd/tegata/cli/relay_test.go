package cli

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
)

// A relay passes on what it is asked, piece by piece, and reaches one server
// only, whatever host a call names.
func TestRelay(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	model := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		io.WriteString(w, r.URL.Path+" "+string(body)+"\n")
		w.(http.Flusher).Flush()
		<-release
		io.WriteString(w, "end\n")
	}))
	t.Cleanup(model.Close)
	to, err := url.Parse(model.URL)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "relay") // a socket's path may be no longer than 108 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	r, err := openRelay(dir, to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.close)
	client := relayed(dir)
	t.Cleanup(client.CloseIdleConnections)
	resp, err := client.Post("http://elsewhere.example/v1/chat/completions", "application/json", strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	first := make([]byte, len("/v1/chat/completions hello\n"))
	if _, err := io.ReadFull(resp.Body, first); err != nil || string(first) != "/v1/chat/completions hello\n" {
		t.Errorf("%q, %v", first, err)
	}
	close(release)
	if rest, err := io.ReadAll(resp.Body); err != nil || string(rest) != "end\n" {
		t.Errorf("%q, %v", rest, err)
	}
	if info, err := os.Stat(relaySocket(dir)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestRelayFails(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "127.0.0.1:11434", "ftp://127.0.0.1", "http://", ":"} {
		if _, err := parseRelay(text); err == nil {
			t.Errorf("%q is an address", text)
		}
	}
	dir, err := os.MkdirTemp("", "relay")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	to, _ := parseRelay("http://127.0.0.1:1")
	r, err := openRelay(dir, to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.close)
	client := relayed(dir)
	t.Cleanup(client.CloseIdleConnections)
	resp, err := client.Get("http://x/")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusBadGateway {
		t.Errorf("nobody answers: %s", resp.Status)
	}
}
