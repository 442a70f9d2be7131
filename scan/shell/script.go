package shell

import (
	"slices"
	"sort"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"tegata/scan"
)

// A script is one text, parsed, and what its names stand for.
type script struct {
	text     *scan.Text
	reading  reading
	shebang  []string // the words of its first line, if that names a shell
	alpine   bool     // its programs are busybox's
	lines    lineNumbers
	facts    scan.Facts
	requests []*request // of the metadata service, in the order of the text
	index
	memory

	steps     int  // left for the evaluation of the words of a command
	traceSeen bool // it has been told that tokens are traced
}

// An index is where in a script what is. Lists are in the order of the text.
type index struct {
	functions map[string]*syntax.FuncDecl
	assigned  map[string][]assignment
	commands  []*command
	within    map[*syntax.FuncDecl][]*command // those of a function, and with nil those of none
	called    map[string][]*command           // those that call something by a name
	givers    map[string][]*command           // those whose output is a variable's value
}

// A memory keeps answers that take long to find.
type memory struct {
	modern      map[*syntax.Stmt]bool // of modernIn
	modernLists map[*syntax.Stmt]bool // of modernList, by the first statement
	returned    map[*syntax.Block]int // of returnsFrom
	onlyAsked   map[*command]bool     // of onlyAsks
	tokens      map[string]bool       // of namesToken
	concerns    map[string]bool       // of concerned
}

// An assignment gives a name its value.
type assignment struct {
	at          int
	in          *syntax.FuncDecl // nil outside of functions
	word        *syntax.Word     // nil for arrays, and for nothing at all
	array       []*syntax.Word
	keys        []string // of the array's elements, empty for those without
	more        bool     // +=
	conditional bool     // only in a branch, or unless there is a value
	branch      scan.Span
}

// A command is a simple command and what it stands in.
type command struct {
	call *syntax.CallExpr
	path []syntax.Node    // from the file down to call
	in   *syntax.FuncDecl // nil outside of functions
}

// statement is what a command and its redirections make.
func statement(c *command) *syntax.Stmt { return c.path[len(c.path)-2].(*syntax.Stmt) }

func newScript(t *scan.Text, file *syntax.File, r reading) *script {
	s := &script{
		text: t, reading: r, shebang: shebang(t.Body), alpine: forBusybox(t), lines: newLineNumbers(t.Body),
		index: index{
			functions: map[string]*syntax.FuncDecl{}, assigned: map[string][]assignment{}, within: map[*syntax.FuncDecl][]*command{},
			called: map[string][]*command{}, givers: map[string][]*command{},
		},
		memory: memory{
			modern: map[*syntax.Stmt]bool{}, modernLists: map[*syntax.Stmt]bool{}, returned: map[*syntax.Block]int{},
			onlyAsked: map[*command]bool{}, tokens: map[string]bool{}, concerns: map[string]bool{},
		},
	}
	var path []syntax.Node
	syntax.Walk(file, func(n syntax.Node) bool {
		if n == nil {
			path = path[:len(path)-1]
			return false
		}
		path = append(path, n)
		s.note(n, path)
		return len(path) < deepestNode || leave(&path)
	})
	return s
}

// shebang returns the words of a first line that names an interpreter.
func shebang(body string) []string {
	line, ok := strings.CutPrefix(body, "#!")
	if !ok {
		return nil
	}
	line, _, _ = strings.Cut(line[:min(len(line), widest)], "\n")
	return strings.Fields(line)
}

// deepestNode is how deep nodes are looked for; nobody nests commands so deep.
const deepestNode = 2000

// leave undoes a step down for a node whose children are not looked at.
func leave(path *[]syntax.Node) bool {
	*path = (*path)[:len(*path)-1]
	return false
}

// note keeps what a node tells of names.
func (s *script) note(n syntax.Node, path []syntax.Node) {
	switch n := n.(type) {
	case *syntax.FuncDecl:
		if n.Name != nil {
			s.functions[n.Name.Value] = n
		}
	case *syntax.CallExpr:
		if len(n.Args) > 0 {
			s.keepCommand(&command{n, slices.Clone(path), function(path)})
			return
		}
		s.assign(n.Assigns, path)
	case *syntax.DeclClause:
		s.assign(n.Args, path)
	case *syntax.ForClause:
		if loop, ok := n.Loop.(*syntax.WordIter); ok {
			for _, item := range loop.Items {
				s.keep(loop.Name, assignment{at: offset(n), word: item, conditional: true}, path)
			}
		}
	case *syntax.ParamExp:
		if n.Exp != nil && n.Param != nil && (n.Exp.Op == syntax.AssignUnset || n.Exp.Op == syntax.AssignUnsetOrNull) {
			s.keep(n.Param, assignment{at: offset(n), word: n.Exp.Word, conditional: true}, path)
		}
	}
}

