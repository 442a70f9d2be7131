package doctor

import (
	"context"
	"net/http"
	"strings"
	"time"

	"tegata/imds"
)

const rolePath = "meta-data/iam/security-credentials/"

func roleChecks() []Check {
	return []Check{
		{
			Name: "role", Requires: []string{"imds-token"}, Unknown: "TG3900", Run: checkRole,
			Title: title("IAM role of the instance", "インスタンスの IAM ロール"),
		},
		{
			Name: "role-credentials", Requires: []string{"role"}, Unknown: "TG3900", Run: checkRoleCredentials,
			Title: title("credentials of the role", "ロールの認証情報"),
		},
	}
}

// Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
var roleName = pattern(`^[\w+=,.@-]{1,64}$`)

func checkRole(ctx context.Context, h *Host, known Facts) Outcome {
	p := h.get(ctx, known.Token, rolePath)
	name, _, _ := strings.Cut(strings.TrimSpace(p.Body), "\n")
	switch {
	case p.Err == nil && p.Status == http.StatusNotFound:
		return h.noRole(p)
	case !p.ok():
		return odd(p, p.outcome())
	case name == "":
		evidence := p.evidence()
		evidence["outcome"] = "an empty list of roles"
		return fail(found("TG3900", evidence))
	case !roleName().MatchString(name):
		return odd(p, "a body that is no role name")
	}
	return pass(told("role", name, "%s")).learning(func(f *Facts) { f.Role = name })
}

// noRole is a fault only where the credentials were to come from the role.
func (h *Host) noRole(p probe) Outcome {
	if s := h.source(); s.kind != fromRole {
		return skip("no role is attached, and the credentials come from elsewhere")
	}
	return fail(found("TG3001", p.evidence()))
}

func checkRoleCredentials(ctx context.Context, h *Host, known Facts) Outcome {
	p := h.get(ctx, known.Token, rolePath+known.Role)
	evidence := p.evidence()
	if !p.ok() {
		return fail(found("TG3900", evidence))
	}
	c, err := imds.ParseCredentials([]byte(p.Body))
	if err != nil {
		evidence["outcome"] = "a body that is no credentials document"
		return fail(found("TG3900", evidence))
	}
	return h.judge(c, evidence, known)
}

// judge decides on a document. Its end is compared with the service's clock:
// compared with a wrong clock here it would tell nothing.
func (h *Host) judge(c imds.Credentials, evidence map[string]string, known Facts) Outcome {
	evidence["code"], evidence["message"] = c.Code, c.Message
	evidence["expiration"] = c.Expiration.UTC().Format(time.RFC3339)
	evidence["now"] = h.now().Add(-known.Skew).UTC().Format(time.RFC3339)
	switch {
	case c.Code == "AssumeRoleUnauthorizedAccess":
		return fail(found("TG3002", evidence))
	case c.Code != "Success":
		evidence["outcome"] = "a document without keys"
		return fail(found("TG3900", evidence))
	case !h.now().Add(-known.Skew).Before(c.Expiration):
		delete(evidence, "code")
		return fail(found("TG3013", evidence))
	}
	left := c.Expiration.Sub(h.now().Add(-known.Skew)).Round(time.Minute)
	return pass(
		told("valid_for", shortDuration(left), "valid for another %s"),
		fact("expiration", evidence["expiration"]), fact("key_id", maskKey(c.AccessKeyID)),
	).
		learning(func(f *Facts) { f.Credentials = &c })
}

// shortDuration writes 5h59m0s as 5h59m.
func shortDuration(d time.Duration) string { return strings.TrimSuffix(d.String(), "0s") }

// maskKey shows as much of a key id as is needed to find it again.
func maskKey(id string) string {
	if len(id) < 12 {
		return id
	}
	return id[:4] + "…" + id[len(id)-4:]
}
