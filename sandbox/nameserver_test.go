package sandbox

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/dns/dnsmessage"
)

// onlySTS resolves one host, at two addresses.
var onlySTS = &nameServer{
	resolves: func(host string) bool { return host == "sts.amazonaws.com" },
	v4:       netip.MustParseAddr("127.0.0.1"),
	v6:       netip.MustParseAddr("::1"),
}

func asked(name string, typ dnsmessage.Type) dnsmessage.Question {
	return dnsmessage.Question{Name: dnsmessage.MustNewName(name), Type: typ, Class: dnsmessage.ClassINET}
}

func query(questions ...dnsmessage.Question) dnsmessage.Message {
	return dnsmessage.Message{Header: dnsmessage.Header{ID: 7, RecursionDesired: true}, Questions: questions}
}

// reply answers a query.
func reply(q dnsmessage.Message, code dnsmessage.RCode, answers ...dnsmessage.ResourceBody) *dnsmessage.Message {
	r := dnsmessage.Message{Header: q.Header, Questions: q.Questions}
	r.Response, r.RecursionAvailable, r.RCode = true, true, code
	for _, body := range answers {
		r.Answers = append(r.Answers, dnsmessage.Resource{
			Header: dnsmessage.ResourceHeader{Name: q.Questions[0].Name, Class: dnsmessage.ClassINET, TTL: nameLifetime}, Body: body,
		})
	}
	return &r
}

var dnsQueries = []struct {
	name  string
	query dnsmessage.Message
	want  func(q dnsmessage.Message) *dnsmessage.Message // nil for no reply
}{
	{"an address", query(asked("sts.amazonaws.com.", dnsmessage.TypeA)), func(q dnsmessage.Message) *dnsmessage.Message {
		return reply(q, dnsmessage.RCodeSuccess, &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}})
	}},
	{"an address of IPv6", query(asked("sts.amazonaws.com.", dnsmessage.TypeAAAA)), func(q dnsmessage.Message) *dnsmessage.Message {
		return reply(q, dnsmessage.RCodeSuccess, &dnsmessage.AAAAResource{AAAA: [16]byte{15: 1}})
	}},
	{"the letters of the question are kept", query(asked("STS.AmazonAWS.com.", dnsmessage.TypeA)), func(q dnsmessage.Message) *dnsmessage.Message {
		return reply(q, dnsmessage.RCodeSuccess, &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}})
	}},
	{"a host has no other records", query(asked("sts.amazonaws.com.", dnsmessage.TypeMX)), func(q dnsmessage.Message) *dnsmessage.Message {
		return reply(q, dnsmessage.RCodeSuccess)
	}},
	{"no such host", query(asked("sts.ap.amazonaws.com.", dnsmessage.TypeA)), func(q dnsmessage.Message) *dnsmessage.Message {
		return reply(q, dnsmessage.RCodeNameError)
	}},
	{"the root", query(asked(".", dnsmessage.TypeNS)), func(q dnsmessage.Message) *dnsmessage.Message {
		return reply(q, dnsmessage.RCodeNameError)
	}},
	{"another class", query(dnsmessage.Question{Name: dnsmessage.MustNewName("version.bind."), Type: dnsmessage.TypeTXT, Class: dnsmessage.ClassCHAOS}),
		func(q dnsmessage.Message) *dnsmessage.Message { return reply(q, dnsmessage.RCodeRefused) }},
	{"two questions", query(asked("sts.amazonaws.com.", dnsmessage.TypeA), asked("sts.amazonaws.com.", dnsmessage.TypeAAAA)),
		func(q dnsmessage.Message) *dnsmessage.Message {
			return reply(dnsmessage.Message{Header: q.Header}, dnsmessage.RCodeFormatError)
		}},
	{"no question", query(), func(q dnsmessage.Message) *dnsmessage.Message { return reply(q, dnsmessage.RCodeFormatError) }},
	{"an update of a zone", dnsmessage.Message{Header: dnsmessage.Header{ID: 7, OpCode: 5}, Questions: []dnsmessage.Question{asked("sts.amazonaws.com.", dnsmessage.TypeSOA)}},
		func(q dnsmessage.Message) *dnsmessage.Message {
			return reply(dnsmessage.Message{Header: q.Header}, dnsmessage.RCodeNotImplemented)
		}},
	{"what is a reply itself", dnsmessage.Message{Header: dnsmessage.Header{ID: 7, Response: true}, Questions: []dnsmessage.Question{asked("sts.amazonaws.com.", dnsmessage.TypeA)}},
		func(dnsmessage.Message) *dnsmessage.Message { return nil }},
	{"extensions are passed over", withOPT(query(asked("sts.amazonaws.com.", dnsmessage.TypeA))), func(q dnsmessage.Message) *dnsmessage.Message {
		return reply(q, dnsmessage.RCodeSuccess, &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}})
	}},
}