func (s *script) keepCommand(c *command) {
	s.commands = append(s.commands, c)
	s.within[c.in] = append(s.within[c.in], c)
	name := c.call.Args[0].Lit()
	s.called[name] = append(s.called[name], c)
	if name := givenTo(c.path); name != "" {
		s.givers[name] = append(s.givers[name], c)
	}
}

// givenTo returns the variable that a command's output is the value of.
func givenTo(path []syntax.Node) string {
	substitutions := 0
	for _, n := range slices.Backward(path) {
		switch n := n.(type) {
		case *syntax.CmdSubst, *syntax.ProcSubst:
			substitutions++
		case *syntax.Assign:
			if n.Name != nil && substitutions == 1 {
				return n.Name.Value
			}
			return ""
		case *syntax.FuncDecl:
			return ""
		}
	}
	return ""
}

func (s *script) assign(assigns []*syntax.Assign, path []syntax.Node) {
	for _, a := range assigns {
		if a.Naked || a.Name == nil {
			continue
		}
		kept := assignment{at: offset(a), word: a.Value, more: a.Append}
		if a.Array != nil {
			kept.array = []*syntax.Word{}
			for _, e := range a.Array.Elems {
				kept.array = append(kept.array, e.Value)
				kept.keys = append(kept.keys, key(e.Index))
			}
		}
		s.keep(a.Name, kept, path)
	}
}

// key returns the index of an array's element, if it is written out.
func key(index syntax.ArithmExpr) string {
	w, ok := index.(*syntax.Word)
	if !ok || len(w.Parts) != 1 {
		return ""
	}
	switch p := w.Parts[0].(type) {
	case *syntax.Lit:
		return p.Value
	case *syntax.SglQuoted:
		return p.Value
	case *syntax.DblQuoted:
		return (&syntax.Word{Parts: p.Parts}).Lit()
	}
	return ""
}

func (s *script) keep(name *syntax.Lit, a assignment, path []syntax.Node) {
	if name == nil {
		return
	}
	a.in = function(path)
	if at, ok := branch(path); ok {
		a.conditional, a.branch = true, at
	}
	s.assigned[name.Value] = append(s.assigned[name.Value], a)
}

// function returns the innermost function of a path.
func function(path []syntax.Node) *syntax.FuncDecl {
	for _, n := range slices.Backward(path) {
		if f, ok := n.(*syntax.FuncDecl); ok {
			return f
		}
	}
	return nil
}

// branch returns what is run only if something else was so, around the end of a
// path and within its function.
func branch(path []syntax.Node) (scan.Span, bool) {
	for i, n := range slices.Backward(path) {
		switch n := n.(type) {
		case *syntax.FuncDecl:
			return scan.Span{}, false
		case *syntax.IfClause:
			if i+1 == len(path) || among(n.Cond, path[i+1]) {
				continue
			}
			if among(n.Then, path[i+1]) {
				return scan.Span{Start: offset(n.Then[0]), End: span(n.Then[len(n.Then)-1]).End}, true
			}
			return span(path[i+1]), true
		case *syntax.CaseItem, *syntax.WhileClause, *syntax.ForClause:
			return span(n), true
		case *syntax.BinaryCmd:
			if n.Op != syntax.Pipe && i+1 < len(path) && path[i+1] == syntax.Node(n.Y) {
				return span(n.Y), true
			}
		}
	}
	return scan.Span{}, false
}

func among(list []*syntax.Stmt, n syntax.Node) bool {
	s, ok := n.(*syntax.Stmt)
	return ok && slices.Contains(list, s)
}

func offset(n syntax.Node) int { return int(n.Pos().Offset()) }

func span(n syntax.Node) scan.Span { return scan.Span{Start: offset(n), End: int(n.End().Offset())} }

// lineNumbers are where the lines of a text end.
type lineNumbers []int

func newLineNumbers(body string) (out lineNumbers) {
	for i := 0; i < len(body); i++ {
		if body[i] == '\n' {
			out = append(out, i)
		}
	}
	return out
}

// of tells people on which line an offset is.
func (l lineNumbers) of(at int) string { return strconv.Itoa(1 + sort.SearchInts(l, at)) }

// start returns where the line of an offset begins.
func (l lineNumbers) start(at int) int {
	if i := sort.SearchInts(l, at); i > 0 {
		return l[i-1] + 1
	}
	return 0
}
