package login

import (
	"context"
	"errors"
	"net/http"
	"time"

	"tegata/store"
)

const (
	sessionCookie = "tegata_session"
	sessionFor    = 30 * 24 * time.Hour // since the last day of use
	renewAfter    = 24 * time.Hour      // of a session's time, so that few requests write
	linkFor       = time.Hour
)

// A session is the cookie of a person with what the store knows of it. The
// zero value is none.
type session struct {
	secret  string
	expires time.Time
}

func (s session) is() bool { return s.secret != "" }

// hash is the zero value for no session.
func (s session) hash() store.Hash {
	if !s.is() {
		return store.Hash{}
	}
	return hashOf(s.secret)
}

// sessionOf returns the session that a request belongs to. Browsers send
// several cookies of one name when several paths have one.
func (g *Guard) sessionOf(r *http.Request) (session, error) {
	const most = 4
	cookies := r.CookiesNamed(sessionCookie)
	for _, c := range cookies[:min(len(cookies), most)] {
		s, err := g.DB.Session(r.Context(), hashOf(c.Value))
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		return session{c.Value, s.Expires}, err
	}
	return session{}, nil
}

// begin makes a session for a person who has shown to be one, in the place of
// the one that the browser had.
func (g *Guard) begin(ctx context.Context, w http.ResponseWriter, r *http.Request) error {
	if old := visitorOf(ctx).session; old.is() {
		if err := g.DB.EndSession(ctx, old.hash()); err != nil {
			return err
		}
	}
	s := session{newSecret(), time.Now().Add(sessionFor)}
	if err := g.DB.AddSession(ctx, s.hash(), s.expires); err != nil {
		return err
	}
	g.setCookie(w, r, s.secret, sessionFor)
	return nil
}

// renew moves the end of a session that is in use.
func (g *Guard) renew(w http.ResponseWriter, r *http.Request, v visitor) {
	if !v.session.is() || time.Until(v.session.expires) > sessionFor-renewAfter {
		return
	}
	if err := g.DB.ExtendSession(r.Context(), v.session.hash(), time.Now().Add(sessionFor)); err != nil {
		g.log().Warn("a session could not be extended", "error", err)
		return
	}
	g.setCookie(w, r, v.session.secret, sessionFor)
}

// SignOut ends the session of a person and takes the cookie away.
func (g *Guard) SignOut(ctx context.Context, w http.ResponseWriter, r *http.Request) error {
	g.setCookie(w, r, "", -time.Second)
	if s := visitorOf(ctx).session; s.is() {
		return g.DB.EndSession(ctx, s.hash())
	}
	return nil
}

// setCookie gives the browser the secret of a session; a negative time takes
// it away. Lax, and not Strict: a link in a mail should find the person signed
// in, and what changes something is protected by the check of the origin.
func (g *Guard) setCookie(w http.ResponseWriter, r *http.Request, secret string, lasts time.Duration) {
	http.SetCookie(w, &http.Cookie{
		Name:     sessionCookie,
		Value:    secret,
		Path:     g.Prefix + "/",
		MaxAge:   int(lasts / time.Second),
		Secure:   Secure(r, g.Proxied),
		HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
	})
}

// NewLink returns the secret of a link that lets one person in, once, within
// an hour. It belongs in PREFIX/sign-in?link=SECRET.
func (g *Guard) NewLink(ctx context.Context) (secret string, err error) {
	secret = newSecret()
	if err := g.DB.AddLink(ctx, hashOf(secret), time.Now().Add(linkFor)); err != nil {
		return "", err
	}
	return secret, nil
}
