package policy

import (
	"fmt"
	"math/rand/v2"
	"slices"
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

// randomLayers makes policies out of few actions, resources and effects, so
// that they often meet.
func randomLayers(t testing.TB, r *rand.Rand) Layers {
	policies := func(n int) (all []Named) {
		for i := range n {
			all = append(all, named(t, fmt.Sprint("p", i), randomPolicy(r)))
		}
		return all
	}
	l := Layers{Identity: policies(r.IntN(4))}
	if r.IntN(3) == 0 {
		l.Boundary = &policies(1)[0]
	}
	if r.IntN(3) == 0 {
		l.Session = policies(1 + r.IntN(2))
	}
	for range r.IntN(3) {
		l.SCPs = append(l.SCPs, policies(1+r.IntN(2)))
	}
	return l
}

func randomPolicy(r *rand.Rand) string {
	pick := func(all ...string) string { return all[r.IntN(len(all))] }
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":%q,%q:%q,%q:%q}]}`,
		pick("Allow", "Allow", "Deny"), pick("Action", "Action", "NotAction"), pick("a:*", "a:x", "a:y", "*"),
		pick("Resource", "Resource", "NotResource"), pick("*", "arn:aws:a:::1", "arn:aws:a:::?"))
}

func randomRequest(r *rand.Rand) Request {
	return Request{Action: []string{"a:x", "a:y", "b:z"}[r.IntN(3)], Resource: []string{"arn:aws:a:::1", "arn:aws:a:::2"}[r.IntN(2)], Principal: user}
}

// What holds of all policies, whatever they say.
func TestDecideProperties(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	all := func(effect string) Named {
		return named(t, "all", `{"Version":"2012-10-17","Statement":[{"Effect":"`+effect+`","Action":"*","Resource":"*"}]}`)
	}
	for range 20_000 {
		l, request := randomLayers(t, r), randomRequest(r)
		before := l.Decide(request).Decision
		if shuffled := l; len(l.Identity) > 1 {
			shuffled.Identity = slices.Clone(l.Identity)
			r.Shuffle(len(l.Identity), func(i, j int) {
				shuffled.Identity[i], shuffled.Identity[j] = shuffled.Identity[j], shuffled.Identity[i]
			})
			if got := shuffled.Decide(request).Decision; got != before {
				t.Fatalf("the order of policies turns %v into %v: %+v", before, got, l)
			}
		}
		more := l
		more.Identity = append(slices.Clone(l.Identity), named(t, "more", randomPolicy(r)))
		switch got := more.Decide(request).Decision; {
		case more.Identity[len(l.Identity)].Document.Statements[0].Effect == effectDeny && before != Allow && got == Allow:
			t.Fatalf("a deny grants: %+v", more)
		case more.Identity[len(l.Identity)].Document.Statements[0].Effect == effectAllow && before == Allow && got != Allow:
			t.Fatalf("an allow revokes: %+v", more)
		}
		unbound := Layers{Identity: l.Identity}
		if before == Allow && unbound.Decide(request).Decision != Allow {
			t.Fatalf("a bound grants: %+v", l)
		}
		for _, bound := range []Layers{{Identity: l.Identity, Boundary: ptr(all("Allow"))}, {Identity: l.Identity, Session: []Named{all("Allow")}}, {Identity: l.Identity, SCPs: [][]Named{{all("Allow")}}}} {
			if got, want := bound.Decide(request).Decision, unbound.Decide(request).Decision; got != want {
				t.Fatalf("a bound that allows everything turns %v into %v", want, got)
			}
		}
		denied := l
		denied.Boundary = ptr(all("Deny"))
		if got := denied.Decide(request).Decision; got != ExplicitDeny {
			t.Fatalf("a deny of everything is %v", got)
		}
	}
}

func ptr[T any](v T) *T { return &v }

// NotAction and NotResource are what Action and Resource are not.
func TestComplement(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	for range 5_000 {
		request := randomRequest(r)
		action := []string{"a:*", "a:x", "*", "b:?"}[r.IntN(4)]
		decide := func(key string) Decision {
			return Evaluate([]Document{named(t, "", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","`+key+`":"`+action+`","Resource":"*"}]}`).Document}, request)
		}
		if (decide("Action") == Allow) == (decide("NotAction") == Allow) {
			t.Fatalf("%s is both or neither for %+v", action, request)
		}
	}
}
