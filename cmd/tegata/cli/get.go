package cli

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"tegata/imds"
)

func runGet(ctx context.Context, s *session) error {
	fs := s.flags()
	output := oneOf("text", "json")
	fs.Var(output, "o", "")
	all := fs.Bool("all", false, "")
	fallback := fallbackFlag(fs)
	args, err := s.parse(fs)
	if err != nil {
		return s.undashed(err)
	}
	wanted, err := fieldsOf(args, *all)
	if err != nil {
		return err
	}
	client, err := s.imds(ctx, fallback.value)
	if err != nil {
		return err
	}
	defer client.Close()
	defer s.tellVersion(client)
	r := &reader{client: client}
	switch {
	case !*all:
		err = s.get(ctx, r, wanted, output.value)
	case output.value == "json":
		err = s.getTree(ctx, r)
	default:
		err = s.getAll(ctx, r)
	}
	return cause(ctx, err)
}

// undashed tells how a name is asked for to whoever types it as the options of
// ec2-metadata are typed.
func (s *session) undashed(err error) error {
	if err == errHelpWanted {
		return err
	}
	for _, arg := range s.Args {
		if name := strings.TrimLeft(arg, "-"); name != arg && slices.Contains(fieldNames(), name) {
			return hintf(err, "tegata get %s", name)
		}
	}
	return err
}

func fieldsOf(args []string, all bool) (wanted []field, err error) {
	switch {
	case all && len(args) > 0:
		return nil, usagef("--all is everything: unexpected argument %q", args[0])
	case !all && len(args) == 0:
		return nil, usagef("nothing to get; names are %s, and any path such as meta-data/tags/instance/", strings.Join(fieldNames(), ", "))
	}
	for _, arg := range args {
		f, err := fieldOf(arg)
		if err != nil {
			return nil, err
		}
		wanted = append(wanted, f)
	}
	return wanted, nil
}

// An answer is what came of one field.
type answer struct {
	field
	value  any   // see [reader.field]
	absent error // why there is no value, or nil
}

// get prints what it finds of the fields, and then tells what is absent.
func (s *session) get(ctx context.Context, r *reader, wanted []field, format string) error {
	answers, err := r.answers(ctx, wanted)
	if err != nil {
		return err
	}
	if format == "json" {
		err = s.printObject(answers)
	} else {
		err = s.printLines(answers)
	}
	if err != nil {
		return err
	}
	status := exitOK
	for _, a := range answers {
		if a.absent != nil {
			status = s.report(r.explain(ctx, a.field, a.absent))
		}
	}
	return done(status)
}

// answers reads fields. That one is absent does not keep it from the others.
func (r *reader) answers(ctx context.Context, wanted []field) (answers []answer, err error) {
	for _, f := range wanted {
		value, err := r.field(ctx, f)
		switch {
		case errors.Is(err, imds.ErrAbsent):
			answers = append(answers, answer{field: f, absent: err})
		case err != nil:
			return nil, err
		default:
			answers = append(answers, answer{field: f, value: value})
		}
	}
	return answers, nil
}

// printLines prints values in the order asked for. The line of an absent one
// stays empty, so that the others keep their places; user data alone are
// written byte for byte.
func (s *session) printLines(answers []answer) error {
	if len(answers) == 1 {
		switch a := answers[0]; {
		case a.absent != nil:
			return nil
		case a.isUserData():
			_, err := io.WriteString(s.Stdout, a.value.(string))
			return err
		}
	}
	for _, a := range answers {
		if err := line(s.Stdout, "%s", textOf(a.value)); err != nil {
			return err
		}
	}
	return nil
}

// textOf returns a value as lines, without an end of the last; nothing for nil.
func textOf(value any) string {
	switch v := value.(type) {
	case string:
		return strings.TrimSuffix(v, "\n")
	case []string:
		return strings.Join(v, "\n")
	case branch:
		var text []string
		for _, name := range slices.Sorted(maps.Keys(v)) {
			text = append(text, name+": "+textOf(v[name]))
		}
		return strings.Join(text, "\n")
	}
	return ""
}

// printObject prints a JSON object with null for what is absent.
func (s *session) printObject(answers []answer) error {
	object := make(map[string]any, len(answers))
	for _, a := range answers {
		object[a.name] = jsonOf(a.value)
	}
	return s.printJSON(object)
}

// jsonOf returns a value as it stands in JSON, which has no place for bytes
// that are not text.
func jsonOf(value any) any {
	switch v := value.(type) {
	case string:
		if !utf8.ValidString(v) {
			return map[string]string{"base64": base64.StdEncoding.EncodeToString([]byte(v))}
		}
	case branch:
		object := make(map[string]any, len(v))
		for name, below := range v {
			object[name] = jsonOf(below)
		}
		return object
	}
	return value
}

// getTree prints all metadata but credentials, as the tree that they are.
func (s *session) getTree(ctx context.Context, r *reader) error {
	tree, err := r.tree(ctx)
	if err != nil {
		return err
	}
	return s.printJSON(jsonOf(tree))
}

// getAll prints every field that the instance has, as NAME: VALUE. The lines
// of a value with more than one stand behind a tab, so that none of them can
// be taken for a field.
func (s *session) getAll(ctx context.Context, r *reader) error {
	answers, err := r.answers(ctx, fields)
	if err != nil {
		return err
	}
	for _, a := range answers {
		if a.absent != nil {
			continue
		}
		if err := line(s.Stdout, "%s:%s", a.name, a.indented()); err != nil {
			return err
		}
	}
	return nil
}

func (a answer) indented() string {
	switch text := textOf(a.value); {
	case !utf8.ValidString(text):
		return fmt.Sprintf(" (%d bytes)", len(text))
	case strings.Contains(text, "\n") || a.form == entries:
		return "\n\t" + strings.ReplaceAll(text, "\n", "\n\t")
	default:
		return " " + text
	}
}

func (s *session) printJSON(v any) error {
	enc := json.NewEncoder(s.Stdout)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
