package shell

import (
	"slices"
	"sort"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"tegata/scan"
)

// A value is what a word stands for, as far as the text tells.
type value struct {
	text      string     // scan.Unknown stands for what only running tells
	constants []constant // names that were followed
	maybe     bool       // it has another value, or none, on some way through the script
	varies    bool       // it has other values, which are none of the service
	settable  bool       // whoever runs the script can choose another
	names     []string   // of all variables in it, known or not
}

// A constant is a name that a word gets its value from.
type constant struct {
	name string
	at   int // where it is given its value
}

func (v *value) add(w value) {
	v.text += w.text
	v.constants = append(v.constants, w.constants...)
	v.names = append(v.names, w.names...)
	v.maybe = v.maybe || w.maybe
	v.settable = v.settable || w.settable
	v.varies = v.varies || w.varies
}

var unknown = value{text: scan.Unknown}

// A scope is where a word is evaluated.
type scope struct {
	*script
	at    int              // what precedes it counts first
	in    *syntax.FuncDecl // nil outside of functions
	args  []field          // of the function, if it is known how it is called
	depth int

	escapes bool // \n in quotes becomes a newline: for printf
}

// scopeOf is where a command's words are evaluated, with the arguments of its
// function if they are known.
func (s *script) scopeOf(c *command, args []field) scope {
	s.steps = manySteps
	return scope{script: s, at: offset(c.call), in: c.in, args: args}
}

// deepest is how far names are followed through names: more is a loop.
const deepest = 8

// manySteps is how many variables the evaluation of a command may look at: with
// more, it's not for people.
const manySteps = 100

// word evaluates a word.
func (c scope) word(w *syntax.Word) value {
	if w == nil {
		return value{}
	}
	return c.parts(w.Parts, false)
}

func (c scope) parts(parts []syntax.WordPart, quoted bool) (v value) {
	for i, p := range parts {
		switch p := p.(type) {
		case *syntax.Lit:
			if i > 0 && isPID(parts[i-1]) {
				v.add(c.afterDollar(p.Value))
				continue
			}
			v.text += unescape(p.Value, quoted)
		case *syntax.SglQuoted:
			v.text += p.Value
		case *syntax.DblQuoted:
			v.add(c.parts(p.Parts, true))
		case *syntax.ParamExp:
			if isPID(p) && i+1 < len(parts) && braced(parts[i+1]) {
				continue
			}
			v.add(c.parameter(p))
		case *syntax.CmdSubst:
			v.add(c.substitution(p))
		default:
			v.add(unknown)
		}
	}
	return v
}

// isPID reports whether a part is $$.
func isPID(p syntax.WordPart) bool {
	param, ok := p.(*syntax.ParamExp)
	return ok && param.Param != nil && param.Param.Value == "$" && param.Exp == nil
}

func braced(p syntax.WordPart) bool {
	lit, ok := p.(*syntax.Lit)
	return ok && strings.HasPrefix(lit.Value, "{") && strings.Contains(lit.Value, "}")
}

// afterDollar evaluates what follows $$. In a template of Terraform, $${x} is
// what becomes ${x}.
func (c scope) afterDollar(lit string) value {
	name, rest, ok := strings.Cut(strings.TrimPrefix(lit, "{"), "}")
	if !strings.HasPrefix(lit, "{") || !ok || !syntax.ValidName(name) {
		return value{text: unescape(lit, true)}
	}
	v, _ := c.variable(name, nil)
	v.text += rest
	return v
}

// substitution evaluates $(echo …) and $(which …), the commands whose output the
// text tells.
func (c scope) substitution(p *syntax.CmdSubst) (v value) {
	if len(p.Stmts) == 0 {
		return unknown
	}
	first := p.Stmts[0]
	if either, ok := first.Cmd.(*syntax.BinaryCmd); ok && either.Op == syntax.OrStmt {
		first = either.X // $(which x || true)
	}
	call, ok := first.Cmd.(*syntax.CallExpr)
	if !ok || len(call.Args) < 2 {
		return unknown
	}
	if name := located(call); name != "" {
		return value{text: name}
	}
	if len(p.Stmts) > 1 || len(first.Redirs) > 0 || call.Args[0].Lit() != "echo" || strings.HasPrefix(call.Args[1].Lit(), "-") {
		return unknown
	}
	for i, w := range call.Args[1:] {
		if i > 0 {
			v.text += " "
		}
		v.add(c.word(w))
	}
	return v
}

// located returns the program that which, or command -v, looks for.
func located(call *syntax.CallExpr) string {
	last := call.Args[len(call.Args)-1].Lit()
	switch call.Args[0].Lit() {
	case "which":
		return last
	case "command", "type":
		if strings.HasPrefix(call.Args[1].Lit(), "-") && len(call.Args) == 3 {
			return last
		}
	}
	return ""
}

