package control_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"tegata/emulator"
	"tegata/emulator/control"
)

const token = "a-token-of-the-tests"

// start runs an instance and its API.
func start(t *testing.T) (imds *emulator.Server, api *control.Control) {
	t.Helper()
	o := emulator.Options{Tokens: "optional", HopLimit: 2, Instance: emulator.Instance{ID: "i-1"}}
	imds, err := emulator.New(o)
	if err != nil {
		t.Fatal(err)
	}
	faults := func(names []string) (emulator.Options, error) {
		broken := o
		broken.Disabled = len(names) > 0
		return broken, nil
	}
	api, err = control.New(token, control.Instance{Name: "default", Server: imds, Options: o, WithFaults: faults})
	if err != nil {
		t.Fatal(err)
	}
	return imds, api
}

func call(api http.Handler, method, path, body string, edit func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://127.0.0.1:1"+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	if edit != nil {
		edit(r)
	}
	w := httptest.NewRecorder()
	api.ServeHTTP(w, r)
	return w
}

// read asks the instance without a token and returns the status and the body.
func read(imds http.Handler, path string) (int, string) {
	w := httptest.NewRecorder()
	imds.ServeHTTP(w, httptest.NewRequest("GET", "http://169.254.169.254/latest/meta-data/"+path, nil))
	body, _ := io.ReadAll(w.Body)
	return w.Code, string(body)
}

// TestChanges: what is asked for is what the instance's callers meet.
func TestChanges(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, method, path, body string
		read                     string
		status                   int
		want                     string // in the body
	}{
		{"tokens", "PATCH", "imds", `{"tokens":"required"}`, "instance-id", 401, ""},
		{"endpoint", "PATCH", "imds", `{"endpoint":"disabled"}`, "instance-id", 403, ""},
		{"hop limit", "PATCH", "imds", `{"hop_limit":1}`, "instance-id", 200, "i-1"},
		{"spot", "PUT", "events/spot", `{"action":"stop"}`, "spot/instance-action", 200, `"stop"`},
		{"spot later", "PUT", "events/spot", `{"in":"10m"}`, "spot/instance-action", 404, ""},
		{"spot at", "PUT", "events/spot", `{"at":"2020-01-02T03:04:05Z"}`, "spot/termination-time", 200, "2020-01-02T03:04:05Z"},
		{"rebalance", "PUT", "events/rebalance", `{}`, "events/recommendations/rebalance", 200, "noticeTime"},
		{"lifecycle", "PUT", "events/lifecycle", `[{"state":"Terminated"}]`, "autoscaling/target-lifecycle-state", 200, "Terminated"},
		{"maintenance", "PUT", "events/maintenance", `[{"code":"system-reboot","in":"24h","for":"1h"}]`, "events/maintenance/scheduled", 200, "system-reboot"},
		{"faults", "PUT", "faults", `["any"]`, "instance-id", 403, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			imds, api := start(t)
			if w := call(api, test.method, "/instances/default/"+test.path, test.body, nil); w.Code != 200 {
				t.Fatalf("%d: %s", w.Code, w.Body)
			}
			status, body := read(imds, test.read)
			if status != test.status || !strings.Contains(body, test.want) {
				t.Errorf("%s: got %d %q, want %d with %q", test.read, status, body, test.status, test.want)
			}
		})
	}
}

// TestTakenBack: a DELETE takes an event back, and no faults heal.
func TestTakenBack(t *testing.T) {
	t.Parallel()
	imds, api := start(t)
	for _, step := range []struct {
		method, path, body string
		status             int // of the notice from then on
	}{
		{"PUT", "events/spot", "{}", 200},
		{"DELETE", "events/spot", "", 404},
		{"PUT", "events/spot", "{}", 200},
		{"PUT", "faults", `["any"]`, 403},
		{"PUT", "faults", `[]`, 404},
	} {
		if w := call(api, step.method, "/instances/default/"+step.path, step.body, nil); w.Code != 200 {
			t.Fatalf("%v: %d %s", step, w.Code, w.Body)
		}
		if status, _ := read(imds, "spot/instance-action"); status != step.status {
			t.Errorf("after %v: got %d, want %d", step, status, step.status)
		}
	}
}

