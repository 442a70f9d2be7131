package doctor

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
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
	if h.AWS == nil {
		return skip("no way to ask AWS is configured")
	}
	var aws Services
	var id Identity
	c := call{request: "STS GetCallerIdentity"}
	err := c.do(ctx, func(ctx context.Context) (err error) {
		if aws, err = h.AWS(ctx, Caller{known.Region, known.Credentials}); err == nil {
			id, err = aws.Identity(ctx)
		}
		return err
	})
	switch {
	case err != nil:
		return h.refused(&c, err, known)
	case id.ARN == "":
		return fail(found("TG4900", c.unread("")))
	}
	return pass(told("arn", id.ARN, "%s"), fact("account", id.Account)).learning(func(f *Facts) { f.Bedrock = aws.Bedrock })
}

// refused tells apart why STS did not say who we are.
func (h *Host) refused(c *call, err error, known Facts) Outcome {
	e := c.evidence(err)
	s := h.source()
	e["origin"], e["key_id"] = s.origin, maskKey(s.keyID)
	static := s.kind != fromRole && strings.HasPrefix(s.keyID, "AKIA")
	var dns *net.DNSError
	switch code := e["code"]; {
	case isExpired(code) && known.Credentials != nil && s.kind == fromRole:
		e["expiration"] = known.Credentials.Expiration.UTC().Format(time.RFC3339)
	case isExpired(code) && s.keyID != "":
		return fail(found("TG3005", e))
	case isUnknownKey(code) && static && known.Credentials != nil:
		return fail(found("TG3004", e))
	case isClock(code, e["message"]):
		return fail(found("TG3010", merge(h.clockEvidence(known), e))).learning(func(f *Facts) { f.ClockBlamed = true })
	case errors.As(err, &dns) && dns.IsNotFound && known.IMDSRegion != known.Region:
		e["value"], e["origin"], e["suggested"] = known.Region, known.RegionOrigin, known.IMDSRegion
		return fail(found("TG4002", e))
	case c.unreachable(err):
		return fail(found("TG4103", e))
	case errors.As(err, new(x509.UnknownAuthorityError)):
		return fail(found("TG4104", e))
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
