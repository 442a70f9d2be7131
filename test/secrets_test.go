//go:build unix

package test

import (
	"bytes"
	"context"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tegata/imds"
)

// Whatever people and programs send, right or wrong, no log tells what only
// they may know. The store holds what they wrote, and of what lets them in no
// more than a hash.
func TestNothingSecretIsWritten(t *testing.T) {
	if !inBox(t, "") {
		return
	}
	const password, wrong, prompt = "the-password-that-is-set", "the-password-that-is-wrong", "what-was-asked"
	data := t.TempDir()
	s := serve(t, data)
	s.signIn()
	falseKey := "tgk_" + strings.Repeat("f", 43)
	first := s.person.Value

	s.converse(prompt)
	s.misuse(prompt, falseKey)
	for range 3 {
		s.post("/sign-in", url.Values{"password": {wrong}})
	}
	s.post("/sign-in", url.Values{"link": {s.link}})
	if r := s.post("/password", url.Values{"password": {password}, "again": {password}}); r.StatusCode >= 400 {
		t.Fatalf("set the password: %s %s", r.Status, text(r))
	}
	r := s.post("/sign-in", url.Values{"password": {password}})
	for _, c := range r.Cookies() {
		if c.Name == s.person.Name && c.Value != "" {
			s.person = c
		}
	}
	if s.person.Value == first {
		t.Fatalf("signing in with the password: %s, no new cookie", r.Status)
	}
	metrics := text(s.answered(s.send(t.Context(), "GET", "/metrics", "", s.asProgram())))
	run(t, "client", "remove", "tester", "--data", data).wants(t, 0)
	s.answered(s.send(t.Context(), "GET", "/v1/models", "", s.asProgram()))
	s.post("/sign-out", nil)
	s.stop()

	secrets := map[string]string{"a key": s.key, "a key that is none": falseKey, "a cookie": first, "a later cookie": s.person.Value,
		"a password": password, "a wrong password": wrong, "keys of the role": roleSecret(t), "a scheme": "Bearer"}
	told := s.stdout.String() + s.stderr.String()
	for what, secret := range secrets {
		if strings.Contains(told+metrics, secret) {
			t.Errorf("a log or a metric tells %s", what)
		}
		if what != "a scheme" && s.keeps(secret) {
			t.Errorf("the store holds %s", what)
		}
	}
	for what, text := range map[string]string{"a prompt": prompt, "an answer": "stand-in"} {
		if strings.Contains(told+metrics, text) {
			t.Errorf("a log or a metric tells %s", what)
		}
	}
	if n := strings.Count(told, s.link); n != 1 || s.keeps(s.link) {
		t.Errorf("the link was printed %d times, and is kept: %t", n, s.keeps(s.link))
	}
	if !s.keeps(prompt) {
		t.Error("looked in the wrong place for what the store holds")
	}
	if !strings.Contains(told, "status=200") || !strings.Contains(told, "status=404") {
		t.Errorf("nothing was logged:\n%s", told)
	}
}

// converse has a person and a program ask, search and rename.
func (s *server) converse(prompt string) {
	s.t.Helper()
	conversation := s.post("/c", url.Values{"text": {prompt}, "system": {prompt}}).Header.Get("Location")
	s.soon("an answer", func() bool {
		page := text(s.answered(s.send(s.t.Context(), "GET", conversation, "", s.asPerson())))
		return strings.Contains(page, `data-state="done"`) && strings.Contains(page, "stand-in")
	})
	s.post(conversation+"/again", url.Values{"model": {"no.such-model-v1:0"}})
	s.post(conversation+"/rename", url.Values{"title": {prompt}})
	s.post(conversation+"/delete/"+prompt, nil)
	for _, path := range []string{"/search?q=" + prompt, "/c/" + prompt, "/m/" + prompt + "/text", "/v1/models/" + prompt, "/v1/" + prompt} {
		s.answered(s.send(s.t.Context(), "GET", path, "", s.asPerson()))
	}
	for _, body := range []string{
		completion(prompt, ""),
		`{"messages":[{"role":"user","content":"` + prompt + `"}]}`,
		`{"messages":[{"role":"user","content":"` + prompt + `"}],"model":"no.such-model-v1:0"}`,
		`{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"` + prompt + `"}}]}]}`,
		`{"messages":[{"role":"` + prompt + `","content":"` + prompt + `"}]}`,
		`{"messages":"` + prompt,
	} {
		s.answered(s.send(s.t.Context(), "POST", "/v1/chat/completions", body, s.asProgram()))
	}
	ctx, cancel := context.WithCancel(s.t.Context())
	r, err := s.send(ctx, "POST", "/v1/chat/completions", completion(prompt+" at length", ""), s.asProgram())
	cancel()
	if err == nil {
		r.Body.Close()
	}
}

// misuse tries doors with what does not open them.
func (s *server) misuse(prompt, falseKey string) {
	s.t.Helper()
	for _, header := range []http.Header{
		{"Authorization": {"Bearer " + falseKey}},
		{"Authorization": {s.key}},
		{"Authorization": {"Basic " + s.key}},
		{"Cookie": {s.person.Name + "=" + falseKey}},
		{"Cookie": {s.person.Name + "=" + s.person.Value}, "Origin": {"http://" + prompt}},
		{"Cookie": {s.person.Name + "=" + s.person.Value}, "Host": {prompt}},
		{"Authorization": {"Bearer " + s.key}, "User-Agent": {prompt}, "Referer": {prompt}, "X-Forwarded-For": {prompt}},
	} {
		s.raw("POST", "/v1/chat/completions?key="+s.key+"&q="+prompt, header)
		s.raw("POST", "/c?text="+prompt, header)
		s.raw("GET", "/sign-in?link="+falseKey+"&next=/"+prompt, header)
	}
}

// keeps reports whether a text stands in a file of the server's data.
func (s *server) keeps(what string) (kept bool) {
	s.t.Helper()
	err := filepath.WalkDir(s.data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		kept = kept || bytes.Contains(b, []byte(what))
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return kept
}

// roleSecret is the secret key that the server signs with.
func roleSecret(t *testing.T) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	c := &imds.Client{Endpoint: os.Getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT")}
	defer c.Close()
	credentials, err := c.Credentials(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return credentials.SecretAccessKey.Reveal()
}
