package imds_test

import (
	"context"
	"errors"
	"fmt"
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

	"tegata/imds"
)

// behindRouter is set for the process that lives behind the router.
const behindRouter = "TEGATA_TEST_BEHIND_ROUTER"

// TestBehindRouter asks a service that lies behind a real router: client,
// router and service have a network namespace each. The service lets its
// answers to PUT start with the hop limit as their time to live, as EC2 does.
func TestBehindRouter(t *testing.T) {
	if os.Getenv(behindRouter) == "" {
		runBehindRouter(t)
		return
	}
	router, far := namespace(t), namespace(t)
	layRoute(t, router, far)
	for _, addr := range []string{"10.78.0.2", "fd78::2"} {
		for limit, want := range map[int]error{1: imds.ErrHopLimit, 2: nil} {
			t.Run(fmt.Sprintf("%s with hop limit %d", addr, limit), func(t *testing.T) {
				t.Parallel()
				at := serveFrom(t, far, addr, limit)
				waitFor(t, at)
				c := &imds.Client{Endpoint: "http://" + at}
				defer c.Close()
				if h, err := c.Hops(t.Context()); err != nil || h != (imds.Hops{Routers: 1, TTL: 63}) {
					t.Errorf("%+v, %v, want 1 router", h, err)
				}
				v, err := c.InstanceID(t.Context())
				if want == nil {
					if v != instanceID {
						t.Error(v, err)
					}
					return
				}
				wantKind(t, err, want)
				wantEnd(t, err.Error(), "; the service is 1 router away: the hop limit must be at least 2")
			})
		}
	}
}

// runBehindRouter runs the test in namespaces of its own.
func runBehindRouter(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^TestBehindRouter$", "-test.v", "-test.parallel=4")
	cmd.Env = append(os.Environ(), behindRouter+"=yes")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
		Pdeathsig:   syscall.SIGKILL,
	}
	_, err := exec.LookPath("ip")
	if err != nil {
		skip(t, err)
	}
	out, err := cmd.CombinedOutput()
	var ended *exec.ExitError
	switch {
	case err != nil && !errors.As(err, &ended):
		skip(t, err)
	case strings.Contains(string(out), "not permitted"):
		skip(t, errors.New(string(out)))
	case err != nil || !strings.Contains(string(out), "--- PASS: TestBehindRouter"):
		t.Errorf("%v\n%s", err, out)
	}
}

// skip passes over a test that this system has no means for, unless all are
// required.
func skip(t *testing.T, why error) {
	t.Helper()
	if os.Getenv("TEGATA_REQUIRE") == "all" {
		t.Fatal("no namespaces here: ", why)
	}
	t.Skip("no namespaces here: ", why)
}

// namespace starts a process in a network namespace of its own, and returns
// its id.
func namespace(t *testing.T) int {
	t.Helper()
	cmd := exec.Command("sleep", "60")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	runtime.LockOSThread() // the process ends with the thread that started it
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	return cmd.Process.Pid
}

// layRoute connects the namespace of this process to far by way of router.
func layRoute(t *testing.T, router, far int) {
	t.Helper()
	script := fmt.Sprintf(`set -e
router="nsenter --net=/proc/%d/ns/net" far="nsenter --net=/proc/%[2]d/ns/net"
for there in "" "$router" "$far"; do # or else addresses are tried out for a second
	$there sh -c 'for of in all default; do echo 0 >/proc/sys/net/ipv6/conf/$of/accept_dad; done'
done
ip link add near type veth peer name near netns %[1]d
$router ip link add far type veth peer name far netns %[2]d
ip address add 10.77.0.2/24 dev near
ip address add fd77::2/64 dev near nodad
$router ip address add 10.77.0.1/24 dev near
$router ip address add fd77::1/64 dev near nodad
$router ip address add 10.78.0.1/24 dev far
$router ip address add fd78::1/64 dev far nodad
$far ip address add 10.78.0.2/24 dev far
$far ip address add fd78::2/64 dev far nodad
ip link set near up
$router ip link set near up
$router ip link set far up
$far ip link set far up
$router sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'
ip route add default via 10.77.0.1
ip -6 route add default via fd77::1
$far ip route add default via 10.78.0.1
$far ip -6 route add default via fd78::1
`, router, far)
	if out, err := exec.Command("sh", "-c", script).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// serveFrom starts a service in the namespace of a process and returns its
// address. Tokens are required, and travel no further than limit.
func serveFrom(t *testing.T, pid int, addr string, limit int) string {
	t.Helper()
	l := listenIn(t, pid, net.JoinHostPort(addr, "0"))
	s := &service{get: needToken, put: func(w http.ResponseWriter, r *http.Request) {
		setTTL(t, r.Context().Value(connection{}).(net.Conn), limit)
		w.Header().Set("Connection", "close")
		constant(w, r)
	}}
	srv := &http.Server{Handler: s, ConnContext: func(ctx context.Context, c net.Conn) context.Context {
		return context.WithValue(ctx, connection{}, c)
	}}
	go srv.Serve(l)
	t.Cleanup(func() { srv.Close() })
	return l.Addr().String()
}

// waitFor connects until that is answered: new links lose their first packets.
func waitFor(t *testing.T, addr string) {
	t.Helper()
	for range 20 {
		if c, err := net.DialTimeout("tcp", addr, 500*time.Millisecond); err == nil {
			c.Close()
			return
		}
	}
	t.Fatal("no way to ", addr)
}

// connection is the key of the connection in the context of its requests.
type connection struct{}

// listenIn opens a port in the network namespace of another process.
func listenIn(t *testing.T, pid int, addr string) net.Listener {
	t.Helper()
	type opened struct {
		net.Listener
		err error
	}
	done := make(chan opened)
	go func() {
		runtime.LockOSThread() // never unlocked, so that the thread ends here
		there, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", pid))
		if err != nil {
			done <- opened{err: err}
			return
		}
		defer there.Close()
		if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- opened{err: err}
			return
		}
		l, err := net.Listen("tcp", addr)
		done <- opened{l, err}
	}()
	o := <-done
	if o.err != nil {
		t.Fatal(o.err)
	}
	return o.Listener
}

func setTTL(t *testing.T, c net.Conn, ttl int) {
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Error(err)
		return
	}
	level, option := syscall.IPPROTO_IP, syscall.IP_TTL
	if strings.HasPrefix(c.LocalAddr().String(), "[") {
		level, option = syscall.IPPROTO_IPV6, syscall.IPV6_UNICAST_HOPS
	}
	raw.Control(func(fd uintptr) {
		if err := syscall.SetsockoptInt(int(fd), level, option, ttl); err != nil {
			t.Error(err)
		}
	})
}
