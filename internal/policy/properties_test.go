package policy

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// A dice makes policies out of few actions, resources, principals and keys, so
// that they often meet.
type dice struct{ *rand.Rand }

func newDice(seed uint64) dice { return dice{rand.New(rand.NewPCG(seed, 1))} }

func pick[T any](d dice, all ...T) T { return all[d.IntN(len(all))] }

func (d dice) statement(effect string, ofResource bool) Statement {
	s := Statement{Effect: effect}
	actions, resources := []string{pick(d, "a:*", "a:x", "a:y", "*")}, []string{pick(d, "*", "arn:aws:a:::1", "arn:aws:a:::?")}
	if d.IntN(3) == 0 {
		s.NotActions = actions
	} else {
		s.Actions = actions
	}
	if d.IntN(3) == 0 {
		s.NotResources = resources
	} else {
		s.Resources = resources
	}
	if d.IntN(4) == 0 {
		operator := pick(d, "StringEquals", "StringNotEquals", "ForAllValues:StringEquals", "ForAnyValue:StringNotEquals", "StringEqualsIfExists")
		s.Conditions = []Condition{{operator, pick(d, "k", "set"), []string{pick(d, "1", "2")}}}
	}
	if ofResource {
		who := map[string][]string{"AWS": {pick(d, user, session, "123456789012", "arn:aws:iam::123456789012:role/app", "arn:aws:iam::123456789012:user/bob", "*")}}
		if effect == effectDeny && d.IntN(3) == 0 {
			s.NotPrincipals = who
		} else {
			s.Principals = who
		}
	}
	return s
}

func (d dice) policies(least, most int, ofResource bool) []Named {
	all := []Named{}
	for range least + d.IntN(most-least+1) {
		n := Named{Name: "p", Document: Document{Version: version}}
		for range 1 + d.IntN(2) {
			n.Document.Statements = append(n.Document.Statements, d.statement(pick(d, effectAllow, effectAllow, effectAllow, effectDeny), ofResource))
		}
		all = append(all, n)
	}
	return all
}

func (d dice) layers() Layers {
	l := Layers{Identity: d.policies(0, 3, false)}
	if d.IntN(2) == 0 {
		l.Resource = &d.policies(1, 1, true)[0]
	}
	if d.IntN(3) == 0 {
		l.Boundary = &d.policies(1, 1, false)[0]
	}
	if d.IntN(3) == 0 {
		l.Session = d.policies(0, 2, false)
	}
	for range d.IntN(3) {
		l.SCPs = append(l.SCPs, d.policies(1, 2, false))
	}
	return l
}

func (d dice) request() Request {
	return Request{
		Action: pick(d, "a:x", "a:y", "b:z"), Resource: pick(d, "arn:aws:a:::1", "arn:aws:a:::22"), Principal: pick(d, user, session),
		Context: map[string]string{"k": pick(d, "1", "2")}, Sets: map[string][]string{"set": pick(d, nil, []string{"1"}, []string{"1", "2"})},
	}
}

// everything lists the documents of all layers, to be changed in their place.
func (l *Layers) everything() []*Named {
	var all []*Named
	for _, of := range append([][]Named{l.Identity, l.Session}, l.SCPs...) {
		for i := range of {
			all = append(all, &of[i])
		}
	}
	for _, one := range []*Named{l.Resource, l.Boundary} {
		if one != nil {
			all = append(all, one)
		}
	}
	return all
}

// add gives a document one more statement, without a change of the old one.
func (n *Named) add(s Statement) {
	n.Document.Statements = append(slices.Clip(n.Document.Statements), s)
}

// copied is a copy whose documents can be changed.
func (l Layers) copied() Layers {
	c := Layers{Identity: slices.Clone(l.Identity), Session: slices.Clone(l.Session)}
	for _, level := range l.SCPs {
		c.SCPs = append(c.SCPs, slices.Clone(level))
	}
	if l.Resource != nil {
		c.Resource = &Named{l.Resource.Name, l.Resource.Document}
	}
	if l.Boundary != nil {
		c.Boundary = &Named{l.Boundary.Name, l.Boundary.Document}
	}
	return c
}

