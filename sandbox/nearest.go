package sandbox

import (
	"fmt"
	"strings"
)

// didYouMean returns ` (did you mean "imds"?)` for the known names that are
// most like name, or a list of all of them when none is like it.
func didYouMean(name string, known []string) string {
	best, near := 1+max(1, len(name)/3), []string(nil)
	for _, k := range known {
		switch d := distance(name, k); {
		case d < best:
			best, near = d, []string{k}
		case d == best && near != nil:
			near = append(near, k)
		}
	}
	if near == nil {
		return fmt.Sprintf(" (known: %s)", strings.Join(known, ", "))
	}
	return fmt.Sprintf(` (did you mean "%s"?)`, strings.Join(near, `" or "`))
}

// distance counts the letters to insert, delete or replace to make b from a
// (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, diagonal+1, row[j]+1)
		}
	}
	return row[len(b)]
}
