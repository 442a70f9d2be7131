package imds_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tegata/imds"
)

func TestOneTokenForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{put: func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(500 * time.Millisecond)
			constant(w, r)
		}}
		c := s.client(t)
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() {
				if v, err := c.InstanceID(t.Context()); v != instanceID {
					t.Error(v, err)
				}
			})
		}
		all.Wait()
		if s.puts.Load() != 1 || s.gets.Load() != 100 {
			t.Errorf("%d PUT and %d GET, want 1 and 100", s.puts.Load(), s.gets.Load())
		}
	})
}

// slowToken takes 600 ms for a token, or ends earlier, which gone then tells.
func slowToken(gone *time.Duration) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		select {
		case <-time.After(600 * time.Millisecond):
			constant(w, r)
		case <-r.Context().Done():
			*gone = time.Since(began)
		}
	}
}

// TestFirstReaderLeaves wants the second to get what the first has asked for.
func TestFirstReaderLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var gone time.Duration
		s := &service{put: slowToken(&gone)}
		c := s.client(t)
		began := time.Now()
		var both sync.WaitGroup
		both.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			_, err := c.InstanceID(ctx)
			wantKind(t, err, imds.ErrTimeout)
			if d := time.Since(began); d != 100*time.Millisecond {
				t.Errorf("the first left after %v, want 100ms", d)
			}
		})
		time.Sleep(50 * time.Millisecond)
		both.Go(func() {
			if v, err := c.InstanceID(t.Context()); v != instanceID {
				t.Error(v, err)
			}
			if d := time.Since(began); d != 600*time.Millisecond {
				t.Errorf("the second read after %v, want 600ms", d)
			}
		})
		both.Wait()
		if s.puts.Load() != 1 || gone != 0 {
			t.Errorf("%d PUT, broken off after %v", s.puts.Load(), gone)
		}
	})
}

// TestAllReadersLeave wants the request for the token to end with the last.
func TestAllReadersLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var gone time.Duration
		s := &service{put: slowToken(&gone)}
		c := s.client(t)
		ctx, cancel := context.WithCancel(t.Context())
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() {
				_, err := c.InstanceID(ctx)
				wantKind(t, err, nil)
				if !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			})
		}
		time.Sleep(300 * time.Millisecond)
		cancel()
		both.Wait()
		synctest.Wait()
		if s.puts.Load() != 1 || gone != 300*time.Millisecond {
			t.Errorf("%d PUT, broken off after %v, want 1 and 300ms", s.puts.Load(), gone)
		}
		if v, err := c.InstanceID(t.Context()); v != instanceID {
			t.Error("afterwards:", v, err)
		}
	})
}

// TestReaderMeetsEndingFlight wants a reader who comes while an abandoned
// request is still winding up to start one of its own.
func TestReaderMeetsEndingFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(service)
		c := s.client(t)
		direct := c.Dial
		var dials atomic.Int32
		c.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			if dials.Add(1) > 1 {
				return direct(ctx, network, addr)
			}
			<-ctx.Done()
			time.Sleep(50 * time.Millisecond) // slow to end
			return nil, ctx.Err()
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		var one sync.WaitGroup
		one.Go(func() {
			_, err := c.InstanceID(ctx)
			wantKind(t, err, imds.ErrNotDetected)
		})
		time.Sleep(120 * time.Millisecond)
		if v, err := c.InstanceID(t.Context()); v != instanceID {
			t.Error(v, err)
		}
		one.Wait()
	})
}

func TestRenewal(t *testing.T) {
	tests := []struct {
		name   string
		ask    time.Duration
		header string
		renew  time.Duration // when the next token is asked for
	}{
		{"six hours", 0, "21600", 6*time.Hour - 2*time.Minute},
		{"less than asked for", 0, "100", 90 * time.Second},
		{"short", 10 * time.Second, "10", 9 * time.Second},
		{"more than asked for", 50 * time.Second, "21600", 45 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &service{put: func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", tt.header)
					io.WriteString(w, token)
				}}
				c := s.client(t)
				c.TokenTTL = tt.ask
				wantPuts := func(want int32) {
					t.Helper()
					if _, err := c.InstanceID(t.Context()); err != nil || s.puts.Load() != want {
						t.Errorf("%d PUT, want %d; %v", s.puts.Load(), want, err)
					}
				}
				wantPuts(1)
				time.Sleep(tt.renew - time.Millisecond)
				wantPuts(1)
				time.Sleep(time.Millisecond)
				wantPuts(2)
			})
		})
	}
}

// TestRenewalFails wants a token to be used to its end if the next is not to
// be had, even where v1 is allowed, and the failure to show after that.
func TestRenewalFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(service)
		c := s.client(t)
		c.Policy = imds.WhenAbsent
		if _, err := c.InstanceID(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.put = status(http.StatusForbidden)
		s.get = needToken
		for _, at := range []time.Duration{6*time.Hour - time.Minute, 30 * time.Second} {
			time.Sleep(at)
			if _, err := c.InstanceID(t.Context()); err != nil || s.puts.Load() != 2 {
				t.Errorf("%d PUT, want 2; %v", s.puts.Load(), err)
			}
		}
		time.Sleep(30 * time.Second)
		_, err := c.InstanceID(t.Context())
		var e *imds.Error
		if errors.As(err, &e); !errors.Is(err, imds.ErrUnauthorized) || !errors.Is(err, imds.ErrForbidden) || e.Method != "GET" {
			t.Errorf("got %v, want 401 because of 403", err)
		}
	})
}

