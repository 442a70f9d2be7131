package login

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// atHome refuses requests for a name that is not ours. Without it, a page on
// the web could have its own name lead to this address and then read, with the
// visitor's browser, what only that machine may (DNS rebinding). An address
// is no name, so it can't be led astray.
func (g *Guard) atHome(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !g.isOurs(r.Host) {
			g.refuse(w, r, foreignName)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (g *Guard) isOurs(host string) bool {
	name := hostname(host)
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	isName := func(h string) bool { return hostname(h) == name }
	// HTTP/1.0 knows no Host; a browser always sends one.
	return name == "" || name == "localhost" || strings.HasSuffix(name, ".localhost") || slices.ContainsFunc(g.Hosts, isName)
}

// hostname returns the name in a Host header, as names are compared.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
}

// fromHere refuses requests that change something if the page of another site
// had the browser send them.
func (g *Guard) fromHere(next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if protection.Check(r) != nil {
			g.refuse(w, r, foreignOrigin)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Secure reports whether a request came over TLS: to this server, or to the
// proxy before it.
func Secure(r *http.Request, proxied bool) bool {
	return r.TLS != nil || proxied && strings.EqualFold(last(r.Header.Values("X-Forwarded-Proto")), "https")
}

// sender returns the address that a request came from, as far as attempts are
// counted: an IPv6 network is one, since who has one address has all of it.
func (g *Guard) sender(r *http.Request) netip.Prefix {
	addr := address(r.RemoteAddr)
	if g.Proxied && (addr.IsPrivate() || addr.IsLoopback()) {
		if client := address(last(r.Header.Values("X-Forwarded-For"))); client.IsValid() {
			addr = client
		}
	}
	bits := 64
	if addr.Is4() {
		bits = 32
	}
	prefix, err := addr.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return prefix
}

// address reads an address with or without a port.
func address(s string) netip.Addr {
	if withPort, err := netip.ParseAddrPort(s); err == nil {
		return withPort.Addr().Unmap().WithZone("")
	}
	addr, _ := netip.ParseAddr(strings.Trim(s, "[]"))
	return addr.Unmap().WithZone("")
}

// last returns the last entry of a header that is a list: the one that the
// nearest proxy has written.
func last(values []string) string {
	if len(values) == 0 {
		return ""
	}
	list := values[len(values)-1]
	return strings.TrimSpace(list[strings.LastIndex(list, ",")+1:])
}
