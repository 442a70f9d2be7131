package imdstest_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"tegata/emulator"
	"tegata/emulator/imdstest"
	"tegata/imds"
)

// The documentation shows TestSpotNotice as it runs.
func TestDocumentationRuns(t *testing.T) {
	doc, example := source(t, "imdstest.go"), source(t, "example_test.go")
	_, code, ok := strings.Cut(example, "\nfunc TestSpotNotice")
	if !ok {
		t.Fatal("example_test.go has no TestSpotNotice")
	}
	var shown strings.Builder
	for line := range strings.Lines("func TestSpotNotice" + code) {
		shown.WriteString("//\t" + line)
	}
	if !strings.Contains(doc, "//\n"+shown.String()+"//\n") {
		t.Errorf("the documentation does not show\n%s", &shown)
	}
	if n := strings.Count(code, "\n"); n > 12 {
		t.Errorf("the example has %d lines: who reads that?", n)
	}
}

func source(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestUpdate(t *testing.T) {
	s := imdstest.NewServer(t, emulator.Options{Tokens: "optional", Role: &emulator.Role{Name: "app"}})
	c := imds.Client{Endpoint: s.URL}
	s.Update(func(o *emulator.Options) { o.Role = nil })
	if _, err := c.Role(t.Context()); !errors.Is(err, imds.ErrAbsent) {
		t.Errorf("role: got %v", err)
	}
	s.Update(func(o *emulator.Options) {
		if o.Role != nil || o.Tokens != "optional" {
			t.Errorf("the options are %+v", o)
		}
		o.Role = &emulator.Role{Name: "other"}
	})
	if role, err := c.Role(t.Context()); err != nil || role != "other" {
		t.Errorf("role: got %q, %v", role, err)
	}
}

// The notice tells the time by the clock that the emulator was given.
func TestInterrupt(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s := imdstest.NewServer(t, emulator.Options{Now: func() time.Time { return now }})
	c := imds.Client{Endpoint: s.URL}
	const path = "meta-data/spot/termination-time"
	if _, err := c.Get(t.Context(), path); !errors.Is(err, imds.ErrAbsent) {
		t.Errorf("before: got %v", err)
	}
	s.Interrupt(time.Minute)
	if got, err := c.Get(t.Context(), path); err != nil || got != "2026-01-02T03:05:05Z" {
		t.Errorf("got %q, %v", got, err)
	}
}

// What can't be fails the test and changes nothing.
func TestUpdateFails(t *testing.T) {
	tb := &failing{TB: t}
	s := imdstest.NewServer(tb, emulator.Options{})
	s.Update(func(o *emulator.Options) { o.HopLimit = 65 })
	if want := "change the metadata service: hop limit 65: want 1..64"; tb.said != want {
		t.Errorf("said %q, want %q", tb.said, want)
	}
	s.Update(func(o *emulator.Options) {
		if o.HopLimit != 0 {
			t.Errorf("the hop limit is %d", o.HopLimit)
		}
	})
}

// failing notes an error instead of failing.
type failing struct {
	testing.TB
	said string
}

func (f *failing) Errorf(format string, args ...any) { f.said = fmt.Sprintf(format, args...) }
