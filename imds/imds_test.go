package imds_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tegata/imds"
)

// TestKinds answers in every wrong way, to the request for the token or to the
// read, and wants each to be told apart, with as many attempts as make sense.
// The one GET after a PUT that failed is the probe.
func TestKinds(t *testing.T) {
	const page = "<!DOCTYPE html><title>Sign in to the hotel</title>"
	const login = `{"error": "login required", "url": "https://portal.test/"}`
	redirect := func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/latest/meta-data/instance-id/", http.StatusMovedPermanently)
	}
	viaProxy := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Via", "1.1 squid")
			w.WriteHeader(status)
		}
	}
	drip := func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			io.WriteString(w, "i")
			http.NewResponseController(w).Flush()
			select {
			case <-time.After(100 * time.Millisecond):
			case <-r.Context().Done():
			}
		}
	}
	late := func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(700 * time.Millisecond)
		constant(w, r)
	}
	const cut = "HTTP/1.1 200 OK\r\nContent-Length: 56\r\n\r\nAQAE"
	tests := []struct {
		name     string
		put, get http.HandlerFunc
		want     error
		status   int
		puts     int32
		gets     int32
	}{
		{name: "token 400", put: status(400), want: imds.ErrBadRequest, status: 400, puts: 1},
		{name: "token 401", put: status(401), want: imds.ErrUnauthorized, status: 401, puts: 1},
		{name: "token 404", put: status(404), want: imds.ErrNoV2, status: 404, puts: 1},
		{name: "token 405", put: status(405), want: imds.ErrNoV2, status: 405, puts: 1},
		{name: "token 501", put: status(501), want: imds.ErrNoV2, status: 501, puts: 1},
		{name: "token 429", put: status(429), want: imds.ErrThrottled, status: 429, puts: 4},
		{name: "token 500", put: status(500), want: imds.ErrServer, status: 500, puts: 4},
		{name: "token 503", put: status(503), want: imds.ErrServer, status: 503, puts: 4},
		{name: "token redirected", put: redirect, want: imds.ErrRedirect, status: 301, puts: 1},
		{name: "token page", put: body(page), want: imds.ErrForeign, status: 200, puts: 1},
		{name: "token JSON", put: body(login), want: imds.ErrForeign, status: 200, puts: 1},
		{name: "token empty", put: granting(""), want: imds.ErrForeign, status: 200, puts: 1},
		{name: "token binary", put: granting("AQ\x00AE"), want: imds.ErrForeign, status: 200, puts: 1},
		{name: "token two lines", put: granting("AQ\r\nX-Injected: 1"), want: imds.ErrForeign, status: 200, puts: 1},
		{name: "token of words", put: granting("Welcome, guest!"), want: imds.ErrForeign, status: 200, puts: 1},
		{name: "token too long", put: granting(strings.Repeat("A", 4097)), want: imds.ErrForeign, status: 200, puts: 1},
		{name: "token without lifetime", put: body(token), want: imds.ErrForeign, status: 200, puts: 1},
		{name: "token by way of a proxy", put: viaProxy(200), want: imds.ErrForeign, status: 200, puts: 1},
		{name: "token drips", put: drip, want: imds.ErrTimeout, puts: 1},

		{name: "token 403, read 401", put: status(403), get: status(401), want: imds.ErrForbidden, status: 403, puts: 1, gets: 1},
		{name: "token 403, read 200", put: status(403), want: imds.ErrForbidden, status: 403, puts: 1, gets: 1},
		{name: "token 403, read silent", put: status(403), get: silent, want: imds.ErrForbidden, status: 403, puts: 1, gets: 1},
		{name: "token 403, read 403", put: status(403), get: status(403), want: imds.ErrDisabled, status: 403, puts: 1, gets: 1},
		{name: "token 403, read by way of a proxy", put: status(403), get: viaProxy(403), want: imds.ErrForeign, status: 403, puts: 1, gets: 1},
		{name: "token silent, read 401", put: silent, get: status(401), want: imds.ErrHopLimit, puts: 1, gets: 1},
		{name: "token silent, read 200", put: silent, want: imds.ErrHopLimit, puts: 1, gets: 1},
		{name: "token silent, read 404", put: silent, get: status(404), want: imds.ErrHopLimit, puts: 1, gets: 1},
		{name: "token silent, read 503", put: silent, get: status(503), want: imds.ErrHopLimit, puts: 1, gets: 1},
		{name: "token silent, read late", put: silent, get: late, want: imds.ErrTimeout, puts: 1, gets: 1},
		{name: "token silent, read silent", put: silent, get: silent, want: imds.ErrTimeout, puts: 1, gets: 1},
		{name: "token silent, read reset", put: silent, get: raw(""), want: imds.ErrTimeout, puts: 1, gets: 1},
		{name: "token silent, read page", put: silent, get: body(page), want: imds.ErrForeign, puts: 1, gets: 1},
		{name: "token silent, read JSON", put: silent, get: body(login), want: imds.ErrForeign, puts: 1, gets: 1},
		{name: "token silent, read redirected", put: silent, get: redirect, want: imds.ErrForeign, puts: 1, gets: 1},
		{name: "token reset, read 401", put: raw(""), get: status(401), want: imds.ErrTokenLost, puts: 4, gets: 1},
		{name: "token cut, read 401", put: raw(cut), get: status(401), want: imds.ErrTokenLost, puts: 4, gets: 1},
		{name: "token reset, read reset", put: raw(""), get: raw(""), want: imds.ErrIncomplete, puts: 4, gets: 1},
		{name: "token reset, read silent", put: raw(""), get: silent, want: imds.ErrIncomplete, puts: 4, gets: 1},

		{name: "400", get: status(400), want: imds.ErrBadRequest, status: 400, puts: 1, gets: 1},
		{name: "401", get: status(401), want: imds.ErrUnauthorized, status: 401, puts: 2, gets: 2},
		{name: "403", get: status(403), want: imds.ErrForbidden, status: 403, puts: 1, gets: 1},
		{name: "404", get: status(404), want: imds.ErrAbsent, status: 404, puts: 1, gets: 1},
		{name: "405", get: status(405), want: imds.ErrBadRequest, status: 405, puts: 1, gets: 1},
		{name: "407", get: status(407), want: imds.ErrForeign, status: 407, puts: 1, gets: 1},
		{name: "429", get: status(429), want: imds.ErrThrottled, status: 429, puts: 1, gets: 4},
		{name: "500", get: status(500), want: imds.ErrServer, status: 500, puts: 1, gets: 4},
		{name: "204", get: status(204), want: imds.ErrForeign, status: 204, puts: 1, gets: 1},
		{name: "redirected", get: redirect, want: imds.ErrRedirect, status: 301, puts: 1, gets: 1},
		{name: "by way of a proxy", get: viaProxy(200), want: imds.ErrForeign, status: 200, puts: 1, gets: 1},
		{name: "proxy's 503", get: viaProxy(503), want: imds.ErrForeign, status: 503, puts: 1, gets: 1},
		{name: "page", get: body(page), want: imds.ErrForeign, status: 200, puts: 1, gets: 1},
		{name: "JSON", get: body(login), want: imds.ErrForeign, status: 200, puts: 1, gets: 1},
		{name: "other protocol", get: raw("SSH-2.0-OpenSSH_9.2\r\n"), want: imds.ErrForeign, puts: 1, gets: 1},
		{name: "silent", get: silent, want: imds.ErrTimeout, puts: 1, gets: 1},
		{name: "drip", get: drip, want: imds.ErrTimeout, puts: 1, gets: 1},
		{name: "reset", get: raw(""), want: imds.ErrIncomplete, puts: 1, gets: 5}, // the first on the connection of the PUT, which does not count
		{name: "cut in the head", get: raw("HTTP/1.1 200 OK\r\nServer: EC"), want: imds.ErrIncomplete, puts: 1, gets: 4},
		{name: "cut in the body", get: raw("HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\ni-12"), want: imds.ErrIncomplete, puts: 1, gets: 4},
		{name: "cut error page", get: raw("HTTP/1.1 404 Not Found\r\nContent-Length: 339\r\n\r\n<?xml"), want: imds.ErrAbsent, status: 404, puts: 1, gets: 1},
		{name: "2 MiB", get: body(strings.Repeat("x", 2<<20)), want: imds.ErrTooLarge, puts: 1, gets: 1},
		{name: "2 MiB announced", get: raw("HTTP/1.1 200 OK\r\nContent-Length: 2097152\r\n\r\n"), want: imds.ErrTooLarge, puts: 1, gets: 1},
		{name: "endless head", get: raw("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 2<<20)), want: imds.ErrTooLarge, puts: 1, gets: 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &service{put: tt.put, get: tt.get}
				v, err := s.client(t).Get(t.Context(), "meta-data/instance-id")
				if err == nil {
					t.Fatalf("got %q, want the error %q", v, tt.want)
				}
				e := wantKind(t, err, tt.want)
				if e.Status != tt.status {
					t.Errorf("Status is %d, want %d", e.Status, tt.status)
				}
				if s.puts.Load() != tt.puts || s.gets.Load() != tt.gets {
					t.Errorf("%d PUT and %d GET, want %d and %d", s.puts.Load(), s.gets.Load(), tt.puts, tt.gets)
				}
				if strings.Contains(err.Error(), token) {
					t.Errorf("error shows the token: %v", err)
				}
			})
		})
	}
}

