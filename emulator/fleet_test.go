package emulator_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"tegata/emulator"
)

func member(t *testing.T, from, id string) emulator.Member {
	t.Helper()
	s, err := emulator.New(emulator.Options{Tokens: "optional", Instance: emulator.Instance{ID: id}, Role: &emulator.Role{Name: "r"}})
	if err != nil {
		t.Fatal(err)
	}
	if from == "" {
		return emulator.Member{Server: s}
	}
	return emulator.Member{From: netip.MustParsePrefix(from), Server: s}
}

// ask asks from an address of this machine's loopback network.
func ask(t *testing.T, from, method, url string, headers ...string) string {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, addr string) (net.Conn, error) {
		return dialer.DialContext(ctx, "tcp", addr)
	}}
	req, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return "nobody"
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != 200 {
		return resp.Status
	}
	return string(body)
}

// Each caller meets its own instance, whose tokens are worth nothing to the
// others, on our own wire and on net/http's.
func TestFleet(t *testing.T) {
	f, err := emulator.NewFleet(nil, member(t, "127.1.0.0/16", "i-wide"), member(t, "127.1.2.3/24", "i-narrow"), member(t, "127.1.2.9/32", "i-one"))
	if err != nil {
		t.Fatal(err)
	}
	l := listen(t)
	served := make(chan error, 1)
	go func() { served <- f.Serve(l) }()
	plain := httptest.NewServer(f)
	defer plain.Close()
	for _, base := range []string{"http://" + l.Addr().String(), plain.URL} {
		for from, want := range map[string]string{
			"127.1.0.1": "i-wide", "127.1.2.1": "i-narrow", "127.1.2.9": "i-one", "127.0.0.1": "nobody",
		} {
			if got := ask(t, from, "GET", base+"/latest/meta-data/instance-id"); got != want {
				t.Errorf("%s met %q, want %q", from, got, want)
			}
		}
		held := tokenHeader + ": " + ask(t, "127.1.0.1", "PUT", base+tokenURL, ttlHeader+": 60")
		if got := ask(t, "127.1.0.2", "GET", base+"/latest/meta-data/instance-id", held); got != "i-wide" {
			t.Errorf("the token's own instance said %q", got)
		}
		if got := ask(t, "127.1.2.9", "GET", base+"/latest/meta-data/instance-id", held); got != "401 Unauthorized" {
			t.Errorf("another instance took the token and said %q", got)
		}
	}
	if err := f.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	if err := <-served; err != nil {
		t.Errorf("serve: %v", err)
	}
}

func TestFleetHasOthers(t *testing.T) {
	f, err := emulator.NewFleet(member(t, "", "i-other").Server, member(t, "192.0.2.0/24", "i-far"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for from, want := range map[string]string{
		"192.0.2.7:1": "i-far", "[::ffff:192.0.2.7]:1": "i-far", "[2001:db8::1]:1": "i-other", "@": "i-other",
	} {
		r := httptest.NewRequest("GET", "/latest/meta-data/instance-id", nil)
		r.RemoteAddr = from
		w := httptest.NewRecorder()
		f.ServeHTTP(w, r)
		if got := w.Body.String(); got != want {
			t.Errorf("%s met %q, want %q", from, got, want)
		}
	}
	r := httptest.NewRequest("GET", "/latest/meta-data/iam/security-credentials/r", nil)
	r.RemoteAddr = "192.0.2.7:1"
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	_, key, _ := strings.Cut(w.Body.String(), `"AccessKeyId" : "`)
	key, _, _ = strings.Cut(key, `"`)
	if c, ok := f.Credential(key); !ok || c.AccessKeyID != key || key == "" {
		t.Errorf("the credentials %q of a member are unknown", key)
	}
	if _, ok := f.Credential("ASIA0"); ok {
		t.Error("credentials that nobody handed out are known")
	}
}

func TestNewFleetRefuses(t *testing.T) {
	for want, members := range map[string][]emulator.Member{
		"two members of the fleet for 10.0.0.0/8": {member(t, "10.0.0.0/8", "i-1"), member(t, "10.1.0.0/8", "i-2")},
		"want a prefix and a server":              {member(t, "", "i-1")},
		"member 1 of the fleet (10.0.0.0/8)":      {member(t, "10.1.0.0/16", "i-1"), {From: netip.MustParsePrefix("10.0.0.0/8")}},
	} {
		if _, err := emulator.NewFleet(nil, members...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
}

// Who asks from elsewhere counts as one router further away; whoever shares
// an address with the server does not.
func TestBridged(t *testing.T) {
	for _, tt := range []struct {
		from   string
		limit  int
		hops   int
		status int // 0: no answer
	}{
		{"127.0.0.1:1", 1, 0, 200}, {"[::1]:1", 1, 0, 200}, {"@", 1, 0, 200},
		{"192.0.2.7:1", 1, 0, 0}, {"192.0.2.7:1", 2, 0, 200}, {"192.0.2.7:1", 2, 1, 0}, {"[2001:db8::7]:1", 1, 0, 0},
	} {
		s, err := emulator.New(emulator.Options{Bridged: true, HopLimit: tt.limit, Hops: tt.hops})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		r := httptest.NewRequestWithContext(ctx, "PUT", tokenURL, nil)
		r.RemoteAddr = tt.from
		r.Header.Set(ttlHeader, "60")
		w := httptest.NewRecorder()
		w.Code = 0
		cancel()
		func() {
			defer func() { recover() }()
			s.ServeHTTP(w, r)
			w.Code = 200
		}()
		if w.Code != tt.status {
			t.Errorf("%+v: got %d", tt, w.Code)
		}
	}
}
