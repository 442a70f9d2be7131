package imds_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tegata/imds"
)

// TestProbeIsNoV1Call wants the read that explains a failure to carry a token,
// and not a valid one.
func TestProbeIsNoV1Call(t *testing.T) {
	for _, put := range []http.HandlerFunc{silent, raw(""), status(403)} {
		synctest.Test(t, func(t *testing.T) {
			s := &service{put: put}
			s.get = func(w http.ResponseWriter, r *http.Request) {
				if got := r.Header.Get("X-Aws-Ec2-Metadata-Token"); got == "" || len(got) == len(token) {
					t.Errorf("GET %s with the token %q", r.URL, got)
				}
				w.WriteHeader(http.StatusUnauthorized)
			}
			s.client(t).InstanceID(t.Context())
			if n := s.gets.Load(); n != 1 {
				t.Errorf("%d GET, want 1", n)
			}
		})
	}
}

// TestOneProbeForAll wants one probe, however many readers wait for the token,
// and none where they can go on.
func TestOneProbeForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{put: silent, get: needToken}
		c := s.client(t)
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() {
				_, err := c.InstanceID(t.Context())
				wantKind(t, err, imds.ErrHopLimit)
			})
		}
		all.Wait()
		if s.puts.Load() != 1 || s.gets.Load() != 1 {
			t.Errorf("%d PUT and %d GET, want 1 of each", s.puts.Load(), s.gets.Load())
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s := &service{get: needToken}
		c := s.client(t)
		for _, put := range []http.HandlerFunc{nil, silent} { // the second time, the token is due for renewal
			s.put = put
			if _, err := c.InstanceID(t.Context()); err != nil {
				t.Error(err)
			}
			time.Sleep(6*time.Hour - time.Minute)
		}
		if s.puts.Load() != 2 || s.gets.Load() != 2 {
			t.Errorf("%d PUT and %d GET, want 2 of each", s.puts.Load(), s.gets.Load())
		}
	})
}

// TestDeadlineInProbe wants a reader who leaves during the probe to be told as
// much as was known by then.
func TestDeadlineInProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := (&service{put: silent, get: silent}).client(t)
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		began := time.Now()
		_, err := c.InstanceID(ctx)
		wantKind(t, err, imds.ErrTimeout)
		if d := time.Since(began); d != 1500*time.Millisecond || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after %v: %v", d, err)
		}
	})
}

// TestNothingIsOpenAtProbe closes the port between the request for the token
// and the probe.
func TestNothingIsOpenAtProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := (&service{put: silent}).client(t)
		direct, dials := c.Dial, 0
		c.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			if dials++; dials > 1 {
				return nil, errors.New("refused")
			}
			return direct(ctx, network, addr)
		}
		_, err := c.InstanceID(t.Context())
		e := wantKind(t, err, imds.ErrTimeout)
		wantEnd(t, e.Error(), "; GET /latest/meta-data/instance-id got no answer either, after 0s: no instance metadata here: no connection: refused")
	})
}

// TestPortal wants something that answers 200 to everything to be told as
// foreign, whatever is asked and whatever the policy.
func TestPortal(t *testing.T) {
	calls := map[string]func(*imds.Client, context.Context) error{
		"instance": instance, "region": region, "credentials": creds, "info": info,
		"document": func(c *imds.Client, ctx context.Context) error { _, err := c.IdentityDocument(ctx); return err },
		"get":      func(c *imds.Client, ctx context.Context) error { _, err := c.Get(ctx, "meta-data/mac"); return err },
		"list":     func(c *imds.Client, ctx context.Context) error { _, err := c.Get(ctx, "meta-data/"); return err },
	}
	const page, login = "<html><body>Please log in</body></html>", `{"error": "login required"}`
	tests := []struct {
		name     string
		put, get http.HandlerFunc
		policy   imds.Policy
	}{
		{"page", body(page), body(page), imds.Never},
		{"JSON", body(login), body(login), imds.Never},
		{"words", body("Please log in"), body("Please log in"), imds.Never},
		{"page, tokens refused", status(405), body(page), imds.WhenAbsent},
		{"JSON, tokens refused", status(405), body(login), imds.WhenAbsent},
		{"list of JSON, tokens refused", status(405), body("[1, 2]"), imds.WhenAbsent},
		{"page, token silent", silent, body(page), imds.WhenAbsent},
		{"a proxy in front", constant, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Via", "1.1 varnish")
			constant(w, r)
		}, imds.Never},
	}
	for _, tt := range tests {
		for name, call := range calls {
			t.Run(tt.name+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c := (&service{put: tt.put, get: tt.get}).client(t)
					c.Policy = tt.policy
					wantKind(t, call(c, t.Context()), imds.ErrForeign)
				})
			})
		}
	}
}

