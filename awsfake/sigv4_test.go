package awsfake

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"tegata/awsfake/wire"
)

func TestSignatureErrors(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	b := start(t, func(o *Options) { o.Now = func() time.Time { return noon } })
	b.credential.Expires = noon.Add(time.Hour)

	authorization := func(old, new string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), old, new, 1))
		}
	}
	set := func(value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", value) }
	}
	other := func(change func(*aws.Credentials)) aws.Credentials {
		k := key
		change(&k)
		return k
	}
	const (
		mismatch = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
		badToken = "The security token included in the request is invalid."
	)
	for _, tt := range []struct {
		name              string
		change            func(*exchange)
		credential        func(*Credential)
		query, json, text string // code for STS, code for the others, part of the message
	}{
		{name: "no signature", change: func(e *exchange) { e.unsigned = true },
			query: "MissingAuthenticationToken", json: "MissingAuthenticationTokenException", text: "Missing Authentication Token"},
		{name: "Basic", change: func(e *exchange) { e.tamper = set("Basic eDp5") },
			query: "MissingAuthenticationToken", json: "MissingAuthenticationTokenException", text: "Missing Authentication Token"},
		{name: "no parameters", change: func(e *exchange) { e.tamper = set("AWS4-HMAC-SHA256 ") },
			query: "IncompleteSignature", json: "IncompleteSignatureException",
			text: "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter."},
		{name: "no date", change: func(e *exchange) { e.tamper = func(r *http.Request) { r.Header.Del("X-Amz-Date") } },
			query: "IncompleteSignature", json: "IncompleteSignatureException", text: "requires existence of either a 'X-Amz-Date' or a 'Date' header."},
		{name: "bad date", change: func(e *exchange) { e.tamper = func(r *http.Request) { r.Header.Set("X-Amz-Date", "today") } },
			query: "IncompleteSignature", json: "IncompleteSignatureException", text: "Date must be in ISO-8601 'basic format'. Got 'today'."},
		{name: "host not signed", change: func(e *exchange) { e.tamper = authorization("host;", "") },
			query: "SignatureDoesNotMatch", json: "InvalidSignatureException", text: "'Host' must be a 'SignedHeader' in the AWS Authorization."},
		{name: "algorithm", change: func(e *exchange) { e.tamper = authorization("SHA256", "SHA25") },
			query: "IncompleteSignature", json: "IncompleteSignatureException", text: "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA25'"},
		{name: "short credential", change: func(e *exchange) { e.tamper = authorization("/aws4_request", "") },
			query: "IncompleteSignature", json: "IncompleteSignatureException", text: "Credential must have exactly 5 slash-delimited elements"},
		{name: "cut region", change: func(e *exchange) { e.region = "ap" },
			query: "SignatureDoesNotMatch", json: "InvalidSignatureException", text: "Credential should be scoped to a valid region. "},
		{name: "another service", change: func(e *exchange) { e.tamper = authorization("/"+e.service+"/", "/s3/") },
			query: "SignatureDoesNotMatch", json: "InvalidSignatureException", text: "Credential should be scoped to correct service: '"},
		{name: "terminator", change: func(e *exchange) { e.tamper = authorization("aws4_request", "aws4") },
			query: "SignatureDoesNotMatch", json: "InvalidSignatureException", text: "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws4'."},
		{name: "another day", change: func(e *exchange) { e.tamper = authorization("/20261122/", "/20261121/") },
			query: "SignatureDoesNotMatch", json: "InvalidSignatureException",
			text: "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20261121' != '20261122', from '20261122T120000Z'."},
		{name: "unknown key", change: func(e *exchange) { e.key = other(func(k *aws.Credentials) { k.AccessKeyID = "AKIAUNKNOWN" }) },
			query: "InvalidClientTokenId", json: "UnrecognizedClientException", text: badToken},
		{name: "inactive key", credential: func(c *Credential) { c.Inactive = true },
			query: "InvalidClientTokenId", json: "UnrecognizedClientException", text: badToken},
		{name: "wrong secret", change: func(e *exchange) { e.key = other(func(k *aws.Credentials) { k.SecretAccessKey = "x" }) },
			query: "SignatureDoesNotMatch", json: "InvalidSignatureException", text: mismatch},
		{name: "no token", change: func(e *exchange) { e.key = other(func(k *aws.Credentials) { k.SessionToken = "" }) },
			query: "InvalidClientTokenId", json: "UnrecognizedClientException", text: badToken},
		{name: "wrong token", change: func(e *exchange) { e.key = other(func(k *aws.Credentials) { k.SessionToken = "x" }) },
			query: "InvalidClientTokenId", json: "UnrecognizedClientException", text: badToken},
		{name: "token on a long-term key", credential: func(c *Credential) { c.SessionToken = "" },
			query: "InvalidClientTokenId", json: "UnrecognizedClientException", text: badToken},
		{name: "expired", credential: func(c *Credential) { c.Expires = noon },
			query: "ExpiredToken", json: "ExpiredTokenException", text: "The security token included in the request is expired"},
		{name: "tampered query", change: func(e *exchange) { e.tamper = func(r *http.Request) { r.URL.RawQuery = "x=1" } },
			query: "SignatureDoesNotMatch", json: "InvalidSignatureException", text: mismatch},
		{name: "tampered header", change: func(e *exchange) { e.tamper = func(r *http.Request) { r.Header.Set("X-Amz-Security-Token", "token=") } },
			query: "SignatureDoesNotMatch", json: "InvalidSignatureException", text: mismatch},
	} {
		for _, e := range []exchange{whoAmI, getParameter(`{"Name":"x"}`), listModels} {
			t.Run(tt.name+"/"+e.service, func(t *testing.T) {
				before := b.credential
				defer func() { b.credential = before }()
				if tt.credential != nil {
					tt.credential(&b.credential)
				}
				e.at = noon
				if tt.change != nil {
					tt.change(&e)
				}
				got := b.do(t, e)
				code, status := tt.json, http.StatusForbidden
				switch e.service {
				case "sts":
					code = "<Code>" + tt.query + "</Code>"
				case "ssm":
					code, status = `"__type":"`+code+`"`, http.StatusBadRequest
				}
				all := got.header.Get("X-Amzn-ErrorType") + strings.ReplaceAll(got.body, "&#39;", "'")
				text := tt.text
				if e.service != "bedrock" {
					text = strings.Replace(text, "Missing Auth", "Request is missing Auth", 1)
				}
				if got.status != status || !strings.Contains(all, code) || !strings.Contains(all, text) {
					t.Errorf("got %d %s\nwant %d %s %s", got.status, all, status, code, text)
				}
				if strings.Contains(all, key.SessionToken) || strings.Contains(all, key.SecretAccessKey) {
					t.Errorf("a secret is given away: %s", all)
				}
			})
		}
	}
}

