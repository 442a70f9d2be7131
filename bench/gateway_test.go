package main

import (
	"os"
	"slices"
	"testing"
	"time"
)

func TestQuantile(t *testing.T) {
	values := []time.Duration{40, 10, 30, 20}
	for q, want := range map[float64]time.Duration{0: 10, 0.5: 30, 0.99: 40, 1: 40} {
		if got := quantile(values, q); got != want {
			t.Errorf("quantile %g is %d, want %d", q, got, want)
		}
	}
	if !slices.Equal(values, []time.Duration{40, 10, 30, 20}) {
		t.Errorf("the values are now %v", values)
	}
}

// The machine is ten times slower for the second and third turn.
func TestAddedIsNotMisledByABusyMachine(t *testing.T) {
	times := turns{
		Direct:  []time.Duration{10, 100, 100, 10, 10},
		Proxy:   []time.Duration{12, 120, 120, 12, 12},
		Gateway: []time.Duration{15, 150, 150, 15, 15},
	}
	got := times.row("answer", 0.5, 6)
	want := added{what: "answer", direct: 10, proxy: 12, gateway: 15, addedByProxy: 2, addedByGateway: 5, budget: 6}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	got = times.row("answer", 0.99, 0)
	want = added{what: "answer", direct: 100, proxy: 120, gateway: 150, addedByProxy: 20, addedByGateway: 50}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if times.Direct[1] != 100 {
		t.Error("the turns are no longer in their order")
	}
}

func TestGatewayRows(t *testing.T) {
	for _, tt := range []struct {
		row  row
		want string
	}{
		{added{"answer", 3590123, 3900000, 4370000, 301234, 751000, 300000},
			"| answer | 3.59ms | 3.9ms | 301µs | 4.37ms | 751µs | ≤ 300µs |"},
		{added{"answer", 5000000, 4900000, 5100000, -123456, 100000, 0},
			"| answer | 5ms | 4.9ms | -123µs | 5.1ms | 100µs | – |"},
		{memory{Proxy: 59 << 10, Gateway: 110<<10 + 512},
			"| memory for an open stream, at 1000 | – | 59 KiB | – | 110 KiB | – | ≤ 150 KiB |"},
	} {
		if got := tt.row.String(); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}

func TestResidentSet(t *testing.T) {
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("no /proc here: ", err)
	}
	now, err := residentSet(os.Getpid(), "VmRSS")
	if err != nil || now < 1<<20 || now > 1<<30 {
		t.Errorf("this process has %d bytes, %v", now, err)
	}
	if _, err := residentSet(os.Getpid(), "VmNone"); err == nil {
		t.Error("a size that is not there is told")
	}
}