// TestDocumentThatDoesNotHold wants an identity document that EC2 can't have
// written to be told as foreign.
func TestDocumentThatDoesNotHold(t *testing.T) {
	const path = "/latest/dynamic/instance-identity/document"
	for name, spoil := range map[string]func(*imds.IdentityDocument){
		"account too short":  func(d *imds.IdentityDocument) { d.AccountID = "12345678901" },
		"account of letters": func(d *imds.IdentityDocument) { d.AccountID = "12345678901x" },
		"no region":          func(d *imds.IdentityDocument) { d.Region = "" },
		"zone for region":    func(d *imds.IdentityDocument) { d.Region = "ap-northeast-1a" },
		"name for instance":  func(d *imds.IdentityDocument) { d.InstanceID = "web-1" },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := identity
				spoil(&d)
				c := (&service{get: tree(map[string]string{path: string(d.Document())})}).client(t)
				got, err := c.IdentityDocument(t.Context())
				wantKind(t, err, imds.ErrForeign)
				if diff := cmp.Diff(imds.IdentityDocument{}, got); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

// TestJSONThatIsMeant reads documents where EC2 has some, and words of users
// that look like one.
func TestJSONThatIsMeant(t *testing.T) {
	values := map[string]string{
		"/latest/meta-data/events/maintenance/scheduled":                          "[]",
		"/latest/meta-data/spot/instance-action":                                  `{"action":"terminate"}`,
		"/latest/meta-data/identity-credentials/ec2/info":                         `{"Code" : "Success"}`,
		"/latest/meta-data/tags/instance/json":                                    `{"a": 1}`,
		"/latest/user-data":                                                       `{"a": 1}`,
		"/latest/meta-data/metrics/vhostmd":                                       `<?xml version="1.0" encoding="UTF-8"?>`,
		"/latest/meta-data/placement/group-name":                                  "[odd but a name",
		"/2021-03-23/dynamic/instance-identity/document":                          `{"a": 1}`,
		"/latest/meta-data/public-keys/0/openssh-key":                             "ssh-ed25519 AAAA key",
		"/latest/meta-data/network/interfaces/macs/06:00:00:00:00:01/vpc-id":      "vpc-1",
		"/latest/meta-data/iam/security-credentials/role-of-another-kind-of-text": `{}`,
	}
	synctest.Test(t, func(t *testing.T) {
		c := (&service{get: tree(values)}).client(t)
		for path, want := range values {
			if got, err := c.Get(t.Context(), path); got != want || err != nil {
				t.Errorf("Get(%s) = %q, %v, want %q", path, got, err, want)
			}
		}
	})
}

func TestIdentify(t *testing.T) {
	ec2 := func(server string, values map[string]string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if server != "" {
				w.Header().Set("Server", server)
			}
			if r.Method == "PUT" {
				constant(w, r)
				return
			}
			tree(values)(w, r)
		}
	}
	const document = "/latest/dynamic/instance-identity/document"
	whole := map[string]string{"/": "1.0\n2007-01-19\n2021-03-23\nlatest", document: string(identity.Document())}
	versions := []string{"1.0", "2007-01-19", "2021-03-23", "latest"}
	const listed, held = `GET / lists 4 names, from "1.0" to "latest"`, "the identity document is of i-1234567890abcdef0 in ap-northeast-1"
	tests := []struct {
		name string
		answ http.HandlerFunc
		want imds.Service
	}{
		{"EC2", ec2("EC2ws", whole), imds.Service{EC2: true, Server: "EC2ws", Versions: versions,
			Evidence: []string{`it calls itself "EC2ws"`, listed, held}}},
		{"emulator without a name", ec2("", whole), imds.Service{Versions: versions,
			Evidence: []string{`unlike EC2: it calls itself ""`, listed, held}}},
		{"emulator with less", ec2("Werkzeug/3.0", map[string]string{"/": "latest"}), imds.Service{Server: "Werkzeug/3.0", Versions: []string{"latest"},
			Evidence: []string{`unlike EC2: it calls itself "Werkzeug/3.0"`, `unlike EC2: GET / lists 1 names, from "latest" to "latest"`,
				"unlike EC2: GET " + document + `: no such metadata (HTTP 404 from "Werkzeug/3.0")`}}},
		{"emulator without versions", ec2("", map[string]string{document: string(identity.Document())}), imds.Service{
			Evidence: []string{`unlike EC2: it calls itself ""`, "unlike EC2: GET / lists nothing", held}}},
		{"portal", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Server", "nginx")
			w.Write([]byte("<html>login"))
		}, imds.Service{Server: "nginx",
			Evidence: []string{`unlike EC2: PUT /latest/api/token: something answers that is not IMDS (from "nginx"): 11 bytes of markup or JSON`}}},
		{"redirects", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://portal.test/", http.StatusFound)
		},
			imds.Service{Evidence: []string{`unlike EC2: PUT /latest/api/token: redirected, which is never followed (HTTP 302): to "https://portal.test/"`}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got, err := (&service{put: tt.answ, get: tt.answ}).client(t).Identify(t.Context())
				if d := cmp.Diff(tt.want, got); d != "" || err != nil {
					t.Error(err, d)
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		got, err := (&service{put: status(403), get: status(403)}).client(t).Identify(t.Context())
		wantKind(t, err, imds.ErrDisabled)
		if d := cmp.Diff(imds.Service{}, got); d != "" {
			t.Error(d)
		}
	})
}
