package emulator

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// A patience is the context of a request whose answer may take long. It ends
// with the server, or when the client has left. To notice that, somebody must
// read; so it is done only once somebody waits, when the body has been read.
type patience struct {
	context.Context // at first that of the server
	conn            *connection
	once            sync.Once
	leave           context.CancelFunc // nil: nobody has waited
	watching        sync.WaitGroup
}

// patient gives r such a context, if w is a reply on our own wire. Requests of
// net/http have one.
func patient(w http.ResponseWriter, r *http.Request) *http.Request {
	own := ownReply(w)
	if own == nil {
		return r
	}
	own.patience = &patience{Context: own.conn.ctx, conn: own.conn}
	return r.WithContext(own.patience)
}

// Done starts to look after the client.
func (p *patience) Done() <-chan struct{} {
	p.once.Do(func() {
		p.Context, p.leave = context.WithCancel(p.Context)
		p.conn.SetReadDeadline(time.Time{})
		p.watching.Go(p.watch)
	})
	return p.Context.Done()
}

// watch reads ahead as far as there is room, until the connection ends.
func (p *patience) watch() {
	in := p.conn.in
	for in.Buffered() < in.Size() {
		if _, err := in.Peek(in.Buffered() + 1); err != nil {
			p.leave()
			return
		}
	}
}

// end makes the connection ready for its next request.
func (p *patience) end() {
	if p.leave == nil {
		return
	}
	p.conn.SetReadDeadline(time.Unix(1, 0))
	p.watching.Wait()
	p.conn.SetReadDeadline(time.Time{})
	p.leave()
}
