package web

import (
	"encoding/json"
	"errors"
	"net/http"

	"tegata/chat"
	"tegata/store"
)

// errForm is a post that isn't a form.
var errForm = errors.New("the request is no form")

// A refusal is an error in the words of a page.
type refusal struct {
	status      int
	title, text string
}

// refusalOf returns what a page says to an error. What the visitor can't
// change is not told further; it is in the log.
func (v *visit) refusalOf(err error) refusal {
	for _, r := range []struct {
		err         error
		status      int
		title, text string
	}{
		{store.ErrNotFound, http.StatusNotFound, v.lang.T("Nothing is here"), v.lang.T("The conversation may have been deleted, or the address has a mistake in it.")},
		{chat.ErrBusy, http.StatusConflict, v.lang.T("An answer is still being written"), v.lang.T("Stop it, or wait until it ends.")},
		{chat.ErrEmpty, http.StatusUnprocessableEntity, v.lang.T("The question is empty"), v.lang.T("Write something first.")},
		{chat.ErrTooLong, http.StatusRequestEntityTooLarge, v.lang.T("The question is too long"), v.lang.T("A question may have 200 KB. Shorten it, or ask in parts.")},
		{chat.ErrTooMany, http.StatusServiceUnavailable, v.lang.T("Too many answers are being written"), v.lang.T("Try again in a minute.")},
		{chat.ErrClosed, http.StatusServiceUnavailable, v.lang.T("The server is about to end"), v.lang.T("Try again in a minute.")},
		{errForm, http.StatusBadRequest, v.lang.T("This was no form of ours"), v.lang.T("Go back, reload the page and try again.")},
	} {
		if errors.Is(err, r.err) {
			return refusal{r.status, r.title, r.text}
		}
	}
	return refusal{http.StatusInternalServerError, v.lang.T("The server has a problem of its own"), v.lang.T("Its log says more. Try again in a moment.")}
}

// refuse answers with an error: a page, or a card for a script.
func (v *visit) refuse(err error) {
	r := v.refusalOf(err)
	if r.status == http.StatusInternalServerError {
		v.site.log().Error("a page failed", "method", v.r.Method, "pattern", v.r.Pattern, "error", err)
	}
	if v.wantsJSON() {
		err = v.problem(r.status, Problem{Title: r.title, Remedy: r.text})
	} else {
		p := v.page(pageMissing, r.title)
		p.Missing = &Missing{Status: r.status, Title: r.title, Text: r.text}
		err = v.show(r.status, p)
	}
	if err != nil {
		v.site.log().Error("an error page failed", "error", err)
		http.Error(v.w, r.title, r.status)
	}
}

// problem answers a script with an error card.
func (v *visit) problem(status int, p Problem) error {
	html, err := v.fragment(fragmentProblem, p)
	if err != nil {
		return err
	}
	return v.json(status, map[string]any{"problem": html})
}

func (v *visit) json(status int, content any) error {
	v.w.Header().Set("Content-Type", "application/json")
	v.w.WriteHeader(status)
	v.gone(json.NewEncoder(v.w).Encode(content))
	return nil
}
