package workload

import (
	"strings"

	"tegata/scan"
	"tegata/scan/yaml"
)

// A variable is a part of a scalar that its reader replaces.
type variable struct {
	start, end int
	text       string
}

// replaced adds a scalar in which next finds what is replaced, from an offset
// on. Code is how a text is written so that nothing in it is replaced.
func replaced(next func(s string, from int) (variable, bool), code yaml.Escape) filler {
	return func(c *yaml.Composition, n *yaml.Node) {
		at := 0
		for {
			v, ok := next(n.Value, at)
			if !ok {
				break
			}
			c.Part(n, at, v.start, code)
			c.Decoded(n, v.start, v.end, v.text, code)
			at = v.end
		}
		c.Part(n, at, len(n.Value), code)
	}
}

// kubernetes undoes what a manifest says of the arguments of containers: $$ is
// $. Names in $(…) are replaced only if the container has such a variable, so
// that $(command) stays what it is for the shell.
//
// Source: https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/
var kubernetes = replaced(
	func(s string, from int) (variable, bool) {
		i := strings.Index(s[from:], "$$")
		return variable{from + i, from + i + 2, "$"}, i >= 0
	},
	func(s string) string { return strings.ReplaceAll(s, "$$", "$$$$") },
)

// compose undoes the interpolation of Compose files: $$ is $, and $NAME, ${NAME}
// and ${NAME:-default} are replaced.
//
// Source: https://docs.docker.com/reference/compose-file/interpolation/
var compose = replaced(interpolated, func(s string) string { return strings.ReplaceAll(s, "$", "$$") })

func interpolated(s string, from int) (variable, bool) {
	for i := from; i < len(s)-1; i++ {
		if s[i] != '$' {
			continue
		}
		switch c := s[i+1]; {
		case c == '$':
			return variable{i, i + 2, "$"}, true
		case c == '{':
			if end := strings.IndexByte(s[i:], '}'); end > 0 {
				return variable{i, i + end + 1, defaultOf(s[i+2 : i+end])}, true
			}
		case nameByte(c) && (c < '0' || c > '9'):
			end := i + 1
			for end < len(s) && nameByte(s[end]) {
				end++
			}
			return variable{i, end, scan.Unknown}, true
		}
	}
	return variable{}, false
}

func nameByte(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// defaultOf returns the default in NAME:-default or NAME-default.
func defaultOf(expression string) string {
	i := 0
	for i < len(expression) && nameByte(expression[i]) {
		i++
	}
	text := strings.TrimPrefix(expression[i:], ":")
	if value, ok := strings.CutPrefix(text, "-"); ok && value != "" {
		return value
	}
	return scan.Unknown
}

// workflow undoes what services put into their workflows: ${{ … }} of GitHub and
// Azure, << … >> of CircleCI.
var workflow = replaced(
	func(s string, from int) (variable, bool) {
		for i := from; i < len(s); i++ {
			for _, tag := range []struct{ opens, closes string }{{"${{", "}}"}, {"<<parameters.", ">>"}, {"<< ", " >>"}} {
				if !strings.HasPrefix(s[i:], tag.opens) {
					continue
				}
				if end := strings.Index(s[i:], tag.closes); end > 0 && !strings.Contains(s[i:i+end], "\n") {
					return variable{i, i + end + len(tag.closes), scan.Unknown}, true
				}
			}
		}
		return variable{}, false
	}, nil,
)

// asIs adds a scalar in which nothing is replaced.
func asIs(c *yaml.Composition, n *yaml.Node) { c.Scalar(n) }