func (d dice) shuffled(l Layers) Layers {
	c := l.copied()
	for _, of := range append([][]Named{c.Identity, c.Session}, c.SCPs...) {
		d.Shuffle(len(of), func(i, j int) { of[i], of[j] = of[j], of[i] })
	}
	d.Shuffle(len(c.SCPs), func(i, j int) { c.SCPs[i], c.SCPs[j] = c.SCPs[j], c.SCPs[i] })
	for _, n := range c.everything() {
		statements := slices.Clone(n.Document.Statements)
		d.Shuffle(len(statements), func(i, j int) { statements[i], statements[j] = statements[j], statements[i] })
		n.Document.Statements = statements
	}
	return c
}

// What holds of all policies, whatever they say.
func TestDecideProperties(t *testing.T) {
	t.Parallel()
	d := newDice(1)
	var met [3]int
	for range 20_000 {
		l, r := d.layers(), d.request()
		before := l.Decide(r).Decision
		met[before]++
		fail := func(what string, after Decision, changed Layers) {
			t.Fatalf("%s: %v becomes %v for %+v\nof %+v\nby %+v", what, before, after, r, l, changed)
		}
		if changed := d.shuffled(l); changed.Decide(r).Decision != before {
			fail("order decides", changed.Decide(r).Decision, changed)
		}
		if changed := l.copied(); len(changed.everything()) > 0 {
			n := pick(d, changed.everything()...)
			n.add(d.statement(effectDeny, n == changed.Resource))
			if after := changed.Decide(r).Decision; after != before && after != ExplicitDeny {
				fail("a deny does more than to deny", after, changed)
			}
		}
		changed := l.copied()
		changed.Identity = append(changed.Identity, Named{Document: Document{Statements: []Statement{d.statement(effectAllow, false)}}})
		if after := changed.Decide(r).Decision; after != before && after != Allow {
			fail("an allow of the identity does more than to allow", after, changed)
		}
		if changed := l.copied(); changed.Resource != nil {
			changed.Resource.add(d.statement(effectAllow, true))
			if after := changed.Decide(r).Decision; after != before && after != Allow {
				fail("an allow of the resource does more than to allow", after, changed)
			}
		}
		if granted := (Layers{Identity: l.Identity, Resource: l.Resource}); before == Allow && granted.Decide(r).Decision != Allow {
			fail("a bound grants", before, granted)
		}
		if denied := l.denies(r); denied != (before == ExplicitDeny) {
			fail("a matching deny is not an explicit deny, or the other way round", before, l)
		}
	}
	if slices.Min(met[:]) < 1000 {
		t.Errorf("of all decisions there were %v: the policies meet too seldom", met)
	}
}

// denies asks every document alone.
func (l Layers) denies(r Request) bool {
	return slices.ContainsFunc(l.everything(), func(n *Named) bool {
		return Evaluate([]Document{n.Document}, r) == ExplicitDeny
	})
}

// Layers that allow everything change nothing.
func TestWideBounds(t *testing.T) {
	t.Parallel()
	d := newDice(2)
	wide := Named{"all", Document{Statements: []Statement{{Effect: effectAllow, Actions: []string{"*"}, Resources: []string{"*"}}}}}
	for range 5_000 {
		l, r := Layers{Identity: d.policies(0, 3, false), Resource: &d.policies(1, 1, true)[0]}, d.request()
		bound := l
		bound.Boundary, bound.Session, bound.SCPs = &wide, []Named{wide}, [][]Named{{wide}, {wide}}
		if got, want := bound.Decide(r).Decision, l.Decide(r).Decision; got != want {
			t.Fatalf("%v, and %v within all for %+v of %+v", want, got, r, l)
		}
	}
}