func TestErrorText(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := (&service{put: silent, get: func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(2 * time.Millisecond)
			w.Header().Set("Server", "EC2ws")
			w.WriteHeader(http.StatusUnauthorized)
		}}).client(t)
		_, err := c.InstanceID(t.Context())
		want := "PUT /latest/api/token: the token is lost on its way back: the hop limit is too low: no byte came back: read pipe: i/o timeout; " +
			`GET /latest/meta-data/instance-id was answered with HTTP 401 from "EC2ws" after 2ms`
		if err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
		var e *imds.Error
		if errors.As(err, &e); e.Elapsed != time.Second || e.Attempts != 1 {
			t.Errorf("%v and %d attempts, want 1s and 1", e.Elapsed, e.Attempts)
		}
	})
}

func TestRetryGetsThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(service)
		s.get = func(w http.ResponseWriter, r *http.Request) {
			if s.gets.Load() < 4 {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			constant(w, r)
		}
		c := s.client(t)
		began := time.Now()
		if v, err := c.InstanceID(t.Context()); v != instanceID {
			t.Fatal(v, err)
		}
		if d := time.Since(began); d < 350*time.Millisecond || d > 700*time.Millisecond {
			t.Errorf("took %v, want pauses of 350 to 700 ms", d)
		}
	})
}

