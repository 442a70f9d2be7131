package code

import (
	"slices"
	"sort"
	"strings"

	"tegata/scan"
)

// A program is a text as far as it can be told without a grammar: what its
// names are set to, its functions, and what it calls.
type program struct {
	*dialect
	t         *scan.Text
	tokens    []token
	functions []*function
	sets      map[string][]assignment
	calls     []*call
	known     map[string][]shape // by the last part of their names

	named  map[string][]*function
	facts  wholeFacts
	steps  int                     // of evaluation; it has a budget
	values map[int]value           // of assignments, by their offsets
	pieces map[*function][][]token // statements
	inside map[*function][]*call

	knowing map[*function]bool // whether they know of tokens
}

// A function has a body, and no more than that is sure of it.
type function struct {
	name   string
	params []param
	body   []token
	at     scan.Span // from its name to the end of the body
	outer  *function
}

type param struct {
	name  string
	value []token // its default
}

// An assignment sets a name, or is the key of a table or the name of an
// argument.
type assignment struct {
	at     int
	value  []token
	in     *function
	add    bool // += and the like
	key    bool
	member bool // of an object: self.x
	block  bool // the name is the parameter of a block: X do |x|
	each   bool // it is set to one after the other of a list
}

// A call is a call, as far as a name and arguments are.
type call struct {
	name     string    // with what it is a member of: "requests.get", "URL.openStream"
	receiver []token   // what stands before the last dot
	args     [][]token // of a call without parentheses, too
	own      []token   // from the first token to the last argument
	whole    []token   // and what is called on its result
	at       scan.Span
	in       *function
	list     []token // what own is a part of
	from     int     // where in list
}

func (c *call) last() string { return c.name[strings.LastIndexByte(c.name, '.')+1:] }

func parse(t *scan.Text, d *dialect) *program {
	p := &program{dialect: d, t: t, tokens: lex(d, t.Body), sets: map[string][]assignment{}, known: map[string][]shape{}, named: map[string][]*function{}, pieces: map[*function][][]token{}, values: map[int]value{}, inside: map[*function][]*call{}, knowing: map[*function]bool{}}
	for _, s := range shapes(d.lang) {
		last := s.callee[strings.LastIndexByte(s.callee, '.')+1:]
		p.known[last] = append(p.known[last], s)
	}
	p.findFunctions()
	p.facts = p.whole()
	p.findAssignments(p.tokens)
	p.each(p.tokens, p.findCalls)
	for _, c := range p.calls {
		for f := c.in; f != nil; f = f.outer {
			p.inside[f] = append(p.inside[f], c)
		}
	}
	return p
}

// each visits a list of tokens, and those of the expressions in its strings.
func (p *program) each(ts []token, visit func([]token)) {
	visit(ts)
	for _, t := range ts {
		for _, part := range t.parts {
			if len(part.hole) > 0 {
				p.each(part.hole, visit)
			}
		}
	}
}

func is(t token, signs ...string) bool { return t.kind == sign && slices.Contains(signs, t.s) }

// at returns a token, or the end of a line beyond the ends.
func at(ts []token, i int) token {
	if i < 0 || i >= len(ts) {
		return token{kind: newline, s: "\n"}
	}
	return ts[i]
}

// past returns the index after a token and, if it is a bracket, its partner.
func past(ts []token, i int) int {
	if j := i + ts[i].jump; ts[i].jump > 0 && j < len(ts) {
		return j + 1
	}
	return i + 1
}

// inner returns what stands between the bracket at i and its partner.
func inner(ts []token, i int) []token {
	if j := past(ts, i) - 1; j > i {
		return ts[i+1 : j]
	}
	return nil
}

// before returns the index of the first token of the primary that ends at i:
// a word, a string, or brackets with what they belong to.
func before(ts []token, i int) int {
	for i >= 0 && ts[i].jump < 0 && i+ts[i].jump >= 0 {
		i += ts[i].jump
		if i > 0 && (ts[i-1].kind == word && !keyword(ts[i-1].s) || ts[i-1].jump < 0) && ts[i].s != "{" {
			i--
			continue
		}
		return i
	}
	return i
}