func TestTamperedBody(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	e := getParameter(`{"Name":"/a"}`)
	e.tamper = func(r *http.Request) {
		*r = *r.Clone(r.Context())
		r.Body = http.NoBody
		r.ContentLength = 0
	}
	if got := b.do(t, e); !strings.Contains(got.body, "InvalidSignatureException") {
		t.Errorf("got %d %s", got.status, got.body)
	}
}

func TestClockSkew(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	b := start(t, func(o *Options) { o.Now = func() time.Time { return noon.Add(300 * time.Millisecond) } })
	b.credential.Expires = time.Time{}
	for _, tt := range []struct {
		name string
		in   exchange
		off  time.Duration
		want string // "" means accepted
	}{
		{"JSON, just in time", listModels, -5 * time.Minute, ""},
		{"JSON, late", listModels, -301 * time.Second, "Signature expired: 20261122T115459Z is now earlier than 20261122T115500Z (20261122T120000Z - 5 min.)"},
		{"JSON, early", listModels, 301 * time.Second, "Signature not yet current: 20261122T120501Z is still later than 20261122T120500Z (20261122T120000Z + 5 min.)"},
		{"STS is more patient", whoAmI, -14 * time.Minute, ""},
		{"STS, late", whoAmI, -16 * time.Minute, "Signature expired: 20261122T114400Z is now earlier than 20261122T114500Z (20261122T120000Z - 15 min.)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := tt.in
			e.at = noon.Add(tt.off)
			got := b.do(t, e)
			if ok := got.status == 200; ok != (tt.want == "") || !strings.Contains(got.body, tt.want) {
				t.Errorf("got %d %s, want %q", got.status, got.body, tt.want)
			}
		})
	}
}

// SDKs set their clocks by the Date of a refusal and sign again, so it must be
// the clock that refused.
func TestDate(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *Options) {
		o.Now = func() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.FixedZone("JST", 9*60*60)) }
	})
	for _, e := range []exchange{whoAmI, listModels} {
		got := b.do(t, e)
		if date := got.header.Get("Date"); got.status != 403 || date != "Sun, 22 Nov 2026 03:00:00 GMT" {
			t.Errorf("%s: got %d with the Date %q", e.service, got.status, date)
		}
	}
}

func TestSignedPaths(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	const profile = "arn:aws:bedrock:ap-northeast-1:123456789012:inference-profile/jp." + haiku
	for _, path := range []string{
		"/model/jp." + haiku + "/converse",
		"/model/jp." + url.PathEscape(haiku) + "/converse",
		"/model/" + strings.ReplaceAll("jp."+haiku, ":", "%3A") + "/converse",
		"/model/" + url.PathEscape(profile) + "/converse",
		"/model/" + url.QueryEscape(profile) + "/converse",
	} {
		got := b.do(t, exchange{service: "bedrock", method: "POST", path: path, body: hello})
		if got.status != 200 {
			t.Errorf("%s: got %d %s", path, got.status, got.body)
		}
	}
}