func TestRetryAfter(t *testing.T) {
	for _, tt := range []struct {
		name, header string
		least        time.Duration // that three pauses take; they vary by up to 300 ms
	}{
		{"seconds", "1", 3 * time.Second},
		{"none", "0", 350 * time.Millisecond},
		{"nonsense", "soon", 350 * time.Millisecond},
		{"negative", "-1", 350 * time.Millisecond},
		{"bounded", "3600", 6 * time.Second},
		{"date", "Sat, 01 Jan 2000 01:00:00 GMT", 6 * time.Second},
		{"date gone by", "Sat, 01 Jan 1994 00:00:00 GMT", 350 * time.Millisecond},
	} {
		for _, code := range []int{429, 503} {
			t.Run(fmt.Sprint(tt.name, code), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { // begins at the start of 2000
					s := new(service)
					s.put = func(w http.ResponseWriter, r *http.Request) {
						if s.puts.Load() < 4 {
							w.Header().Set("Retry-After", tt.header)
							w.WriteHeader(code)
							return
						}
						constant(w, r)
					}
					c := s.client(t)
					began := time.Now()
					if v, err := c.InstanceID(t.Context()); v != instanceID {
						t.Fatal(v, err)
					}
					if d := time.Since(began); d < tt.least || d > tt.least+350*time.Millisecond {
						t.Errorf("took %v, want %v and a little", d, tt.least)
					}
				})
			})
		}
	}
}

