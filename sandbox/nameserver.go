package sandbox

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// A nameServer answers DNS queries (RFC 1035) in a box. Hosts that it resolves
// are at its own addresses, and nothing else exists: it says so at once, where
// the resolver of the outside could not be reached and would be waited for.
type nameServer struct {
	resolves func(host string) bool
	v4, v6   netip.Addr // of every host; invalid means that hosts have no such address

	packets net.PacketConn
	streams net.Listener

	mu     sync.Mutex
	conns  map[net.Conn]bool // that are open
	closed bool
}

const (
	nameLifetime = 60               // in seconds, as AWS has it for its endpoints
	largestUDP   = 4096             // in bytes; queries without extensions have at most 512
	streamIdle   = 10 * time.Second // RFC 7766, section 6.2.3: "on the order of a few seconds"
)

// serve answers until close.
func (n *nameServer) serve() error {
	var serving sync.WaitGroup
	var failed error
	serving.Go(func() { failed = n.serveStreams(&serving) })
	err := n.servePackets()
	serving.Wait()
	return errors.Join(err, failed)
}

func (n *nameServer) servePackets() error {
	query := make([]byte, largestUDP)
	for {
		length, from, err := n.packets.ReadFrom(query)
		switch {
		case errors.Is(err, net.ErrClosed):
			return nil
		case err != nil:
			return err
		}
		if reply := n.answer(query[:length]); reply != nil {
			_, _ = n.packets.WriteTo(reply, from) // who is gone asks no more
		}
	}
}

func (n *nameServer) serveStreams(serving *sync.WaitGroup) error {
	for {
		conn, err := n.streams.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return nil
		case err != nil:
			return err
		}
		if !n.keep(conn) {
			return nil
		}
		serving.Go(func() {
			defer n.drop(conn)
			n.serveStream(conn)
		})
	}
}

// serveStream answers the queries of one connection, each of which comes
// after its length (RFC 1035, section 4.2.2).
func (n *nameServer) serveStream(conn net.Conn) {
	var length [2]byte
	for {
		_ = conn.SetDeadline(time.Now().Add(streamIdle)) // fails on a closed connection, as the read does
		if _, err := io.ReadFull(conn, length[:]); err != nil {
			return
		}
		query := make([]byte, binary.BigEndian.Uint16(length[:]))
		if _, err := io.ReadFull(conn, query); err != nil {
			return
		}
		reply := n.answer(query)
		if reply == nil {
			return
		}
		if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...)); err != nil {
			return
		}
	}
}

// keep remembers an open connection, unless the server has been closed.
func (n *nameServer) keep(conn net.Conn) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		conn.Close()
		return false
	}
	if n.conns == nil {
		n.conns = map[net.Conn]bool{}
	}
	n.conns[conn] = true
	return true
}

func (n *nameServer) drop(conn net.Conn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.conns, conn)
	conn.Close()
}

// close ends serve, and with it every connection.
func (n *nameServer) close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.closed = true
	for conn := range n.conns {
		conn.Close()
	}
	return errors.Join(n.streams.Close(), n.packets.Close())
}

// answer returns the reply to a query, or nil for what is none.
func (n *nameServer) answer(query []byte) []byte {
	var parser dnsmessage.Parser
	header, err := parser.Start(query)
	if err != nil || header.Response {
		return nil
	}
	reply := dnsmessage.Header{
		ID: header.ID, Response: true, OpCode: header.OpCode,
		RecursionDesired: header.RecursionDesired, RecursionAvailable: true,
	}
	questions, err := parser.AllQuestions()
	switch {
	case header.OpCode != 0:
		return packed(reply, dnsmessage.RCodeNotImplemented)
	case err != nil || len(questions) != 1:
		return packed(reply, dnsmessage.RCodeFormatError)
	case questions[0].Class != dnsmessage.ClassINET:
		return packed(reply, dnsmessage.RCodeRefused, questions...)
	case !n.resolves(hostOf(questions[0].Name)):
		return packed(reply, dnsmessage.RCodeNameError, questions...)
	}
	return n.found(reply, questions[0])
}

// hostOf is a name as everybody writes it.
func hostOf(name dnsmessage.Name) string {
	return strings.ToLower(strings.TrimSuffix(name.String(), "."))
}

// found answers with the address that was asked for; with none, which is no
// error, where hosts have none of that kind.
func (n *nameServer) found(reply dnsmessage.Header, question dnsmessage.Question) []byte {
	message := dnsmessage.Message{Header: reply, Questions: []dnsmessage.Question{question}}
	var body dnsmessage.ResourceBody
	switch {
	case question.Type == dnsmessage.TypeA && n.v4.Is4():
		body = &dnsmessage.AResource{A: n.v4.As4()}
	case question.Type == dnsmessage.TypeAAAA && n.v6.Is6():
		body = &dnsmessage.AAAAResource{AAAA: n.v6.As16()}
	}
	if body != nil {
		message.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: question.Name, Class: question.Class, TTL: nameLifetime}, Body: body,
		}}
	}
	return pack(message)
}

func packed(reply dnsmessage.Header, code dnsmessage.RCode, questions ...dnsmessage.Question) []byte {
	reply.RCode = code
	return pack(dnsmessage.Message{Header: reply, Questions: questions})
}

// pack puts a reply of ours into bytes. What it can't pack is a name that came
// in and is none; to that there is no reply.
func pack(message dnsmessage.Message) []byte {
	b, err := message.Pack()
	if err != nil {
		return nil
	}
	return b
}
