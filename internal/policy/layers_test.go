package policy

import (
	"strings"
	"testing"
)

const (
	user    = "arn:aws:iam::123456789012:user/ann"
	session = "arn:aws:sts::123456789012:assumed-role/app/i-0abc"
	thing   = "arn:aws:ssm:us-west-2:123456789012:parameter/a"
)

func oneStatement(effect, more string) string {
	return `{"Version":"2012-10-17","Statement":[{"Sid":"One","Effect":"` + effect + `","Action":"ssm:GetParameter","Resource":"` + thing + `"` + more + `}]}`
}

func named(t testing.TB, name, text string) Named {
	t.Helper()
	d, err := Parse([]byte(text))
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return Named{name, d}
}

func TestDecide(t *testing.T) {
	t.Parallel()
	allow, deny := named(t, "may", oneStatement("Allow", "")), named(t, "may not", oneStatement("Deny", ""))
	other := named(t, "other", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ssm:PutParameter","Resource":"*"}]}`)
	to := func(principal string) *Named {
		n := named(t, "its own", oneStatement("Allow", `,"Principal":{"AWS":"`+principal+`"}`))
		return &n
	}
	for _, tt := range []struct {
		name, who string
		layers    Layers
		decision  Decision
		why, told string
	}{
		{"nothing", user, Layers{}, ImplicitDeny, "because no identity-based policy allows the ssm:GetParameter action",
			"denied: no statement of the identity-based policy allows ssm:GetParameter on " + thing},
		{"the identity", user, Layers{Identity: []Named{other, allow}}, Allow, "", "allowed: statement One of the identity-based policy may"},
		{"denied by the identity", user, Layers{Identity: []Named{allow, deny}}, ExplicitDeny, "with an explicit deny in an identity-based policy",
			"denied: statement One of the identity-based policy may not denies ssm:GetParameter on " + thing},
		{"within its boundary", user, Layers{Identity: []Named{allow}, Boundary: &allow}, Allow, "", "allowed: statement One of the identity-based policy may"},
		{"beyond its boundary", user, Layers{Identity: []Named{allow}, Boundary: &other}, ImplicitDeny, "because no permissions boundary allows the ssm:GetParameter action", ""},
		{"denied by its boundary", user, Layers{Identity: []Named{allow}, Boundary: &deny}, ExplicitDeny, "with an explicit deny in a permissions boundary", ""},
		{"a boundary gives nothing", user, Layers{Boundary: &allow}, ImplicitDeny, "because no identity-based policy allows the ssm:GetParameter action", ""},
		{"beyond the session", session, Layers{Identity: []Named{allow}, Session: []Named{other}}, ImplicitDeny, "because no session policy allows the ssm:GetParameter action", ""},
		{"one of the session's", session, Layers{Identity: []Named{allow}, Session: []Named{other, allow}}, Allow, "", ""},
		{"every level of the organisation", user, Layers{Identity: []Named{allow}, SCPs: [][]Named{{allow}, {other, allow}}}, Allow, "", ""},
		{"a level that allows nothing", user, Layers{Identity: []Named{allow}, SCPs: [][]Named{{allow}, {other}}}, ImplicitDeny, "because no service control policy allows the ssm:GetParameter action", ""},
		{"denied by the organisation", user, Layers{Identity: []Named{allow}, SCPs: [][]Named{{allow, deny}}}, ExplicitDeny, "with an explicit deny in a service control policy", ""},
		{"the resource names the user", user, Layers{Resource: to(user), Boundary: &other}, Allow, "", "allowed: statement One of the resource-based policy its own"},
		{"the resource names the session", session, Layers{Resource: to(session), Session: []Named{other}}, Allow, "", ""},
		{"the resource names the role", session, Layers{Resource: to("arn:aws:iam::123456789012:role/app")}, Allow, "", ""},
		{"the role has a boundary", session, Layers{Resource: to("arn:aws:iam::123456789012:role/app"), Boundary: &other}, ImplicitDeny,
			"because no permissions boundary allows the ssm:GetParameter action", ""},
		{"the resource names the account", user, Layers{Resource: to("123456789012")}, ImplicitDeny, "because no identity-based policy allows the ssm:GetParameter action", ""},
		{"the resource names its root", user, Layers{Resource: to("arn:aws:iam::123456789012:root")}, ImplicitDeny, "because no identity-based policy allows the ssm:GetParameter action", ""},
		{"the resource names everybody", user, Layers{Resource: to("*")}, Allow, "", ""},
		{"the resource names somebody else", user, Layers{Resource: to("arn:aws:iam::123456789012:user/bob")}, ImplicitDeny, "because no identity-based policy allows the ssm:GetParameter action", ""},
		{"the organisation bounds the resource too", user, Layers{Resource: to(user), SCPs: [][]Named{{other}}}, ImplicitDeny, "because no service control policy allows the ssm:GetParameter action", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := tt.layers.Decide(Request{Action: "ssm:GetParameter", Resource: thing, Principal: tt.who})
			if v.Decision != tt.decision || v.Why() != tt.why || tt.told != "" && v.String() != tt.told {
				t.Errorf("got  %v, %q, %q\nwant %v, %q, %q", v.Decision, v.Why(), v, tt.decision, tt.why, tt.told)
			}
			if refusal := v.Refusal(tt.who); !strings.HasPrefix(refusal, "User: "+tt.who+" is not authorized to perform: ssm:GetParameter on resource: "+thing) || !strings.HasSuffix(refusal, v.Why()) {
				t.Errorf("%q", refusal)
			}
		})
	}
}

