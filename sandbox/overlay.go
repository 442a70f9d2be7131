package sandbox

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"tegata/internal/fault"
)

// An overlay is a YAML file that says only what differs from the value that
// it is laid over. The rules are:
//
//   - a key that is not there leaves its value alone, an unknown one is an error;
//   - sections and maps are merged key by key;
//   - a list takes the place of the one below, unless its field is tagged
//     overlay:"by id" (elements with the same id are merged) or
//     overlay:"prepend" (the new elements come first);
//   - null takes an entry out of a map, where the map's values aren't pointers,
//     and clears a single value. A section or list that is null is an error,
//     since nobody can tell whether its author meant "none" or "as before".
//
// Nothing below is written to: what is merged is copied first, so copies of a
// value stay independent of each other.
type overlay struct {
	file string
	at   map[string]*token.Position // where the value of a key stands, by "imds.hop_limit"
}

// layOver reads the YAML in data over what v points to. Errors begin with
// file:line:column.
func layOver(file string, data []byte, v any) (*overlay, error) {
	o := &overlay{file: file, at: map[string]*token.Position{}}
	data = []byte(strings.TrimPrefix(string(data), "\ufeff"))
	f, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, o.syntaxError(err)
	}
	for i, doc := range f.Docs {
		switch {
		case doc.Body == nil:
		case i > 0:
			return nil, o.errorf(doc.Body, "a second document: the file may hold one only")
		default:
			if err := o.section("", doc.Body, reflect.ValueOf(v).Elem()); err != nil {
				return nil, err
			}
		}
	}
	return o, nil
}

func (o *overlay) section(path string, n ast.Node, v reflect.Value) error {
	entries, err := o.entries(path, n)
	if err != nil {
		return err
	}
	fields := fieldsOf(v.Type())
	for _, e := range entries {
		f, ok := fields[e.name]
		if !ok {
			return o.errorf(e.key, "unknown key %q%s", join(path, e.name), didYouMean(e.name, slices.Sorted(maps.Keys(fields))))
		}
		if err := o.field(join(path, e.name), e, f, v.FieldByIndex(f.Index)); err != nil {
			return err
		}
	}
	return nil
}

func (o *overlay) field(path string, e entry, f reflect.StructField, v reflect.Value) error {
	below := reflect.ValueOf(v.Interface())
	if err := o.value(path, e.value, v); err != nil {
		return err
	}
	switch f.Tag.Get("overlay") {
	case "prepend":
		v.Set(reflect.AppendSlice(v, below))
	case "by id":
		return o.mergeByID(path, e.value.(*ast.SequenceNode), v, below)
	}
	return nil
}

// mergeByID lays every element of a list over the one below that has the
// same id, in its place; the others follow at the end. From here on errors
// name it by its id, since its place in the file is not that in the list.
func (o *overlay) mergeByID(path string, n *ast.SequenceNode, v, below reflect.Value) error {
	merged := reflect.AppendSlice(reflect.MakeSlice(v.Type(), 0, below.Len()+v.Len()), below)
	for i := range v.Len() {
		id := v.Index(i).FieldByName("ID").String()
		if id == "" {
			return o.errorf(n.Values[i], "%s: needs an id", element(path, i))
		}
		at := indexByID(merged, id)
		if at < 0 {
			at = merged.Len()
			merged = reflect.Append(merged, reflect.Zero(v.Type().Elem()))
		}
		if err := o.value(path+"["+id+"]", n.Values[i], merged.Index(at)); err != nil {
			return err
		}
	}
	v.Set(merged)
	return nil
}

func indexByID(list reflect.Value, id string) int {
	for i := range list.Len() {
		if list.Index(i).FieldByName("ID").String() == id {
			return i
		}
	}
	return -1
}

func (o *overlay) value(path string, n ast.Node, v reflect.Value) error {
	o.at[path] = placeOf(n)
	if n.Type() == ast.NullType {
		return o.null(path, n, v)
	}
	switch v.Interface().(type) {
	case json.RawMessage:
		return o.document(path, n, v)
	case time.Time:
		return o.scalar(path, n, v)
	}
	switch v.Kind() {
	case reflect.Struct:
		return o.section(path, n, v)
	case reflect.Map:
		return o.mapping(path, n, v)
	case reflect.Slice:
		return o.list(path, n, v)
	case reflect.Pointer:
		el := reflect.New(v.Type().Elem())
		if !v.IsNil() {
			el.Elem().Set(v.Elem())
		}
		v.Set(el)
		return o.value(path, n, el.Elem())
	}
	return o.scalar(path, n, v)
}

