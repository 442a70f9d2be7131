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
			wantKind(t, err, imds.ErrTokenLost)
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
			wantKind(t, err, imds.ErrUnreachable)
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
		{"not told", 50 * time.Second, "", 45 * time.Second},
		{"nonsense", 50 * time.Second, "soon", 45 * time.Second},
		{"negative", 50 * time.Second, "-5", 45 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &service{put: func(w http.ResponseWriter, _ *http.Request) {
					if tt.header != "" {
						w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", tt.header)
					}
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
		c.Policy = imds.AllowV1
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
		s := &service{put: body("first")}
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
		name string
		put  http.HandlerFunc
		want error // without AllowV1, and with it the reason for v1
		v1   bool  // may be done without a token
	}{
		{"tokens", nil, nil, false},
		{"forbidden", status(403), imds.ErrForbidden, true},
		{"not found", status(404), imds.ErrNoV2, true},
		{"not allowed", status(405), imds.ErrNoV2, true},
		{"lost", silent, imds.ErrTokenLost, true},
		{"reset", raw(""), imds.ErrTokenLost, true},
		{"bad request", status(400), imds.ErrBadRequest, false},
		{"failing", status(500), imds.ErrServer, false},
		{"throttled", status(429), imds.ErrThrottled, false},
		{"page", body("<html>"), imds.ErrForeign, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &service{put: tt.put}
				strict, lenient := s.client(t), s.client(t)
				lenient.Policy = imds.AllowV1

				_, err := strict.InstanceID(t.Context())
				if !errors.Is(err, tt.want) {
					t.Errorf("V2Only: got %v, want %v", err, tt.want)
				}
				_, err = lenient.InstanceID(t.Context())
				v, why := lenient.Used()
				switch {
				case tt.want == nil:
					if err != nil || v != imds.V2 || why != nil {
						t.Errorf("AllowV1: read with %q because %v, %v", v, why, err)
					}
				case tt.v1:
					if err != nil || v != imds.V1 || !errors.Is(why, tt.want) {
						t.Errorf("AllowV1: read with %q because %v, %v; want v1 because %v", v, why, err, tt.want)
					}
				default:
					if !errors.Is(err, tt.want) || v != "" {
						t.Errorf("AllowV1: read with %q, %v, want %v", v, err, tt.want)
					}
				}
				if v, _ := strict.Used(); v == imds.V1 {
					t.Error("V2Only read with v1")
				}
			})
		})
	}
}

// TestV1IsRemembered wants a token that got lost to cost its second once, and
// tokens to be taken up when they become required.
func TestV1IsRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{put: silent}
		c := s.client(t)
		c.Policy = imds.AllowV1
		began := time.Now()
		for range 10 {
			if v, err := c.InstanceID(t.Context()); v != instanceID {
				t.Fatal(v, err)
			}
		}
		if d := time.Since(began); d != time.Second || s.puts.Load() != 1 {
			t.Errorf("%d PUT in %v, want 1 in 1s", s.puts.Load(), d)
		}
		s.put, s.get = nil, needToken
		if _, err := c.InstanceID(t.Context()); err != nil {
			t.Error(err)
		}
		if v, why := c.Used(); v != imds.V2 || why != nil {
			t.Errorf("read with %q, %v", v, why)
		}
	})
}
