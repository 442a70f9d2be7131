package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// Ways to the stand-in for Bedrock, all within the sandbox. They are asked by
// the same plain client, so that what an SDK would add to two of them does not
// flatter the third.

// A way asks a question, as HTTP has it. The answer is read up to its first
// token, and then to its end.
type way struct {
	client  *http.Client
	process *os.Process // between the client and Bedrock; nil for none
	ask     func(ctx context.Context, text string, tokens int, stream bool) (*http.Request, error)
	token   func(piece []byte) bool // tells the first token in a streamed answer
}

// Close ends what stands on the way, if anything does.
func (w *way) Close() {
	w.client.CloseIdleConnections()
	if w.process != nil {
		_ = w.process.Kill()
		_, _ = w.process.Wait()
	}
}

// unhurried is a client that opens as many connections as it is asked to.
func unhurried() *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: streams}}
}

// direct asks Bedrock itself.
func direct(ctx context.Context, tegata string) (*way, error) {
	return signedTo(ctx, tegata, os.Getenv("AWS_ENDPOINT_URL"))
}

// throughProxy asks through net/http's own reverse proxy.
func throughProxy(ctx context.Context, tegata string) (*way, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, "proxy", os.Getenv("AWS_ENDPOINT_URL"))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("start the proxy: %w", err)
	}
	w, err := signedTo(ctx, tegata, "http://"+strings.TrimSpace(address))
	if err != nil {
		return nil, err
	}
	w.process = cmd.Process
	return w, nil
}

// serveProxy is the proxy's process. It tells its address.
func serveProxy(to string) error {
	target, err := url.Parse(to)
	if err != nil {
		return err
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host // it is signed
		},
		FlushInterval: -1,
		Transport:     unhurried().Transport,
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	return (&http.Server{Handler: proxy}).Serve(l)
}

// signedTo asks as AWS wants it, at an address that leads to Bedrock.
func signedTo(ctx context.Context, tegata, base string) (*way, error) {
	c, err := instanceKeys(ctx, tegata)
	if err != nil {
		return nil, err
	}
	signer := v4.NewSigner()
	ask := func(ctx context.Context, text string, tokens int, stream bool) (*http.Request, error) {
		operation := "/converse"
		if stream {
			operation = "/converse-stream"
		}
		body := fmt.Appendf(nil, `{"messages":[{"role":"user","content":[{"text":%q}]}],"inferenceConfig":{"maxTokens":%d}}`, text, tokens)
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/model/"+os.Getenv("BEDROCK_MODEL_ID")+operation, bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		req.Header.Set("Content-Type", "application/json")
		sum := sha256.Sum256(body)
		return req, signer.SignHTTP(ctx, c, req, hex.EncodeToString(sum[:]), "bedrock", os.Getenv("AWS_REGION"), time.Now())
	}
	token := func(piece []byte) bool { return bytes.Contains(piece, []byte("contentBlockDelta")) }
	return &way{client: unhurried(), ask: ask, token: token}, nil
}

// instanceKeys are the credentials of the instance that this process is on.
func instanceKeys(ctx context.Context, tegata string) (c aws.Credentials, err error) {
	out, err := exec.CommandContext(ctx, tegata, "credentials").Output()
	if err == nil {
		err = json.Unmarshal(out, &c)
	}
	if err != nil {
		return c, fmt.Errorf("read the credentials of the instance: %w", err)
	}
	return c, nil
}

// throughGateway asks `tegata serve` as OpenAI's clients do, with a key.
func throughGateway(ctx context.Context, tegata, data string) (*way, error) {
	key, err := exec.CommandContext(ctx, tegata, "client", "add", "bench", "--data", data).Output()
	if err != nil {
		return nil, fmt.Errorf("add a client: %w", err)
	}
	const address = "127.0.0.1:8338" // the box has nothing else there
	cmd := exec.CommandContext(ctx, tegata, "serve", "--addr", address, "--data", data)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ask := func(ctx context.Context, text string, tokens int, stream bool) (*http.Request, error) {
		body := fmt.Appendf(nil, `{"model":%q,"messages":[{"role":"user","content":%q}],"max_tokens":%d,"stream":%t}`,
			os.Getenv("BEDROCK_MODEL_ID"), text, tokens, stream)
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/v1/chat/completions", bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(key)))
		return req, nil
	}
	token := func(piece []byte) bool {
		return bytes.Contains(piece, []byte(`"delta":{"content":`))
	}
	w := &way{client: unhurried(), process: cmd.Process, ask: ask, token: token}
	if err := awaitServer(ctx, "http://"+address+"/health"); err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

// awaitServer asks until somebody answers.
func awaitServer(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return err
		}
		res, err := http.DefaultClient.Do(req)
		if err == nil {
			return res.Body.Close()
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w", address, err)
		}
	}
}

// whole returns how long the whole answer to a short question takes.
func (w *way) whole(ctx context.Context) (time.Duration, error) {
	req, err := w.ask(ctx, "hello", 16, false)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	res, err := w.send(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	return time.Since(began), err
}

// first returns how long the first token of a short answer takes. The rest is
// read too.
func (w *way) first(ctx context.Context) (time.Duration, error) {
	began := time.Now()
	body, err := w.open(ctx, "hello", 16, &began)
	if err != nil {
		return 0, err
	}
	took := time.Since(began)
	defer body.Close()
	_, err = io.Copy(io.Discard, body)
	return took, err
}

// open asks for a stream and returns it when its first token has come. The
// clock starts when the request is made.
func (w *way) open(ctx context.Context, text string, tokens int, clock *time.Time) (io.ReadCloser, error) {
	req, err := w.ask(ctx, text, tokens, true)
	if err != nil {
		return nil, err
	}
	*clock = time.Now()
	res, err := w.send(req)
	if err != nil {
		return nil, err
	}
	var seen []byte
	for piece := make([]byte, 4096); !w.token(seen); {
		n, err := res.Body.Read(piece)
		seen = append(seen, piece[:n]...)
		if err != nil && !w.token(seen) {
			res.Body.Close()
			return nil, fmt.Errorf("a stream ended before its first token: %w\n%s", err, seen)
		}
	}
	return res.Body, nil
}

func (w *way) send(req *http.Request) (*http.Response, error) {
	res, err := w.client.Do(req)
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		text, err := io.ReadAll(res.Body)
		return nil, errors.Join(fmt.Errorf("%s: %s\n%s", req.URL, res.Status, text), err, res.Body.Close())
	}
	return res, nil
}