func (o *overlay) null(path string, n ast.Node, v reflect.Value) error {
	switch v.Interface().(type) {
	case json.RawMessage, time.Time:
		v.SetZero()
		return nil
	}
	switch v.Kind() {
	case reflect.Struct, reflect.Map, reflect.Slice:
		return o.errorf(n, "%s: is empty; leave the key out or give it a value", path)
	}
	v.SetZero()
	return nil
}

func (o *overlay) mapping(path string, n ast.Node, v reflect.Value) error {
	entries, err := o.entries(path, n)
	if err != nil {
		return err
	}
	merged := reflect.MakeMap(v.Type())
	for it := v.MapRange(); it.Next(); {
		merged.SetMapIndex(it.Key(), it.Value())
	}
	for _, e := range entries {
		key := reflect.ValueOf(e.name).Convert(v.Type().Key())
		el := reflect.New(v.Type().Elem()).Elem()
		if e.value.Type() == ast.NullType && el.Kind() != reflect.Pointer {
			merged.SetMapIndex(key, reflect.Value{})
			continue
		}
		if below := merged.MapIndex(key); below.IsValid() {
			el.Set(below)
		}
		if err := o.value(join(path, e.name), e.value, el); err != nil {
			return err
		}
		merged.SetMapIndex(key, el)
	}
	v.Set(merged)
	return nil
}

func (o *overlay) list(path string, n ast.Node, v reflect.Value) error {
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		return o.errorf(n, "%s: want a list, found %s", path, describe(n))
	}
	list := reflect.MakeSlice(v.Type(), len(seq.Values), len(seq.Values))
	for i, el := range seq.Values {
		if err := o.value(element(path, i), el, list.Index(i)); err != nil {
			return err
		}
	}
	v.Set(list)
	return nil
}

func (o *overlay) scalar(path string, n ast.Node, v reflect.Value) error {
	text, ok := textOf(n)
	want, err := setScalar(v, n, text)
	if !ok || err != nil {
		return o.errorf(n, "%s: want %s, found %s", path, want, describe(n))
	}
	return nil
}

func setScalar(v reflect.Value, n ast.Node, text string) (want string, err error) {
	switch p := v.Addr().Interface().(type) {
	case *string:
		want, *p = "text", text
	case *bool:
		want, *p = "true or false", text == "true"
		if n.Type() != ast.BoolType {
			err = strconv.ErrSyntax
		}
	case *int:
		want = "a whole number"
		*p, err = strconv.Atoi(text)
	case *time.Duration:
		want = "a time such as 90s or 6h"
		*p, err = time.ParseDuration(text)
	case *time.Time:
		want = "a date such as 2026-07-30"
		if *p, err = time.Parse(time.DateOnly, text); err != nil {
			*p, err = time.Parse(time.RFC3339, text)
		}
	case *fault.Rate:
		want = "a speed such as 10B/s"
		err = p.UnmarshalText([]byte(text))
	default:
		panic(fmt.Sprintf("overlay: no rule for %s", v.Type()))
	}
	return want, err
}

// document reads free-form JSON: a mapping in YAML, which JSON is too, or
// JSON as text.
func (o *overlay) document(path string, n ast.Node, v reflect.Value) error {
	if text, ok := textOf(n); ok {
		if !json.Valid([]byte(text)) {
			return o.errorf(n, "%s: want a JSON or YAML document, found text that is no JSON", path)
		}
		v.SetBytes([]byte(text))
		return nil
	}
	plain, err := o.plain(path, n)
	if err != nil {
		return err
	}
	doc, err := json.Marshal(plain)
	if err != nil {
		return o.errorf(n, "%s: %w", path, err)
	}
	v.SetBytes(doc)
	return nil
}

