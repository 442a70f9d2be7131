package edit

import (
	"fmt"
	"strings"
)

// context is how many lines around a change a diff shows, as diff -u does.
const context = 3

// Unified returns the difference of two texts of a file as a patch for
// patch -p1 and git apply, or "" if there is none. The name is relative and
// slash-separated.
//
// Source: https://www.gnu.org/software/diffutils/manual/html_node/Detailed-Unified.html
func Unified(name, before, after string) string {
	if before == after {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "--- a/%s\n+++ b/%s\n", quoted(name), quoted(name))
	steps := compare(lines(before), lines(after))
	for len(steps) > 0 {
		hunk, rest := nextHunk(steps)
		if hunk != nil {
			writeHunk(&b, hunk)
		}
		steps = rest
	}
	return b.String()
}

// quoted writes a name as git does where it would end too early; a tab keeps
// patch from reading what follows a space as a date.
func quoted(name string) string {
	if strings.ContainsAny(name, "\"\\\n\t") {
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`).Replace(name) + `"`
	}
	if strings.Contains(name, " ") {
		return name + "\t"
	}
	return name
}

func lines(s string) []string {
	all := strings.SplitAfter(s, "\n")
	if all[len(all)-1] == "" {
		all = all[:len(all)-1]
	}
	return all
}

// A step is a line of a diff.
type step struct {
	sign          byte // ' ', '-' or '+'
	line          string
	before, after int // how many lines of each text precede it
}

// nextHunk cuts off the first hunk: changes with less than two contexts
// between them, and one on either side.
func nextHunk(steps []step) (hunk, rest []step) {
	first := 0
	for first < len(steps) && steps[first].sign == ' ' {
		first++
	}
	if first == len(steps) {
		return nil, nil
	}
	end := first
	for i := first; i < len(steps) && i <= end+2*context; i++ {
		if steps[i].sign != ' ' {
			end = i
		}
	}
	stop := min(len(steps), end+1+context)
	return steps[max(0, first-context):stop], steps[stop:]
}

func writeHunk(b *strings.Builder, hunk []step) {
	removed, added := 0, 0
	for _, s := range hunk {
		if s.sign != '+' {
			removed++
		}
		if s.sign != '-' {
			added++
		}
	}
	fmt.Fprintf(b, "@@ -%s +%s @@\n", extent(hunk[0].before, removed), extent(hunk[0].after, added))
	for _, s := range hunk {
		b.WriteByte(s.sign)
		b.WriteString(s.line)
		if !strings.HasSuffix(s.line, "\n") {
			b.WriteString("\n\\ No newline at end of file\n")
		}
	}
}

// extent writes how many lines of a text a hunk has; the number of the line
// before stands where it has none.
func extent(preceding, count int) string {
	switch count {
	case 0:
		return fmt.Sprintf("%d,0", preceding)
	case 1:
		return fmt.Sprintf("%d", preceding+1)
	}
	return fmt.Sprintf("%d,%d", preceding+1, count)
}

// maxDistance is how many lines may differ for the shortest difference to be
// looked for; beyond, all lines between the first and the last change are
// replaced.
const maxDistance = 1000

// compare returns the lines of both texts as steps from one to the other.
func compare(a, b []string) []step {
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	d := differ{a: a, b: b}
	d.both(head)
	d.middle(len(a)-tail, len(b)-tail)
	d.both(tail)
	return d.steps
}

// A differ walks through two texts at once.
type differ struct {
	a, b  []string
	x, y  int // lines of each that are done
	steps []step
}

func (d *differ) both(n int) {
	for range n {
		d.steps = append(d.steps, step{' ', d.a[d.x], d.x, d.y})
		d.x, d.y = d.x+1, d.y+1
	}
}

func (d *differ) remove() {
	d.steps = append(d.steps, step{'-', d.a[d.x], d.x, d.y})
	d.x++
}

func (d *differ) add() {
	d.steps = append(d.steps, step{'+', d.b[d.y], d.x, d.y})
	d.y++
}

// middle goes on to the given ends, by the shortest way that is found.
func (d *differ) middle(endA, endB int) {
	moves := shortest(d.a[d.x:endA], d.b[d.y:endB])
	for _, m := range moves {
		switch m {
		case ' ':
			d.both(1)
		case '-':
			d.remove()
		case '+':
			d.add()
		}
	}
	for d.x < endA {
		d.remove()
	}
	for d.y < endB {
		d.add()
	}
}

// shortest returns the moves of the shortest difference, or nil if it is
// longer than maxDistance.
//
// Source: E. W. Myers, An O(ND) Difference Algorithm and Its Variations, 1986
func shortest(a, b []string) []byte {
	furthest := map[int]int{1: 0} // on each diagonal x-y, how far in a
	var trace []map[int]int
	for distance := 0; distance <= min(len(a)+len(b), maxDistance); distance++ {
		next := map[int]int{}
		for k := -distance; k <= distance; k += 2 {
			x := reach(furthest, k, distance)
			for x < len(a) && x-k < len(b) && x-k >= 0 && a[x] == b[x-k] {
				x++
			}
			next[k] = x
			if x >= len(a) && x-k >= len(b) {
				return backwards(append(trace, furthest), len(a), len(b))
			}
		}
		trace = append(trace, furthest)
		furthest = next
	}
	return nil
}

// reach returns where one more change on a diagonal begins.
func reach(furthest map[int]int, k, distance int) int {
	if k == -distance || k != distance && furthest[k-1] < furthest[k+1] {
		return furthest[k+1] // a line of b is added
	}
	return furthest[k-1] + 1 // one of a is removed
}

// backwards follows the trace from the end.
func backwards(trace []map[int]int, x, y int) []byte {
	var moves []byte
	for distance := len(trace) - 1; distance >= 0; distance-- {
		k := x - y
		from := k - 1
		if k == -distance || k != distance && trace[distance][k-1] < trace[distance][k+1] {
			from = k + 1
		}
		fromX := trace[distance][from]
		fromY := fromX - from
		for x > fromX && y > fromY && x > 0 && y > 0 {
			moves = append(moves, ' ')
			x, y = x-1, y-1
		}
		if distance == 0 {
			break
		}
		if from == k+1 {
			moves = append(moves, '+')
		} else {
			moves = append(moves, '-')
		}
		x, y = fromX, fromY
	}
	for i, j := 0, len(moves)-1; i < j; i, j = i+1, j-1 {
		moves[i], moves[j] = moves[j], moves[i]
	}
	return moves
}