// TestExpired wants credentials that have ended to come with the error, as SDKs
// use them.
func TestExpired(t *testing.T) {
	const list = "/latest/meta-data/iam/security-credentials/"
	synctest.Test(t, func(t *testing.T) {
		held := credentials
		held.Expiration = time.Now().UTC().Add(time.Minute)
		c := (&service{get: tree(map[string]string{list: "r", list + "r": string(held.Document())})}).client(t)
		check(t, held)(c.Credentials(t.Context()))
		time.Sleep(time.Minute)
		got, err := c.Credentials(t.Context())
		wantKind(t, err, imds.ErrExpired)
		wantEnd(t, err.Error(), "/r: the credentials have expired: on 2000-01-01T00:01:00Z")
		check(t, held)(got, nil)
		if strings.Contains(err.Error(), held.SecretAccessKey.Reveal()) || strings.Contains(err.Error(), held.Token.Reveal()) {
			t.Errorf("error shows a secret: %v", err)
		}
	})
}

func TestDeadlineInPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := (&service{get: status(503)}).client(t)
		ctx, cancel := context.WithTimeout(t.Context(), 120*time.Millisecond)
		defer cancel()
		began := time.Now()
		_, err := c.InstanceID(ctx)
		if e := wantKind(t, err, imds.ErrServer); e.Status != 503 {
			t.Errorf("Status is %d, want 503", e.Status)
		}
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 120*time.Millisecond {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}

func TestGet(t *testing.T) {
	values := map[string]string{
		"/":                                 "1.0\nlatest\n",
		"/latest/":                          "dynamic\nmeta-data\nuser-data",
		"/latest/meta-data/hostname":        "ip-10-0-0-1\r\n",
		"/2021-03-23/meta-data/hostname":    "dated",
		"/latest/user-data":                 "<powershell>\x00\xff</powershell>",
		"/latest/meta-data/tags/instance/a": "<none>",
		"/latest/empty":                     "",
	}
	tests := []struct{ path, want string }{
		{"meta-data/hostname", "ip-10-0-0-1\r\n"},
		{"/meta-data//hostname", "ip-10-0-0-1\r\n"},
		{"/latest/meta-data/hostname", "ip-10-0-0-1\r\n"},
		{"latest/meta-data/hostname", "ip-10-0-0-1\r\n"},
		{"/2021-03-23/meta-data/hostname", "dated"},
		{"user-data", "<powershell>\x00\xff</powershell>"},
		{"meta-data/tags/instance/a", "<none>"},
		{"", "dynamic\nmeta-data\nuser-data"},
		{"/", "1.0\nlatest\n"},
		{"empty", ""},
	}
	synctest.Test(t, func(t *testing.T) {
		c := (&service{get: tree(values)}).client(t)
		for _, tt := range tests {
			if got, err := c.Get(t.Context(), tt.path); got != tt.want || err != nil {
				t.Errorf("Get(%q) = %q, %v, want %q", tt.path, got, err, tt.want)
			}
		}
	})
}

func TestGetChunked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{get: func(w http.ResponseWriter, _ *http.Request) {
			for range 16 {
				io.WriteString(w, strings.Repeat("x", 1<<10))
				http.NewResponseController(w).Flush()
			}
		}}
		c := s.client(t)
		for range 2 {
			if v, err := c.Get(t.Context(), "user-data"); len(v) != 16<<10 || err != nil {
				t.Fatalf("%d bytes, %v", len(v), err)
			}
		}
		if n := s.connections.Load(); n != 1 {
			t.Errorf("%d connections, want 1", n)
		}
	})
}

// TestOldFrontEnd reads what an HTTP/1.0 answer without a length holds.
func TestOldFrontEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := (&service{get: raw("HTTP/1.0 200 OK\r\nAccept-Ranges: bytes\r\n\r\n" + instanceID)}).client(t)
		if v, err := c.InstanceID(t.Context()); v != instanceID {
			t.Error(v, err)
		}
	})
}

