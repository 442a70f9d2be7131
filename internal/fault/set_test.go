package fault

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestFind(t *testing.T) {
	rules := []Rule{
		{Match{Service: "imds", Method: "PUT"}, Reply{Status: 501}},
		{Match{Path: "/latest/*/iam/*"}, Reply{Status: 502}},
		{Match{Service: "bedrock-runtime", Operation: "Converse*", Model: "anthropic.*"}, Reply{Status: 503}},
		{Match{Operation: "Converse"}, Reply{Status: 504}},
	}
	tests := []struct {
		name string
		call Call
		want int
	}{
		{"service and method", Call{Service: "imds", Method: "PUT", Path: "/latest/api/token"}, 501},
		{"other method", Call{Service: "imds", Method: "GET", Path: "/latest/api/token"}, 0},
		{"star spans slashes", Call{Path: "/latest/meta-data/iam/security-credentials/r"}, 502},
		{"star may be empty", Call{Path: "/latest/meta-data/iam/"}, 502},
		{"not to the end", Call{Path: "/latest/meta-data/iam"}, 0},
		{"three fields", Call{Service: "bedrock-runtime", Operation: "ConverseStream", Model: "anthropic.x"}, 503},
		{"first match wins", Call{Service: "bedrock-runtime", Operation: "Converse", Model: "anthropic.x"}, 503},
		{"later rule", Call{Service: "bedrock-runtime", Operation: "Converse", Model: "amazon.x"}, 504},
		{"no star is the whole word", Call{Operation: "ConverseStream"}, 0},
	}
	s, err := New(rules)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := 0
			if r := s.Find(tt.call); r != nil {
				got = r.Status
			}
			if got != tt.want {
				t.Errorf("Find(%+v) gave status %d, want %d", tt.call, got, tt.want)
			}
		})
	}
}

func TestFindInNil(t *testing.T) {
	if r := (*Set)(nil).Find(Call{Service: "imds"}); r != nil {
		t.Errorf("a nil set found %+v", r)
	}
}

func TestTimes(t *testing.T) {
	const callers = 100
	s, err := New([]Rule{
		{Match{Service: "imds", Times: 30}, Reply{Status: 500}},
		{Match{Times: 20}, Reply{Status: 501}},
		{Match{}, Reply{Status: 502}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var got [3]atomic.Int64
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() { got[s.Find(Call{Service: "imds"}).Status-500].Add(1) })
	}
	wg.Wait()
	for i, want := range []int64{30, 20, 50} {
		if n := got[i].Load(); n != want {
			t.Errorf("rule %d applied %d times, want %d", i, n, want)
		}
	}
}

func FuzzGlob(f *testing.F) {
	f.Add("a*c", "abc")
	f.Add("a*c", "abcd")
	f.Add("*", "")
	f.Add("**a*b", "ab")
	f.Add("ab*ba", "aba")
	f.Fuzz(func(t *testing.T, pattern, s string) {
		if pattern == "" || len(pattern)+len(s) > 64 || strings.Count(pattern, "*") > 4 {
			return
		}
		if got, want := glob(pattern, s), slowGlob(pattern, s); got != want {
			t.Errorf("glob(%q, %q) = %v, want %v", pattern, s, got, want)
		}
	})
}

// slowGlob is the definition: a star is nothing, or any byte and a star.
func slowGlob(pattern, s string) bool {
	switch {
	case pattern == "":
		return s == ""
	case pattern[0] == '*':
		return slowGlob(pattern[1:], s) || s != "" && slowGlob(pattern, s[1:])
	default:
		return s != "" && s[0] == pattern[0] && slowGlob(pattern[1:], s[1:])
	}
}

func TestNewRefuses(t *testing.T) {
	minus, body := -1, "x"
	tests := []struct {
		rule Rule
		want string
	}{
		{Rule{}, "replies[1].reply: says nothing"},
		{Rule{Match{Times: -1}, Reply{Hang: true}}, "replies[1].match: times -1"},
		{Rule{Match{Method: "put"}, Reply{Hang: true}}, "replies[1].match: method"},
		{Rule{Match{Path: "latest"}, Reply{Hang: true}}, "replies[1].match: path"},
		{Rule{Reply: Reply{Hang: true, Status: 500}}, "stand alone"},
		{Rule{Reply: Reply{Hang: true, Delay: time.Second}}, "stand alone"},
		{Rule{Reply: Reply{Hang: true, Reset: true}}, "stand alone"},
		{Rule{Reply: Reply{Reset: true, Truncate: new(int)}}, "stand alone"},
		{Rule{Reply: Reply{Pass: true, Drip: 1}}, "stand alone"},
		{Rule{Reply: Reply{Status: 199}}, "status 199"},
		{Rule{Reply: Reply{Status: 600}}, "status 600"},
		{Rule{Reply: Reply{Body: &body, Code: "X"}}, "body and code"},
		{Rule{Reply: Reply{Status: 500, Message: "m"}}, "message needs a code"},
		{Rule{Reply: Reply{Delay: -1}}, "delay -1ns"},
		{Rule{Reply: Reply{Drip: -1}}, "drip -1"},
		{Rule{Reply: Reply{Truncate: &minus}}, "truncate -1"},
		{Rule{Reply: Reply{Status: 204, Body: &body}}, "status 204 has no body"},
		{Rule{Reply: Reply{Status: 304, Body: &body}}, "status 304 has no body"},
		{Rule{Reply: Reply{Headers: map[string]string{"content-length": "9"}}}, "may only be removed"},
		{Rule{Reply: Reply{Headers: map[string]string{"Transfer-Encoding": "gzip"}}}, "may only be removed"},
		{Rule{Reply: Reply{Headers: map[string]string{"a b": "c"}}}, "header name"},
		{Rule{Reply: Reply{Headers: map[string]string{"": "c"}}}, "header name"},
		{Rule{Reply: Reply{Headers: map[string]string{"A": "b\nc"}}}, "header A"},
	}
	good := Rule{Reply: Reply{Reset: true, Delay: time.Second}}
	for _, tt := range tests {
		_, err := New([]Rule{good, tt.rule})
		if err == nil || !strings.HasPrefix(err.Error(), "replies[1].") || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("New(%+v) = %v, want an error with %q", tt.rule, err, tt.want)
		}
	}
}

func TestRateText(t *testing.T) {
	for text, want := range map[string]Rate{"10B/s": 10, "0.5 B/s": 0.5, "0B/s": 0} {
		var r Rate
		if err := r.UnmarshalText([]byte(text)); err != nil || r != want {
			t.Errorf("%q is %v, %v; want %v", text, r, err, want)
		}
	}
	for _, text := range []string{"", "10", "B/s", "-1B/s", "NaNB/s", "InfB/s", "10kB/s", "10B/sec"} {
		if err := new(Rate).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was read as a rate", text)
		}
	}
}

func FuzzRateText(f *testing.F) {
	f.Add("10B/s")
	f.Add("1e-300B/s")
	f.Fuzz(func(t *testing.T, text string) {
		var r, again Rate
		if r.UnmarshalText([]byte(text)) != nil {
			return
		}
		out, _ := r.MarshalText()
		if err := again.UnmarshalText(out); err != nil || again != r {
			t.Errorf("%q became %q, then %v, %v", text, out, again, err)
		}
		if size, pause := r.piece(); r > 0 && (size < 1 || pause < 0) {
			t.Errorf("%q: piece of %d after %v", text, size, pause)
		}
	})
}