// unescape undoes backslashes: within double quotes only those before what is
// special there.
func unescape(s string, quoted bool) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) || quoted && !strings.ContainsRune("$`\"\\\n", rune(s[i+1])) {
			out.WriteByte(s[i])
			continue
		}
		i++
		if s[i] != '\n' {
			out.WriteByte(s[i])
		}
	}
	return out.String()
}

// parameter evaluates $x and ${x…}.
func (c scope) parameter(p *syntax.ParamExp) value {
	if p.Param == nil || p.Excl || p.Length || p.Slice != nil || p.Repl != nil || p.Names != 0 {
		return unknown
	}
	v, ok := c.variable(p.Param.Value, p.Index)
	v.maybe = v.maybe && mentionsToken(v.text) // a header that may be missing, not one whose token may be empty
	v.names = append(v.names, p.Param.Value)
	if p.Exp == nil {
		return v
	}
	switch p.Exp.Op {
	case syntax.DefaultUnset, syntax.DefaultUnsetOrNull, syntax.AssignUnset, syntax.AssignUnsetOrNull:
		if !ok {
			v = c.word(p.Exp.Word)
		}
		v.settable = true
	case syntax.AlternateUnset, syntax.AlternateUnsetOrNull:
		v = c.word(p.Exp.Word)
		v.maybe = true
	case syntax.RemSmallSuffix, syntax.RemLargeSuffix:
		v.text = strings.TrimSuffix(v.text, c.word(p.Exp.Word).text)
	case syntax.RemSmallPrefix, syntax.RemLargePrefix:
		v.text = strings.TrimPrefix(v.text, c.word(p.Exp.Word).text)
	case syntax.ErrorUnset, syntax.ErrorUnsetOrNull:
	default:
		v.text = scan.Unknown
	}
	return v
}

// variable returns the value of a name, and whether the text gives it one.
func (c scope) variable(name string, index syntax.ArithmExpr) (value, bool) {
	if len(name) == 1 && name[0] >= '1' && name[0] <= '9' {
		if len(c.args) == 0 {
			return unknown, false
		}
		if i := int(name[0]-'1') + c.shifted(c.in, c.at); i < len(c.args) {
			return c.args[i].value, true
		}
		return unknown, false
	}
	if name == "@" || name == "*" {
		return c.all(), c.args != nil
	}
	if c.depth == deepest || c.steps == 0 {
		return unknown, false
	}
	c.steps--
	a, chosen := c.find(name)
	if a == nil {
		return unknown, false
	}
	v := c.given(name, a, index)
	v.add(chosen)
	return v, true
}

// all is what "$*" stands for.
func (c scope) all() (v value) {
	if len(c.args) == 0 {
		return unknown
	}
	for i, a := range c.args[min(c.shifted(c.in, c.at), len(c.args)):] {
		if i > 0 {
			v.text += " "
		}
		v.add(a.value)
	}
	return v
}

// given evaluates what one assignment gives.
func (c scope) given(name string, a *assignment, index syntax.ArithmExpr) value {
	inner := scope{script: c.script, at: a.at, in: a.in, args: c.args, depth: c.depth + 1}
	if a.in != c.in {
		inner.args = nil
	}
	var v value
	if a.more {
		v, _ = inner.variable(name, nil)
	}
	switch {
	case len(a.array) > 0:
		v.add(inner.element(a, index))
	case a.word != nil:
		v.add(inner.word(a.word))
	}
	v.constants = append(v.constants, constant{name, a.at})
	return v
}

func (c scope) element(a *assignment, index syntax.ArithmExpr) value {
	i, array := 0, a.array
	if index != nil {
		switch lit := key(index); {
		case lit == "@" || lit == "*":
			var v value
			for i, e := range array {
				if i > 0 {
					v.text += " "
				}
				v.add(c.word(e))
			}
			return v
		case slices.Contains(a.keys, lit) && lit != "":
			i = slices.Index(a.keys, lit)
		case len(lit) == 1 && lit[0] >= '0' && lit[0] <= '9':
			i = int(lit[0] - '0')
		default:
			return unknown
		}
	}
	if i >= len(array) {
		return value{}
	}
	return c.word(array[i])
}

