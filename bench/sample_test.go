package main

import (
	"slices"
	"testing"
	"time"
)

func TestAlternatelyTakesTurns(t *testing.T) {
	var order string
	note := func(name string, d time.Duration) func() (sample, error) {
		return func() (sample, error) { order += name; return sample{Wall: d}, nil }
	}
	pairs, err := alternately(2, note("a", 1), note("b", 2))
	if err != nil {
		t.Fatal(err)
	}
	both := pair{Ours: sample{Wall: 1}, Theirs: sample{Wall: 2}}
	if want := []pair{both, both}; order != "abab" || !slices.Equal(pairs, want) {
		t.Errorf("order %s, pairs %v; want abab, %v", order, pairs, want)
	}
}

// The machine is ten times slower for the second and third pair.
func TestCompareIsNotMisledByABusyMachine(t *testing.T) {
	pairs := []pair{
		{sample{CPU: 20}, sample{CPU: 10}},
		{sample{CPU: 200}, sample{CPU: 100}},
		{sample{CPU: 210}, sample{CPU: 90}},
		{sample{CPU: 10}, sample{CPU: 10}},
		{sample{CPU: 21}, sample{CPU: 10}},
	}
	got := compare("start", "empty", 5, pairs, ofProcessor)
	if want := (comparison{"start", "empty", 21, 10, 2, 5}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestRow(t *testing.T) {
	for _, tt := range []struct {
		row  comparison
		want string
	}{
		{comparison{"start", "empty", 7654321, 1500000, 5.1, 5}, "| start | 7.65ms | empty | 1.5ms | 5.10 | ≤ 5 |"},
		{comparison{"read", "curl", 999, 1000, 1, 0}, "| read | 999ns | curl | 1µs | 1.00 | – |"},
	} {
		if got := tt.row.String(); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}
