package shell

import (
	"errors"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"tegata/scan"
)

var (
	errQuote     = errors.New("a single quote ends the string")
	errDelimiter = errors.New("the line ends the here document")
)

// singleQuotes takes everything but its own end.
var singleQuotes = scan.Layer{Name: "a single-quoted string of the shell", Encode: func(s string) (string, error) {
	if strings.Contains(s, "'") {
		return "", errQuote
	}
	return s, nil
}}

var doubleQuotes = scan.Layer{Name: "a double-quoted string of the shell", Encode: func(s string) (string, error) {
	return escape(s, "$`\"\\"), nil
}}

// plainDocument is a here document with a quoted delimiter.
func plainDocument(delimiter *syntax.Word) scan.Layer {
	return document(delimiter, "")
}

// expandedDocument is one in which the shell expands variables and commands.
func expandedDocument(delimiter *syntax.Word) scan.Layer {
	return document(delimiter, "$`\\")
}

func document(delimiter *syntax.Word, special string) scan.Layer {
	end := scope{}.word(delimiter).text
	return scan.Layer{Name: "a here document", Encode: func(s string) (string, error) {
		if slices.Contains(strings.Split(s, "\n"), end) {
			return "", errDelimiter
		}
		return escape(s, special), nil
	}}
}

// escape puts a backslash before each special byte.
func escape(s, special string) string {
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if strings.IndexByte(special, s[i]) >= 0 {
			out.WriteByte('\\')
		}
		out.WriteByte(s[i])
	}
	return out.String()
}
