// Package nearest finds what somebody meant who mistyped a name. Start with
// [Names].
package nearest

// Names returns the known names that are most like name, in their order, or
// none when no name is like it: a third of the letters may differ, and one
// of a short name.
func Names(name string, known []string) []string {
	best, near := 1+max(1, len(name)/3), []string(nil)
	for _, k := range known {
		switch d := distance(name, k); {
		case d < best:
			best, near = d, []string{k}
		case d == best && near != nil:
			near = append(near, k)
		}
	}
	return near
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