func TestRequest(t *testing.T) {
	var got []string
	see := func(w http.ResponseWriter, r *http.Request) {
		got = append(got, fmt.Sprintf("%s %s%s token %q ttl %q agent %q", r.Method, r.Host, r.RequestURI,
			r.Header.Get("X-Aws-Ec2-Metadata-Token"), r.Header.Get("X-Aws-Ec2-Metadata-Token-Ttl-Seconds"), r.UserAgent()))
		constant(w, r)
	}
	synctest.Test(t, func(t *testing.T) {
		c := (&service{put: see, get: see}).client(t)
		c.Endpoint, c.TokenTTL = "http://[fd00:ec2::254]/", 90*time.Second
		if _, err := c.Get(t.Context(), "meta-data/mac"); err != nil {
			t.Error(err)
		}
	})
	want := []string{
		`PUT [fd00:ec2::254]/latest/api/token token "" ttl "90" agent "tegata"`,
		`GET [fd00:ec2::254]/latest/meta-data/mac token "` + token + `" ttl "" agent "tegata"`,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestHelpers(t *testing.T) {
	values := map[string]string{
		"/latest/meta-data/instance-id":                                  instanceID + "\n",
		"/latest/meta-data/placement/region":                             "ap-northeast-1\r\n",
		"/latest/meta-data/iam/security-credentials/":                    "bedrock-ui-ec2-role\n",
		"/latest/meta-data/iam/security-credentials/bedrock-ui-ec2-role": string(credentials.Document()),
		"/latest/meta-data/iam/info":                                     string(iamInfo.Document()),
		"/latest/dynamic/instance-identity/document":                     string(identity.Document()),
	}
	synctest.Test(t, func(t *testing.T) {
		s := &service{get: tree(values)}
		c, ctx := s.client(t), t.Context()
		check(t, instanceID)(c.InstanceID(ctx))
		check(t, "ap-northeast-1")(c.Region(ctx))
		check(t, "bedrock-ui-ec2-role")(c.Role(ctx))
		check(t, credentials)(c.Credentials(ctx))
		check(t, iamInfo)(c.IAMInfo(ctx))
		check(t, identity)(c.IdentityDocument(ctx))
		if s.puts.Load() != 1 || s.connections.Load() != 1 {
			t.Errorf("%d PUT on %d connections, want 1 on 1", s.puts.Load(), s.connections.Load())
		}
		delete(values, "/latest/meta-data/placement/region")
		check(t, identity.Region)(c.Region(ctx))
	})
}

func check[T any](t *testing.T, want T) func(T, error) {
	return func(got T, err error) {
		t.Helper()
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("%v\n%s", err, d)
		}
	}
}

func TestHelperFailures(t *testing.T) {
	const list = "/latest/meta-data/iam/security-credentials/"
	failed := imds.Credentials{Code: "AssumeRoleUnauthorizedAccess", Message: "EC2 cannot assume the role r.", LastUpdated: credentials.LastUpdated}
	tests := []struct {
		name   string
		values map[string]string
		call   func(*imds.Client, context.Context) error
		want   error
		code   string
	}{
		{"no region", nil, region, imds.ErrAbsent, ""},
		{"zone for region", map[string]string{"/latest/meta-data/placement/region": "ap-northeast-1a"}, region, imds.ErrMalformed, ""},
		{"several words", map[string]string{"/latest/meta-data/instance-id": "no such thing"}, instance, imds.ErrMalformed, ""},
		{"empty id", map[string]string{"/latest/meta-data/instance-id": "\n"}, instance, imds.ErrMalformed, ""},
		{"no profile", nil, creds, imds.ErrAbsent, ""},
		{"no role in it", map[string]string{list: ""}, creds, imds.ErrAbsent, ""},
		{"odd role", map[string]string{list: "../../user-data"}, creds, imds.ErrMalformed, ""},
		{"role refused", map[string]string{list: "r", list + "r": string(failed.Document())}, creds, imds.ErrCredentials, failed.Code},
		{"cut document", map[string]string{list: "r", list + "r": `{"Code" : "Success", "Tok`}, creds, imds.ErrMalformed, ""},
		{"page for document", map[string]string{list: "r", list + "r": "<html>SECRETWORD"}, creds, imds.ErrForeign, ""},
		{"profile gone", map[string]string{"/latest/meta-data/iam/info": `{"Code":"InstanceProfileNotFound"}`}, info, imds.ErrCredentials, "InstanceProfileNotFound"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := (&service{get: tree(tt.values)}).client(t)
				err := tt.call(c, t.Context())
				e := wantKind(t, err, tt.want)
				if e.Code != tt.code {
					t.Errorf("Code is %q, want %q", e.Code, tt.code)
				}
				if strings.Contains(err.Error(), "SECRETWORD") {
					t.Errorf("error shows the body of a secret path: %v", err)
				}
			})
		})
	}
}

