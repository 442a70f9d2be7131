package web

import (
	"compress/gzip"
	"errors"
	"html/template"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"tegata/chat"
	"tegata/internal/message"
	"tegata/login"
	"tegata/store"
)

// Routes returns every page and what its forms post to. All but the way in,
// the preferences and the built files want a person.
func (s *Site) Routes() []login.Route {
	return []login.Route{
		s.route("GET /{$}", login.Person, s.start),
		s.route("GET /c/{id}", login.Person, s.conversation),
		s.route("GET /c/{id}/events", login.Person, s.conversationEvents),
		s.route("POST /c", login.Person, s.ask),
		s.route("POST /c/{id}/messages", login.Person, s.ask),
		s.route("POST /c/{id}/again", login.Person, s.again),
		s.route("POST /c/{id}/rename", login.Person, s.rename),
		s.route("POST /c/{id}/settings", login.Person, s.settings),
		s.route("POST /c/{id}/delete", login.Person, s.remove),
		s.route("POST /m/{id}/stop", login.Person, s.stop),
		s.route("GET /m/{id}/text", login.Person, s.text),
		s.route("GET /search", login.Person, s.search),
		s.route("GET /events", login.Person, s.events),
		s.route("GET /doctor", login.Person, s.doctor),
		s.route("POST /doctor", login.Person, s.examine),
		s.route("POST /faults", login.Person, s.switchFaults),
		s.route("GET /password", login.Person, s.passwordForm),
		s.route("POST /password", login.Person, s.setPassword),
		s.route("POST /sign-out", login.Person, s.signOut),
		s.route("GET /sign-in", login.Public, s.signInForm),
		s.route("POST /sign-in", login.Public, s.signIn),
		s.route("POST /preferences", login.Public, s.prefer),
		{Pattern: "GET /static/{file}", Access: login.Public, Handler: http.HandlerFunc(serveBuilt)},
		s.route("/{path...}", login.Person, s.missing),
	}
}

// A visit is one request, with what its visitor prefers.
type visit struct {
	site  *Site
	w     http.ResponseWriter
	r     *http.Request
	lang  message.Lang
	theme string
}

// formLimit is how much a form may hold, in bytes: a question of the longest
// kind, in which form encoding makes three bytes of one.
const formLimit = 1 << 20

// route makes a handler of a method. Where it returns an error, nothing has
// been written yet.
func (s *Site) route(pattern string, access login.Access, answer func(*visit) error) login.Route {
	return login.Route{Pattern: pattern, Access: access, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := &visit{site: s, w: w, r: r, lang: s.language(r), theme: theme(r)}
		v.headers()
		err := v.read()
		if err == nil {
			err = answer(v)
		}
		if err != nil {
			v.refuse(err)
		}
	})}
}

// headers tells the browser to keep to itself: nothing but what this site
// built runs, nothing is fetched from or framed by others.
func (v *visit) headers() {
	h := v.w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "+
		"connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; manifest-src 'self'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	if !v.noTLS() { // over a network that can read along, browsers ignore it and complain
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
	}
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()")
	h.Set("Cache-Control", "no-store")
	h.Set("Vary", "Accept, Accept-Encoding, Accept-Language, Cookie")
}

// read takes in the form of a post.
func (v *visit) read() error {
	if v.r.Method != http.MethodPost {
		return nil
	}
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, formLimit)
	err := v.r.ParseForm()
	if err == nil {
		err = v.r.ParseMultipartForm(formLimit)
	}
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		return chat.ErrTooLong
	case err != nil && !errors.Is(err, http.ErrNotMultipart):
		return errForm
	}
	return nil
}

// field returns a value of the form that was posted.
func (v *visit) field(name string) string { return v.r.PostForm.Get(name) }

// move answers a post: a browser goes on to a path, a script is told of it.
func (v *visit) move(to string) error {
	if v.wantsJSON() {
		return v.json(http.StatusOK, map[string]string{"location": to})
	}
	http.Redirect(v.w, v.r, to, http.StatusSeeOther)
	return nil
}

// path returns where something is, with the prefix.
func (v *visit) path(parts ...string) string { return v.site.Prefix + strings.Join(parts, "") }

func (v *visit) wantsJSON() bool {
	return strings.Contains(v.r.Header.Get("Accept"), "application/json")
}

// page begins a page with what all of them have.
func (v *visit) page(name, title string) *Page {
	return &Page{
		Name: name, Title: title, Lang: v.lang, Theme: v.theme, Here: v.here(),
		Person: v.person() && !v.site.Login.Off, Unprotected: v.site.Login.Off, StandIn: v.site.Demo != nil, NoTLS: v.noTLS(),
	}
}

// here returns the address of the page, or of the start where it is none that
// one can come back to.
func (v *visit) here() string {
	if v.r.Method != http.MethodGet {
		return v.path("/")
	}
	return v.path(v.r.URL.RequestURI())
}

// framed begins a page with the list and the strip; it shows the current
// conversation, or none.
func (v *visit) framed(name, title, current string) (*Page, error) {
	p := v.page(name, title)
	var err error
	if p.Conversations, err = v.site.list(v.r.Context(), v.lang, current); err != nil {
		return nil, err
	}
	p.Chain = v.chain()
	p.Demo = v.faults()
	p.Events, err = v.eventsPath("/events", p.Conversations)
	return p, err
}

// eventsPath returns where a page hears what changes. It names the list that
// the page has, which then isn't sent again.
func (v *visit) eventsPath(path string, list []Conversation) (string, error) {
	html, err := v.fragment(fragmentConversations, list)
	return v.path(path, "?list=", tagOf(html)), err
}

func (v *visit) person() bool { return login.WhoIs(v.r.Context()).Person }

// noTLS reports whether the page came over a network that can read it.
func (v *visit) noTLS() bool {
	host := v.r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	loopback := err == nil && ip.IsLoopback() || host == "localhost" || strings.HasSuffix(host, ".localhost")
	return !loopback && !login.Secure(v.r, v.site.Proxied)
}

// show writes a page.
func (v *visit) show(status int, p *Page) error {
	html, err := v.site.render(v.lang, p.Name, p)
	if err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", string(v.lang))
	if takesGzip(v.r) { // cookies stay out of what other sites request, so nobody probes a page by its length
		h.Set("Content-Encoding", "gzip")
		html = pack(html, gzip.BestSpeed)
	}
	v.w.WriteHeader(status)
	_, err = v.w.Write(html)
	v.gone(err)
	return nil
}

// fragment renders a part of a page.
func (v *visit) fragment(name string, data any) (template.HTML, error) {
	html, err := v.site.render(v.lang, name, data)
	return template.HTML(html), err
}

// gone notes that a reader went away before the end.
func (v *visit) gone(err error) {
	if err != nil {
		v.site.log().Debug("the reader went away", "error", err)
	}
}

// missing answers for paths where nothing is.
func (s *Site) missing(*visit) error { return store.ErrNotFound }
