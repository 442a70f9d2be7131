package sandbox

import (
	"fmt"
	"strings"

	"tegata/internal/nearest"
)

// didYouMean returns ` (did you mean "imds"?)` for the known names that are
// most like name, or a list of all of them when none is like it.
func didYouMean(name string, known []string) string {
	near := nearest.Names(name, known)
	if near == nil {
		return fmt.Sprintf(" (known: %s)", strings.Join(known, ", "))
	}
	return fmt.Sprintf(` (did you mean "%s"?)`, strings.Join(near, `" or "`))
}
