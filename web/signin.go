package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"tegata/login"
)

// signInForm asks for the password, or for a press of the button when the
// visitor came by a link: what only looks at links must not use them up.
func (s *Site) signInForm(v *visit) error {
	query := v.r.URL.Query()
	next := v.local(query.Get("next"))
	if v.person() && query.Get("link") == "" {
		http.Redirect(v.w, v.r, next, http.StatusSeeOther)
		return nil
	}
	return v.wayIn(http.StatusOK, SignIn{Link: query.Get("link"), Next: next})
}

// wayIn shows the form.
func (v *visit) wayIn(status int, form SignIn) error {
	has, err := v.site.Login.HasPassword(v.r.Context())
	if err != nil {
		return fmt.Errorf("look for the password: %w", err)
	}
	form.Password = has
	p := v.page(pageSignIn, v.lang.T("Sign in"))
	p.SignIn = &form
	return v.show(status, p)
}

// signIn lets a person in by password or link. Who came by a link is asked to
// set a password if there is none.
func (s *Site) signIn(v *visit) error {
	link, next := v.field("link"), v.local(v.field("next"))
	err := v.enter(link)
	if err != nil {
		return v.turnedAway(err, next)
	}
	has, err := s.Login.HasPassword(v.r.Context())
	if err != nil {
		return fmt.Errorf("look for the password: %w", err)
	}
	if link != "" && !has && s.Demo == nil {
		next = v.path("/password?next=", url.QueryEscape(next))
	}
	return v.move(next)
}

func (v *visit) enter(link string) error {
	if link != "" {
		return v.site.Login.SignInByLink(v.r.Context(), v.w, v.r, link)
	}
	return v.site.Login.SignIn(v.r.Context(), v.w, v.r, v.field("password"))
}

// turnedAway says why somebody may not come in. A link that is used up doesn't
// stand in the form again.
func (v *visit) turnedAway(err error, next string) error {
	form, status := SignIn{Next: next}, http.StatusUnauthorized
	var tooMany *login.TooManyError
	switch {
	case errors.As(err, &tooMany):
		status = http.StatusTooManyRequests
		seconds := int(tooMany.Wait.Seconds()) + 1
		v.w.Header().Set("Retry-After", fmt.Sprint(seconds))
		form.Problem = v.lang.T("Too many tries. Wait %d seconds.", seconds)
	case !errors.Is(err, login.ErrWrong):
		return fmt.Errorf("sign in: %w", err)
	case v.field("link") != "":
		form.Problem = v.lang.T("This link has been used, or is older than an hour. tegata serve makes a new one.")
	default:
		form.Problem = v.lang.T("That is not the password.")
	}
	if v.wantsJSON() {
		return v.problem(status, Problem{Title: form.Problem})
	}
	return v.wayIn(status, form)
}

// signOut ends the session.
func (s *Site) signOut(v *visit) error {
	if err := s.Login.SignOut(v.r.Context(), v.w, v.r); err != nil {
		return fmt.Errorf("sign out: %w", err)
	}
	return v.move(v.path("/sign-in"))
}

// passwordForm asks for a new password.
func (s *Site) passwordForm(v *visit) error {
	return v.passwordPage(http.StatusOK, Password{})
}

func (v *visit) passwordPage(status int, form Password) error {
	has, err := v.site.Login.HasPassword(v.r.Context())
	if err != nil {
		return fmt.Errorf("look for the password: %w", err)
	}
	form.Exists, form.Minimum, form.Fixed = has, login.ShortestPassword, v.site.Login.PasswordFile != ""
	p, err := v.framed(pagePassword, v.lang.T("Password"), "")
	if err != nil {
		return err
	}
	p.Password = &form
	return v.show(status, p)
}

// setPassword sets the password of everybody who signs in here.
func (s *Site) setPassword(v *visit) error {
	if problem := v.unfit(); problem != "" {
		if v.wantsJSON() {
			return v.problem(http.StatusUnprocessableEntity, Problem{Title: problem})
		}
		return v.passwordPage(http.StatusUnprocessableEntity, Password{Problem: problem})
	}
	if err := s.Login.SetPassword(v.r.Context(), v.field("password")); err != nil {
		return fmt.Errorf("set the password: %w", err)
	}
	if v.wantsJSON() {
		return v.move(v.path("/"))
	}
	return v.passwordPage(http.StatusOK, Password{Saved: true})
}

// unfit says what is wrong with a new password; "" for nothing.
func (v *visit) unfit() string {
	password := v.field("password")
	switch {
	case v.site.Login.PasswordFile != "":
		return v.lang.T("The password comes from a file and is changed there.")
	case len([]rune(password)) < login.ShortestPassword:
		return v.lang.T("A password has at least %d characters.", login.ShortestPassword)
	case password != v.field("again"):
		return v.lang.T("The two are not the same.")
	}
	return ""
}