// keyword reports words that stand before brackets without calling anything.
func keyword(s string) bool {
	switch s {
	case "if", "for", "while", "switch", "catch", "return", "with", "using", "lock", "foreach", "synchronized", "elseif", "elsif", "elif",
		"function", "func", "in", "and", "or", "not", "else", "do", "unless", "rescue", "until", "when", "case", "then", "end", "begin", "try", "except",
		"await", "yield", "raise", "throw", "def", "class", "sub", "fn", "fun", "print", "echo", "assert", "lambda", "typeof", "import", "from", "as", "match", "range", "var", "my", "let", "const":
		return true
	}
	return false
}

// expression returns the index after the expression that begins at i.
func (p *program) expression(ts []token, i int) int {
	for start := i; i < len(ts); {
		t := ts[i]
		switch {
		case t.kind == newline:
			if !continues(ts, i, start) {
				return i
			}
		case is(t, ",", ";", ")", "]", "}"):
			return i
		case t.kind == word && p.loose && i > start && slices.Contains([]string{"if", "unless", "do", "rescue", "while", "until", "then"}, t.s):
			return i
		}
		i = past(ts, i)
	}
	return i
}

// continues reports whether an expression goes on after the end of a line.
func continues(ts []token, i, start int) bool {
	if i > start && ts[i-1].kind == sign && !strings.Contains(")]}", ts[i-1].s) && ts[i-1].s != "!" {
		return true
	}
	return i == start || is(at(ts, i+1), ".", "+", "||", "&&", "??", "?", ":", "?:")
}

// split returns the parts of a list between separators outside of brackets.
func split(ts []token, signs ...string) (parts [][]token) {
	start := 0
	for i := 0; i < len(ts); i = past(ts, i) {
		if is(ts[i], signs...) {
			parts = append(parts, ts[start:i])
			start = i + 1
		}
	}
	if start < len(ts) {
		parts = append(parts, ts[start:])
	}
	return parts
}

// function returns the innermost function that an offset lies in. They are in
// the order of their beginnings.
func (p *program) function(offset int) *function {
	i := sort.Search(len(p.functions), func(i int) bool { return p.functions[i].at.Start > offset })
	if i == 0 {
		return nil
	}
	f := p.functions[i-1]
	for f != nil && f.at.End <= offset {
		f = f.outer
	}
	return f
}

// findAssignments reads what the names are set to.
func (p *program) findAssignments(ts []token) {
	var open []int
	for i, t := range ts {
		switch {
		case is(t, "(", "[", "{") && t.jump > 0:
			open = append(open, i)
		case is(t, ")", "]", "}") && t.jump < 0 && len(open) > 0:
			open = open[:len(open)-1]
		case is(t, "=", ":=", "||=", "??=", "+="):
			p.assign(ts, i, len(open) > 0 && p.lang != "go" && arguments(ts, open[len(open)-1]))
		case is(t, "=>", ":"):
			p.key(ts, i)
		case t.kind == word && t.s == "as" && p.lang == "python":
			p.as(ts, i)
		case t.kind == word && t.s == "foreach" && p.lang == "php":
			p.foreach(ts, i)
		case t.kind == word && (t.s == "for" || t.s == "foreach"):
			p.loop(ts, i)
		case is(t, "|") && p.lang == "ruby" && i > 0 && (ts[i-1].s == "do" || is(ts[i-1], "{")):
			p.block(ts, i)
		case t.kind == word && t.s == "define":
			p.define(ts, i)
		}
	}
}

// arguments reports whether the bracket at i opens the arguments of a call, and
// not the head of a statement: using (var a = …), try (A a = …), if (($a = …)).
func arguments(ts []token, i int) bool {
	for i > 0 && is(ts[i], "(") && is(ts[i-1], "(", "!") {
		i--
	}
	return is(ts[i], "(") && !(i > 0 && ts[i-1].kind == word && heads(ts[i-1].s))
}

// heads reports the words of statements whose parentheses may set a name.
func heads(s string) bool {
	switch s {
	case "using", "try", "if", "elseif", "while", "for", "fixed":
		return true
	}
	return false
}

func (p *program) set(name token, a assignment) {
	a.at, a.in = name.at.Start, p.function(name.at.Start)
	p.sets[name.s] = append(p.sets[name.s], a)
}

