package cloudinit

import (
	"regexp"
	"strings"
	"sync"

	"tegata/scan"
	"tegata/scan/yaml"
)

// definition matches the head of a named part in a template of Go's.
var definition = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?m)^[ \t]*\{\{-?[ \t]*define[ \t]+"[^"\n]*"[ \t]*-?\}\}[ \t]*\r?\n?`)
})

// sections reads a file of Go's templates, each of which makes user data of its
// own. It reports whether the text is one.
func (d *data) sections(t *scan.Text, depth int) bool {
	heads := definition().FindAllStringIndex(t.Body, -1)
	for i, head := range heads {
		end := len(t.Body)
		if i+1 < len(heads) {
			end = heads[i+1][0]
		}
		start := skipTags(t.Body, head[1], end)
		inner := part(t, scan.Span{Start: start, End: end}, scan.CloudInit, "a template")
		switch {
		case strings.TrimSpace(inner.Body) == "":
		case strings.HasPrefix(inner.Body, "#!"):
			d.filled(inner)
		default:
			d.read(inner, depth+1)
		}
	}
	return len(heads) > 0
}

// skipTags returns where the first line begins that does not consist of tags.
func skipTags(body string, start, end int) int {
	for start < end {
		line, next := lineAt(body, start)
		if !yaml.TagsOnly(line) {
			return start
		}
		start = next
	}
	return min(start, end)
}
