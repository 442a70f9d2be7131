package fault

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// dripTick is how long a dripping answer pauses between two pieces, unless a
// single byte takes longer.
const dripTick = 50 * time.Millisecond

var errCut = errors.New("the answer is cut short by a fault rule")

// bend lets next answer through a bender. A cut answer ends with
// [http.ErrAbortHandler]: net/http then closes the connection short of the
// Content-Length, or without the last chunk.
func (r *Reply) bend(w http.ResponseWriter, req *http.Request, next http.Handler) {
	ctx, cancel := context.WithCancel(req.Context())
	defer cancel()
	b := &bender{ResponseWriter: w, reply: r, ctx: ctx, cut: cancel, left: -1}
	if r.Truncate != nil {
		b.left = *r.Truncate
	}
	next.ServeHTTP(b, req.WithContext(ctx))
	if !b.wroteHeader {
		b.WriteHeader(http.StatusOK)
	}
	if b.failed {
		panic(http.ErrAbortHandler)
	}
}

// A bender is a ResponseWriter that changes headers, slows the body down and
// ends it early.
type bender struct {
	http.ResponseWriter
	reply       *Reply
	ctx         context.Context // of this one answer; ends at the cut
	cut         context.CancelFunc
	left        int // bytes until the cut, or -1 for none
	wroteHeader bool
	failed      bool // the answer ended before it was whole
}

// Unwrap lets [http.ResponseController] reach deadlines and hijacking.
func (b *bender) Unwrap() http.ResponseWriter { return b.ResponseWriter }

// Flush makes the bender an [http.Flusher].
func (b *bender) Flush() { b.FlushError() }

// FlushError sends what was written so far, the header first.
func (b *bender) FlushError() error {
	if !b.wroteHeader {
		b.WriteHeader(http.StatusOK)
	}
	return http.NewResponseController(b.ResponseWriter).Flush()
}

func (b *bender) WriteHeader(status int) {
	if status >= 200 && !b.wroteHeader {
		b.wroteHeader = true
		b.setHeaders()
	}
	b.ResponseWriter.WriteHeader(status)
	if b.wroteHeader && b.left == 0 {
		b.end()
	}
}

// setHeaders applies the reply's headers. A nil value in the map also keeps
// net/http from adding its own Date or Content-Type.
func (b *bender) setHeaders() {
	h := b.Header()
	for name, value := range b.reply.Headers {
		h.Set(name, value)
		if value == "" {
			h[http.CanonicalHeaderKey(name)] = nil
		}
	}
}

// Write lets through what may still be written. The cut comes right after
// the last such byte, not with the next write, which may be long in coming.
func (b *bender) Write(p []byte) (n int, err error) {
	if !b.wroteHeader {
		b.WriteHeader(http.StatusOK)
	}
	switch {
	case b.failed:
		return 0, errCut
	case b.left < 0:
		n, err = b.write(p)
	default:
		n, err = b.write(p[:min(len(p), b.left)])
		b.left -= n
	}
	if err != nil {
		b.failed = true
		return n, err
	}
	if b.left == 0 {
		b.end()
	}
	if n < len(p) {
		return n, errCut
	}
	return n, nil
}

// end sends what was let through and ends the answer.
func (b *bender) end() {
	b.failed = true
	b.FlushError()
	b.cut()
}

// write sends p at the reply's rate.
func (b *bender) write(p []byte) (n int, err error) {
	if b.reply.Drip == 0 {
		return b.ResponseWriter.Write(p)
	}
	size, pause := b.reply.Drip.piece()
	for n < len(p) && err == nil {
		piece := p[n:min(n+size, len(p))]
		err = b.writePiece(piece, pause*time.Duration(len(piece))/time.Duration(size))
		if err == nil {
			n += len(piece)
		}
	}
	return n, err
}

// writePiece sends p after a pause in which the client sees all before it.
func (b *bender) writePiece(p []byte, pause time.Duration) error {
	if err := b.FlushError(); err != nil {
		return err
	}
	if !sleep(b.ctx, pause) {
		return b.ctx.Err()
	}
	_, err := b.ResponseWriter.Write(p)
	return err
}
