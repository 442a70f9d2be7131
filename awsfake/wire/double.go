package wire

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
)

// Double is a number as the protocols write it: in JSON it has a fraction
// always, and NaN and the infinities are texts, since numbers can't say them.
type Double float64

// MarshalJSON writes a number, or one of the texts.
func (d Double) MarshalJSON() ([]byte, error) {
	f := float64(d)
	switch {
	case math.IsNaN(f):
		return []byte(`"NaN"`), nil
	case math.IsInf(f, 1):
		return []byte(`"Infinity"`), nil
	case math.IsInf(f, -1):
		return []byte(`"-Infinity"`), nil
	}
	text, err := json.Marshal(f)
	if err == nil && !bytes.ContainsAny(text, ".e") {
		text = append(text, ".0"...)
	}
	return text, err
}

// UnmarshalJSON reads what MarshalJSON writes.
func (d *Double) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) == nil && (text == "NaN" || text == "Infinity" || text == "-Infinity") {
		f, err := strconv.ParseFloat(text, 64)
		*d = Double(f)
		return err
	}
	return json.Unmarshal(data, (*float64)(d))
}
