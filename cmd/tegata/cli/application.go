package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"tegata/bedrock"
	"tegata/chat"
	"tegata/doctor"
	"tegata/gateway"
	"tegata/internal/report"
	"tegata/login"
	"tegata/store"
	"tegata/web"
)

// An application is the gateway and the chat page with what they stand on. It
// serves `tegata serve` on the identity that the environment gives, and the
// demo on a pretended one.
type application struct {
	db       *store.DB
	recorder *recorder
	guard    *login.Guard
	chat     *chat.Engine
	gateway  *gateway.Server
	site     *web.Site
	handler  http.Handler
	log      *slog.Logger
	drainFor time.Duration
	forget   func()                // what has been learnt about the chain
	learn    func(context.Context) // credentials, models and the state of the chain
}

// applicationOptions are what differs between the two.
type applicationOptions struct {
	Data      string // directory of the store
	Model     string // the one that is asked when nobody chooses
	MaxTokens int    // of an answer, when a request does not say; 0 means the gateway's own bound
	Guard     login.Guard
	Drain     time.Duration // how long running answers may take when the application ends
	Demo      *web.Demo
	Log       *slog.Logger
}

// storePath is the database in a data directory.
func storePath(data string) string { return filepath.Join(data, "tegata.db") }

func (s *session) openApplication(ctx context.Context, o applicationOptions) (*application, error) {
	host, err := s.host(ctx, o.Model)
	if err != nil {
		return nil, err
	}
	db, err := store.Open(ctx, storePath(o.Data))
	if err != nil {
		return nil, err
	}
	a := &application{db: db, recorder: startRecorder(db, o.Log), guard: &o.Guard, log: o.Log, drainFor: o.Drain}
	a.guard.DB, a.guard.Log = db, o.Log
	up := newUpstream(s)
	source, catalogue := up.Client, bedrock.NewCatalogue(up.Client)
	a.learn = func(ctx context.Context) {
		a.gateway.Report(ctx)
		catalogue.Offers(ctx) // what is wrong, whoever asks first will be told
	}
	a.forget = func() { up.Forget(); catalogue.Forget(); a.gateway.Forget() }
	a.gateway = &gateway.Server{
		Source:    source,
		Catalogue: catalogue,
		Ready:     examine(host, freeChecks()),
		Record:    a.recorder.Record,
		Model:     o.Model,
		MaxTokens: o.MaxTokens,
		Version:   version,
		Logger:    o.Log,
	}
	a.chat = &chat.Engine{
		DB:        db,
		Source:    source,
		Catalogue: catalogue,
		Explain:   a.gateway.Explain,
		Record:    a.recorder.Record,
		MaxTokens: o.MaxTokens,
		Logger:    o.Log,
	}
	a.site = &web.Site{
		Chat:      a.chat,
		DB:        db,
		Login:     a.guard,
		Catalogue: catalogue,
		Report:    a.gateway.Report,
		Examine:   examine(host, doctor.Checks()),
		Model:     o.Model,
		Prefix:    o.Guard.Prefix,
		Proxied:   o.Guard.Proxied,
		Demo:      a.demo(o.Demo),
		Lang:      s.lang,
		Logger:    o.Log,
	}
	a.handler = a.guard.Mux(append(a.gateway.Routes(), a.site.Routes()...)...)
	if err := a.chat.Start(ctx); err != nil {
		return nil, errors.Join(err, a.close())
	}
	return a, nil
}

// demo has a switched fault felt at once, and not when what is known of the
// chain has grown old.
func (a *application) demo(d *web.Demo) *web.Demo {
	if d == nil {
		return nil
	}
	return &web.Demo{Faults: d.Faults, Switch: func(names ...string) error {
		defer a.forget()
		return d.Switch(names...)
	}}
}

// close ends what open has started. The chat must have ended.
func (a *application) close() error {
	a.recorder.Close()
	return a.db.Close()
}

// freeChecks are the checks of doctor that a service may repeat all day: no
// model is asked, which costs money, and no other program is looked at.
func freeChecks() (free []doctor.Check) {
	for _, c := range doctor.Checks() {
		switch c.Name {
		case "model-answer", "model-stream", "containers":
		default:
			free = append(free, c)
		}
	}
	return free
}

// examine returns a function that has doctor look at the chain.
func examine(host doctor.Host, checks []doctor.Check) func(context.Context) report.Report {
	return func(ctx context.Context) report.Report { return asService(doctor.Run(ctx, host, checks)) }
}

// asService judges a report as one who serves does: where AWS knows who we
// are, whatever is wrong with the metadata stands in nobody's way. A pod with a
// role of its own has no metadata, and is ready all the same.
func asService(r report.Report) report.Report {
	if r.Step("identity").Status != report.Passed {
		return r
	}
	for i, step := range r.Steps {
		if step.Name == "identity" {
			break
		}
		if step.Status == report.Failed {
			r.Steps[i].Status = report.Warned
		}
	}
	return r
}

const (
	// closeWithin is how long connections may take to close once no answer
	// runs, or none may any more.
	closeWithin = 2 * time.Second
	// cutAfter is when those that still wait for an answer then are told that
	// there will be none.
	cutAfter = closeWithin / 2
)

// serve answers on l until ctx ends, then lets running answers end. One more
// signal cuts that short.
func (a *application) serve(ctx context.Context, server *http.Server, l net.Listener, signals <-chan os.Signal) error {
	requests, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	server.BaseContext = func(net.Listener) context.Context { return requests }
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	var learning sync.WaitGroup
	learning.Go(func() { a.learn(ctx) }) // so that the first who asks need not wait
	defer learning.Wait()
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
		err = fmt.Errorf("serve on %s: %w", l.Addr(), err)
	}
	a.drain(ctx, signals)
	a.site.Close()
	defer time.AfterFunc(cutAfter, cut).Stop()
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeWithin)
	defer cancel()
	if server.Shutdown(closing) != nil {
		server.Close() // what is still open now has had its time
	}
	return err
}

// drain waits for running answers. Those that outlast it are kept as far as
// they have come.
func (a *application) drain(ctx context.Context, signals <-chan os.Signal) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.drainFor)
	defer cancel()
	ctx, stop := cancelOn(ctx, signals)
	defer stop()
	var both sync.WaitGroup
	both.Go(func() { a.tellUndrained(a.gateway.Drain(ctx)) })
	both.Go(func() { a.tellUndrained(a.chat.Close(ctx)) })
	both.Wait()
}

func (a *application) tellUndrained(err error) {
	if err != nil {
		a.log.Warn("ended before every answer did", "error", err)
	}
}

// newServer returns a server whose connections outlive those that a load
// balancer keeps: an ALB closes idle ones after 60 s, and whoever closes first
// causes no 502.
func newServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       75 * time.Second,
		MaxHeaderBytes:    64 << 10,
	}
}
