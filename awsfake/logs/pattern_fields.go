package logs

import (
	"strings"
	"unicode"
)

// fields is [ip, user, ..., status_code = 4*, bytes]: what lies between spaces
// in a message, each under a name. The last takes all that is left.
type fields struct {
	before, after []field // what stands around the ellipsis
	ellipsis      bool
}

// A field has a name, and conditions on it; nil for none.
type field struct {
	name  string
	holds condition
}

func parseFields(text string) (pattern, error) {
	p := &conditions{text: text[1:], stop: ",]", known: func(name string) bool { return name != "" && !strings.ContainsAny(name, `$."'%*`) }}
	var f fields
	for {
		if p.takes("...") {
			if f.ellipsis {
				return nil, errPattern
			}
			f.ellipsis = true
		} else if err := f.add(p); err != nil {
			return nil, err
		}
		switch {
		case p.takes(","):
		case p.takes("]") && strings.TrimSpace(p.text) == "":
			return f, nil
		default:
			return nil, errPattern
		}
	}
}

// add reads one field.
func (f *fields) add(p *conditions) error {
	start := *p
	name, err := p.selector()
	if err != nil {
		return err
	}
	one := field{name: name}
	if p.skip(); !strings.HasPrefix(p.text, ",") && !strings.HasPrefix(p.text, "]") {
		*p = start
		if one.holds, err = p.either(); err != nil {
			return err
		}
	}
	if f.ellipsis {
		f.after = append(f.after, one)
	} else {
		f.before = append(f.before, one)
	}
	return nil
}

func (f fields) match(message string) (func(string) (string, bool), bool) {
	parts := split(message)
	n := len(f.before) + len(f.after)
	if len(parts) < n {
		return nil, false
	}
	found := map[string]string{}
	for i, one := range f.before {
		found[one.name] = parts[i].text
	}
	for i, one := range f.after {
		found[one.name] = parts[len(parts)-len(f.after)+i].text
	}
	if !f.ellipsis && len(parts) > n {
		found[f.before[n-1].name] = message[parts[n-1].start:]
	}
	of := func(name string) []value {
		if text, ok := found[name]; ok {
			return []value{{text: text}}
		}
		return nil
	}
	for _, one := range append(f.before[:len(f.before):len(f.before)], f.after...) {
		if one.holds != nil && !one.holds(of) {
			return nil, false
		}
	}
	return func(selector string) (string, bool) {
		text, ok := found[strings.TrimPrefix(selector, "$")]
		return text, ok
	}, true
}

// A part of a message, and where it begins.
type part struct {
	text  string
	start int
}

// split cuts a message at spaces, but not in brackets and quotation marks.
func split(message string) (parts []part) {
	for at := 0; at < len(message); {
		rest := message[at:]
		skipped := len(rest) - len(strings.TrimLeftFunc(rest, unicode.IsSpace))
		if skipped > 0 {
			at += skipped
			continue
		}
		length, text := len(rest), rest
		switch end := -1; rest[0] {
		case '[', '"':
			closing := byte('"')
			if rest[0] == '[' {
				closing = ']'
			}
			if end = strings.IndexByte(rest[1:], closing); end >= 0 {
				length, text = end+2, rest[1:end+1]
				break
			}
			fallthrough
		default:
			if end = strings.IndexFunc(rest, unicode.IsSpace); end >= 0 {
				length, text = end, rest[:end]
			}
		}
		parts = append(parts, part{text, at})
		at += length
	}
	return parts
}