// Clients sign what Go's SDK never signs: their own name or, like the
// JavaScript SDK over HTTP/2, the authority in place of the host.
func TestSignedHeaders(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	h2 := httptest.NewUnstartedServer(b.Config.Handler)
	h2.Config.Protocols = new(http.Protocols)
	h2.Config.Protocols.SetUnencryptedHTTP2(true)
	h2.Start()
	t.Cleanup(h2.Close)
	for _, tt := range []struct {
		server  *httptest.Server
		headers string
	}{
		{b.Server, "host;user-agent;x-amz-date"},
		{h2, ":authority;x-amz-date;x-amz-security-token"},
	} {
		at := time.Now().UTC()
		r, _ := http.NewRequest("GET", tt.server.URL+listModels.path, nil)
		r.Header.Set("User-Agent", "one   two")
		r.Header.Set("X-Amz-Date", at.Format(timeFormat))
		r.Header.Set("X-Amz-Security-Token", key.SessionToken)
		sig := signature{date: at.Format(timeFormat), signedHeaders: tt.headers}
		scope := []string{key.AccessKeyID, at.Format(dateFormat), b.region, "bedrock", terminator}
		value := (&call{Call: &wire.Call{Request: r}}).sign(sig, scope, key.SecretAccessKey)
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+strings.Join(scope, "/")+
			",SignedHeaders="+tt.headers+",Signature="+value)
		transport := &http.Transport{Protocols: tt.server.Config.Protocols}
		defer transport.CloseIdleConnections()
		resp, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != 200 {
			t.Errorf("%s: got %s", tt.headers, resp.Status)
		}
	}
}

// A presigned GetCallerIdentity is how Vault and EKS have a caller prove who
// it is.
func TestPresignedURL(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	now := noon
	b := start(t, func(o *Options) { o.Now = func() time.Time { return now } })
	b.credential.Expires = time.Time{}
	r, _ := http.NewRequest("GET", b.URL+"/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Expires=1800", nil)
	const noBody = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	signed, _, err := v4.NewSigner().PresignHTTP(context.Background(), key, r, noBody, "sts", b.region, noon)
	if err != nil {
		t.Fatal(err)
	}
	get := func(url string) int {
		resp, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	if got := get(signed); got != 200 {
		t.Errorf("got %d", got)
	}
	if got := get(signed + "&x=1"); got != 403 {
		t.Errorf("tampered: got %d", got)
	}
	now = noon.Add(29 * time.Minute)
	if got := get(signed); got != 200 {
		t.Errorf("within its lifetime: got %d", got)
	}
	now = noon.Add(31 * time.Minute)
	if got := get(signed); got != 403 {
		t.Errorf("after its lifetime: got %d", got)
	}
}

// The example of the Signature Version 4 documentation (IAM ListUsers).
func TestSignatureOfTheDocumentation(t *testing.T) {
	t.Parallel()
	r, _ := http.NewRequest("GET", "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08", nil)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	r.Header.Set("X-Amz-Date", "20150830T123600Z")
	sig := signature{date: "20150830T123600Z", signedHeaders: "content-type;host;x-amz-date"}
	scope := []string{"AKIDEXAMPLE", "20150830", "us-east-1", "iam", "aws4_request"}
	got := (&call{Call: &wire.Call{Request: r}}).sign(sig, scope, "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
	const want = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestBearer(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	got := b.do(t, exchange{method: "GET", path: "/foundation-models", unsigned: true,
		header: map[string]string{"Authorization": "Bearer stale"}})
	if got.status != 403 || got.body != `{"Message":"Authentication failed: Please make sure your API Key is valid."}` {
		t.Errorf("got %d %s", got.status, got.body)
	}
}

func FuzzAuthorization(f *testing.F) {
	f.Add("AWS4-HMAC-SHA256 Credential=a/20261122/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=0", "20261122T000000Z", "/?Action=GetCallerIdentity&Version=2011-06-15")
	f.Add("Bearer x", "", "/model/a%2Fb/converse")
	s := New(Options{FirstByte: 1})
	f.Fuzz(func(t *testing.T, authorization, date, target string) {
		u, err := url.ParseRequestURI(target)
		if err != nil {
			return
		}
		r := (&http.Request{Method: "GET", URL: u, Header: http.Header{}, Body: http.NoBody}).WithContext(t.Context())
		r.Header.Set("Authorization", authorization)
		r.Header.Set("X-Amz-Date", date)
		if c := s.recognise(r, nil); s.authenticate(c) == nil {
			t.Errorf("%q is accepted", authorization)
		}
	})
}
