package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"
)

func identityChecks() []Check {
	return []Check{
		{
			Name: "identity", Requires: []string{"region", "credentials"}, Unknown: "TG4900", Run: checkIdentity,
			Title: title("who AWS says we are (STS)", "AWS から見た呼び出し元（STS）"),
		},
	}
}

// checkIdentity asks STS, which every caller may: what it says is about the
// credentials, the clock and the network alone.
func checkIdentity(ctx context.Context, h *Host, known Facts) Outcome {
	if h.Identity == nil {
		return skip("no way to ask STS is configured")
	}
	asking, cancel := context.WithTimeout(ctx, wait-connectWait)
	defer cancel()
	began := time.Now()
	id, err := h.Identity(asking, known.Region)
	if err != nil {
		return h.refused(ctx, err, time.Since(began), known)
	}
	return pass(fact("arn", id.ARN), fact("account", id.Account)).learning(func(f *Facts) {
		if h.Bedrock != nil {
			f.Bedrock = h.Bedrock(known.Region) // one client, so that it finds its credentials once
		}
	})
}

// The parts of an error of an AWS client, whichever made it.
type (
	coded     interface{ ErrorCode() string }
	described interface{ ErrorMessage() string }
	answered  interface{ HTTPStatusCode() int }
	traced    interface{ ServiceRequestID() string }
)

// refusal takes an error of STS apart. The whole text is used only where no
// answer came: an answer repeats the request, which may hold a session token.
func refusal(err error, took time.Duration) map[string]string {
	e := map[string]string{"request": "STS GetCallerIdentity", "waited": ms(took), "outcome": "no answer"}
	var a answered
	if errors.As(err, &a) && a.HTTPStatusCode() != 0 {
		e["status"] = strconv.Itoa(a.HTTPStatusCode())
		e["outcome"] = "status " + e["status"]
	}
	var t traced
	if errors.As(err, &t) {
		e["request_id"] = t.ServiceRequestID()
	}
	var c coded
	if errors.As(err, &c) && c.ErrorCode() != "" {
		e["code"] = c.ErrorCode()
		e["outcome"] = c.ErrorCode()
		var d described
		if errors.As(err, &d) {
			e["message"] = d.ErrorMessage()
		}
		return e
	}
	if e["status"] == "" {
		e["message"] = err.Error()
	}
	return e
}

// refused tells apart why STS did not say who we are.
func (h *Host) refused(ctx context.Context, err error, took time.Duration, known Facts) Outcome {
	e := refusal(err, took)
	s := h.source()
	e["origin"], e["key_id"] = s.origin, maskKey(s.keyID)
	static := s.kind != fromRole && strings.HasPrefix(s.keyID, "AKIA")
	var dns *net.DNSError
	switch code := e["code"]; {
	case isExpired(code) && s.kind == fromRole:
		return fail(found("TG3013", e))
	case isExpired(code) && s.keyID != "":
		return fail(found("TG3005", e))
	case isUnknownKey(code) && static && known.Usable:
		return fail(found("TG3004", e))
	case isClock(code, e["message"]):
		return fail(found("TG3010", merge(h.clockEvidence(known), e))).learning(func(f *Facts) { f.ClockBlamed = true })
	case errors.As(err, &dns) && dns.IsNotFound && known.IMDSRegion != known.Region:
		e["value"], e["origin"], e["suggested"] = known.Region, known.RegionOrigin, known.IMDSRegion
		return fail(found("TG4002", e))
	case isTimeout(err):
		return h.unreachable(ctx, e, known)
	}
	return fail(found("TG4900", e))
}

func isExpired(code string) bool { return code == "ExpiredToken" || code == "ExpiredTokenException" }

func isUnknownKey(code string) bool {
	return code == "InvalidClientTokenId" || code == "UnrecognizedClientException"
}

// isClock knows a signature that was refused for its time. One that is wrong
// in itself has the same code.
func isClock(code, text string) bool {
	switch code {
	case "RequestTimeTooSkewed", "RequestExpired":
		return true
	case "SignatureDoesNotMatch", "InvalidSignatureException":
		return strings.Contains(text, "Signature expired") || strings.Contains(text, "Signature not yet current")
	}
	return false
}

func merge(a, b map[string]string) map[string]string {
	for name, v := range b {
		a[name] = v
	}
	return a
}

// connectWait is for telling a network without a way out from a service that
// is silent, after the call itself was given up.
const connectWait = 700 * time.Millisecond

// unreachable connects to the endpoint of STS once more, and only that.
func (h *Host) unreachable(ctx context.Context, e map[string]string, known Facts) Outcome {
	e["host"] = h.stsHost(known.Region)
	ctx, cancel := context.WithTimeout(ctx, connectWait)
	defer cancel()
	conn, err := h.dial(ctx, e["host"])
	if err != nil {
		return fail(found("TG4103", e))
	}
	conn.Close()
	e["outcome"] = "reachable, but no answer in time"
	return fail(found("TG4900", e))
}

// stsHost returns host and port where an AWS client asks STS.
func (h *Host) stsHost(region string) string {
	for _, name := range []string{"AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL"} {
		if u, err := url.Parse(h.getenv(name)); err == nil && u.Host != "" {
			return hostAndPort(u)
		}
	}
	domain := "amazonaws.com"
	if strings.HasPrefix(region, "cn-") {
		domain = "amazonaws.com.cn"
	}
	return fmt.Sprintf("sts.%s.%s:443", region, domain)
}

func hostAndPort(u *url.URL) string {
	if u.Scheme == "https" && u.Port() == "" {
		return net.JoinHostPort(u.Hostname(), "443")
	}
	return address(u)
}
