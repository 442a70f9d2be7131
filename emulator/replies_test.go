package emulator_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tegata/emulator"
	"tegata/emulator/imdstest"
)

// The answers in testdata/replies are written from recordings of the service:
// status line, headers, their values and their order, lengths, bodies. Where
// nothing was recorded (417, 429, 431, 505, and the legacy front end's refusals
// but for 401) they take the form of those that were.
func TestGoldenReplies(t *testing.T) {
	const (
		id        = "/latest/meta-data/instance-id"
		get       = "GET " + id + " HTTP/1.1\r\nHost: x\r\n"
		put       = "PUT " + tokenURL + " HTTP/1.1\r\nHost: x\r\n"
		ttl       = ttlHeader + ": 21600\r\n"
		forwarded = "X-Forwarded-For: 10.0.0.9\r\n"
		held      = tokenHeader + ": HELD\r\n"
		end       = "\r\n"
	)
	optional := emulator.Options{Tokens: "optional"}
	required := emulator.Options{}
	disabled := emulator.Options{Disabled: true}
	throttled := emulator.Options{Throttle: emulator.Throttle{PerSecond: 1, Burst: 1}}
	unavailable := emulator.Options{Throttle: emulator.Throttle{PerSecond: 1, Burst: 1, Status: 503}}
	alive := emulator.Options{Tokens: "optional", KeepAlive: true}
	asked := make(map[string]bool)
	for _, tt := range []struct {
		file, request string
		o             emulator.Options
	}{
		{"200-token", put + ttl + end, required},
		{"200-v2", get + held + end, required},
		{"200-v1", get + end, optional},
		{"200-head", "HEAD " + id + " HTTP/1.1\r\nHost: x\r\n\r\n", optional},
		{"200-user-data", "GET /latest/user-data HTTP/1.1\r\nHost: x\r\n\r\n", optional},
		{"200-kept-alive", get + end, alive},
		{"400-no-ttl", put + end, required},
		{"400-malformed", "GET\r\n\r\n", required},
		{"400-malformed", "GET / HTTP/1.1\r\n\r\n", required}, // no Host
		{"400-malformed", get + "no colon\r\n\r\n", required},
		{"401-no-token", get + end, required},
		{"401-bad-token", get + tokenHeader + ": x\r\n\r\n", optional},
		{"403-disabled", get + end, disabled},
		{"403-disabled", put + ttl + end, disabled},
		{"403-forwarded", put + ttl + forwarded + end, required},
		{"403-forwarded", get + held + forwarded + end, required},
		{"403-versioned-put", "PUT /2021-03-23/api/token HTTP/1.1\r\nHost: x\r\n" + ttl + end, required},
		{"404-v1", "GET /latest/x HTTP/1.1\r\nHost: x\r\n\r\n", optional},
		{"404-v2", "GET /latest/x HTTP/1.1\r\nHost: x\r\n" + held + end, required},
		{"405-token", "GET " + tokenURL + " HTTP/1.1\r\nHost: x\r\n\r\n", required},
		{"405-token", "POST " + tokenURL + " HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", required},
		{"405-leaf", "POST " + id + " HTTP/1.1\r\nHost: x\r\n\r\n", required},
		{"417-expect", put + ttl + "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n", required},
		{"429-throttled", get + end, throttled},
		{"429-throttled", put + ttl + end, throttled},
		{"431-endless-header", get + "X: " + strings.Repeat("x", 70<<10) + "\r\n\r\n", required},
		{"503-throttled", get + end, unavailable},
		{"505-version", "GET / HTTP/2.0\r\nHost: x\r\n\r\n", required},
		{"legacy-200-token", put + ttl + end, legacy(required)},
		{"legacy-200-v2", get + held + end, legacy(required)},
		{"legacy-200-v1", get + end, legacy(optional)},
		{"legacy-200-head", "HEAD " + id + " HTTP/1.1\r\nHost: x\r\n\r\n", legacy(optional)},
		{"legacy-400-no-ttl", put + end, legacy(required)},
		{"legacy-401-no-token", get + end, legacy(required)},
		{"legacy-403-disabled", get + end, legacy(disabled)},
		{"legacy-404-v1", "GET /latest/x HTTP/1.1\r\nHost: x\r\n\r\n", legacy(optional)},
		{"legacy-405-token", "GET " + tokenURL + " HTTP/1.1\r\nHost: x\r\n\r\n", legacy(required)},
		{"legacy-503-throttled", get + end, legacy(unavailable)},
	} {
		asked[tt.file+".http"] = true
		t.Run(tt.file, func(t *testing.T) {
			t.Parallel()
			want, err := os.ReadFile(filepath.Join("testdata", "replies", tt.file+".http"))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), golden(t, tt.o, tt.request)); diff != "" {
				t.Error(diff)
			}
		})
	}
	checkAllAsked(t, asked)
}

// checkAllAsked sees that no answer in testdata is there in vain.
func checkAllAsked(t *testing.T, asked map[string]bool) {
	t.Helper()
	files, err := os.ReadDir(filepath.Join("testdata", "replies"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !asked[f.Name()] {
			t.Errorf("%s is not compared with anything", f.Name())
		}
	}
}

func legacy(o emulator.Options) emulator.Options {
	o.Profile = emulator.ProfileLegacy
	return o
}

var tokenText = regexp.MustCompile(`AQAEA[\w-]{49}==`)

// golden asks a server whose clock stands still for one thing. HELD in the
// request stands for a token that is 83 seconds old.
func golden(t *testing.T, o emulator.Options, request string) string {
	t.Helper()
	var late atomic.Int64
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	o.Now = func() time.Time { return now.Add(-time.Duration(late.Load())) }
	o.Instance = emulator.Instance{ID: "i-1", UserData: "#!", Launched: now.Add(-time.Hour)}
	s := imdstest.NewServer(t, o)
	if o.Throttle.PerSecond > 0 {
		rawTo(t, s.URL, request) // the one that is answered
	}
	if strings.Contains(request, "HELD") {
		late.Store(int64(83 * time.Second))
		request = strings.Replace(request, "HELD", tokenText.FindString(rawTo(t, s.URL, "PUT "+tokenURL+" HTTP/1.1\r\nHost: x\r\n"+ttlHeader+": 21600\r\n\r\n")), 1)
		late.Store(0)
	}
	return tokenText.ReplaceAllString(rawTo(t, s.URL, request), "AQAEA"+strings.Repeat("-", 49)+"==")
}

// rawTo says request, says that it was all, and returns what comes back.
func rawTo(t *testing.T, url, request string) string {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, request)
	conn.(*net.TCPConn).CloseWrite()
	conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	got, err := io.ReadAll(conn)
	if err != nil {
		t.Errorf("%.60q: %v", request, err)
	}
	return string(got)
}