func needToken(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("X-Aws-Ec2-Metadata-Token") != token {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	constant(w, r)
}

// TestRevokedToken wants one new token for any number of readers whose old
// one is refused, as after the instance was moved.
func TestRevokedToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{put: granting("first")}
		c := s.client(t)
		if _, err := c.InstanceID(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.put = func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(100 * time.Millisecond)
			constant(w, r)
		}
		s.get = needToken
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if v, err := c.InstanceID(t.Context()); v != instanceID {
					t.Error(v, err)
				}
			})
		}
		all.Wait()
		if s.puts.Load() != 2 {
			t.Errorf("%d PUT, want 2", s.puts.Load())
		}
	})
}

func TestPolicy(t *testing.T) {
	tests := []struct {
		name   string
		put    http.HandlerFunc
		want   error       // of Never; of WhenAbsent the reason to read without a token
		reason imds.Reason // "" if that must not be
	}{
		{"tokens", nil, nil, ""},
		{"forbidden", status(403), imds.ErrForbidden, imds.TokenForbidden},
		{"not found", status(404), imds.ErrNoV2, imds.TokenNotFound},
		{"not allowed", status(405), imds.ErrNoV2, imds.TokenNotAllowed},
		{"not implemented", status(501), imds.ErrNoV2, ""},
		{"lost", silent, imds.ErrHopLimit, ""},
		{"reset", raw(""), imds.ErrTokenLost, ""},
		{"bad request", status(400), imds.ErrBadRequest, ""},
		{"unauthorized", status(401), imds.ErrUnauthorized, ""},
		{"failing", status(500), imds.ErrServer, ""},
		{"throttled", status(429), imds.ErrThrottled, ""},
		{"redirected", status(302), imds.ErrRedirect, ""},
		{"page", body("<html>"), imds.ErrForeign, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &service{put: tt.put}
				strict, lenient := s.client(t), s.client(t)
				lenient.Policy = imds.WhenAbsent
				s.get = func(w http.ResponseWriter, r *http.Request) {
					if tt.reason == "" && r.Header.Get("X-Aws-Ec2-Metadata-Token") == "" {
						t.Errorf("read without a token: %s", r.URL)
					}
					constant(w, r)
				}

				_, err := strict.InstanceID(t.Context())
				if !errors.Is(err, tt.want) {
					t.Errorf("Never: got %v, want %v", err, tt.want)
				}
				if u := strict.Used(); u.Version == imds.V1 {
					t.Errorf("Never: read with %+v", u)
				}
				_, err = lenient.InstanceID(t.Context())
				u := lenient.Used()
				switch {
				case tt.want == nil:
					if err != nil || u != (imds.Use{Version: imds.V2}) {
						t.Errorf("WhenAbsent: read with %+v, %v", u, err)
					}
				case tt.reason != "":
					if err != nil || u.Version != imds.V1 || u.Reason != tt.reason || !errors.Is(u.Err, tt.want) {
						t.Errorf("WhenAbsent: read with %+v, %v; want v1 because of %s, %v", u, err, tt.reason, tt.want)
					}
				default:
					if !errors.Is(err, tt.want) || u != (imds.Use{}) {
						t.Errorf("WhenAbsent: read with %+v, %v, want %v", u, err, tt.want)
					}
				}
			})
		})
	}
}

// TestV1IsRemembered wants a refusal of tokens to be met once, and tokens to
// be taken up when they become required.
func TestV1IsRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{put: status(http.StatusMethodNotAllowed)}
		c := s.client(t)
		c.Policy = imds.WhenAbsent
		for range 10 {
			if v, err := c.InstanceID(t.Context()); v != instanceID {
				t.Fatal(v, err)
			}
		}
		if s.puts.Load() != 1 {
			t.Errorf("%d PUT, want 1", s.puts.Load())
		}
		s.put, s.get = nil, needToken
		if _, err := c.InstanceID(t.Context()); err != nil {
			t.Error(err)
		}
		if u := c.Used(); u != (imds.Use{Version: imds.V2}) {
			t.Errorf("read with %+v", u)
		}
	})
}

// TestSwitchedOff wants a service that answers everything with 403 to be told
// as such, also by a client that may do without a token or still has one, and
// to be taken up again when it is back.
func TestSwitchedOff(t *testing.T) {
	for _, policy := range []imds.Policy{imds.Never, imds.WhenAbsent} {
		synctest.Test(t, func(t *testing.T) {
			s := new(service)
			c := s.client(t)
			c.Policy = policy
			for n, off := range []bool{true, false, true, false, true} {
				if n == 4 { // once with a token that is due for renewal
					time.Sleep(6*time.Hour - time.Minute)
				}
				s.put, s.get = nil, nil
				if off {
					s.put, s.get = status(http.StatusForbidden), status(http.StatusForbidden)
				}
				_, err := c.InstanceID(t.Context())
				if off {
					if e := wantKind(t, err, imds.ErrDisabled); e.Status != 403 {
						t.Errorf("Status is %d, want 403", e.Status)
					}
				} else if u := c.Used(); err != nil || u.Version != imds.V2 {
					t.Errorf("policy %d, switched on: read with %+v, %v", policy, u, err)
				}
			}
		})
	}
}
