package web

import (
	"cmp"
	"net/http"
	"net/url"
	"path"
	"strings"

	"tegata/internal/message"
	"tegata/login"
)

const (
	languageCookie = "tegata_lang"
	themeCookie    = "tegata_theme"
)

// language returns what a visitor reads: what was chosen before, or the first
// of the browser's languages that we speak.
func (s *Site) language(r *http.Request) message.Lang {
	if c, err := r.Cookie(languageCookie); err == nil {
		if l, ok := message.ParseLang(c.Value); ok {
			return l
		}
	}
	if l, ok := message.Accepted(r.Header.Get("Accept-Language")); ok {
		return l
	}
	return cmp.Or(s.Lang, message.English)
}

// theme returns auto, light or dark.
func theme(r *http.Request) string {
	if c, err := r.Cookie(themeCookie); err == nil && isTheme(c.Value) {
		return c.Value
	}
	return "auto"
}

func isTheme(s string) bool { return s == "auto" || s == "light" || s == "dark" }

// prefer keeps the language and the theme, whichever is given.
func (s *Site) prefer(v *visit) error {
	if l, ok := message.ParseLang(v.field("lang")); ok {
		v.keep(languageCookie, string(l))
	}
	if t := v.field("theme"); isTheme(t) {
		v.keep(themeCookie, t)
	}
	return v.move(v.local(v.field("next")))
}

// keep sets a cookie for a year.
func (v *visit) keep(name, value string) {
	http.SetCookie(v.w, &http.Cookie{
		Name: name, Value: value, Path: v.site.Prefix + "/", MaxAge: 365 * 24 * 60 * 60,
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: login.Secure(v.r, v.site.Proxied),
	})
}

// local returns a path that a form gave if it stays within the site, else the
// start page. Browsers read a backslash as a slash, and //host as a host.
func (v *visit) local(next string) string {
	home := v.site.Prefix + "/"
	u, err := url.Parse(next)
	if err != nil || u.IsAbs() || u.Host != "" || strings.Contains(next, `\`) {
		return home
	}
	if !strings.HasPrefix(next, home) || strings.HasPrefix(next, "//") || !strings.HasPrefix(path.Clean(u.Path)+"/", home) {
		return home
	}
	return next
}
