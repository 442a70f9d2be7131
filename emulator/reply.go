package emulator

import (
	"bufio"
	"errors"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// A reply is the [http.ResponseWriter] of our own wire. It keeps an answer
// until that is whole, and then sends it in one piece; who wants parts of it
// to leave earlier calls FlushError.
type reply struct {
	conn     *connection
	request  *http.Request
	header   http.Header
	status   int // 0 before WriteHeader
	hopLimit int // of this answer; 0 means the usual
	patience *patience

	body   []byte // not sent yet
	taken  int64  // bytes of the body so far
	length int64  // of the body as it was told, or -1
	sent   bool   // the head has left
	chunks bool   // the body goes out in chunks
	last   bool   // the connection ends with this answer
	out    []byte
	err    error
}

var errTooLong = errors.New("the answer is longer than its Content-Length")

// maxKept is how much room for an answer is kept for the next. Bytes.
const maxKept = 64 << 10

// ownReply finds the reply of our own wire below w, or nil.
func ownReply(w http.ResponseWriter) *reply {
	for {
		switch next := w.(type) {
		case *reply:
			return next
		case interface{ Unwrap() http.ResponseWriter }:
			w = next.Unwrap()
		default:
			return nil
		}
	}
}

func (w *reply) begin(r *http.Request) {
	clear(w.header)
	body, out := w.body[:0], w.out[:0]
	if cap(body)+cap(out) > maxKept {
		body, out = nil, nil
	}
	*w = reply{
		conn: w.conn, request: r, header: w.header, body: body, out: out, length: -1,
		last: !w.conn.server.keepAlive || r.Close || r.Header["Expect"] != nil,
	}
}

// relax stops looking after the client.
func (w *reply) relax() {
	if w.patience != nil {
		w.patience.end()
		w.patience = nil
	}
}

// Header returns the header that the answer will have.
func (w *reply) Header() http.Header { return w.header }

// WriteHeader settles the status. One below 200 leaves at once, and the answer
// is still to come.
func (w *reply) WriteHeader(status int) {
	switch {
	case w.status != 0:
	case status < http.StatusOK:
		w.out = append(appendStatus(w.out[:0], w.proto(), status), "\r\n"...)
		w.send()
	default:
		w.status = status
		w.settle()
	}
}

// settle reads from the header what it says about the body and the connection.
func (w *reply) settle() {
	if told := w.header.Get("Content-Length"); told != "" {
		if n, err := strconv.ParseInt(told, 10, 64); err == nil && n >= 0 {
			w.length = n
		}
	}
	if strings.EqualFold(w.header.Get("Connection"), "close") {
		w.last = true
	}
}

// Write adds to the body, as far as that may be.
func (w *reply) Write(p []byte) (n int, err error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	n = len(p)
	if w.length >= 0 {
		n = int(min(int64(n), w.length-w.taken))
	}
	w.taken += int64(n)
	if !w.bodiless() {
		w.body = append(w.body, p[:n]...)
	}
	switch {
	case w.err != nil:
		return 0, w.err
	case n < len(p) && !w.bodiless():
		return n, errTooLong
	}
	return len(p), nil
}

func (w *reply) bodiless() bool {
	return w.request.Method == http.MethodHead || w.status == http.StatusNoContent || w.status == http.StatusNotModified
}

// FlushError sends what was written so far, the head first.
func (w *reply) FlushError() error {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	w.out = w.out[:0]
	if !w.sent {
		w.chunks = w.length < 0 && !w.bodiless() && w.proto() == proto11
		w.last = w.last || w.length < 0 && !w.chunks
		w.appendHead()
	}
	w.appendBody()
	return w.send()
}

// finish sends what has not been sent.
func (w *reply) finish() error {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	_, told := w.header["Content-Length"]
	if !w.sent && !told && w.status != http.StatusNoContent && w.status != http.StatusNotModified {
		w.length = w.taken
	}
	if err := w.FlushError(); err != nil {
		return err
	}
	if w.taken < w.length && !w.bodiless() {
		return errors.New("the answer is shorter than its Content-Length")
	}
	if !w.chunks {
		return nil
	}
	w.out = append(w.out[:0], "0\r\n\r\n"...)
	return w.send()
}

func (w *reply) appendBody() {
	switch {
	case len(w.body) == 0:
		return
	case w.chunks:
		w.out = append(strconv.AppendInt(w.out, int64(len(w.body)), 16), "\r\n"...)
		w.out = append(append(w.out, w.body...), "\r\n"...)
	default:
		w.out = append(w.out, w.body...)
	}
	w.body = w.body[:0]
}

// send writes what is in out, with the hop limit that this answer has.
func (w *reply) send() error {
	if w.err == nil && len(w.out) > 0 {
		w.err = w.conn.hops.set(w.hopLimit)
	}
	if w.err == nil && len(w.out) > 0 {
		_, w.err = w.conn.Write(w.out)
	}
	return w.err
}

// Hijack leaves the connection to the caller.
func (w *reply) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.relax()
	w.conn.hijacked = true
	return w.conn.Conn, bufio.NewReadWriter(w.conn.in, bufio.NewWriter(w.conn.Conn)), nil
}

