package test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tegata/emulator"
)

// inLab is like inBox, for tests that make their own networks: the process in
// which they run has a network namespace with nothing in it, and may make more.
// All of them end with it.
func inLab(t *testing.T) bool {
	t.Helper()
	if os.Getenv(binaryEnv) != "" {
		return true
	}
	t.Parallel()
	requireProgram(t, "ip")
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=2m")
	cmd.Env = append(os.Environ(), binaryEnv+"="+tegata)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	var ended *exec.ExitError
	switch {
	case err != nil && !errors.As(err, &ended):
		require(t, fmt.Errorf("no namespaces on this system: %w", err))
	case err != nil || !bytes.Contains(out, []byte("--- PASS: "+t.Name())):
		t.Errorf("in the laboratory: %v\n%s", err, out)
	}
	return false
}

// A place is a network namespace.
type place struct{ net *os.File }

func newPlace(t *testing.T) place {
	t.Helper()
	var p place
	err := aside(func() (err error) {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("make a network namespace: %w", err)
		}
		p.net, err = os.Open("/proc/thread-self/ns/net")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.net.Close() })
	return p
}

// aside calls f on a thread of its own, which ends with it.
func aside(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked
		done <- f()
	}()
	return <-done
}

// do calls f in the namespace: sockets that it opens and processes that it
// starts belong there.
func (p place) do(f func() error) error {
	return aside(func() error {
		if err := unix.Setns(int(p.net.Fd()), unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("enter a network namespace: %w", err)
		}
		return f()
	})
}