// find returns the assignment that gives a name its value at the scope: the
// last before it in the same function, else the last before it outside of
// functions, else any. Of several on different ways there, the one that tells
// of the metadata service is taken.
func (c scope) find(name string) (*assignment, value) {
	all := c.assigned[name]
	before := all[:sort.Search(len(all), func(i int) bool { return all[i].at >= c.at })]
	ways, certain := c.waysTo(nil, before, c.in)
	if !certain && c.in != nil {
		ways, _ = c.waysTo(ways, all, nil)
	}
	if len(ways) == 0 && len(all) > 0 {
		ways = []*assignment{&all[len(all)-1]}
	}
	if len(ways) == 0 {
		return nil, value{}
	}
	return c.telling(name, ways)
}

// waysTo adds the assignments in a function that may be the last, and reports
// whether one of them is made on every way.
func (c scope) waysTo(ways []*assignment, all []assignment, in *syntax.FuncDecl) ([]*assignment, bool) {
	for i := len(all) - 1; i >= 0 && len(ways) < manyWays; i-- {
		a := &all[i]
		if a.in != in {
			continue
		}
		ways = append(ways, a)
		if c.certain(a) && !a.more {
			return ways, true
		}
	}
	return ways, false
}

// certain reports whether an assignment that precedes a scope has been made
// there: always, or in the branch that the scope is in.
func (c scope) certain(a *assignment) bool {
	return !a.conditional || c.sharesBranch(a)
}

func (c scope) sharesBranch(a *assignment) bool {
	return c.in == a.in && c.at >= a.branch.Start && c.at < a.branch.End
}

// manyWays is how many assignments of one name are looked at.
const manyWays = 8

// telling chooses among the assignments that may be the last.
func (c scope) telling(name string, ways []*assignment) (*assignment, value) {
	if len(ways) == 1 {
		return ways[0], value{maybe: c.mayLack(ways[0])}
	}
	targets, found := 0, -1
	for i, a := range ways {
		v := c.given(name, a, nil)
		if mentionsToken(v.text) {
			return a, value{maybe: !a.more || !c.certain(a)}
		}
		if _, ok := findTarget(v.text); ok {
			targets++
			if found < 0 {
				found = i
			}
		} else if v.text == "" {
			targets++ // nothing is asked with it
		}
	}
	if found < 0 {
		return ways[0], value{maybe: ways[0].conditional}
	}
	return ways[found], value{maybe: true, varies: targets < len(ways) && !ways[found].more}
}

// mayLack reports whether an assignment that is the only one of its name gives
// the header with a token in a branch, and is needed behind it.
func (c scope) mayLack(a *assignment) bool {
	return c.in == a.in && a.branch.End > 0 && a.branch.End <= c.at && a.word != nil && mentionsToken(c.text.Body[offset(a.word):span(a.word).End])
}

// mentionsToken reports whether a string holds the header that makes a request
// one of version 2.
func mentionsToken(s string) bool {
	lower := strings.ToLower(s)
	return strings.Count(lower, tokenHeader) > strings.Count(lower, ttlHeader)
}

const (
	tokenHeader = "x-aws-ec2-metadata-token"
	ttlHeader   = "x-aws-ec2-metadata-token-ttl-seconds"
)

// findTarget is scan.FindTarget for values: a path that starts with something
// unknown is a path.
func findTarget(s string) (scan.Target, bool) {
	if !addressed(s) {
		return scan.Target{}, false
	}
	target, ok := scan.FindTarget(s)
	if ok && target.Path == "" {
		if _, rest, _ := strings.Cut(s, target.Host); strings.HasPrefix(strings.TrimPrefix(rest, "]"), scan.Unknown) {
			target.Path, target.Whose = "/"+scan.Unknown, scan.AWS
		}
	}
	return target, ok
}

// addressed reports whether a string may hold a name of the service, sooner than
// a pattern would.
func addressed(s string) bool {
	return strings.Contains(s, "169.254.169.254") || strings.Contains(s, "nstance-") || strings.Contains(s, "::254")
}

// A field is one argument of a command, after expansion.
type field struct {
	value
	at   scan.Span    // of the word that it comes from
	word *syntax.Word // nil where there is no tree
	rest bool         // any number of arguments that are not known
}

// fields expands words as the shell does, as far as the text tells.
func (c scope) fields(words []*syntax.Word) (out []field) {
	for _, w := range words {
		out = append(out, c.expand(w)...)
	}
	return out
}

func (c scope) expand(w *syntax.Word) []field {
	whole := field{at: span(w), word: w}
	p, quoted := onlyParameter(w)
	if p == nil || p.Param == nil {
		return c.joined(w, whole)
	}
	if list, ok := c.array(p); ok {
		return list.placed(whole)
	}
	if !quoted && p.Exp != nil && (p.Exp.Op == syntax.AlternateUnset || p.Exp.Op == syntax.AlternateUnsetOrNull) {
		return c.alternative(p.Exp.Word, whole)
	}
	if name := p.Param.Value; name == "@" || name == "*" {
		return c.arguments(p, whole)
	}
	whole.value = c.word(w)
	if !quoted && (strings.ContainsAny(whole.text, " \t\n") || whole.text == "") {
		return whole.split()
	}
	return []field{whole}
}