// assign reads "a = …", "const a string = …", "let a: string = …", "a, b := …".
func (p *program) assign(ts []token, i int, named bool) {
	value := ts[i+1 : p.expression(ts, i+1)]
	if at(value, 0).s == "range" && p.lang == "go" {
		value = p.loopValue(ts, i+1)
	}
	j := i - 1
	if j < 0 || ts[j].kind != word {
		return
	}
	j = p.annotated(ts, j)
	for {
		p.set(ts[j], assignment{value: value, add: ts[i].s == "+=", key: named, member: is(at(ts, j-1), ".")})
		if j < 2 || !is(ts[j-1], ",") || ts[j-2].kind != word || named {
			return
		}
		j -= 2
	}
}

// annotated returns where the name stands that a type follows.
func (p *program) annotated(ts []token, j int) int {
	if p.lang == "go" && j > 0 && ts[j-1].kind == word && !keyword(ts[j-1].s) {
		return j - 1
	}
	k := j
	for k > 0 && (ts[k].kind == word || is(ts[k], ".", "<", ">", "[", "]", "?", "|", "&", "*")) {
		k--
	}
	if is(ts[k], ":") && k > 0 && ts[k-1].kind == word && p.first {
		return k - 1
	}
	return j
}

// key reads "a: …" and "a => …".
func (p *program) key(ts []token, i int) {
	if i == 0 || ts[i-1].kind != word && ts[i-1].kind != text {
		return
	}
	name := ts[i-1]
	if name.kind == text {
		name.s = name.decoded()
	}
	p.set(name, assignment{value: ts[i+1 : p.expression(ts, i+1)], key: true})
}

// as reads "with … as a".
func (p *program) as(ts []token, i int) {
	for j := i - 1; j >= 0 && ts[j].kind != newline; j-- {
		if ts[j].jump < 0 {
			j += ts[j].jump
		} else if ts[j].s == "with" || is(ts[j], ",") {
			if at(ts, i+1).kind == word {
				p.set(ts[i+1], assignment{value: ts[j+1 : i]})
			}
			return
		}
	}
}

// loop reads "for a in …", "for a, b in …", "for (const a of …".
func (p *program) loop(ts []token, i int) {
	var names []token
	for j := i + 1; j < min(i+9, len(ts)); j++ {
		switch t := ts[j]; {
		case t.kind == word && (t.s == "in" || t.s == "of"), is(t, ":") && p.lang == "java":
			for _, name := range names {
				p.set(name, assignment{value: p.loopValue(ts, j+1), each: true})
			}
			return
		case t.kind == word && !keyword(t.s):
			names = append(names, t)
		case t.kind == newline, is(t, ";", "="):
			return
		}
	}
}

// foreach reads PHP's "foreach (a as b)" and "foreach (a as k => b)".
func (p *program) foreach(ts []token, i int) {
	if !is(at(ts, i+1), "(") || ts[i+1].jump <= 0 {
		return
	}
	head := inner(ts, i+1)
	for j, t := range head {
		if t.kind == word && t.s == "as" && head[len(head)-1].kind == word && j > 0 {
			p.set(head[len(head)-1], assignment{value: head[:j], each: true})
			return
		}
	}
}

// loopValue returns what is gone through, up to the colon or the bracket.
func (p *program) loopValue(ts []token, i int) []token {
	end := min(i, len(ts))
	for end < len(ts) && !is(ts[end], ":", ")") && (p.lang == "python" || !is(ts[end], "{")) && ts[end].kind != newline && ts[end].s != "do" {
		end = past(ts, end)
	}
	return ts[min(i, len(ts)):min(end, len(ts))]
}

// block reads "… do |a|".
func (p *program) block(ts []token, i int) {
	j := i - 2
	for j >= 0 && ts[j].kind != newline && !is(ts[j], ";", "=", "(", "{") {
		if ts[j].jump < 0 {
			j += ts[j].jump
		}
		j--
	}
	if name := at(ts, i+1); name.kind == word && j+1 < i-1 {
		p.set(name, assignment{value: ts[j+1 : i-1], block: true})
	}
}

// define reads define('A', …) and #define A ….
func (p *program) define(ts []token, i int) {
	name := at(ts, i+1)
	if p.lang == "c" && name.kind == word && at(ts, i+2).kind == text {
		p.set(name, assignment{value: ts[i+2 : i+3]})
	}
	if is(name, "(") && at(ts, i+2).kind == text && is(at(ts, i+3), ",") {
		name = ts[i+2]
		name.s = name.decoded()
		p.set(name, assignment{value: ts[i+4 : p.expression(ts, i+4)]})
	}
}

