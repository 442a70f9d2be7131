package wire

import (
	"encoding/json"
	"math"
	"strconv"
)

// Double is a number as the protocols write it: NaN and the infinities are
// texts in JSON, where numbers can't say them.
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
	return json.Marshal(f)
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
