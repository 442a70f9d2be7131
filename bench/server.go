package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	"tegata/emulator"
)

const (
	requests = 4000 // to each server in each of its rounds; its start is then under a twentieth
	rounds   = 9
)

// The requests that the emulator is measured with.
const (
	readV1   = "a value by IMDSv1"
	readV2   = "a value by IMDSv2"
	putToken = "a token"
)

// emulatorRequests compares the processor time of the emulator for a request
// with that of a handler that always says the same. Each server is a process
// of its own; the client is not counted.
func emulatorRequests(ctx context.Context) (rows []row, err error) {
	for _, request := range []string{readV1, readV2, putToken} {
		for _, connections := range []string{"keep-alive", "close"} {
			sampleOf := func(kind string) func() (sample, error) {
				return func() (sample, error) { return load(ctx, kind, connections, request) }
			}
			pairs, err := alternately(rounds, sampleOf("emulator"), sampleOf("constant"))
			if err != nil {
				return rows, err
			}
			what := fmt.Sprintf("emulator, %s, connections: %s, processor for a request", request, connections)
			rows = append(rows, compare(what, "a constant net/http handler", 1.3, pairs, ofProcessor))
		}
	}
	return rows, nil
}

// load starts a server, sends it its requests one after the other, stops it,
// and returns what one request took.
func load(ctx context.Context, kind, connections, request string) (sample, error) {
	self, err := os.Executable()
	if err != nil {
		return sample{}, err
	}
	server := exec.CommandContext(ctx, self, "serve", kind, connections)
	server.Stderr = os.Stderr
	stop, err := server.StdinPipe()
	if err != nil {
		return sample{}, err
	}
	out, err := server.StdoutPipe()
	if err != nil {
		return sample{}, err
	}
	if err := server.Start(); err != nil {
		return sample{}, err
	}
	address, err := bufio.NewReader(out).ReadString('\n')
	began := time.Now()
	if err == nil {
		err = send(ctx, "http://"+strings.TrimSpace(address), request, connections == "keep-alive")
	}
	wall := time.Since(began)
	stop.Close()
	if waitErr := server.Wait(); err == nil {
		err = waitErr
	}
	if err != nil {
		return sample{}, fmt.Errorf("load the %s server: %w", kind, err)
	}
	return sample{wall / requests, processorTime(server.ProcessState) / requests}, nil
}

func send(ctx context.Context, base, request string, keepAlive bool) error {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: !keepAlive}}
	defer client.CloseIdleConnections()
	token, err := ask(ctx, client, putToken, base, "")
	for range requests {
		if err != nil {
			return err
		}
		_, err = ask(ctx, client, request, base, token)
	}
	return err
}

// ask makes one of the requests and returns the answer's body.
func ask(ctx context.Context, client *http.Client, request, base, token string) (string, error) {
	method, path := http.MethodGet, "/latest/meta-data/instance-id"
	if request == putToken {
		method, path = http.MethodPut, "/latest/api/token"
	}
	req, err := http.NewRequestWithContext(ctx, method, base+path, nil)
	if err != nil {
		return "", err
	}
	switch request {
	case readV2:
		req.Header.Set("X-aws-ec2-metadata-token", token)
	case putToken:
		req.Header.Set("X-aws-ec2-metadata-token-ttl-seconds", "300")
	}
	res, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %s", method, path, res.Status)
	}
	return string(body), err
}

// serve is the measured process. It tells its address and ends with its
// standard input.
func serve(kind string, keepAlive bool) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	run, err := server(kind, keepAlive)
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- run(listener) }()
	fmt.Println(listener.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin)
	select {
	case err := <-ended:
		return fmt.Errorf("serve: %w", err)
	default:
		return nil
	}
}

func server(kind string, keepAlive bool) (func(net.Listener) error, error) {
	if kind == "emulator" {
		s, err := emulator.New(emulator.Options{
			Instance:  emulator.Instance{ID: "i-0123456789abcdef0", Region: "ap-northeast-1"},
			Tokens:    "optional",
			KeepAlive: keepAlive,
		})
		if err != nil {
			return nil, err
		}
		return s.Serve, nil
	}
	s := &http.Server{Handler: http.HandlerFunc(constant)}
	s.SetKeepAlivesEnabled(keepAlive)
	return s.Serve, nil
}

func constant(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain")
	_, _ = io.WriteString(w, "i-0123456789abcdef0")
}