// findCalls reads what is called.
func (p *program) findCalls(ts []token) {
	for i, t := range ts {
		if t.kind != word || keyword(t.s) && !is(at(ts, i-1), ".") {
			continue
		}
		args, end, ok := p.arguments(ts, i)
		if !ok {
			continue
		}
		p.calls = append(p.calls, p.call(ts, i, args, end))
	}
}

// arguments returns what follows the name of a call, and where that ends.
func (p *program) arguments(ts []token, i int) (args [][]token, end int, ok bool) {
	next := at(ts, i+1)
	switch {
	case is(next, "(") && next.jump > 0:
		return split(inner(ts, i+1), ","), past(ts, i+1), true
	case is(next, "{") && next.jump > 0 && at(ts, i-1).s == "new":
		return [][]token{ts[i+1 : past(ts, i+1)]}, past(ts, i+1), true
	case is(next, "<"):
		for j := i + 2; j < i+12 && j+1 < len(ts) && (ts[j].kind == word || is(ts[j], ".", ",", ">", "<", "?", "[", "]")); j++ {
			if is(ts[j], ">") && is(ts[j+1], "(") {
				return split(inner(ts, j+1), ","), past(ts, j+1), true
			}
		}
	case p.loose && p.bare(ts, i):
		end := i + 1
		for end < len(ts) {
			if end = p.expression(ts, end); !is(at(ts, end), ",") {
				break
			}
			end++
		}
		return split(ts[i+1:min(end, len(ts))], ","), min(end, len(ts)), true
	case is(at(ts, i-1), ".") && (property(ts[i].s) || p.lang == "ruby"):
		return nil, i + 1, true
	}
	return nil, 0, false
}

// property reports names that ask for something without parentheses.
func property(s string) bool {
	switch s {
	case "text", "read", "open", "bytes", "openStream", "openConnection", "getContent":
		return true
	}
	return false
}

// bare reports whether arguments follow without parentheses.
func (p *program) bare(ts []token, i int) bool {
	next := at(ts, i+1)
	if next.at.Start == ts[i].at.End || keyword(ts[i].s) {
		return false
	}
	switch next.kind {
	case text:
		return true
	case word:
		return !keyword(next.s) && (p.lang != "java" || at(ts, i+2).kind == newline || is(at(ts, i+2), "."))
	}
	return is(next, "[") && next.jump > 0 && p.lang == "ruby" && at(ts, i+2).at.Start == next.at.End
}

// longestChain is how many members and calls are followed from one to the next.
const longestChain = 64

func (p *program) call(ts []token, i int, args [][]token, end int) *call {
	start, names := i, []string{ts[i].s}
	for links := 0; start > 0 && is(ts[start-1], ".") && links < longestChain; links++ {
		j := start - 2
		if at(ts, j).kind == newline {
			j--
		}
		if j < 0 {
			break
		}
		k := before(ts, j)
		if ts[k].kind == sign && ts[k].jump == 0 {
			break
		}
		if ts[k].kind == word {
			names = append(names, ts[k].s)
		}
		start = k
	}
	slices.Reverse(names)
	receiver := ts[start:max(start, i-1)]
	if at(ts, start-1).s == "new" {
		start--
		receiver = ts[start:max(start, i-1)]
		if i-1 == start {
			receiver = nil
		}
	}
	end = min(end, len(ts))
	c := &call{name: strings.Join(names, "."), receiver: receiver, args: args, own: ts[start:end], list: ts, from: start}
	c.at = scan.Span{Start: ts[start].at.Start, End: ts[end-1].at.End}
	c.whole = ts[start:p.chain(ts, end)]
	c.in = p.function(c.at.Start)
	return c
}

// chain returns the index after what is called on a result.
func (p *program) chain(ts []token, i int) int {
	for links := 0; i < len(ts) && links < 2*longestChain; links++ {
		j := i
		if ts[j].kind == newline {
			j++
		}
		switch {
		case is(at(ts, j), ".") && at(ts, j+1).kind == word:
			i = j + 2
		case j == i && is(ts[i], "(", "[", "{") && ts[i].jump > 0 && (ts[i].s != "{" || p.lang == "ruby" || at(ts, i-1).jump < 0 && p.lang == "csharp"):
			i = past(ts, i)
		default:
			return i
		}
	}
	return i
}
