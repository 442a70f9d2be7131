package logs

import (
	"strings"
	"testing"
)

const trail = `{"eventType": "UpdateTrail", "sourceIPAddress": "111.111.111.111", "arrayKey": ["value", "another value"], ` +
	`"objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}], "SomeObject": null, "cluster.name": "c", "ok": true, "latency": 12.5, "code": 404}`

const users = `{"user": {"id": 1, "email": "John.Stiles@example.com"}, "users": [{"id": 2, "email": "John.Doe@example.com"}, {"id": 3, "email": "Jane.Doe@example.com"}], ` +
	`"actions": ["GET", "PUT", "DELETE"], "coordinates": [[0, 1, 2], [4, 5, 6], [7, 8, 9]]}`

const access = `127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534`

// patterns are the examples of AWS's page, and what lies between them.
var patterns = []struct {
	pattern, message string
	want             bool
}{
	{"", "anything", true},
	{`" "`, "two words", true},
	{"ERROR", "[ERROR 400] BAD REQUEST", true},
	{"ERROR", "[error 400] BAD REQUEST", false},
	{"ERROR ARGUMENTS", "[ERROR 419] MISSING ARGUMENTS", true},
	{"ERROR ARGUMENTS", "[ERROR 401] UNAUTHORIZED REQUEST", false},
	{"?ERROR ?ARGUMENTS", "[WARN] INVALID ARGUMENTS", true},
	{"?ERROR ?ARGUMENTS", "[WARN] REQUEST", false},
	{"?ERROR ?ARGUMENTS REQUEST", "[INFO] REQUEST FAILED", true},
	{`"INTERNAL SERVER ERROR"`, "[ERROR 500] INTERNAL SERVER ERROR", true},
	{`"INTERNAL SERVER ERROR"`, "[ERROR 500] SERVER INTERNAL ERROR", false},
	{`"say \"no\""`, `they say "no"`, true},
	{"ERROR -ARGUMENTS", "[ERROR 400] BAD REQUEST", true},
	{"ERROR -ARGUMENTS", "[ERROR 419] MISSING ARGUMENTS", false},
	{`-"GET /ping"`, "GET /ping 200", false},
	{"%(4|5)[0-9]{2}%", "status 404", true},
	{"%(4|5)[0-9]{2}%", "status 204", false},

	{`{ $.eventType = "UpdateTrail" }`, trail, true},
	{`{ $.eventType = UpdateTrail }`, trail, true},
	{`{$.eventType!="UpdateTrail"}`, trail, false},
	{`{ $.eventType = "Update*" }`, trail, true},
	{`{ $.sourceIPAddress != 123.123.* }`, trail, true},
	{`{ $.sourceIPAddress = 111.111.* }`, trail, true},
	{`{ $.arrayKey[0] = "value" }`, trail, true},
	{`{ $.arrayKey[1] = "value" }`, trail, false},
	{`{ $.arrayKey = "value" }`, trail, false},
	{`{ $.eventType = %Trail% }`, trail, true},
	{`{ $.arrayKey[*] = %val.{2}% }`, trail, true},
	{`{ $.* = %111\.111\.111\.1[0-9]{1,2}% }`, trail, true},
	{`{ $.['cluster.name'] = "c" }`, trail, true},
	{`{ $.objectList[1].id = 2 }`, trail, true},
	{`{ $.SomeObject IS NULL }`, trail, true},
	{`{ $.ok IS TRUE }`, trail, true},
	{`{ $.ok IS FALSE }`, trail, false},
	{`{ $.SomeOtherObject NOT EXISTS }`, trail, true},
	{`{ $.SomeObject NOT EXISTS }`, trail, false},
	{`{ $.none = 1 || $.none != 1 }`, trail, false},
	{`{ $.latency > 12 && $.latency <= 1.25e+1 }`, trail, true},
	{`{ $.latency < 12.5 || $.latency >= 13 }`, trail, false},
	{`{ $.code = 404.0 }`, trail, true},
	{`{ $.code = 4* }`, trail, true},
	{`{ $.code = "404" }`, trail, false},
	{`{ $.eventType > 3 }`, trail, false},
	{`{ $.eventType = "UpdateTrail" }`, "no JSON", false},
	{`{ $.eventType = "UpdateTrail" }`, `["UpdateTrail"]`, false},
	{`{ ($.user.id = 1) && ($.users[0].email = "John.Doe@example.com") }`, users, true},
	{`{ $.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = "nonmatch" && $.actions[2] = "nonmatch" }`, users, true},
	{`{ ($.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = "nonmatch") && $.actions[2] = "nonmatch" }`, users, false},
	{`{ ($.user.id = 2 && $.users[0].email = "nonmatch") || $.actions[2] = "GET" }`, users, false},
	{`{ $.coordinates[0][1] = 1 }`, users, true},

	{`[ip, user, username, timestamp, request =*.html*, status_code = 4*, bytes]`, access, true},
	{`[ip=%127\.0\.0\.[1-9]%, user, username, timestamp, request =*.html*, status_code = 4*, bytes]`, access, true},
	{`[..., request =*.html*, status_code = 5*, bytes]`, access, false},
	{`[..., request =*.html*, status_code = 4*, bytes]`, access, true},
	{`[ip, ..., bytes > 1000]`, access, true},
	{`[ip, ..., bytes > 2000]`, access, false},
	{`[ip, user, username, timestamp, request =*.html*, status_code = 404 || status_code = 410, bytes]`, access, true},
	{`[ip, user, username, timestamp = "10/Oct/*", request, status_code, bytes, more]`, access, false},
	{`[w1=ERROR, w2]`, "ERROR 09/25/2014 12:00:02 Failed to process request", true},
	{`[w1=ERROR || w1=WARNING, w2]`, "WARNING 09/25/2014 12:00:02 Invalid user request", true},
	{`[w1!=ERROR && w1!=WARNING, w2]`, "INFO 09/25/2014 12:00:00 GET /service/resource/67 1200", true},
	{`[w1!=ERROR && w1!=WARNING, w2]`, "ERROR 09/25/2014 12:00:02 Failed", false},
	{`[logLevel, date, time, method, url=%/service/resource/[0-9]+$%, response_time]`, "INFO 09/25/2014 12:00:00 GET /service/resource/67 1200", true},
	{`[logLevel, date, time, method, url=%/service/resource/[0-9]+$%, response_time]`, "INFO 09/25/2014 12:00:01 POST /service/resource/67/part/111 1310", false},
	{`[a, b="rest of it"]`, "first rest of it", true},
	{`[a, b]`, `open [bracket`, true},
}

