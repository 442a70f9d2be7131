package wire

import (
	"math"
	"testing"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"
	"github.com/google/go-cmp/cmp"
)

// everything has a member of each kind.
type everything struct {
	Text   string
	Named  *string `json:"name,omitempty"`
	Count  int     `json:",omitempty"`
	Number Double
	Yes    bool
	At     *Time             `json:",omitempty"`
	List   []string          `json:",omitempty"`
	Map    map[string]Double `json:",omitempty"`
	Inner  *everything       `json:",omitempty"`
	Hidden string            `json:"-"`
	part
}

type part struct{ Part string }

func TestCBOR(t *testing.T) {
	t.Parallel()
	name, at := "n", At(time.Date(2026, 11, 23, 4, 5, 6, 789_000_000, time.UTC))
	for _, tt := range []struct {
		name string
		in   everything
		want cbor.Map
	}{
		{"nothing", everything{}, cbor.Map{"Text": cbor.String(""), "Number": cbor.Float64(0), "Yes": cbor.Bool(false), "Part": cbor.String("")}},
		{"all", everything{Text: "t", Named: &name, Count: -7, Number: 0.5, Yes: true, At: at, List: []string{"a"}, Map: map[string]Double{"k": 1}, part: part{"p"}},
			cbor.Map{"Text": cbor.String("t"), "name": cbor.String("n"), "Count": cbor.NegInt(7), "Number": cbor.Float64(.5), "Yes": cbor.Bool(true),
				"At": &cbor.Tag{ID: 1, Value: cbor.Float64(1795406706.789)}, "List": cbor.List{cbor.String("a")}, "Map": cbor.Map{"k": cbor.Float64(1)}, "Part": cbor.String("p")}},
		{"nested", everything{Inner: &everything{Text: "i"}}, cbor.Map{"Text": cbor.String(""), "Number": cbor.Float64(0), "Yes": cbor.Bool(false), "Part": cbor.String(""),
			"Inner": cbor.Map{"Text": cbor.String("i"), "Number": cbor.Float64(0), "Yes": cbor.Bool(false), "Part": cbor.String("")}}},
	} {
		body := MarshalCBOR(tt.in)
		got, err := cbor.Decode(body)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
		var back everything
		if err := decodeCBOR(body, &back); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.in, back, cmp.AllowUnexported(everything{})); diff != "" {
			t.Errorf("%s, read again: %s", tt.name, diff)
		}
	}
}

// Clients send numbers as short as they can, and may send null.
func TestDecodeCBOR(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		in   cbor.Value
		want everything
		err  string
	}{
		{"no body", nil, everything{}, ""},
		{"whole number", cbor.Map{"Number": cbor.Uint(7)}, everything{Number: 7}, ""},
		{"number below zero", cbor.Map{"Number": cbor.NegInt(7)}, everything{Number: -7}, ""},
		{"short number", cbor.Map{"Number": cbor.Float32(.5)}, everything{Number: .5}, ""},
		{"infinity", cbor.Map{"Number": cbor.Float64(math.Inf(1))}, everything{Number: Double(math.Inf(1))}, ""},
		{"whole seconds", cbor.Map{"At": &cbor.Tag{ID: 1, Value: cbor.Uint(60)}}, everything{At: At(time.Unix(60, 0).UTC())}, ""},
		{"null", cbor.Map{"Text": &cbor.Nil{}, "name": &cbor.Undefined{}}, everything{}, ""},
		{"unknown member", cbor.Map{"Other": cbor.Uint(1)}, everything{}, ""},
		{"no structure", cbor.List{}, everything{}, "SerializationException: "},
		{"wrong kind", cbor.Map{"Text": cbor.Uint(1)}, everything{}, "SerializationException: "},
		{"no moment", cbor.Map{"At": cbor.Uint(1)}, everything{}, "SerializationException: "},
	} {
		var body []byte
		if tt.in != nil {
			body = cbor.Encode(tt.in)
		}
		var got everything
		err := decodeCBOR(body, &got)
		if message := ""; err != nil || tt.err != "" {
			if err != nil {
				message = err.Error()
			}
			if message != tt.err {
				t.Errorf("%s: %v, want %q", tt.name, err, tt.err)
			}
			continue
		}
		if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(everything{})); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

// What can be read is the same after it was written and read again.
func FuzzDecodeCBOR(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(MarshalCBOR(everything{Text: "t", Count: 1, List: []string{"a"}, Map: map[string]Double{"k": 1}, Inner: &everything{}}))
	f.Add(cbor.Encode(cbor.Map{"At": &cbor.Tag{ID: 1, Value: cbor.NegInt(60)}}))
	f.Fuzz(func(t *testing.T, body []byte) {
		var first, second everything
		if decodeCBOR(body, &first) != nil {
			return
		}
		if err := decodeCBOR(MarshalCBOR(first), &second); err != nil {
			t.Fatal(err)
		}
		if again := MarshalCBOR(second); len(again) != len(MarshalCBOR(first)) {
			t.Errorf("%x became %x", MarshalCBOR(first), again)
		}
	})
}

func TestRPC(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]bool{
		"/service/S/operation/O": true, "/service/S/operation/O/": false, "/service/S": false, "/model/S/operation/O": false, "/": false,
	} {
		if service, operation, ok := RPC(path); ok != want || ok && service+operation != "SO" {
			t.Errorf("%s: %s, %s, %v", path, service, operation, ok)
		}
	}
}