// plain returns what a node holds, with every scalar as the text that the
// author wrote: policies take "true" and "3600" as readily as the bare words,
// and an account id never loses its leading zeros.
func (o *overlay) plain(path string, n ast.Node) (any, error) {
	if n.Type() == ast.NullType {
		return nil, nil
	}
	if text, ok := textOf(n); ok {
		return text, nil
	}
	if seq, ok := n.(*ast.SequenceNode); ok {
		list := make([]any, len(seq.Values))
		for i, el := range seq.Values {
			var err error
			if list[i], err = o.plain(element(path, i), el); err != nil {
				return nil, err
			}
		}
		return list, nil
	}
	entries, err := o.entries(path, n)
	if err != nil {
		return nil, err
	}
	m := map[string]any{}
	for _, e := range entries {
		if m[e.name], err = o.plain(join(path, e.name), e.value); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// An entry is one `key: value` of a mapping.
type entry struct {
	name       string
	key, value ast.Node
}

func (o *overlay) entries(path string, n ast.Node) ([]entry, error) {
	m, ok := n.(ast.MapNode)
	if !ok || isReference(n) {
		return nil, o.errorf(n, "%swant a mapping, found %s", prefix(path), describe(n))
	}
	var all []entry
	for it := m.MapRange(); it.Next(); {
		name, ok := textOf(it.Key())
		if !ok || it.Key().IsMergeKey() {
			return nil, o.errorf(it.Key(), "%swant a plain word as a key, found %s", prefix(path), describe(it.Key()))
		}
		all = append(all, entry{name, it.Key(), it.Value()})
	}
	return all, nil
}

// locate puts the place of the key in front of an error that speaks of one,
// or the place of the section around it where this file does not have the key.
func (o *overlay) locate(err *keyError) error {
	for key := err.key; key != ""; {
		if p := o.at[key]; p != nil {
			return fmt.Errorf("%s:%d:%d: %w", o.file, p.Line, p.Column, err)
		}
		cut := strings.LastIndexAny(key, ".[")
		key = key[:max(cut, 0)]
	}
	return fmt.Errorf("%s: %w", o.file, err)
}

func (o *overlay) errorf(n ast.Node, format string, args ...any) error {
	p := placeOf(n)
	return fmt.Errorf("%s:%d:%d: %w", o.file, p.Line, p.Column, fmt.Errorf(format, args...))
}

func (o *overlay) syntaxError(err error) error {
	if e, ok := err.(yaml.Error); ok && e.GetToken() != nil {
		p := e.GetToken().Position
		return fmt.Errorf("%s:%d:%d: %s", o.file, p.Line, p.Column, e.GetMessage())
	}
	return fmt.Errorf("%s: %w", o.file, err)
}

// placeOf is where a node begins. The parser's own token of a mapping is its
// first colon.
func placeOf(n ast.Node) *token.Position {
	switch m := n.(type) {
	case *ast.MappingNode:
		if !m.IsFlowStyle && len(m.Values) > 0 {
			return m.Values[0].Key.GetToken().Position
		}
	case *ast.MappingValueNode:
		return m.Key.GetToken().Position
	}
	return n.GetToken().Position
}

// textOf is the text of a scalar as its author wrote it: 012 and 1.10 stay so.
func textOf(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	}
	return "", false
}

// isReference tells anchors, aliases and tags. They are refused: an alias can
// hold itself, and a scenario is short enough to be written out.
func isReference(n ast.Node) bool {
	switch n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
		return true
	}
	return false
}

func describe(n ast.Node) string {
	switch n.(type) {
	case *ast.SequenceNode:
		return "a list"
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.NullNode:
		return "nothing"
	case *ast.MergeKeyNode:
		return "a merge (<<), which is not supported"
	}
	if isReference(n) {
		return "an anchor, alias or tag, which is not supported"
	}
	text, _ := textOf(n)
	return strconv.Quote(text)
}

// fieldsOf maps keys to the fields of a struct, those of embedded structs
// included.
func fieldsOf(t reflect.Type) map[string]reflect.StructField {
	fields := map[string]reflect.StructField{}
	for _, f := range reflect.VisibleFields(t) {
		if key := f.Tag.Get("yaml"); key != "" {
			fields[key] = f
		}
	}
	return fields
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func element(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

func prefix(path string) string {
	if path == "" {
		return ""
	}
	return path + ": "
}