// TestRefused: who does not know the token gets nothing, and what is not
// understood changes nothing.
func TestRefused(t *testing.T) {
	t.Parallel()
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	host := func(name string) func(*http.Request) { return func(r *http.Request) { r.Host = name } }
	for _, test := range []struct {
		name, method, path, body string
		edit                     func(*http.Request)
		status                   int
	}{
		{"no token", "GET", "/instances", "", header("Authorization", ""), 401},
		{"other token", "GET", "/instances", "", header("Authorization", "Bearer "+token+"x"), 401},
		{"other scheme", "GET", "/instances", "", header("Authorization", "Basic "+token), 401},
		{"rebound name", "GET", "/instances", "", host("evil.example:80"), 403},
		{"name like loopback", "GET", "/instances", "", host("127.0.0.1.evil.example"), 403},
		{"IPv6", "GET", "/instances", "", host("[::1]:80"), 200},
		{"localhost", "GET", "/instances", "", host("localhost:80"), 200},
		{"unknown instance", "GET", "/instances/other", "", nil, 404},
		{"unknown key", "PATCH", "/instances/default/imds", `{"token":"optional"}`, nil, 400},
		{"bad value", "PATCH", "/instances/default/imds", `{"tokens":"maybe"}`, nil, 400},
		{"bad endpoint", "PATCH", "/instances/default/imds", `{"endpoint":"off"}`, nil, 400},
		{"hop limit", "PATCH", "/instances/default/imds", `{"hop_limit":65}`, nil, 400},
		{"two values", "PATCH", "/instances/default/imds", `{"tokens":"required"}{}`, nil, 400},
		{"no body", "PUT", "/instances/default/events/spot", "", nil, 400},
		{"two times", "PUT", "/instances/default/events/spot", `{"in":"1m","at":"2030-01-01T00:00:00Z"}`, nil, 400},
		{"past duration", "PUT", "/instances/default/events/rebalance", `{"in":"-1m"}`, nil, 400},
		{"unknown action", "PUT", "/instances/default/events/spot", `{"action":"reboot"}`, nil, 400},
		{"unknown event", "PUT", "/instances/default/events/rain", `{}`, nil, 404},
		{"method", "POST", "/instances/default/imds", `{}`, nil, 405},
		{"big body", "PATCH", "/instances/default/imds", strings.Repeat(" ", 70<<10), nil, 413},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, api := start(t)
			before := call(api, "GET", "/instances", "", nil).Body.String()
			w := call(api, test.method, test.path, test.body, test.edit)
			if w.Code != test.status {
				t.Errorf("got %d %s, want %d", w.Code, w.Body, test.status)
			}
			if strings.Contains(w.Body.String(), token) {
				t.Errorf("the answer tells the token: %s", w.Body)
			}
			if after := call(api, "GET", "/instances", "", nil).Body.String(); after != before {
				t.Errorf("changed from %s to %s", before, after)
			}
		})
	}
}

// TestState: the state is told whole, and a PATCH leaves what it does not name.
func TestState(t *testing.T) {
	t.Parallel()
	_, api := start(t)
	w := call(api, "PATCH", "/instances/default/imds", `{"throttle":{"per_second":5}}`, nil)
	var got struct {
		IMDS json.RawMessage
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	const want = `{"tokens":"optional","endpoint":"enabled","hop_limit":2,"hops":0,"bridged":false,"tags":false,"throttle":{"per_second":5,"burst":0,"status":0}}`
	if string(got.IMDS) != want {
		t.Errorf("got  %s\nwant %s", got.IMDS, want)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, token, instance string }{
		{"short token", "short", "default"},
		{"no name", token, ""},
		{"slash", token, "a/b"},
	} {
		if _, err := control.New(test.token, control.Instance{Name: test.instance}); err == nil {
			t.Errorf("%s: no error", test.name)
		}
	}
}