func (p place) sh(t *testing.T, script string) {
	t.Helper()
	err := p.do(func() error {
		out, err := exec.Command("sh", "-ec", script).CombinedOutput()
		if err != nil {
			err = fmt.Errorf("%w\n%s", err, out)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (p place) listen(t *testing.T, addr string) net.Listener {
	t.Helper()
	var l net.Listener
	err := p.do(func() (err error) {
		l, err = net.Listen("tcp", addr)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func (p place) dial(addr string, within time.Duration) (net.Conn, error) {
	var c net.Conn
	err := p.do(func() (err error) {
		c, err = net.DialTimeout("tcp", addr, within)
		return err
	})
	return c, err
}

// run runs a program there with nothing set that would lead it to the metadata
// service.
func (p place) run(t *testing.T, environment, name string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "LANG=C", environment}
	var r result
	err := p.do(func() error {
		r = finish(t, cmd)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The addresses of the service in the laboratory are the true ones. At the
// last, a listener for both versions of IP is asked over version 4.
var addresses = []string{"169.254.169.254:80", "[fd00:ec2::254]:80", "169.254.169.254:8080"}

var listeners = []string{"169.254.169.254:80", "[fd00:ec2::254]:80", "[::]:8080"}

// A lab is an instance with a container on it. The host end of the container's
// network is the router between the container and the service.
//
//	service  ———  host  ———  container
type lab struct {
	service, host, container place
}

func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{service: newPlace(t), host: newPlace(t), container: newPlace(t)}
	for _, p := range []place{l.service, l.host, l.container} { // or else new addresses are tried out for a second
		p.sh(t, `for of in all default; do echo 0 >/proc/sys/net/ipv6/conf/$of/accept_dad; done; ip link set lo up`)
	}
	pathOf := func(p place) string { return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), p.net.Fd()) }
	l.host.sh(t, `
ip link add imds type veth peer name eth0 netns `+pathOf(l.service)+`
ip link add docker0 type veth peer name eth0 netns `+pathOf(l.container)+`
ip address add 10.99.2.1/24 dev imds
ip address add fd99:2::1/64 dev imds
ip address add 10.99.1.1/24 dev docker0
ip address add fd99:1::1/64 dev docker0
ip link set imds up
ip link set docker0 up
ip route add 169.254.169.254 dev imds
ip route add fd00:ec2::254 dev imds
echo 1 >/proc/sys/net/ipv4/ip_forward
echo 1 >/proc/sys/net/ipv6/conf/all/forwarding`)
	l.service.sh(t, `
ip address add 10.99.2.2/24 dev eth0
ip address add 169.254.169.254/32 dev eth0
ip address add fd99:2::2/64 dev eth0
ip address add fd00:ec2::254/128 dev eth0
ip link set eth0 up
ip route add default via 10.99.2.1
ip route add default via fd99:2::1`)
	l.container.sh(t, `
ip address add 10.99.1.2/24 dev eth0
ip address add fd99:1::2/64 dev eth0
ip link set eth0 up
ip route add default via 10.99.1.1
ip route add default via fd99:1::1`)
	return l
}

// serve starts an emulator at the addresses of the service, and waits until
// the new links carry what is sent.
func (l *lab) serve(t *testing.T, o emulator.Options) *emulator.Server {
	t.Helper()
	server, err := emulator.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	for n, addr := range addresses {
		listener := l.service.listen(t, listeners[n])
		go server.Serve(listener)
		l.reach(t, addr)
	}
	return server
}

func (l *lab) reach(t *testing.T, addr string) {
	t.Helper()
	var err error
	for range 20 {
		var c net.Conn
		if c, err = l.container.dial(addr, 500*time.Millisecond); err == nil {
			c.Close()
			return
		}
	}
	t.Fatal(err)
}

const (
	putToken = "PUT /latest/api/token HTTP/1.1\r\nHost: imds\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\n\r\n"
	getID    = "GET /latest/meta-data/instance-id HTTP/1.1\r\nHost: imds\r\n\r\n"

	// patience is longer than the pauses before the first three times that
	// a lost answer is sent again: 0.2, 0.4 and 0.8 seconds.
	patience = 2 * time.Second
)

// answers sends requests on one connection, each after a pause in which
// answers may arrive, and tells their status, or "silence".
func (p place) answers(addr string, pause time.Duration, requests ...string) string {
	c, err := p.dial(addr, patience)
	if err != nil {
		return err.Error()
	}
	defer c.Close()
	var got bytes.Buffer
	for n, request := range requests {
		if n > 0 && pause > 0 {
			c.SetReadDeadline(time.Now().Add(pause))
			io.Copy(&got, c)
		}
		if _, err := io.WriteString(c, request); err != nil {
			return err.Error()
		}
	}
	c.SetReadDeadline(time.Now().Add(patience))
	var statuses []string
	for r := bufio.NewReader(io.MultiReader(&got, c)); len(statuses) < len(requests); {
		status, err := readStatus(r)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return strings.Join(append(statuses, "silence"), " ")
		}
		if err != nil {
			return err.Error()
		}
		statuses = append(statuses, status)
	}
	return strings.Join(statuses, " ")
}

func readStatus(r *bufio.Reader) (string, error) {
	if _, err := r.Peek(1); err != nil {
		return "", err
	}
	answer, err := http.ReadResponse(r, nil)
	if err != nil {
		return "", err
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return answer.Status[:3], err
}

// The answer to a token request travels as far as the hop limit says, any
// other as far as it likes. On the instance itself a limit of 1 is enough; a
// container needs 2. Whoever sends more requests behind the one for a token,
// so that more answers follow its own, gets no further with it.
func TestHopLimit(t *testing.T) {
	if !inLab(t) {
		return
	}
	l := newLab(t)
	options := emulator.Options{Tokens: "optional", KeepAlive: true, Role: &emulator.Role{Name: "lab"}}
	server := l.serve(t, options)
	for _, limit := range []int{1, 2} {
		options.HopLimit = limit
		if err := server.Change(options); err != nil {
			t.Fatal(err)
		}
		fromContainer := map[string]string{"PUT": "200", "both": "200 200"}
		if limit == 1 {
			fromContainer = map[string]string{"PUT": "silence", "both": "silence"}
		}
		t.Run(fmt.Sprintf("limit %d", limit), func(t *testing.T) {
			for _, addr := range addresses {
				for _, c := range []struct {
					name     string
					from     place
					pause    time.Duration
					requests []string
					want     string
				}{
					{"token on the host", l.host, 0, []string{putToken}, "200"},
					{"value on the host", l.host, 0, []string{getID}, "200"},
					{"both at once on the host", l.host, 0, []string{putToken, getID}, "200 200"},
					{"one after the other on the host", l.host, 300 * time.Millisecond, []string{putToken, getID, putToken, getID}, "200 200 200 200"},
					{"token in the container", l.container, 0, []string{putToken}, fromContainer["PUT"]},
					{"value in the container", l.container, 0, []string{getID}, "200"},
					{"both at once in the container", l.container, 0, []string{putToken, getID}, fromContainer["both"]},
					{"one after the other in the container", l.container, 300 * time.Millisecond, []string{putToken, getID}, fromContainer["both"]},
				} {
					t.Run(c.name+" at "+addr, func(t *testing.T) {
						t.Parallel()
						if got := c.from.answers(addr, c.pause, c.requests...); got != c.want {
							t.Errorf("%s, want %s", got, c.want)
						}
					})
				}
			}
		})
	}
}

// A program that none of us wrote sees the same.
func TestHopLimitForCurl(t *testing.T) {
	requireProgram(t, "curl")
	if !inLab(t) {
		return
	}
	l := newLab(t)
	l.serve(t, emulator.Options{Tokens: "optional", HopLimit: 1})
	for _, base := range []string{"http://169.254.169.254", "http://[fd00:ec2::254]"} {
		token := []string{"-s", "-g", "-m", "2", "-w", "%{http_code}", "-o", "/dev/null", "-X", "PUT", "-H", "X-aws-ec2-metadata-token-ttl-seconds: 60", base + "/latest/api/token"}
		value := []string{"-s", "-g", "-m", "2", "-w", "%{http_code}", "-o", "/dev/null", base + "/latest/meta-data/instance-id"}
		t.Run(base, func(t *testing.T) {
			t.Parallel()
			l.host.run(t, "", "curl", token...).is(t, 0, "200")
			l.host.run(t, "", "curl", value...).is(t, 0, "200")
			l.container.run(t, "", "curl", token...).is(t, 28, "000") // timed out
			l.container.run(t, "", "curl", value...).is(t, 0, "200")
		})
	}
}

func (r result) is(t *testing.T, status int, stdout string) {
	t.Helper()
	if r.status != status || r.stdout != stdout {
		t.Errorf("status %d, %s, want %d, %s", r.status, r.stdout, status, stdout)
	}
}

// Our own client says what is wrong where the hop limit keeps the token away,
// and never reads without one there.
func TestHopLimitIsNamed(t *testing.T) {
	if !inLab(t) {
		return
	}
	l := newLab(t)
	options := emulator.Options{Instance: emulator.Instance{ID: instanceID}, Tokens: "optional", HopLimit: 1}
	server := l.serve(t, options)
	modes := []string{"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE=IPv4", "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE=IPv6"}
	t.Run("limit 1", func(t *testing.T) {
		for _, mode := range modes {
			t.Run(mode, func(t *testing.T) {
				t.Parallel()
				l.host.run(t, mode, tegata, "get", "instance-id").wants(t, 0, instanceID+"\n")
				for _, fallback := range []string{"never", "when-absent"} {
					r := l.container.run(t, mode, tegata, "get", "--fallback", fallback, "instance-id")
					if r.status != 1 || r.stdout != "" || !strings.Contains(r.stderr, "the service is 1 router away: the hop limit must be at least 2") {
						t.Errorf("fallback %s: status %d\nstdout: %s\nstderr: %s", fallback, r.status, r.stdout, r.stderr)
					}
				}
				l.container.run(t, mode, tegata, "doctor").wants(t, 3, "TG2003 error", "hop limit needed  2")
			})
		}
	})
	options.HopLimit = 2
	if err := server.Change(options); err != nil {
		t.Fatal(err)
	}
	for _, mode := range modes {
		t.Run("limit 2, "+mode, func(t *testing.T) {
			t.Parallel()
			l.container.run(t, mode, tegata, "get", "instance-id").wants(t, 0, instanceID+"\n")
		})
	}
}
