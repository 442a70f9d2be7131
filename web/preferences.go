package web

import (
	"cmp"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
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
	if l, ok := accepted(r.Header.Get("Accept-Language")); ok {
		return l
	}
	return cmp.Or(s.Lang, message.English)
}

// accepted returns the language of ours that an Accept-Language header wants
// most.
//
// Source: https://www.rfc-editor.org/rfc/rfc9110#name-accept-language
func accepted(header string) (message.Lang, bool) {
	type choice struct {
		lang    message.Lang
		quality float64
	}
	var choices []choice
	for part := range strings.SplitSeq(header, ",") {
		tag, parameter, _ := strings.Cut(strings.TrimSpace(part), ";")
		if l, ok := message.ParseLang(tag); ok && quality(parameter) > 0 {
			choices = append(choices, choice{l, quality(parameter)})
		}
	}
	if len(choices) == 0 {
		return "", false
	}
	slices.SortStableFunc(choices, func(a, b choice) int { return cmp.Compare(b.quality, a.quality) })
	return choices[0].lang, true
}

// quality reads "q=0.8"; 1 when nothing is said, 0 when it can't be read.
func quality(parameter string) float64 {
	parameter = strings.TrimSpace(parameter)
	if parameter == "" {
		return 1
	}
	q, err := strconv.ParseFloat(strings.TrimPrefix(parameter, "q="), 64)
	if err != nil || q > 1 {
		return 0
	}
	return q
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
