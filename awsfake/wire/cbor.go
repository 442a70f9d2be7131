package wire

import (
	"fmt"
	"math"
	"reflect"
	"strings"

	"github.com/aws/smithy-go/encoding/cbor"
)

// Smithy's RPC v2 with CBOR (https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html):
// the members of a structure are named as in JSON, moments are tagged seconds
// since 1970, and an answer without members has no body.

// HeaderSmithy names the protocol in calls and answers.
const HeaderSmithy = "Smithy-Protocol"

const (
	smithyCBOR      = "rpc-v2-cbor"
	contentTypeCBOR = "application/cbor"
)

// RPC reads the service and the operation out of the path of an RPC v2 call:
// /service/GraniteServiceVersion20100801/operation/PutMetricData.
func RPC(path string) (service, operation string, ok bool) {
	parts := strings.Split(path, "/")
	if len(parts) != 5 || parts[1] != "service" || parts[3] != "operation" {
		return "", "", false
	}
	return parts[2], parts[4], true
}

// MarshalCBOR writes an answer. Members are the fields with the names and the
// omitempty of their json tags.
func MarshalCBOR(v any) []byte { return cbor.Encode(toCBOR(reflect.ValueOf(v))) }

func toCBOR(v reflect.Value) cbor.Value {
	if t, ok := v.Interface().(Time); ok {
		return &cbor.Tag{ID: 1, Value: cbor.Float64(float64(t.UnixMilli()) / 1000)}
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return &cbor.Nil{}
		}
		return toCBOR(v.Elem())
	case reflect.Struct:
		m := cbor.Map{}
		addMembers(m, v)
		return m
	case reflect.Map:
		m := cbor.Map{}
		for _, key := range v.MapKeys() {
			m[key.String()] = toCBOR(v.MapIndex(key))
		}
		return m
	case reflect.Slice:
		list := cbor.List{}
		for i := range v.Len() {
			list = append(list, toCBOR(v.Index(i)))
		}
		return list
	}
	return scalarToCBOR(v)
}

func scalarToCBOR(v reflect.Value) cbor.Value {
	switch v.Kind() {
	case reflect.String:
		return cbor.String(v.String())
	case reflect.Bool:
		return cbor.Bool(v.Bool())
	case reflect.Float64:
		return cbor.Float64(v.Float())
	case reflect.Int, reflect.Int64:
		if n := v.Int(); n < 0 {
			return cbor.NegInt(-n)
		}
		return cbor.Uint(v.Int())
	}
	panic("write CBOR: no member has the type " + v.Type().String())
}

// addMembers adds the fields of a struct; those of embedded ones are its own.
func addMembers(m cbor.Map, v reflect.Value) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-":
		case f.Anonymous && name == "":
			addMembers(m, v.Field(i))
		case strings.Contains(options, "omitempty") && emptyMember(v.Field(i)):
		default:
			m[memberName(f)] = toCBOR(v.Field(i))
		}
	}
}

func emptyMember(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Slice, reflect.Map:
		return v.Len() == 0
	case reflect.Struct:
		return false
	}
	return v.IsZero()
}

// memberName is what the JSON protocols call a field.
func memberName(f reflect.StructField) string {
	if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
		return name
	}
	return f.Name
}

// decodeCBOR reads the input of an operation. Members that it doesn't know
// are passed over, as in the other protocols.
func decodeCBOR(body []byte, in any) error {
	if len(body) == 0 {
		return nil
	}
	v, err := cbor.Decode(body)
	if err == nil {
		err = fromCBOR(v, reflect.ValueOf(in).Elem())
	}
	if err != nil {
		return Refuse("SerializationException", "")
	}
	return nil
}

func fromCBOR(from cbor.Value, to reflect.Value) error {
	switch from.(type) {
	case *cbor.Nil, *cbor.Undefined:
		return nil
	}
	if t, ok := to.Addr().Interface().(*Time); ok {
		at, err := cbor.AsTime(from)
		t.Time = at.UTC()
		return err
	}
	switch to.Kind() {
	case reflect.Pointer:
		to.Set(reflect.New(to.Type().Elem()))
		return fromCBOR(from, to.Elem())
	case reflect.Struct:
		m, ok := from.(cbor.Map)
		if !ok {
			return mismatch(from, to)
		}
		return setMembers(m, to)
	case reflect.Slice:
		return setList(from, to)
	case reflect.Map:
		return setMap(from, to)
	}
	return setScalar(from, to)
}

func setMembers(m cbor.Map, to reflect.Value) error {
	for i := range to.NumField() {
		f := to.Type().Field(i)
		if f.Anonymous {
			if err := setMembers(m, to.Field(i)); err != nil {
				return err
			}
			continue
		}
		if v, ok := m[memberName(f)]; ok {
			if err := fromCBOR(v, to.Field(i)); err != nil {
				return fmt.Errorf("%s: %w", memberName(f), err)
			}
		}
	}
	return nil
}

func setList(from cbor.Value, to reflect.Value) error {
	list, ok := from.(cbor.List)
	if !ok {
		return mismatch(from, to)
	}
	all := reflect.MakeSlice(to.Type(), len(list), len(list))
	for i, v := range list {
		if err := fromCBOR(v, all.Index(i)); err != nil {
			return err
		}
	}
	to.Set(all)
	return nil
}

func setMap(from cbor.Value, to reflect.Value) error {
	m, ok := from.(cbor.Map)
	if !ok {
		return mismatch(from, to)
	}
	all := reflect.MakeMapWithSize(to.Type(), len(m))
	for key, v := range m {
		el := reflect.New(to.Type().Elem()).Elem()
		if err := fromCBOR(v, el); err != nil {
			return err
		}
		all.SetMapIndex(reflect.ValueOf(key), el)
	}
	to.Set(all)
	return nil
}

// setScalar takes numbers of all widths, since clients send the shortest.
func setScalar(from cbor.Value, to reflect.Value) error {
	switch to.Kind() {
	case reflect.String:
		s, ok := from.(cbor.String)
		if !ok {
			return mismatch(from, to)
		}
		to.SetString(string(s))
	case reflect.Bool:
		b, ok := from.(cbor.Bool)
		if !ok {
			return mismatch(from, to)
		}
		to.SetBool(bool(b))
	case reflect.Int, reflect.Int64:
		n, err := cbor.AsInt64(from)
		if err != nil {
			return err
		}
		to.SetInt(n)
	case reflect.Float64:
		f, err := number(from)
		if err != nil {
			return err
		}
		to.SetFloat(f)
	default:
		return mismatch(from, to)
	}
	return nil
}

// number is any number of CBOR.
func number(from cbor.Value) (float64, error) {
	switch n := from.(type) {
	case cbor.Uint:
		return float64(n), nil
	case cbor.NegInt:
		if n == 0 { // the package's sign for -2^64
			return -math.Pow(2, 64), nil
		}
		return -float64(n), nil
	}
	return cbor.AsFloat64(from)
}

func mismatch(from cbor.Value, to reflect.Value) error {
	return fmt.Errorf("read CBOR: %T in place of %s", from, to.Type())
}