// NotAction and NotResource are what Action and Resource are not.
func TestComplement(t *testing.T) {
	t.Parallel()
	d := newDice(3)
	for range 5_000 {
		r := d.request()
		actions, resources := []string{pick(d, "a:*", "a:x", "*", "b:?")}, []string{pick(d, "*", "arn:aws:a:::1", "arn:aws:a:::??", "arn:aws:b")}
		allows := func(s Statement) bool {
			s.Effect = effectAllow
			return Evaluate([]Document{{Statements: []Statement{s}}}, r) == Allow
		}
		if allows(Statement{Actions: actions, Resources: []string{"*"}}) == allows(Statement{NotActions: actions, Resources: []string{"*"}}) {
			t.Fatalf("%s is both or neither for %+v", actions, r)
		}
		if allows(Statement{Actions: []string{"*"}, Resources: resources}) == allows(Statement{Actions: []string{"*"}, NotResources: resources}) {
			t.Fatalf("%s is both or neither for %+v", resources, r)
		}
	}
}

// naive matches by trying everything.
func naive(pattern, s []rune) bool {
	if len(pattern) == 0 {
		return len(s) == 0
	}
	if pattern[0] == '*' {
		return naive(pattern[1:], s) || len(s) > 0 && naive(pattern, s[1:])
	}
	return len(s) > 0 && (pattern[0] == '?' || pattern[0] == s[0]) && naive(pattern[1:], s[1:])
}

func TestGlobIsNaive(t *testing.T) {
	t.Parallel()
	d := newDice(4)
	word := func(letters string, most int) string {
		var b strings.Builder
		for range d.IntN(most + 1) {
			b.WriteRune(pick(d, []rune(letters)...))
		}
		return b.String()
	}
	var matched int
	for range 200_000 {
		pattern, s := word("ab世*?", 7), word("ab世", 8)
		got := newGlob(pattern).match(s)
		if got {
			matched++
		}
		if want := naive([]rune(pattern), []rune(s)); got != want {
			t.Fatalf("%q on %q: %v, want %v", pattern, s, got, want)
		}
	}
	if matched < 10_000 {
		t.Errorf("%d matched", matched)
	}
}

// Any documents at all are decided over, and never to more than they say.
func FuzzDecide(f *testing.F) {
	wide := `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
	f.Add(modelOnly, `{"Statement":{"Effect":"Allow","Principal":{"AWS":"`+user+`"},"Action":"*","Resource":"*"}}`, wide, wide, "bedrock:InvokeModel", sonnetModel)
	f.Add(oneStatement("Deny", ""), oneStatement("Allow", `,"Principal":"*"`), wide, wide, "ssm:GetParameter", thing)
	f.Add(wide, `{"Version":"2012-10-17","Statement":{"Effect":"Deny","NotPrincipal":{"AWS":"123456789012"},"NotAction":"a:b","NotResource":"arn:${k}"}}`, wide,
		`{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"ForAnyValue:StringNotLike":{"set":["?"]}}}}`, "a:c", "arn:1")
	f.Fuzz(func(t *testing.T, identity, resource, boundary, scp, action, on string) {
		var l Layers
		for i, text := range []string{identity, resource, boundary, scp} {
			d, err := Parse([]byte(text))
			if err != nil {
				continue
			}
			switch n := (Named{fmt.Sprint("p", i), d}); i {
			case 0:
				l.Identity = []Named{n}
			case 1:
				l.Resource = &n
			case 2:
				l.Boundary = &n
			case 3:
				l.SCPs = [][]Named{{n}}
			}
		}
		r := Request{Action: action, Resource: on, Principal: user, Context: map[string]string{"k": "1"}, Sets: map[string][]string{"set": {"1", "22"}}}
		v := l.Decide(r)
		if l.denies(r) != (v.Decision == ExplicitDeny) {
			t.Errorf("%v, and a deny of a document is %v", v, l.denies(r))
		}
		granted := Layers{Identity: l.Identity, Resource: l.Resource}
		if v.Decision == Allow && granted.Decide(r).Decision != Allow {
			t.Errorf("%v, and without bounds %v", v, granted.Decide(r))
		}
		if told := strings.HasPrefix(v.String(), "denied: "); told == (v.Decision == Allow) || told != (v.Why() != "") {
			t.Errorf("%v is told as %q and %q", v.Decision, v, v.Why())
		}
	})
}
