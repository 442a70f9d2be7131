package imds

import (
	"fmt"
	"io"
	"log/slog"
)

// A Secret is a string that does not show itself: however it is printed,
// logged or encoded, "redacted" appears in its place.
type Secret string

const redacted = "redacted"

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return string(s) }

func (s Secret) String() string               { return redacted }
func (s Secret) GoString() string             { return redacted }
func (s Secret) Format(f fmt.State, _ rune)   { io.WriteString(f, redacted) }
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
func (s Secret) LogValue() slog.Value         { return slog.StringValue(redacted) }
