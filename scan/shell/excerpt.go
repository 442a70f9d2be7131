package shell

import (
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"tegata/scan"
)

// longScript is from how many bytes on a script is read in two passes: the tree
// of a script is a hundred times as large as its text.
const longScript = 512 << 10

// excerpt returns a script with everything blanked that has nothing to do with
// the metadata service; what is left stands where it stood. It returns "" if no
// shell reads the script, or if there is little to blank.
func excerpt(t *scan.Text, variant syntax.LangVariant) string {
	o := &outline{body: t.Body, ids: map[string]int{}}
	for stmt, err := range syntax.NewParser(syntax.Variant(variant)).StmtsSeq(strings.NewReader(t.Body)) {
		if err != nil {
			return ""
		}
		o.add(stmt)
	}
	o.close()
	if o.kept > len(t.Body)/2 {
		return ""
	}
	return o.blanked()
}

// An outline is what the statements of a script have to do with each other.
type outline struct {
	body   string
	ids    map[string]int // of names
	groups []group
	kept   int // bytes
}

// A group is the statements that begin on one line, with the names that they
// give something to, and those that they use.
type group struct {
	start, end    int // without the comments below
	defines, uses []int
	keep          bool
}

// add takes a statement of the script itself.
func (o *outline) add(stmt *syntax.Stmt) {
	start := offset(stmt)
	if last := len(o.groups) - 1; last < 0 || strings.Contains(o.body[o.groups[last].start:start], "\n") {
		o.groups = append(o.groups, group{start: start})
	}
	g := &o.groups[len(o.groups)-1]
	g.end = span(stmt).End
	var locals []int
	syntax.Walk(stmt, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.FuncDecl:
			g.defines = o.with(g.defines, n.Name)
		case *syntax.DeclClause:
			for _, a := range n.Args {
				if n.Variant.Value == "local" {
					locals = o.with(locals, a.Name)
				}
			}
		case *syntax.Assign:
			g.defines = o.with(g.defines, n.Name)
		case *syntax.WordIter:
			g.defines = o.with(g.defines, n.Name)
		case *syntax.ParamExp:
			g.uses = o.with(g.uses, n.Param)
		case *syntax.Lit:
			if name, _, ok := strings.Cut(n.Value, "}"); ok && strings.HasPrefix(name, "{") {
				g.uses = o.with(g.uses, &syntax.Lit{Value: name[1:]}) // of $${name}
			}
		case *syntax.Redirect:
			if n.Hdoc != nil {
				g.end = max(g.end, span(n.Hdoc).End)
			}
		case *syntax.CallExpr:
			if len(n.Args) > 0 && len(n.Args[0].Parts) == 1 {
				name, _ := n.Args[0].Parts[0].(*syntax.Lit)
				g.uses = o.with(g.uses, name)
				g.keep = g.keep || name != nil && switches(name.Value)
			}
		}
		return true
	})
	slices.Sort(locals)
	g.defines, g.uses = without(g.defines, locals), without(g.uses, locals)
}

// without returns the names of a list, each once, that are not in a sorted one.
func without(list, sorted []int) []int {
	slices.Sort(list)
	return slices.DeleteFunc(slices.Compact(list), func(id int) bool {
		_, found := slices.BinarySearch(sorted, id)
		return found
	})
}

// switches reports whether a command may change how the shell runs all others.
func switches(name string) bool { return name == "set" || name == "trap" || name == "exec" }

func (o *outline) with(list []int, name *syntax.Lit) []int {
	if name == nil || name.Value == "" {
		return list
	}
	id, ok := o.ids[name.Value]
	if !ok {
		id = len(o.ids)
		o.ids[strings.Clone(name.Value)] = id
	}
	return append(list, id)
}

// close keeps what names what is looked for, what uses the names that this
// defines, and what defines the names that this uses.
func (o *outline) close() {
	for i := range o.groups {
		g := &o.groups[i]
		text := o.body[g.start:g.end]
		g.keep = g.keep || promising(text) || strings.Contains(text, "latest/")
	}
	for range deepest {
		defined, used := o.names()
		before := o.kept
		o.kept = 0
		for i := range o.groups {
			g := &o.groups[i]
			g.keep = g.keep || slices.ContainsFunc(g.uses, func(id int) bool { return defined[id] }) ||
				slices.ContainsFunc(g.defines, func(id int) bool { return used[id] })
			if g.keep {
				o.kept += len(o.text(i))
			}
		}
		if o.kept == before {
			return
		}
	}
}

// names are those that the kept groups define and use.
func (o *outline) names() (defined, used map[int]bool) {
	defined, used = map[int]bool{}, map[int]bool{}
	for _, g := range o.groups {
		if !g.keep {
			continue
		}
		for _, id := range g.defines {
			defined[id] = true
		}
		for _, id := range g.uses {
			used[id] = true
		}
	}
	return defined, used
}

// text is a group up to the next one: with its here documents.
func (o *outline) text(i int) string {
	end := len(o.body)
	if i+1 < len(o.groups) {
		end = o.groups[i+1].start
	}
	return o.body[o.groups[i].start:end]
}

// blanked is the script with blanks in place of all but the kept groups.
func (o *outline) blanked() string {
	out := []byte(o.body)
	from := 0
	for i, g := range o.groups {
		if g.keep {
			blank(out[from:g.start])
			from = g.start + len(o.text(i))
		}
	}
	blank(out[from:])
	return string(out)
}

// blank leaves only the ends of lines.
func blank(text []byte) {
	for i, b := range text {
		if b != '\n' {
			text[i] = ' '
		}
	}
}
