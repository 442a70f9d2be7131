package iam

import (
	"strings"
	"testing"

	"tegata/internal/policy"
)

func one(statement string) string {
	return `{"Version":"2012-10-17","Statement":[` + statement + `]}`
}

var permissionCases = []struct{ name, document, want string }{
	{"fine", read, ""},
	{"no JSON", "{", notJSON},
	{"empty", "{}", syntax},
	{"an array", "[]", syntax},
	{"unknown key", `{"Version":"2012-10-17","Statements":[]}`, syntax},
	{"no version of IAM's", strings.Replace(read, "2012-10-17", "2020-01-01", 1), oldPolicy},
	{"no action", one(`{"Effect":"Allow","Resource":"*"}`), "Policy statement must contain actions."},
	{"no resource", one(`{"Effect":"Allow","Action":"ssm:*"}`), "Policy statement must contain resources."},
	{"a principal", trust, "Policy document should not specify a principal."},
	{"no vendor", one(`{"Effect":"Allow","Action":"GetParameter","Resource":"*"}`), "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."},
	{"a vendor that is none", one(`{"Effect":"Allow","Action":"s*m:Get","Resource":"*"}`), "Vendor s*m is not valid"},
	{"no ARN", one(`{"Effect":"Allow","Action":"ssm:*","Resource":"parameter/a"}`), `Resource parameter/a must be in ARN format or "*".`},
	{"an Sid with a blank", one(`{"Sid":"a b","Effect":"Allow","Action":"ssm:*","Resource":"*"}`),
		"Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"},
	{"an effect that is none", one(`{"Effect":"Perhaps","Action":"ssm:*","Resource":"*"}`), syntax},
}

func TestPermissionProblem(t *testing.T) {
	t.Parallel()
	for _, tt := range permissionCases {
		t.Run(tt.name, func(t *testing.T) {
			if got := permissionProblem(tt.document); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func trusting(principal string) string {
	return one(`{"Effect":"Allow","Principal":` + principal + `,"Action":"sts:AssumeRole"}`)
}

var trustCases = []struct{ name, document, want string }{
	{"a service", trust, ""},
	{"an account", trusting(`{"AWS":"123456789012"}`), ""},
	{"its root", trusting(`{"AWS":"arn:aws:iam::123456789012:root"}`), ""},
	{"a user", trusting(`{"AWS":"arn:aws:iam::123456789012:user/apps/ann"}`), ""},
	{"nobody", trusting(`{"AWS":"arn:aws:iam::123456789012:user/ann"}`), `Invalid principal in policy: "AWS":"arn:aws:iam::123456789012:user/ann"`},
	{"somebody elsewhere", trusting(`{"AWS":["arn:aws:iam::210987654321:role/x","*"]}`), ""},
	{"no ARN", trusting(`{"AWS":"ann"}`), `Invalid principal in policy: "AWS":"ann"`},
	{"no service", trusting(`{"Service":"ec2"}`), `Invalid principal in policy: "SERVICE":"ec2"`},
	{"a provider", one(`{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::123456789012:oidc-provider/x"},"Action":["sts:AssumeRoleWithWebIdentity","sts:TagSession"]}`), ""},
	{"another action", one(`{"Effect":"Allow","Principal":"*","Action":"ssm:GetParameter"}`), "AssumeRole policy may only specify STS AssumeRole actions."},
	{"a resource", read, "Has prohibited field Resource"},
	{"no principal", one(`{"Effect":"Allow","Action":"sts:AssumeRole"}`), "Missing required field Principal"},
	{"no JSON", "no", notJSON},
}

func TestTrustProblem(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.must(t, "CreateUser", "UserName", "ann", "Path", "/apps/")
	for _, tt := range trustCases {
		t.Run(tt.name, func(t *testing.T) {
			if got := trustProblem(tt.document, o.principalExists(number)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// What passes as a policy can be parsed, has its statements where they are
// found, and is not altered by the escaping.
func FuzzDocuments(f *testing.F) {
	for _, tt := range permissionCases {
		f.Add(tt.document)
	}
	for _, tt := range trustCases {
		f.Add(tt.document)
	}
	nobody := func(string) bool { return false }
	f.Fuzz(func(t *testing.T, document string) {
		fine := permissionProblem(document) == ""
		trustProblem(document, nobody)
		if !fine {
			return
		}
		d, err := policy.Parse([]byte(document))
		if err != nil {
			t.Fatalf("%q passes: %v", document, err)
		}
		if spans := statementSpans(document); len(spans) != len(d.Statements) {
			t.Errorf("%d statements are found at %d places", len(d.Statements), len(spans))
		}
		if strings.ContainsAny(encoded(document), " +\"{") {
			t.Errorf("%q is not escaped", encoded(document))
		}
	})
}
