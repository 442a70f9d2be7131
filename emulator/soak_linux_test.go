package emulator_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"tegata/emulator"
)

// soakEnv says how long TestSoak lasts, as `make soak` does; "serve" makes a
// process of this test the server.
const soakEnv = "TEGATA_SOAK"

const (
	soakClients  = 32
	soakRequests = 1_000_000 // at least, in the long form
	soakMemory   = 32 << 20  // bytes of the server at most
	soakGrowth   = 1.15      // of its memory, from a third of the time to the end
)

// 32 connections ask for tokens and for all sorts of values. No answer is
// lost or wrong, and the memory of the server, a process of its own, is small
// and does not grow. A plain `go test` takes a second for it and measures no
// memory, as the race detector would be measured as well.
func TestSoak(t *testing.T) {
	how := os.Getenv(soakEnv)
	if how == "serve" {
		serveSoak(t)
		return
	}
	long, err := time.ParseDuration(how)
	if how == "" {
		long, err = time.Second, nil
	}
	if err != nil {
		t.Fatal(err)
	}
	url, pid := startSoak(t)
	began := time.Now()
	var middle int64
	sampled := make(chan struct{})
	time.AfterFunc(long/3, func() {
		defer close(sampled)
		middle = resident(t, pid, "VmRSS")
	})
	asked := mixedLoad(t, url, soakClients, func(int) bool { return time.Since(began) < long })
	<-sampled
	end, most := resident(t, pid, "VmRSS"), resident(t, pid, "VmHWM")
	t.Logf("%d requests in %v; memory: %d KiB at a third, %d KiB at the end, %d KiB at most", asked, long, middle>>10, end>>10, most>>10)
	if asked == 0 {
		t.Error("nothing was asked")
	}
	if how == "" {
		return
	}
	if asked < soakRequests {
		t.Errorf("%d requests in %v, want %d", asked, long, soakRequests)
	}
	if most > soakMemory || float64(end) > soakGrowth*float64(middle) {
		t.Errorf("memory: %d bytes at a third, %d at the end, %d at most; want it flat and %d at most", middle, end, most, soakMemory)
	}
}

// serveSoak tells its address and ends with its standard input.
func serveSoak(t *testing.T) {
	o := full()
	o.KeepAlive = true
	s, err := emulator.New(o)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go s.Serve(l)
	fmt.Println(l.Addr())
	io.Copy(io.Discard, os.Stdin)
	s.Close()
}

// startSoak starts the server, which ends with the test.
func startSoak(t *testing.T) (url string, pid int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestSoak$")
	cmd.Env = append(os.Environ(), soakEnv+"=serve")
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		io.Copy(io.Discard, out)
		if err := cmd.Wait(); err != nil && ctx.Err() == nil {
			t.Errorf("the server ended: %v", err)
		}
		cancel()
	})
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return "http://" + strings.TrimSpace(address), cmd.Process.Pid
}

// resident reads a size of a process in bytes.
func resident(t *testing.T, pid int, name string) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Error(err)
		return 0
	}
	_, value, _ := strings.Cut(string(status), name+":")
	value, _, _ = strings.Cut(value, " kB")
	kib, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
	if err != nil {
		t.Error(err)
	}
	return kib << 10
}