// withOPT is a query as glibc sends it with "options edns0".
func withOPT(q dnsmessage.Message) dnsmessage.Message {
	var h dnsmessage.ResourceHeader
	if err := h.SetEDNS0(1232, dnsmessage.RCodeSuccess, true); err != nil {
		panic(err)
	}
	q.Additionals = []dnsmessage.Resource{{Header: h, Body: &dnsmessage.OPTResource{}}}
	return q
}

func TestAnswer(t *testing.T) {
	t.Parallel()
	for _, tt := range dnsQueries {
		t.Run(tt.name, func(t *testing.T) {
			packet, err := tt.query.Pack()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(unpacked(tt.want(tt.query)), unpack(t, onlySTS.answer(packet))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// unpacked is a message as it comes out of bytes: lengths and types stand in
// the headers too.
func unpacked(m *dnsmessage.Message) *dnsmessage.Message {
	if m == nil {
		return nil
	}
	packet, err := m.Pack()
	if err != nil {
		panic(err)
	}
	var out dnsmessage.Message
	if err := out.Unpack(packet); err != nil {
		panic(err)
	}
	return &out
}

func unpack(t *testing.T, packet []byte) *dnsmessage.Message {
	t.Helper()
	if packet == nil {
		return nil
	}
	var m dnsmessage.Message
	if err := m.Unpack(packet); err != nil {
		t.Fatal(err)
	}
	return &m
}

// A system without IPv6 has no host with such an address.
func TestAnswerWithoutIPv6(t *testing.T) {
	t.Parallel()
	n := &nameServer{resolves: onlySTS.resolves, v4: onlySTS.v4}
	q := query(asked("sts.amazonaws.com.", dnsmessage.TypeAAAA))
	packet, err := q.Pack()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(unpacked(reply(q, dnsmessage.RCodeSuccess)), unpack(t, n.answer(packet))); diff != "" {
		t.Error(diff)
	}
}

// Whatever comes in, what goes out is a reply to it, and no larger than
// everybody can take.
func FuzzAnswer(f *testing.F) {
	for _, tt := range dnsQueries {
		packet, err := tt.query.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(packet)
		f.Add(packet[:len(packet)-1])
	}
	f.Fuzz(func(t *testing.T, packet []byte) {
		out := onlySTS.answer(packet)
		if out == nil {
			return
		}
		m := unpack(t, out)
		if id := uint16(packet[0])<<8 | uint16(packet[1]); m.ID != id || !m.Response || len(out) > 512 {
			t.Errorf("%x: %d bytes: %+v", packet, len(out), m)
		}
		for _, a := range m.Answers {
			if host := strings.ToLower(a.Header.Name.String()); host != "sts.amazonaws.com." {
				t.Errorf("%x: an address for %s", packet, host)
			}
		}
	})
}

// named is a running scenario that is reached by AWS's own names too.
func named(t *testing.T, s Scenario) (*Sandbox, Listeners) {
	t.Helper()
	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := Listeners{
		IMDS: []net.Listener{listenOn(t, "127.0.0.1:0")},
		AWS:  listenOn(t, "127.0.0.1:0"),
		TLS:  []net.Listener{listenOn(t, "127.0.0.1:0")},
		DNS:  listenOn(t, "127.0.0.1:0"), DNSPackets: packets,
	}
	b, err := s.Start(l)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b, l
}

func TestNames(t *testing.T) {
	t.Parallel()
	_, l := named(t, Default())
	for _, addr := range []net.Addr{l.DNSPackets.LocalAddr(), l.DNS.Addr()} {
		resolver := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, addr.Network(), addr.String())
		}}
		for host, want := range map[string][]string{
			"sts.amazonaws.com.":                            {"127.0.0.1"},
			"Bedrock-Runtime.us-west-2.amazonaws.com.":      {"127.0.0.1"},
			"bedrock-runtime.ap.amazonaws.com.":             nil,
			"ssm.ap-northeast-1.amazonaws.com.example.com.": nil,
			"example.com.":                                  nil,
		} {
			got, err := resolver.LookupHost(t.Context(), host)
			var missing *net.DNSError
			if errors.As(err, &missing) && missing.IsNotFound {
				err = nil
			}
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("%s by %s: %v %s", host, addr.Network(), err, diff)
			}
		}
	}
}

// Who holds a connection open does not hold the sandbox.
func TestNamesEnd(t *testing.T) {
	t.Parallel()
	n := &nameServer{resolves: onlySTS.resolves, streams: listenOn(t, "127.0.0.1:0")}
	var err error
	if n.packets, err = net.ListenPacket("udp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- n.serve() }()
	conn, err := net.Dial("tcp", n.streams.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	q, err := new(dnsmessage.Message{Questions: []dnsmessage.Question{asked("sts.amazonaws.com.", dnsmessage.TypeA)}}).Pack()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write(append([]byte{0, byte(len(q))}, q...)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if err := n.close(); err != nil {
		t.Error(err)
	}
	select {
	case err := <-served:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(streamIdle / 2):
		t.Error("serves on with a connection that is idle")
	}
}