func region(c *imds.Client, ctx context.Context) error   { _, err := c.Region(ctx); return err }
func instance(c *imds.Client, ctx context.Context) error { _, err := c.InstanceID(ctx); return err }
func creds(c *imds.Client, ctx context.Context) error    { _, err := c.Credentials(ctx); return err }
func info(c *imds.Client, ctx context.Context) error     { _, err := c.IAMInfo(ctx); return err }

func TestInvalid(t *testing.T) {
	tests := []struct {
		name   string
		client *imds.Client
		path   string
	}{
		{"endpoint", &imds.Client{Endpoint: "169.254.169.254"}, "user-data"},
		{"password in endpoint", &imds.Client{Endpoint: "http://u:SECRETWORD@127.0.0.1:1/"}, "user-data"},
		{"password in broken endpoint", &imds.Client{Endpoint: "http://u:SECRETWORD@127.0.0.1:x/"}, "user-data"},
		{"path", new(imds.Client), "meta-data/../user-data"},
		{"line break in path", new(imds.Client), "x HTTP/1.1\r\nHost: y"},
		{"short token", &imds.Client{TokenTTL: time.Millisecond}, "user-data"},
		{"long token", &imds.Client{TokenTTL: 7 * time.Hour}, "user-data"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.client.Dial = func(context.Context, string, string) (net.Conn, error) {
				t.Error("dialled")
				return nil, net.ErrClosed
			}
			_, err := tt.client.Get(t.Context(), tt.path)
			wantKind(t, err, imds.ErrInvalid)
			if strings.Contains(err.Error(), "SECRETWORD") || strings.Contains(err.Error(), "\n") {
				t.Errorf("%q", err)
			}
		})
	}
}

func TestOverBeforeItBegan(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	synctest.Test(t, func(t *testing.T) {
		s := new(service)
		_, err := s.client(t).InstanceID(ctx)
		wantKind(t, err, nil)
		if !errors.Is(err, context.Canceled) || s.connections.Load() != 0 {
			t.Errorf("%v after %d connections", err, s.connections.Load())
		}
	})
}

// TestNoProxy sets every proxy variable to a trap.
func TestNoProxy(t *testing.T) {
	trap := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("the proxy was asked: %s %s", r.Method, r.URL)
	}))
	defer trap.Close()
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"} {
		t.Setenv(name, trap.URL)
	}
	srv := httptest.NewServer(new(service))
	defer srv.Close()
	_, port, _ := net.SplitHostPort(srv.Listener.Addr().String())

	// Loopback addresses never go through a proxy, so a name stands for one.
	c := &imds.Client{Endpoint: "http://metadata.test:" + port, Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
		if want := "metadata.test:" + port; addr != want {
			t.Errorf("dialled %s, want %s", addr, want)
		}
		return imds.Dial(ctx, network, srv.Listener.Addr().String())
	}}
	defer c.Close()
	if v, err := c.InstanceID(t.Context()); v != instanceID {
		t.Error(v, err)
	}
}

// TestNotDetected meets a port that nobody listens on.
func TestNotDetected(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	c := &imds.Client{Endpoint: "http://" + l.Addr().String()}
	_, err = c.InstanceID(t.Context())
	if e := wantKind(t, err, imds.ErrNotDetected); e.Attempts != 4 {
		t.Errorf("%d attempts, want 4", e.Attempts)
	}
}

