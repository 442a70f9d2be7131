// Package web is the pages: conversations with a model, the doctor's report,
// and the way in. They are rendered on the server and work without scripts;
// with them, answers grow as they are written.
//
// Start with [Site] and its [Site.Routes].
package web

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"log/slog"
	"strings"
	"sync"
	"time"

	"tegata/bedrock"
	"tegata/chat"
	"tegata/internal/message"
	"tegata/internal/report"
	"tegata/login"
	"tegata/store"
)

// A Site is all pages under one prefix. Its fields are set before [Site.Routes]
// is called, and not changed after.
type Site struct {
	Chat      *chat.Engine
	DB        *store.DB
	Login     *login.Guard
	Catalogue *bedrock.Catalogue

	// Report returns how the way to the model is, at no cost. Pages ask it
	// often and wait little: when ctx ends, it returns what it knows.
	Report func(ctx context.Context) report.Report

	// Examine looks at the way to the model in full, as somebody asked for.
	Examine func(ctx context.Context) report.Report

	// Explain says what an error means; nil means [bedrock.Catalogue.Problem].
	Explain func(ctx context.Context, err error) bedrock.Problem

	Model   string       // for new conversations; "" means the first that can be called
	Prefix  string       // of all paths: "/chat", or ""
	Proxied bool         // behind a proxy that tells by X-Forwarded-Proto whether TLS was used
	Demo    *Demo        // the stand-in that the pages then say they stand on; nil when real
	Lang    message.Lang // when a browser names none of ours; "" means English
	Logger  *slog.Logger // nil means none; it gets no words of conversations

	parsed   sync.Map // message.Lang → func() *template.Template
	growing  growing
	examined examined
	names    sync.Map // id of a model → its name
	ending   ending
}

// An ending tells streams that the site closes.
type ending struct {
	make, close sync.Once
	channel     chan struct{}
}

// Close ends all streams of events, which a server that shuts down would wait
// for: hand it to net/http's Server.RegisterOnShutdown. It may be called twice.
func (s *Site) Close() { s.ending.close.Do(func() { close(s.closing()) }) }

// closing returns the channel that Close closes.
func (s *Site) closing() chan struct{} {
	s.ending.make.Do(func() { s.ending.channel = make(chan struct{}) })
	return s.ending.channel
}

// A Demo is a stand-in for AWS that breaks on purpose, so that one can see
// what comes of it.
type Demo struct {
	Faults func() []DemoFault          // all that can be switched on
	Switch func(names ...string) error // these are on from now, all others off
}

// A DemoFault is a fault of a stand-in.
type DemoFault struct {
	Name  string // as tegata sandbox --fault takes it
	Title message.Text
	On    bool
}

//go:embed templates/*.html dist
var files embed.FS

// template returns the templates in a language.
func (s *Site) template(l message.Lang) *template.Template {
	parse, _ := s.parsed.LoadOrStore(l, sync.OnceValue(func() *template.Template {
		return template.Must(template.New("").Funcs(s.functions(l)).ParseFS(files, "templates/*.html"))
	}))
	return parse.(func() *template.Template)()
}

// functions are what templates may call; view.go tells them.
func (s *Site) functions(l message.Lang) template.FuncMap {
	return template.FuncMap{
		"T":      l.T,
		"lang":   func() string { return string(l) },
		"path":   func(parts ...string) string { return s.Prefix + strings.Join(parts, "") },
		"static": func(name string) (string, error) { return s.static(name) },
	}
}

// render executes a template.
func (s *Site) render(l message.Lang, name string, data any) ([]byte, error) {
	var b bytes.Buffer
	if err := s.template(l).ExecuteTemplate(&b, name, data); err != nil {
		return nil, fmt.Errorf("render %s: %w", name, err)
	}
	return b.Bytes(), nil
}

// static returns the path of a built file by its name before hashing.
func (s *Site) static(name string) (string, error) {
	built, ok := manifest()[name]
	if !ok {
		return "", fmt.Errorf("%s is not in dist/manifest.json", name)
	}
	return s.Prefix + "/static/" + built, nil
}

// manifest tells under which name each file was built.
var manifest = sync.OnceValue(func() map[string]string {
	var built map[string]string
	content, err := files.ReadFile("dist/manifest.json")
	if err == nil {
		err = json.Unmarshal(content, &built)
	}
	if err != nil {
		panic(fmt.Sprintf("embedded manifest: %v", err))
	}
	return built
})

// explain says what an error means.
func (s *Site) explain(ctx context.Context, err error) bedrock.Problem {
	if s.Explain == nil {
		return s.Catalogue.Problem(err)
	}
	return s.Explain(ctx, err)
}

func (s *Site) log() *slog.Logger {
	if s.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.Logger
}

// patience is how long a page waits for what may come later by itself.
const patience = 150 * time.Millisecond
