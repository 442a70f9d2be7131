package imds_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tegata/imds"
)

const (
	agentToken = "Basic c2VjcmV0LXRva2Vu"
	eksReply   = `{"AccessKeyId":"ASIAEXAMPLE","SecretAccessKey":"wJalrXUtnFEMI","Token":"IQoJb3JpZ2lu","AccountId":"123456789012","Expiration":"2037-01-02T03:04:05Z"}`
)

var agentCredentials = imds.Credentials{
	AccessKeyID: "ASIAEXAMPLE", SecretAccessKey: "wJalrXUtnFEMI", Token: "IQoJb3JpZ2lu", AccountID: "123456789012",
	Expiration: time.Date(2037, 1, 2, 3, 4, 5, 0, time.UTC),
}

// compareSecrets looks at what a Secret does not show.
var compareSecrets = cmp.Comparer(func(a, b imds.Secret) bool { return a.Reveal() == b.Reveal() })

// TestContainerEndpoint has the settings that the AWS SDK for Rust is tested
// with, and what they leave open: where a request goes, and with what.
func TestContainerEndpoint(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		c    imds.Container
		addr string // connected to; "" for none
		uri  string // asked for
		host string
		kind imds.ContainerKind
	}{
		{"nothing", imds.Container{}, "", "", "", imds.OtherContainer},
		{"relative", imds.Container{RelativeURI: "/credentials"}, "169.254.170.2:80", "/credentials", "169.254.170.2", imds.ECS},
		{"full without a host", imds.Container{FullURI: "/credentials"}, "", "", "", imds.OtherContainer},
		{"localhost", imds.Container{FullURI: "http://localhost:8080/credentials"}, "127.0.0.1:8080 or [::1]:8080", "/credentials", "localhost:8080", imds.OtherContainer},
		{"task role", imds.Container{FullURI: "http://169.254.170.2/credentials"}, "169.254.170.2:80", "/credentials", "169.254.170.2", imds.ECS},
		{"Pod Identity", imds.Container{FullURI: "http://169.254.170.23/v1/credentials"}, "169.254.170.23:80", "/v1/credentials", "169.254.170.23", imds.EKS},
		{"Pod Identity, IPv6", imds.Container{FullURI: "http://[fd00:ec2::23]/v1/credentials"}, "[fd00:ec2::23]:80", "/v1/credentials", "[fd00:ec2::23]", imds.EKS},
		{"relative counts before full", imds.Container{RelativeURI: "/credentials", FullURI: "http://localhost:8080/other"}, "169.254.170.2:80", "/credentials", "169.254.170.2", imds.ECS},
		{"query", imds.Container{RelativeURI: "/credentials?a=1&b=%2F"}, "169.254.170.2:80", "/credentials?a=1&b=%2F", "169.254.170.2", imds.ECS},
		{"loopback", imds.Container{FullURI: "http://127.3.2.1/x"}, "127.3.2.1:80", "/x", "127.3.2.1", imds.OtherContainer},
		{"loopback, IPv6", imds.Container{FullURI: "http://[::1]:81/x"}, "[::1]:81", "/x", "[::1]:81", imds.OtherContainer},
		{"relative that moves the host", imds.Container{RelativeURI: ".evil.example/x"}, "", "", "", imds.OtherContainer},
		{"relative with a user", imds.Container{RelativeURI: "@evil.example/x"}, "", "", "", imds.OtherContainer},
		{"instance metadata", imds.Container{FullURI: "http://169.254.169.254/x"}, "", "", "", imds.OtherContainer},
		{"any address", imds.Container{FullURI: "http://0.0.0.0/x"}, "", "", "", imds.OtherContainer},
		{"another host", imds.Container{FullURI: "http://192.0.2.7/x"}, "", "", "", imds.OtherContainer},
		{"user", imds.Container{FullURI: "http://user:password@127.0.0.1/x"}, "", "", "", imds.OtherContainer},
		{"other scheme", imds.Container{FullURI: "file://localhost/etc/passwd"}, "", "", "", imds.OtherContainer},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := &service{get: body(eksReply)}
			var dialled, uri, host string
			pipe := s.client(t).Dial
			s.get = func(w http.ResponseWriter, r *http.Request) {
				uri, host = r.RequestURI, r.Host
				io.WriteString(w, eksReply)
			}
			test.c.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
				dialled = addr
				return pipe(ctx, network, addr)
			}
			if got := test.c.Kind(); got != test.kind {
				t.Errorf("kind %s, want %s", got, test.kind)
			}
			checked := test.c.Check(t.Context())
			got, err := test.c.Credentials(t.Context())
			if test.addr == "" {
				wantKind(t, checked, imds.ErrInvalid)
				if e := wantKind(t, err, imds.ErrInvalid); dialled != "" || strings.Contains(e.Error(), "password") {
					t.Errorf("dialled %q, error %v", dialled, e)
				}
				return
			}
			if diff := cmp.Diff(agentCredentials, got, compareSecrets); err != nil || checked != nil || diff != "" {
				t.Errorf("errors %v, %v (-want +got)\n%s", err, checked, diff)
			}
			if !strings.Contains(" or "+test.addr+" or ", " or "+dialled+" or ") || uri != test.uri || host != test.host {
				t.Errorf("dialled %q, asked for %q of %q", dialled, uri, host)
			}
		})
	}
	t.Run("HostError", func(t *testing.T) {
		var host *imds.HostError
		if err := (&imds.Container{FullURI: "http://192.0.2.7/x"}).Check(t.Context()); !errors.As(err, &host) || host.Host != "192.0.2.7" {
			t.Errorf("got %v", err)
		}
	})
}

