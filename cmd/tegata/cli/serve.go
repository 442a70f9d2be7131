package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path"
	"runtime/debug"
	"strings"
	"time"

	"golang.org/x/term"

	"tegata/login"
	"tegata/store"
)

func runServe(ctx context.Context, s *session) error {
	fs := s.flags()
	addr := fs.String("addr", defaultAddr, "")
	data := fs.String("data", "", "")
	public := fs.String("public-url", "", "")
	passwordFile := fs.String("password-file", "", "")
	setPassword := fs.Bool("set-password", false, "")
	access := oneOf("on", "off")
	fs.Var(access, "login", "")
	model := fs.String("model", s.Getenv("BEDROCK_MODEL_ID"), "")
	maxTokens := fs.Int("max-tokens", 0, "")
	if err := s.noArgs(fs); err != nil {
		return err
	}
	if *maxTokens < 0 {
		return usagef("--max-tokens %d: want 1 or more", *maxTokens)
	}
	o := applicationOptions{Data: *data, Model: *model, MaxTokens: *maxTokens, Drain: drainWithin, Log: slog.New(slog.NewTextHandler(s.Stderr, nil))}
	o.Guard = login.Guard{PasswordFile: *passwordFile, Off: access.value == "off"}
	base, err := publicURL(*public)
	if err != nil {
		return err
	}
	if base != nil {
		o.Guard.Prefix, o.Guard.Hosts, o.Guard.Proxied = base.Path, []string{base.Hostname()}, true
	}
	if o.Data == "" {
		if o.Data, err = dataDir(s); err != nil {
			return err
		}
	}
	if *setPassword {
		return s.setPassword(ctx, o)
	}
	return s.serve(ctx, *addr, base, o)
}

// defaultAddr is where the page and the API are served.
const defaultAddr = "127.0.0.1:8338"

// drainWithin leaves a few of the 30 s that Kubernetes gives a container
// before it is killed.
const drainWithin = 25 * time.Second

// publicURL reads the address under which others reach the page; nil for "".
func publicURL(s string) (*url.URL, error) {
	if s == "" {
		return nil, nil
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, hintf(usagef("--public-url %q is no address of a page", s), "give scheme, name and path, as in --public-url https://chat.example.com/chat")
	}
	u.Path = strings.TrimRight(u.Path, "/")
	if !isPrefix(u.Path) {
		return nil, hintf(usagef("--public-url %q: its path can't be the prefix of others", s), "use letters of ASCII, digits, dots, hyphens and underscores between single slashes, as in https://example.com/chat")
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}, nil
}

// isPrefix reports whether a path looks the same in a pattern, a cookie and an
// address, so that nobody reads it in another way than we do.
func isPrefix(p string) bool {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_/"
	return p == "" || path.Clean(p) == p && strings.Trim(p, plain) == ""
}

// serve runs the application until a signal ends it.
func (s *session) serve(ctx context.Context, addr string, base *url.URL, o applicationOptions) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return hintf(err, "choose another address, or let the system choose: --addr 127.0.0.1:0")
	}
	defer l.Close()
	loopback := onLoopback(l.Addr())
	if o.Guard.Off && !loopback {
		return hintf(usagef("--login off lets everybody in who reaches %s", l.Addr()), "listen on loopback with --addr 127.0.0.1:8338, or leave --login on")
	}
	if base == nil {
		base = pageAt(l.Addr())
	}
	s.collectLess()
	a, err := s.openApplication(ctx, o)
	if err != nil {
		return err
	}
	if !loopback && base.Scheme != "https" {
		s.warn("no TLS on %s: passwords, keys and answers can be read on the way; put a load balancer with a certificate in front and give its address with --public-url https://…", l.Addr())
	}
	if err := s.greet(ctx, a, base); err != nil {
		return errors.Join(err, a.close())
	}
	return errors.Join(a.serve(ctx, newServer(a.handler), l, s.Signals), a.close())
}

// collectLess trades memory for time, of which a gateway has more: what it
// holds is small beside what it passes on.
func (s *session) collectLess() {
	const percent = 200
	if s.Getenv("GOGC") == "" {
		debug.SetGCPercent(percent)
	}
}

// greet says where the page is, and how the first one gets in.
func (s *session) greet(ctx context.Context, a *application, base *url.URL) error {
	line(s.Stderr, "tegata: %s", s.lang.T("chat page and API: %s", base.String()+"/"))
	if a.guard.Off {
		s.warn("login is off: every program and every user of this machine can use it")
		return nil
	}
	has, err := a.guard.HasPassword(ctx)
	if err != nil || has {
		return err
	}
	link, err := a.signInLink(ctx, base)
	if err != nil {
		return err
	}
	s.warn("no password is set yet; sign in once with this link within an hour, and set one:")
	return line(s.Stderr, "  %s", link)
}

// signInLink makes a link that lets one person in, once.
func (a *application) signInLink(ctx context.Context, base *url.URL) (string, error) {
	token, err := a.guard.NewLink(ctx)
	if err != nil {
		return "", fmt.Errorf("make a sign-in link: %w", err)
	}
	return base.String() + "/sign-in?link=" + token, nil
}

// pageAt is the address of the page for a browser on this machine.
func pageAt(addr net.Addr) *url.URL {
	tcp := addr.(*net.TCPAddr)
	host := *tcp
	if tcp.IP.IsUnspecified() {
		host.IP = net.IPv4(127, 0, 0, 1)
	}
	return &url.URL{Scheme: "http", Host: host.String()}
}

func onLoopback(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// setPassword reads a password and keeps its hash, in the file if one is
// named.
func (s *session) setPassword(ctx context.Context, o applicationOptions) error {
	password, err := s.readPassword()
	if err != nil {
		return err
	}
	db, err := store.Join(ctx, storePath(o.Data)) // a server may be running
	if err != nil {
		return err
	}
	o.Guard.DB = db
	err = errors.Join(o.Guard.SetPassword(ctx, password), db.Close())
	if err == nil {
		s.warn("the password is set; whoever was signed in has to sign in again")
	}
	return err
}

// readPassword reads one line, from a terminal without showing it.
func (s *session) readPassword() (string, error) {
	if f, ok := s.Stdin.(*os.File); ok && onTerminal(s.Stdin) {
		fmt.Fprint(s.Stderr, s.lang.T("new password: "))
		password, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(s.Stderr)
		return string(password), err
	}
	password, err := bufio.NewReader(io.LimitReader(s.Stdin, 4<<10)).ReadString('\n')
	if err != nil && err != io.EOF {
		return "", fmt.Errorf("read the password from stdin: %w", err)
	}
	return strings.TrimRight(password, "\r\n"), nil
}
