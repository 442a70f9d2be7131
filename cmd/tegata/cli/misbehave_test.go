package cli_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// What may stand where the metadata service should be, by the name that
// scripts call it.
var misbehaviours = map[string]http.HandlerFunc{
	"portal": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<!DOCTYPE html><title>Sign in to the network</title>")
	},
	"json-portal": func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"error": "sign in first"}`)
	},
	"redirect": func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://login.example.com/", http.StatusFound)
	},
	"huge-token": func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, strings.Repeat("A", 2<<20))
	},
	"huge":      afterToken(func(w http.ResponseWriter) { io.WriteString(w, strings.Repeat("A", 2<<20)) }),
	"markup":    afterToken(func(w http.ResponseWriter) { fmt.Fprint(w, "<html>") }),
	"throttled": afterToken(func(w http.ResponseWriter) { w.WriteHeader(http.StatusTooManyRequests) }),
	"cut": afterToken(func(w http.ResponseWriter) {
		w.Header().Set("Content-Length", "100")
		fmt.Fprint(w, "i-0")
	}),
	"not-http": func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			fmt.Fprint(conn, "SSH-2.0-OpenSSH_9.2p1\r\n")
			conn.Close()
		}
	},
}

// afterToken gives a token to everybody and answers reads as told.
func afterToken(answer func(http.ResponseWriter)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			(&shelf{}).ServeHTTP(w, r)
			return
		}
		answer(w)
	}
}

// misbehave puts a server that is none in place of the metadata service:
// misbehave portal. ENDPOINT is its address, http://host:port.
func misbehave(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 || misbehaviours[args[0]] == nil {
		ts.Fatalf("usage: misbehave NAME")
	}
	server := httptest.NewServer(misbehaviours[args[0]])
	ts.Defer(server.Close)
	ts.Setenv("ENDPOINT", server.URL)
	ts.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.URL)
}

// refuse finds an address at which nobody listens, and has ENDPOINT lead there.
func refuse(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: refuse")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Check(l.Close())
	ts.Setenv("ENDPOINT", "http://"+l.Addr().String())
	ts.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://"+l.Addr().String())
}