// TestContainerAnswers answers in every wrong way, and wants each told apart.
func TestContainerAnswers(t *testing.T) {
	t.Parallel()
	redirect := func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://192.0.2.7/", http.StatusFound)
	}
	say := func(code int, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			io.WriteString(w, text)
		}
	}
	tests := []struct {
		name string
		get  http.HandlerFunc
		want error
		text string // in the error
		gets int32
	}{
		{"400", status(400), imds.ErrBadRequest, "", 1},
		{"401", say(401, "no token\n"), imds.ErrUnauthorized, `"no token"`, 1},
		{"403", say(403, `{"code":"AccessDeniedException","message":"no association"}`), imds.ErrForbidden, `"AccessDeniedException": "no association"`, 1},
		{"404", status(404), imds.ErrAbsent, "", 1},
		{"429", status(429), imds.ErrThrottled, "", 4},
		{"500", say(500, `{"message":"later"}`), imds.ErrServer, `"later"`, 4},
		{"redirect", redirect, imds.ErrRedirect, "", 1},
		{"page", body("<html>"), imds.ErrForeign, "6 bytes of markup", 1},
		{"not HTTP", raw("SSH-2.0-OpenSSH_9.2p1\r\n"), imds.ErrForeign, "", 1},
		{"cut", raw("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"), imds.ErrIncomplete, "", 4},
		{"closed", raw(""), imds.ErrIncomplete, "", 4},
		{"too large", body(strings.Repeat(" ", 2<<20)), imds.ErrTooLarge, "", 1},
		{"not JSON", body("AccessKeyId=ASIA"), imds.ErrMalformed, "byte 1 of 16", 1},
		{"no key", body(`{"SecretAccessKey":"s"}`), imds.ErrMalformed, "missing AccessKeyId", 1},
		{"no secret", body(`{"AccessKeyId":"ASIA"}`), imds.ErrMalformed, "missing SecretAccessKey", 1},
		{"refused", body(`{"Code":"Failed","Message":"not now"}`), imds.ErrCredentials, "(Failed): not now", 1},
		{"quotes the token", say(401, "bad token "+agentToken), imds.ErrUnauthorized, "", 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := &service{get: test.get}
			c := imds.Container{FullURI: "http://127.0.0.1/v1/credentials?secret=1", Token: agentToken, Dial: s.client(t).Dial}
			_, err := c.Credentials(t.Context())
			e := wantKind(t, err, test.want)
			if text := e.Error(); !strings.HasPrefix(text, "GET http://127.0.0.1/v1/credentials: ") || !strings.Contains(text, test.text) ||
				strings.Contains(text, agentToken) || strings.Contains(text, "secret=1") {
				t.Errorf("got %q", text)
			}
			if n := s.gets.Load(); n != test.gets || e.Attempts != int(n) {
				t.Errorf("%d requests, %d attempts, want %d", n, e.Attempts, test.gets)
			}
		})
	}
}

func TestContainerUnreachable(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	_, err = (&imds.Container{FullURI: "http://" + addr + "/x"}).Credentials(t.Context())
	wantKind(t, err, imds.ErrNotDetected)

	s := &service{get: silent}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = (&imds.Container{FullURI: "http://127.0.0.1/x", Dial: s.client(t).Dial}).Credentials(ctx)
	if wantKind(t, err, imds.ErrTimeout); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestContainerToken(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "token")
	var authorization string
	s := &service{get: func(w http.ResponseWriter, r *http.Request) {
		authorization = strings.Join(r.Header["Authorization"], "|")
		io.WriteString(w, eksReply)
	}}
	dial := s.client(t).Dial
	tests := []struct {
		name   string
		token  imds.Secret
		file   string // "" for none
		want   string
		refuse bool
	}{
		{name: "none"},
		{name: "plain", token: agentToken, want: agentToken},
		{name: "file counts before plain", token: agentToken, file: "first", want: "first"},
		{name: "the file has changed", token: agentToken, file: "second", want: "second"},
		{name: "line break", token: "a\nX-Evil: 1", refuse: true},
		{name: "carriage return", token: "a\rb", refuse: true},
		{name: "line break in the file", file: "hush-hush\n", refuse: true},
		{name: "control character", token: "a\x00b", refuse: true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			authorization = ""
			c := imds.Container{FullURI: "http://127.0.0.1/x", Token: test.token, Dial: dial}
			if test.file != "" {
				os.WriteFile(file, []byte(test.file), 0o600)
				c.TokenFile = file
			}
			before := s.gets.Load()
			_, err := c.Credentials(t.Context())
			if test.refuse {
				if wantKind(t, err, imds.ErrInvalid); s.gets.Load() != before || strings.Contains(err.Error(), "hush") {
					t.Errorf("asked all the same, or told: %v", err)
				}
				return
			}
			if err != nil || authorization != test.want {
				t.Errorf("authorization %q, error %v; want %q", authorization, err, test.want)
			}
		})
	}
	os.Remove(file)
	_, err := (&imds.Container{FullURI: "http://127.0.0.1/x", TokenFile: file, Dial: dial}).Credentials(t.Context())
	if wantKind(t, err, imds.ErrInvalid); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if shown := fmt.Sprintf("%v %+v %#v", imds.Container{Token: agentToken}, imds.Container{Token: agentToken}, imds.Container{Token: agentToken}); strings.Contains(shown, agentToken) {
		t.Errorf("printed as %s", shown)
	}
}