// TestBlackhole wants a context of 200 ms to end the call after 200 ms,
// whatever the service is silent about.
func TestBlackhole(t *testing.T) {
	tests := []struct {
		name string
		dial func(ctx context.Context, network, addr string) (net.Conn, error)
		s    *service
		want error
	}{
		{"no connection", func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }, new(service), imds.ErrNotDetected},
		{"no token", nil, &service{put: silent}, imds.ErrTimeout},
		{"no value", nil, &service{get: silent}, imds.ErrTimeout},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := tt.s.client(t)
				if tt.dial != nil {
					c.Dial = tt.dial
				}
				ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
				defer cancel()
				began := time.Now()
				_, err := c.InstanceID(ctx)
				wantKind(t, err, tt.want)
				if d := time.Since(began); d != 200*time.Millisecond || !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("after %v: %v", d, err)
				}
			})
		})
	}
}

// TestBlackholeTCP does the same with real time and a socket that accepts and
// stays silent, and wants no goroutine left.
func TestBlackholeTCP(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // never accepted: the kernel connects, nobody answers
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	before := runtime.NumGoroutine()
	c := &imds.Client{Endpoint: "http://" + l.Addr().String()}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err = c.InstanceID(ctx)
	wantKind(t, err, imds.ErrTimeout)
	if d := time.Since(began); d > 400*time.Millisecond {
		t.Errorf("took %v, want 200ms", d)
	}
	for range 5000 { // what is about to end may take its time
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(time.Millisecond)
	}
	stacks := make([]byte, 1<<16)
	t.Errorf("goroutines left:\n%s", stacks[:runtime.Stack(stacks, true)])
}

// TestStaleConnection reads on a kept connection that the service has closed.
func TestStaleConnection(t *testing.T) {
	srv := httptest.NewServer(new(service))
	defer srv.Close()
	c := &imds.Client{Endpoint: srv.URL}
	defer c.Close()
	for range 3 {
		began := time.Now()
		if v, err := c.InstanceID(t.Context()); v != instanceID || time.Since(began) > 90*time.Millisecond {
			t.Fatalf("%q, %v after %v, want no pause", v, err, time.Since(began))
		}
		srv.CloseClientConnections()
	}
}

func TestIdleConnectionGetsOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(service)
		c := s.client(t)
		for _, tt := range []struct {
			pause time.Duration
			want  int32
		}{{0, 1}, {29 * time.Second, 1}, {31 * time.Second, 2}} {
			time.Sleep(tt.pause)
			if _, err := c.InstanceID(t.Context()); err != nil || s.connections.Load() != tt.want {
				t.Errorf("%d connections after %v, want %d; %v", s.connections.Load(), tt.pause, tt.want, err)
			}
		}
	})
}

func TestConnectionClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{get: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Connection", "close")
			constant(w, r)
		}}
		c := s.client(t)
		for range 3 {
			if v, err := c.InstanceID(t.Context()); v != instanceID {
				t.Fatal(v, err)
			}
		}
		if n := s.connections.Load(); n != 3 {
			t.Errorf("%d connections, want 3", n)
		}
	})
}

// TestContextEndsWithTheAnswer wants a connection not to be used again when
// the end of a context may still interrupt it.
func TestContextEndsWithTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(service)
		c := s.client(t)
		ctx, cancel := context.WithCancel(t.Context())
		direct := c.Dial
		c.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := direct(ctx, network, addr)
			return &lastWord{conn, cancel}, err
		}
		if v, err := c.InstanceID(ctx); v != instanceID {
			t.Error(v, err)
		}
		if v, err := c.InstanceID(t.Context()); v != instanceID || s.connections.Load() != 2 {
			t.Errorf("%q, %v on %d connections, want 2", v, err, s.connections.Load())
		}
	})
}

// lastWord calls end when the value has been read.
type lastWord struct {
	net.Conn
	end func()
}

func (l *lastWord) Read(b []byte) (int, error) {
	n, err := l.Conn.Read(b)
	if strings.Contains(string(b[:n]), instanceID) {
		l.end()
	}
	return n, err
}
