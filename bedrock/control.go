package bedrock

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go/encoding/httpbinding"
)

// The control plane is asked without the SDK's client for it: that client
// knows a hundred operations, we need four, and setting it up would cost
// every start of every command.

// emptyHash is the SHA-256 of the empty body that every GET has.
const emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// maxControlAnswer bounds an answer of the control plane. The list of all
// models is about 200 KiB.
const maxControlAnswer = 8 << 20

// controlTimeout bounds one attempt. A security group that drops packets
// shows as silence, and the control plane answers in well under a second.
const controlTimeout = 10 * time.Second

// get calls an operation of the control plane and decodes its answer into
// out. It tries again as the SDK would.
func (c *Client) get(ctx context.Context, operation, model, path string, out any) error {
	if c.config.Region == "" {
		return ErrNoRegion
	}
	began := time.Now()
	for attempt := 1; ; attempt++ {
		err := c.getOnce(ctx, operation, model, path, out)
		var e *Error
		if errors.As(err, &e) {
			e.Took = time.Since(began)
		}
		if err == nil || attempt == c.config.Attempts || ctx.Err() != nil || !c.retryer.IsErrorRetryable(err) {
			return err
		}
		delay, delayErr := c.retryer.RetryDelay(attempt, err)
		if delayErr != nil || sleep(ctx, delay) != nil {
			return err
		}
	}
}

func (c *Client) getOnce(ctx context.Context, operation, model, path string, out any) error {
	ctx, cancel := context.WithTimeout(ctx, controlTimeout)
	defer cancel()
	fail := func(err error) error {
		e := c.newError(operation, model)
		e.Err = err
		return e
	}
	req, err := c.signed(ctx, path)
	if err != nil {
		return fail(err)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return fail(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxControlAnswer))
	if err != nil {
		return fail(err)
	}
	if res.StatusCode != http.StatusOK {
		return c.controlError(operation, model, res, body)
	}
	if err := json.Unmarshal(body, out); err != nil {
		return fail(fmt.Errorf("read the answer of %s: %w", req.URL.Host, err))
	}
	return nil
}

// signed returns the request for a path, signed by Signature Version 4.
func (c *Client) signed(ctx context.Context, path string) (*http.Request, error) {
	base, err := c.controlBase(ctx)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+path, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "app/"+appID)
	keys, err := c.keys.Retrieve(ctx)
	if err != nil {
		return nil, err
	}
	return req, v4.NewSigner().SignHTTP(ctx, keys, req, emptyHash, "bedrock", c.config.Region, time.Now())
}

// controlError reads AWS's error as the restJson1 protocol writes it: the
// code stands in a header or in the body, sometimes with a namespace before
// it and a URL behind it.
//
// Source: https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html#operation-error-serialization
func (c *Client) controlError(operation, model string, res *http.Response, body []byte) *Error {
	var wire struct {
		Type    string `json:"__type"`
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	_ = json.Unmarshal(body, &wire) // a proxy's page has no code, and its status tells enough
	e := c.newError(operation, model)
	e.Status = res.StatusCode
	e.RequestID = res.Header.Get("X-Amzn-RequestId")
	e.Message = withoutSecrets(wire.Message)
	for _, code := range []string{res.Header.Get("X-Amzn-ErrorType"), wire.Type, wire.Code, http.StatusText(res.StatusCode)} {
		if e.Code == "" {
			e.Code = bareCode(code)
		}
	}
	return e
}

func bareCode(s string) string {
	s, _, _ = strings.Cut(s, ":")
	return s[strings.LastIndexByte(s, '#')+1:]
}

// segment writes an id or an ARN as one segment of a path.
func segment(id string) string { return httpbinding.EscapePath(id, true) }

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