// TestContainerTLS asks a server that is not on the list, which is fine with a
// certificate that holds and not without.
func TestContainerTLS(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		io.WriteString(w, eksReply)
	}))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	roots := x509.NewCertPool()
	roots.AddCert(srv.Certificate())
	c := imds.Container{FullURI: "https://example.com/x", TLS: &tls.Config{RootCAs: roots}}
	c.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if addr != "example.com:443" {
			return nil, errors.New("dialled " + addr)
		}
		return imds.Dial(ctx, network, srv.Listener.Addr().String())
	}
	got, err := c.Credentials(t.Context())
	if diff := cmp.Diff(agentCredentials, got, compareSecrets); err != nil || diff != "" {
		t.Errorf("error %v (-want +got)\n%s", err, diff)
	}
	c.TLS = &tls.Config{RootCAs: x509.NewCertPool()}
	_, err = c.Credentials(t.Context())
	if wantKind(t, err, imds.ErrForeign); asked.Load() != 1 {
		t.Errorf("asked %d times", asked.Load())
	}
}

// TestContainerNoProxy sets a trap that a request through a proxy falls into.
func TestContainerNoProxy(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://192.0.2.1:1")
	t.Setenv("http_proxy", "http://192.0.2.1:1")
	s := &service{get: body(eksReply)}
	dial := s.client(t).Dial
	var dialled string
	c := imds.Container{RelativeURI: "/x", Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
		dialled = addr
		return dial(ctx, network, addr)
	}}
	if _, err := c.Credentials(t.Context()); err != nil || dialled != "169.254.170.2:80" {
		t.Errorf("dialled %q, error %v", dialled, err)
	}
}

// FuzzContainerURI wants no request over plain HTTP to a host off the list.
func FuzzContainerURI(f *testing.F) {
	for _, seed := range []string{"/credentials", "http://127.0.0.1/x", "http://169.254.170.23/v1", "http://user@127.0.0.1", "http://[::1%25lo]/", "http://192.0.2.7/?http://127.0.0.1", "http:///x", "@192.0.2.7/"} {
		f.Add(seed, "")
		f.Add("", seed)
	}
	f.Fuzz(func(t *testing.T, full, relative string) {
		if u, err := url.Parse(full); err == nil && net.ParseIP(u.Hostname()) == nil && u.Hostname() != "" {
			t.Skip("a name, which would be looked up")
		}
		c := imds.Container{FullURI: full, RelativeURI: relative}
		c.Dial = func(_ context.Context, _, addr string) (net.Conn, error) {
			host, port, _ := net.SplitHostPort(addr)
			ip := net.ParseIP(host)
			https := strings.HasPrefix(strings.ToLower(full), "https:") && relative == ""
			if !https && (ip == nil || !ip.IsLoopback() && !bytes.Contains([]byte("169.254.170.2 169.254.170.23 fd00:ec2::23"), []byte(ip.String()))) {
				t.Errorf("%q %q dials %s port %s", full, relative, addr, port)
			}
			return nil, fmt.Errorf("%w: not here", imds.ErrGuarded)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if _, err := c.Credentials(ctx); err == nil {
			t.Error("no failure")
		}
	})
}

// TestContainerExpired: what has ended is returned all the same, as that of an
// instance is.
func TestContainerExpired(t *testing.T) {
	t.Parallel()
	s := &service{get: body(strings.Replace(eksReply, "2037", "2020", 1))}
	c := imds.Container{FullURI: "http://127.0.0.1/x", Dial: s.client(t).Dial}
	got, err := c.Credentials(t.Context())
	wantKind(t, err, imds.ErrExpired)
	want := agentCredentials
	want.Expiration = want.Expiration.AddDate(-17, 0, 0)
	if diff := cmp.Diff(want, got, compareSecrets); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
