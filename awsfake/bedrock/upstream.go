package bedrock

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"tegata/awsfake/wire"
)

// A model behind an OpenAI-compatible server, such as Ollama's, llama.cpp's or
// vLLM's, that answers instead of the stand-in
// (https://platform.openai.com/docs/api-reference/chat).

// An upstream is such a server.
type upstream struct {
	base   *url.URL // without credentials in what is told of it
	client *http.Client
	mu     sync.Mutex
	model  string // that is asked; "" until it is known
}

// newUpstream returns the server below a URL, whose path is /v1 if it has none.
func newUpstream(o Options) *upstream {
	if o.Upstream == nil {
		return nil
	}
	base := *o.Upstream
	if strings.Trim(base.Path, "/") == "" {
		base.Path = "/v1"
	}
	client := o.HTTPClient
	if client == nil {
		client = upstreamClient()
	}
	return &upstream{base: &base, client: client, model: o.UpstreamModel}
}

// upstreamClient asks no proxy of the environment and follows nobody else.
// Servers load a model before they send a header, which takes minutes.
func upstreamClient() *http.Client {
	const dial, load, idle = 5 * time.Second, 10 * time.Minute, 64
	return &http.Client{
		Transport: &http.Transport{
			DialContext:           (&net.Dialer{Timeout: dial}).DialContext,
			ResponseHeaderTimeout: load, MaxIdleConnsPerHost: idle,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// name is how errors call the server: no credentials, no query.
func (u *upstream) name() string { return u.base.Scheme + "://" + u.base.Host + u.base.Path }

// speak asks the server, always for a stream.
func (u *upstream) speak(ctx context.Context, q question, say func(piece) error) (ending, error) {
	model, err := u.choose(ctx)
	if err != nil {
		return ending{}, err
	}
	request, err := q.completion(model)
	if err != nil {
		return ending{}, err
	}
	answer, err := u.call(ctx, http.MethodPost, "chat/completions", wire.Marshal(request))
	if err != nil {
		return ending{}, err
	}
	defer answer.Body.Close()
	l := &listener{say: say, stops: len(q.InferenceConfig.StopSequences) > 0}
	err = l.hear(answer.Body)
	if err != nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	if broken, ok := errors.AsType[*brokenStream](err); ok {
		err = modelError(u.name() + " " + broken.why)
	}
	return l.ending(q), err
}

// choose returns the model to ask: the one that was set, or the first that the
// server has.
func (u *upstream) choose(ctx context.Context) (string, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.model != "" {
		return u.model, nil
	}
	answer, err := u.call(ctx, http.MethodGet, "models", nil)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	var list struct {
		Data []struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	if err := json.NewDecoder(io.LimitReader(answer.Body, maxTold)).Decode(&list); err != nil || len(list.Data) == 0 || list.Data[0].ID == "" {
		return "", modelError(u.name() + "/models lists no model. Load one there, or name it with --upstream-model.")
	}
	u.model = list.Data[0].ID
	return u.model, nil
}

// maxTold bounds what is read of an answer that is not a stream.
const maxTold = 1 << 20

// call sends a request and returns its answer, if it is a good one.
func (u *upstream) call(ctx context.Context, method, path string, body []byte) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, u.base.JoinPath(path).String(), bytes.NewReader(body))
	if err != nil {
		return nil, u.unreachable(err)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	answer, err := u.client.Do(r)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, u.unreachable(err)
	case answer.StatusCode == http.StatusOK:
		return answer, nil
	}
	defer answer.Body.Close()
	return nil, u.refused(answer)
}

// unreachable says where nobody answers. The URL that net/http puts before the
// reason may hold a password.
func (u *upstream) unreachable(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	return &wire.Error{
		Status: http.StatusServiceUnavailable, Code: "ServiceUnavailableException",
		Message: fmt.Sprintf("tegata asks the model server at %s instead of Bedrock, and gets no answer: %v. "+
			"Start that server, or run without --model-upstream.", u.name(), err),
	}
}

// refused words what the server itself says.
func (u *upstream) refused(answer *http.Response) error {
	text := toldError(answer.Body)
	said := fmt.Sprintf("%s answered %s", u.name(), answer.Status)
	if text != "" {
		said += ": " + text
	}
	switch answer.StatusCode {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return invalid("The model returned the following errors: " + cmp.Or(text, said))
	case http.StatusTooManyRequests:
		return throttled(tooManyRequests)
	case http.StatusNotFound:
		said += ". Load the model there, or name another with --upstream-model."
	}
	return modelError(said)
}

// toldError reads the text out of an error, in the forms that servers have.
func toldError(body io.Reader) string {
	const longest = 300
	data, _ := io.ReadAll(io.LimitReader(body, maxTold))
	var in struct {
		Error   json.RawMessage `json:"error"`
		Message string          `json:"message"`
	}
	var nested struct {
		Message string `json:"message"`
	}
	var text string
	if json.Unmarshal(data, &in) == nil {
		json.Unmarshal(in.Error, &nested)
		json.Unmarshal(in.Error, &text)
		text = cmp.Or(nested.Message, text, in.Message)
	}
	return shorten(strings.Join(strings.Fields(text), " "), longest)
}

// modelError is that of a model which was reached and failed.
func modelError(message string) error {
	return &wire.Error{Status: http.StatusFailedDependency, Code: "ModelErrorException", Message: message}
}