func TestPatterns(t *testing.T) {
	t.Parallel()
	for _, tt := range patterns {
		p, err := parsePattern(tt.pattern)
		if err != nil {
			t.Errorf("%s: %v", tt.pattern, err)
			continue
		}
		if _, got := p.match(tt.message); got != tt.want {
			t.Errorf("%s on %s: %v, want %v", tt.pattern, tt.message, got, tt.want)
		}
	}
}

func TestNoPatterns(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`"open`, `[open`, `{ $.a = 1`, `%open`, `%(%`, `a:b`, `-`, `? `, `{ }`, `{ $.a }`, `{ $.a = }`, `{ $.a IS NOT NULL }`, `{ $.a EXISTS }`, `{ a = 1 }`, `{ $ = 1 }`,
		`{ $.a..b = 1 }`, `{ $.a[x] = 1 }`, `{ $.a[-1] = 1 }`, `{ $.*.* = 1 }`, `{ ($.a = 1 }`, `{ $.a = 1 } more`, `{ $.a = 1 && }`, `[]`, `[a,]`, `[..., a, ...]`, `[a] more`, `[a = ]`, "{ $.a = *\xe0 }",
		`{ ` + strings.Repeat("(", 60) + `$.a = 1` + strings.Repeat(")", 60) + ` }`,
	} {
		if p, err := parsePattern(text); err == nil {
			t.Errorf("%s is a pattern: %v", text, p)
		}
	}
}

func TestValuesOfPatterns(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		pattern, message, selector, want string
		ok                               bool
	}{
		{`{ $.latency > 0 }`, trail, "$.latency", "12.5", true},
		{`{ $.latency > 0 }`, trail, "$.objectList[0].name", "a", true},
		{`{ $.latency > 0 }`, trail, "$.objectList", "", false},
		{`{ $.latency > 0 }`, trail, "$.SomeObject", "", false},
		{`[ip, ..., bytes]`, access, "$bytes", "1534", true},
		{`[ip, ..., request, code, bytes]`, access, "$request", "GET /index.html HTTP/1.0", true},
		{`[ip, rest]`, access, "$rest", strings.TrimPrefix(access, "127.0.0.1 "), true},
		{`[ip, rest]`, access, "$other", "", false},
	} {
		p, err := parsePattern(tt.pattern)
		if err != nil {
			t.Fatal(err)
		}
		values, _ := p.match(tt.message)
		if got, ok := values(tt.selector); got != tt.want || ok != tt.ok {
			t.Errorf("%s, %s: %q, %v", tt.pattern, tt.selector, got, ok)
		}
	}
}

// No pattern does harm to any message, and spaces around one change nothing.
func FuzzPattern(f *testing.F) {
	for _, tt := range patterns {
		f.Add(tt.pattern, tt.message)
	}
	f.Fuzz(func(t *testing.T, text, message string) {
		p, err := parsePattern(text)
		if err != nil {
			return
		}
		_, first := p.match(message)
		again, err := parsePattern("  " + text + " ")
		if err != nil {
			t.Fatalf("%q with spaces around it: %v", text, err)
		}
		if _, second := again.match(message); second != first {
			t.Errorf("%q on %q: %v, then %v", text, message, first, second)
		}
	})
}
