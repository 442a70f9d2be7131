package scan

import (
	"os"
	"path/filepath"
	"strings"
)

// ignoreRules are the patterns of one .gitignore, and of those above it.
//
// Source: https://git-scm.com/docs/gitignore
type ignoreRules struct {
	above    *ignoreRules
	dir      string // slash-separated, to which the patterns are relative; "" for the root of the walk
	patterns []ignorePattern
}

type ignorePattern struct {
	segments []string
	negated  bool // what it matches is not ignored after all
	folders  bool // matches folders alone
	anchored bool // matches the whole path, and not a name at any depth
}

// parseIgnore reads the text of a .gitignore.
func parseIgnore(text string) (patterns []ignorePattern) {
	for line := range strings.Lines(strings.TrimPrefix(text, byteOrderMark)) {
		if p, ok := parseIgnoreLine(strings.TrimRight(line, "\r\n")); ok {
			patterns = append(patterns, p)
		}
	}
	return patterns
}

func parseIgnoreLine(line string) (p ignorePattern, ok bool) {
	for strings.HasSuffix(line, " ") && !strings.HasSuffix(line, `\ `) {
		line = line[:len(line)-1]
	}
	if line == "" || line[0] == '#' {
		return p, false
	}
	line, p.negated = strings.CutPrefix(line, "!")
	line, p.folders = strings.CutSuffix(line, "/")
	p.anchored = strings.Contains(line, "/")
	line = strings.TrimPrefix(line, "/")
	p.segments = strings.Split(line, "/")
	return p, line != ""
}

// match reports whether the pattern means a path relative to its folder.
func (p ignorePattern) match(relative string, folder bool) bool {
	if p.folders && !folder {
		return false
	}
	if !p.anchored {
		return matchGlob(p.segments[0], relative[strings.LastIndexByte(relative, '/')+1:])
	}
	return matchSegments(p.segments, strings.Split(relative, "/"))
}

// matchSegments matches a path name by name; ** stands for any number of them.
func matchSegments(pattern, names []string) bool {
	for len(pattern) > 0 {
		if pattern[0] != "**" {
			if len(names) == 0 || !matchGlob(pattern[0], names[0]) {
				return false
			}
			pattern, names = pattern[1:], names[1:]
			continue
		}
		if len(pattern) == 1 {
			return len(names) > 0
		}
		for i := range names {
			if matchSegments(pattern[1:], names[i:]) {
				return true
			}
		}
		return false
	}
	return len(names) == 0
}

// matchGlob matches one name: * ? [a-z] [!a-z] and \ before any character.
func matchGlob(pattern, name string) bool {
	star, back := -1, 0 // the last * of the pattern, and what it has taken so far
	p, n := 0, 0
	for n < len(name) {
		if p < len(pattern) && pattern[p] == '*' {
			star, back = p, n
			p++
			continue
		}
		if next, ok := matchOne(pattern, p, name[n]); ok {
			p, n = next, n+1
			continue
		}
		if star < 0 {
			return false
		}
		back++
		p, n = star+1, back
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// matchOne matches one byte by what stands at an offset of the pattern, and
// returns the offset behind it.
func matchOne(pattern string, at int, c byte) (next int, ok bool) {
	if at >= len(pattern) {
		return at, false
	}
	switch pattern[at] {
	case '?':
		return at + 1, true
	case '[':
		if end := strings.IndexByte(pattern[min(at+2, len(pattern)):], ']'); end >= 0 {
			return at + 2 + end + 1, inClass(pattern[at+1:at+2+end], c)
		}
	case '\\':
		if at+1 < len(pattern) {
			return at + 2, pattern[at+1] == c
		}
	}
	return at + 1, pattern[at] == c
}

// inClass reports whether a byte is one of a class such as a-z_.
func inClass(class string, c byte) bool {
	negated := class != "" && (class[0] == '!' || class[0] == '^')
	if negated {
		class = class[1:]
	}
	for i := 0; i < len(class); i++ {
		low, high := class[i], class[i]
		if i+2 < len(class) && class[i+1] == '-' {
			high = class[i+2]
			i += 2
		}
		if low <= c && c <= high {
			return !negated
		}
	}
	return negated
}

// ignores reports whether git would pass over a path, which is relative to
// the root of the walk. The last pattern that matches decides.
func (r *ignoreRules) ignores(name string, folder bool) bool {
	for ; r != nil; r = r.above {
		relative := name
		if r.dir != "" {
			relative = strings.TrimPrefix(name, r.dir+"/")
		}
		for i := len(r.patterns) - 1; i >= 0; i-- {
			if r.patterns[i].match(relative, folder) {
				return !r.patterns[i].negated
			}
		}
	}
	return false
}

// below returns the rules for a folder with those of its own .gitignore.
func (r *ignoreRules) below(dir, path string) *ignoreRules {
	text, err := os.ReadFile(path)
	if err != nil {
		return r
	}
	if patterns := parseIgnore(string(text)); len(patterns) > 0 {
		return &ignoreRules{above: r, dir: dir, patterns: patterns}
	}
	return r
}

// ignoresAbove returns the rules that hold in a folder because of what lies
// above it: every .gitignore up to the root of its repository. Paths of these
// rules are relative to that root, whose distance is returned as prefix.
func ignoresAbove(dir string) (rules *ignoreRules, prefix string) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return nil, ""
	}
	root := absolute
	for !exists(filepath.Join(root, ".git")) {
		up := filepath.Dir(root)
		if up == root {
			return nil, ""
		}
		root = up
	}
	relative, err := filepath.Rel(root, absolute)
	if err != nil {
		return nil, ""
	}
	rules = rules.below("", filepath.Join(root, ".git", "info", "exclude"))
	if relative == "." {
		return rules, ""
	}
	at := ""
	for _, name := range strings.Split(filepath.ToSlash(relative), "/") {
		rules = rules.below(at, filepath.Join(root, filepath.FromSlash(at), ".gitignore"))
		at = strings.TrimPrefix(at+"/"+name, "/")
	}
	return rules, at
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