// joined expands $x/path, which is several fields if blanks are in $x.
func (c scope) joined(w *syntax.Word, whole field) (out []field) {
	whole.value = c.word(w)
	if !strings.Contains(whole.text, " ") || !slices.ContainsFunc(w.Parts, expanded) {
		return []field{whole}
	}
	part, open := whole, false
	for _, p := range w.Parts {
		v := c.parts([]syntax.WordPart{p}, false)
		words := []string{v.text}
		if expanded(p) {
			words = strings.Split(v.text, " ")
		}
		for i, text := range words {
			if i > 0 && open {
				out, open = append(out, part), false
			}
			if !open {
				part = whole
				part.text, part.word = "", nil
			}
			part.text += text
			open = open || text != ""
		}
	}
	if open {
		out = append(out, part)
	}
	return out
}

// expanded reports whether the shell cuts what a part of a word stands for at
// its blanks.
func expanded(p syntax.WordPart) bool {
	_, ok := p.(*syntax.ParamExp)
	return ok
}

// arguments expands $@ and "${@:2}".
func (c scope) arguments(p *syntax.ParamExp, whole field) []field {
	from := 1
	if p.Slice != nil {
		w, ok := p.Slice.Offset.(*syntax.Word)
		if !ok || len(w.Lit()) != 1 || p.Slice.Length != nil {
			from = deepest * deepest
		} else {
			from = int(w.Lit()[0] - '0')
		}
	}
	if len(c.args) == 0 || from < 1 {
		whole.value, whole.rest = unknown, true
		return []field{whole}
	}
	from += c.shifted(c.in, c.at)
	if from > len(c.args) {
		return nil
	}
	return c.args[from-1:]
}

// alternative expands ${x:+-H "a b"}, whose blanks outside of quotes separate
// arguments.
func (c scope) alternative(w *syntax.Word, whole field) (out []field) {
	if w == nil {
		return nil
	}
	whole.word, whole.maybe = nil, true
	open := false
	for _, p := range w.Parts {
		lit, ok := p.(*syntax.Lit)
		if !ok {
			if !open {
				out = append(out, whole)
			}
			out[len(out)-1].add(c.parts([]syntax.WordPart{p}, false))
			open = true
			continue
		}
		for i, text := range strings.Split(unescape(lit.Value, false), " ") {
			if i > 0 {
				open = false
			}
			if text == "" {
				continue
			}
			if !open {
				out = append(out, whole)
			}
			out[len(out)-1].text += text
			open = true
		}
	}
	return out
}

type fieldList []field

// placed says where in the text fields come from.
func (l fieldList) placed(whole field) (out []field) {
	for _, f := range l {
		f.at, f.word = whole.at, nil
		out = append(out, f)
	}
	return out
}

// split is what becomes of an expansion without quotes.
func (f field) split() (out []field) {
	for _, text := range strings.Fields(f.text) {
		part := f
		part.text, part.word = text, nil
		out = append(out, part)
	}
	return out
}

// array returns the elements of "${x[@]}".
func (c scope) array(p *syntax.ParamExp) (fieldList, bool) {
	index, ok := p.Index.(*syntax.Word)
	if !ok || index.Lit() != "@" && index.Lit() != "*" || c.depth == deepest {
		return nil, false
	}
	all := c.assigned[p.Param.Value]
	var out fieldList
	found := false
	for i := range all {
		a := &all[i]
		if c.steps == 0 {
			break
		}
		c.steps--
		if a.in != c.in && a.in != nil || a.in == c.in && a.at > c.at {
			continue
		}
		inner := scope{script: c.script, at: a.at, in: a.in, args: c.args, depth: c.depth + 1}
		if !a.more && c.certain(a) {
			out = nil
		}
		found = true
		for _, f := range inner.fields(a.array) {
			f.maybe = f.maybe || !c.certain(a)
			f.constants = append(f.constants, constant{p.Param.Value, a.at})
			out = append(out, f)
		}
	}
	return out, found
}

// onlyParameter returns the parameter that is all of a word, and whether it is
// in double quotes.
func onlyParameter(w *syntax.Word) (p *syntax.ParamExp, quoted bool) {
	if len(w.Parts) != 1 {
		return nil, false
	}
	part := w.Parts[0]
	if q, ok := part.(*syntax.DblQuoted); ok && len(q.Parts) == 1 {
		part, quoted = q.Parts[0], true
	}
	p, _ = part.(*syntax.ParamExp)
	return p, quoted
}