const (
	proto10 = "HTTP/1.0 "
	proto11 = "HTTP/1.1 "
)

func (w *reply) proto() string {
	if w.legacy() || !w.request.ProtoAtLeast(1, 1) {
		return proto10
	}
	return proto11
}

func (w *reply) legacy() bool { return w.conn.server.profile == ProfileLegacy }

func appendStatus(b []byte, proto string, status int) []byte {
	text := http.StatusText(status)
	if status == http.StatusMethodNotAllowed {
		text = "Not Allowed" // as the service calls it
	}
	b = strconv.AppendInt(append(b, proto...), int64(status), 10)
	return append(append(append(b, ' '), text...), "\r\n"...)
}

// The orders in which the service's front ends write their headers, from
// recorded answers: of a page, of all else, and the legacy one's for both.
var (
	pageOrder   = [...]string{headerTTL, "Content-Type", "Accept-Ranges", "Last-Modified", "Content-Length", "Date", "Server", "Connection"}
	bareOrder   = [...]string{headerTTL, "Allow", "Content-Length", "Date", "Server", "Connection", "Content-Type"}
	legacyOrder = [...]string{"Accept-Ranges", "Allow", "Content-Length", "Content-Type", "Date", "Last-Modified", headerTTL, "Connection", "Server"}
)

func (w *reply) order() []string {
	switch {
	case w.legacy():
		return legacyOrder[:]
	case w.header["Last-Modified"] != nil, w.header.Get("Content-Type") == "text/html":
		return pageOrder[:]
	}
	return bareOrder[:]
}

func (w *reply) appendHead() {
	w.sent = true
	w.out = appendStatus(w.out, w.proto(), w.status)
	order, known := w.order(), 0
	for _, name := range order {
		values, ok := w.header[name]
		if !ok {
			w.appendOwn(name)
			continue
		}
		known++
		w.appendField(name, values)
	}
	if known < len(w.header) {
		w.appendOthers(order)
	}
	if w.chunks {
		w.out = append(w.out, "Transfer-Encoding: chunked\r\n"...)
	}
	w.out = append(w.out, "\r\n"...)
}

// appendOwn writes a header that the handler left to the wire.
func (w *reply) appendOwn(name string) {
	switch name {
	case "Date":
		w.out = append(append(w.out, "Date: "...), w.conn.server.date()...)
	case "Content-Length":
		if w.length < 0 {
			return
		}
		w.out = strconv.AppendInt(append(w.out, "Content-Length: "...), w.length, 10)
	case "Connection":
		switch {
		case w.last:
			w.out = append(w.out, "Connection: close"...)
		case w.proto() == proto10:
			w.out = append(w.out, "Connection: keep-alive"...)
		default:
			return
		}
	default:
		return
	}
	w.out = append(w.out, "\r\n"...)
}

// appendOthers writes the headers that are not in the order, sorted.
func (w *reply) appendOthers(order []string) {
	var others []string
	for name := range w.header {
		if !slices.Contains(order, name) {
			others = append(others, name)
		}
	}
	slices.Sort(others)
	for _, name := range others {
		w.appendField(name, w.header[name])
	}
}

func (w *reply) appendField(name string, values []string) {
	for _, value := range values {
		w.out = append(append(w.out, name...), ": "...)
		w.out = append(append(w.out, value...), "\r\n"...)
	}
}
