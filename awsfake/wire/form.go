package wire

import (
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// decodeForm reads the parameters of the query protocols into a struct. A
// field is called as its parameter, or by its tag `query:"Name"`; structs nest
// by dots; a list is Name.member.N, or Name.N in EC2's dialect. A pointer
// stays nil where the parameter is absent. Embedded structs share the name.
func decodeForm(form url.Values, member bool, v any) error {
	d := formDecoder{form: form, member: member, names: names(form)}
	d.decode("", reflect.ValueOf(v).Elem())
	return d.err
}

type formDecoder struct {
	form   url.Values
	member bool
	names  map[string]bool // of parameters, and what stands before their dots
	err    error           // the first
}

func (d *formDecoder) decode(name string, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if d.has(name) {
			v.Set(reflect.New(v.Type().Elem()))
			d.decode(name, v.Elem())
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[Time]() {
			d.time(name, v)
			return
		}
		d.fields(name, v)
	case reflect.Slice:
		d.list(name, v)
	default:
		d.scalar(name, v)
	}
}

func (d *formDecoder) fields(name string, v reflect.Value) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		path := f.Name
		if tag := f.Tag.Get("query"); tag != "" {
			path = tag
		}
		switch {
		case f.Anonymous:
			path = name
		case name != "":
			path = name + "." + path
		}
		d.decode(path, v.Field(i))
	}
}

// maxList bounds a list, whose length a form could otherwise give as it likes.
// It is one more than any service takes, so that the service refuses what is
// too long.
const maxList = 1001

func (d *formDecoder) list(name string, v reflect.Value) {
	prefix := name + "."
	if d.member {
		prefix += "member."
	}
	if d.member && d.form.Has(name) && d.form.Get(name) == "" {
		v.Set(reflect.MakeSlice(v.Type(), 0, 0)) // "Name=" is how a client sends an empty list
		return
	}
	for n := 1; n <= maxList && d.has(prefix+strconv.Itoa(n)); n++ {
		el := reflect.New(v.Type().Elem()).Elem()
		d.decode(prefix+strconv.Itoa(n), el)
		v.Set(reflect.Append(v, el))
	}
}

// has reports whether a parameter of that name, or below it, is there.
func (d *formDecoder) has(name string) bool { return d.names[name] }

func names(form url.Values) map[string]bool {
	all := map[string]bool{}
	for key := range form {
		for end := len(key); end >= 0 && !all[key[:end]]; end = strings.LastIndexByte(key[:end], '.') {
			all[key[:end]] = true
		}
	}
	return all
}

func (d *formDecoder) scalar(name string, v reflect.Value) {
	text := d.form.Get(name)
	if text == "" && v.Kind() != reflect.String {
		return
	}
	var err error
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		var b bool
		b, err = strconv.ParseBool(text)
		v.SetBool(b)
	case reflect.Int, reflect.Int64:
		var n int64
		n, err = strconv.ParseInt(text, 10, 64)
		v.SetInt(n)
	case reflect.Float64:
		var f float64
		f, err = strconv.ParseFloat(text, 64)
		v.SetFloat(f)
	}
	if err != nil {
		d.malformed(name, text)
	}
}

func (d *formDecoder) time(name string, v reflect.Value) {
	text := d.form.Get(name)
	if text == "" {
		return
	}
	parsed, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		d.malformed(name, text)
	}
	v.Set(reflect.ValueOf(Time{parsed}))
}

func (d *formDecoder) malformed(name, text string) {
	if d.err == nil {
		d.err = Refuse("MalformedInput", "Invalid value '"+text+"' for parameter "+name+".")
	}
}