// A session's ARN has no path, its role's has.
func TestRoleWithPath(t *testing.T) {
	t.Parallel()
	const role, other = "arn:aws:iam::123456789012:role/service/app", "arn:aws:iam::123456789012:role/app"
	resource := func(effect, key, principal string) *Named {
		n := named(t, "its own", oneStatement(effect, `,"`+key+`":{"AWS":"`+principal+`"}`))
		return &n
	}
	may := []Named{named(t, "may", oneStatement("Allow", ""))}
	for _, tt := range []struct {
		name   string
		layers Layers
		behind string
		want   Decision
	}{
		{"granted", Layers{Resource: resource("Allow", "Principal", role)}, role, Allow},
		{"and bounded", Layers{Resource: resource("Allow", "Principal", role), Session: []Named{}}, role, ImplicitDeny},
		{"another role", Layers{Resource: resource("Allow", "Principal", role)}, other, ImplicitDeny},
		{"another role of the name", Layers{Resource: resource("Allow", "Principal", other)}, role, ImplicitDeny},
		{"nobody says which", Layers{Resource: resource("Allow", "Principal", role)}, "", ImplicitDeny},
		{"denied", Layers{Identity: may, Resource: resource("Deny", "Principal", role)}, role, ExplicitDeny},
		{"the only one not denied", Layers{Identity: may, Resource: resource("Deny", "NotPrincipal", role)}, role, Allow},
		{"denied to all but one", Layers{Identity: may, Resource: resource("Deny", "NotPrincipal", role)}, "arn:aws:iam::123456789012:role/b/app", ExplicitDeny},
		{"no role of the caller's", Layers{Resource: resource("Allow", "Principal", "arn:aws:iam::123456789012:role/x")}, "arn:aws:iam::123456789012:role/x", ImplicitDeny},
		{"of another account", Layers{Resource: resource("Allow", "Principal", "arn:aws:iam::999999999999:role/app")}, "arn:aws:iam::999999999999:role/app", ImplicitDeny},
	} {
		r := Request{Action: "ssm:GetParameter", Resource: thing, Principal: session, Context: map[string]string{}}
		if tt.behind != "" {
			r.Context["aws:PrincipalArn"] = tt.behind
		}
		if got := tt.layers.Decide(r); got.Decision != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}
