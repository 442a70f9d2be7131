package wire

import (
	"encoding/json"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"tegata/internal/fault"
)

type sample struct {
	Name  string   `xml:"Name" json:"name"`
	Users []string `xml:"Users>member" json:"users"`
	At    *Time    `xml:"At,omitempty" json:"at,omitempty"`
}

// One operation answers in the shape of each protocol.
func TestProtocols(t *testing.T) {
	t.Parallel()
	at := At(time.Date(2026, 11, 23, 4, 5, 6, 789_000_000, time.UTC))
	op := Op("GetSample", func(_ *Call, in sample) (sample, error) {
		if in.Name == "" {
			return sample{}, NotFound("NoSuchSample", "There is no <sample>.")
		}
		in.At = at
		return in, nil
	})
	for _, tt := range []struct {
		name             string
		protocol         Protocol
		contentType      string
		answer, absent   string
		statusOfRejected int
	}{
		{"JSON", JSON, "application/x-amz-json-1.1",
			`{"name":"a","users":["b"],"at":1795406706.789}`, `{"__type":"NoSuchSample","message":"There is no \u003csample\u003e."}`, 404},
		{"Query", Query, "text/xml",
			`<GetSampleResponse xmlns="urn:x"><GetSampleResult><Name>a</Name><Users><member>b</member></Users><At>2026-11-23T04:05:06Z</At></GetSampleResult>` +
				`<ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></GetSampleResponse>` + "\n",
			`<ErrorResponse xmlns="urn:x"><Error><Type>Sender</Type><Code>NoSuchSample</Code><Message>There is no &lt;sample&gt;.</Message></Error><RequestId>id</RequestId></ErrorResponse>` + "\n", 404},
		{"EC2Query", EC2Query, "text/xml;charset=UTF-8",
			`<?xml version="1.0" encoding="UTF-8"?>` + "\n" +
				`<GetSampleResponse xmlns="urn:x"><requestId>id</requestId><Name>a</Name><Users><member>b</member></Users><At>2026-11-23T04:05:06Z</At></GetSampleResponse>` + "\n",
			`<?xml version="1.0" encoding="UTF-8"?>` + "\n" +
				`<Response><Errors><Error><Code>NoSuchSample</Code><Message>There is no &lt;sample&gt;.</Message></Error></Errors><RequestID>id</RequestID></Response>` + "\n", 404},
	} {
		t.Run(tt.name, func(t *testing.T) {
			call := func(query, body string) *httptest.ResponseRecorder {
				c := &Call{Call: fault.Call{Operation: "GetSample"}, ID: "id", Namespace: "urn:x", Protocol: tt.protocol, Body: []byte(body)}
				c.Form = httptest.NewRequest("GET", "/?"+query, nil).URL.Query()
				w := httptest.NewRecorder()
				if err := op.Serve(w, c, new(sync.Mutex)); err != nil {
					c.Refuse(w, err.(*Error))
				}
				return w
			}
			users := "Users.member.1"
			if tt.protocol == EC2Query {
				users = "Users.1"
			}
			got := call("Name=a&"+users+"=b", `{"name":"a","users":["b"]}`)
			if got.Code != 200 || got.Header().Get("Content-Type") != tt.contentType || got.Body.String() != tt.answer {
				t.Errorf("got %d %s\n%s\nwant\n%s", got.Code, got.Header(), got.Body, tt.answer)
			}
			got = call("", `{}`)
			if got.Code != tt.statusOfRejected || got.Body.String() != tt.absent {
				t.Errorf("got %d\n%s\nwant\n%s", got.Code, got.Body, tt.absent)
			}
		})
	}
}

func TestChecks(t *testing.T) {
	t.Parallel()
	var v Checks
	v.Required("name", true)
	v.Length("name", "日本", 1, 2)
	v.Pattern("name", "ab", "[a-z]+")
	v.Range("max", 1, 1, 1)
	v.Enum("kind", "a", "a", "b")
	if err := v.Err(&Call{}); err != nil {
		t.Errorf("nothing is wrong, but: %v", err)
	}
	v.Required("other", false)
	for _, tt := range []struct {
		protocol Protocol
		want     string
	}{
		{JSON, "ValidationException: 1 validation error detected: Value null at 'other' failed to satisfy constraint: Member must not be null"},
		{Query, "ValidationError: 1 validation error detected: Value null at 'other' failed to satisfy constraint: Member must not be null"},
	} {
		if got := v.Err(&Call{Protocol: tt.protocol}); got == nil || got.Error() != tt.want {
			t.Errorf("got %v, want %s", got, tt.want)
		}
	}
	v = Checks{}
	v.Length("a", "", 1, 3)
	v.Length("b", "四つの字", 1, 3)
	v.Pattern("c", "a1", "[a-z]+")
	v.Range("d", 65, 1, 64)
	v.Enum("e", "z", "x", "y")
	const want = "ValidationException: 5 validation errors detected: " +
		"Value '' at 'a' failed to satisfy constraint: Member must have length greater than or equal to 1; " +
		"Value '四つの字' at 'b' failed to satisfy constraint: Member must have length less than or equal to 3; " +
		"Value 'a1' at 'c' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-z]+; " +
		"Value '65' at 'd' failed to satisfy constraint: Member must have value less than or equal to 64; " +
		"Value 'z' at 'e' failed to satisfy constraint: Member must satisfy enum value set: [x, y]"
	if got := v.Err(&Call{}); got == nil || got.Error() != want {
		t.Errorf("got  %v\nwant %s", got, want)
	}
}

// Pages of any size give every item once, in order.
func TestPage(t *testing.T) {
	t.Parallel()
	all := []int{1, 2, 3, 4, 5}
	for size := 1; size <= 6; size++ {
		var got []int
		token := ""
		for {
			page, next, err := Page(all, size, token)
			if err != nil || len(page) > size {
				t.Fatalf("page %v of %d, %v", page, size, err)
			}
			got = append(got, page...)
			if token = next; token == "" {
				break
			}
		}
		if len(got) != 5 || got[0] != 1 || got[4] != 5 {
			t.Errorf("size %d: %v", size, got)
		}
	}
	for _, token := range []string{"x", "LTE", "OTk"} {
		if _, _, err := Page(all, 1, token); err != ErrToken {
			t.Errorf("%q: %v", token, err)
		}
	}
}

func TestTime(t *testing.T) {
	t.Parallel()
	want := At(time.Date(2026, 11, 23, 4, 5, 6, 789_000_000, time.UTC))
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got Time
	if err := json.Unmarshal(text, &got); err != nil || !got.Equal(want.Time) {
		t.Errorf("%s became %v, %v", text, got, err)
	}
	if At(time.Time{}) != nil {
		t.Error("no time at all is a time")
	}
}
