package scan

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Added are the lines that a change adds, by absolute path of the file. The
// span of a whole file is all of its lines.
type Added map[string][]Span

// has reports whether a line was added.
func (a Added) has(name string, line int) bool {
	absolute, err := filepath.Abs(filepath.FromSlash(name))
	if err != nil {
		return false
	}
	if real, err := filepath.EvalSymlinks(absolute); err == nil { // as git tells it
		absolute = real
	}
	return slices.ContainsFunc(a[filepath.ToSlash(absolute)], func(s Span) bool { return s.Start <= line && line < s.End })
}

// wholeFile is more lines than a file has.
const wholeFile = 1 << 60

// Since asks git which lines of the work tree around a folder were added since
// a revision, such as main.. or HEAD~3; "main..." means where the branches
// parted. Files that git does not know yet are added as a whole.
func Since(ctx context.Context, dir, revision string) (Added, error) {
	base := []string{strings.TrimSuffix(revision, "..")}
	if from, ok := strings.CutSuffix(revision, "..."); ok {
		base = []string{"--merge-base", from}
	}
	if from := base[len(base)-1]; from == "" || strings.HasPrefix(from, "-") || strings.Contains(from, "..") {
		return nil, fmt.Errorf("ask git for changes since %q: want a revision such as main.. (the other end is what lies here)", revision)
	}
	root, err := git(ctx, dir, "rev-parse", "--show-toplevel")
	if err != nil {
		return nil, err
	}
	top := filepath.ToSlash(strings.TrimSuffix(string(root), "\n"))
	diff, err := git(ctx, top, append(append([]string{"diff", "-U0", "--no-color", "--no-ext-diff", "--no-textconv", "--src-prefix=a/", "--dst-prefix=b/"}, base...), "--")...)
	if err != nil {
		return nil, err
	}
	added, err := addedBy(bytes.NewReader(diff), top)
	if err != nil {
		return nil, err
	}
	others, err := git(ctx, top, "ls-files", "-z", "--others", "--exclude-standard")
	if err != nil {
		return nil, err
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(others), "\x00"), "\x00") {
		added[path.Join(top, name)] = []Span{{1, wholeFile}}
	}
	return added, nil
}

// git runs git in a folder and returns what it writes.
func git(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-C", dir, "-c", "core.quotePath=off", "-c", "core.fsmonitor=false"}, args...)...)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = errors.New(strings.TrimSpace(string(exit.Stderr)))
	}
	if err != nil {
		return nil, fmt.Errorf("ask git for changes: %w", err)
	}
	return out, nil
}

// addedBy reads a unified diff without context.
//
// Source: https://git-scm.com/docs/diff-format#generate_patch_text_with_p
func addedBy(diff io.Reader, top string) (Added, error) {
	added := Added{}
	lines := bufio.NewReader(diff)
	file, skip := "", 0
	for {
		line, err := lines.ReadString('\n')
		if err == io.EOF {
			return added, nil
		}
		if err != nil {
			return nil, err
		}
		switch hunk, isHunk := strings.CutPrefix(line, "@@ "); {
		case skip > 0 && strings.HasPrefix(line, "\\"):
		case skip > 0:
			skip--
		case isHunk:
			var lines Span
			if lines, skip, err = parseHunk(hunk); err != nil {
				return nil, err
			}
			added[file] = append(added[file], lines)
		case strings.HasPrefix(line, "+++ "):
			file = path.Join(top, strings.TrimPrefix(unquote(strings.TrimRight(line[4:], "\t\n")), "b/"))
		}
	}
}

// unquote undoes what git does to names with odd characters.
func unquote(name string) string {
	if plain, err := strconv.Unquote(name); err == nil {
		return plain
	}
	return name
}

// parseHunk reads "-1,2 +3,4 @@": which lines are new, and how many lines of
// the diff the hunk has.
func parseHunk(s string) (added Span, length int, err error) {
	fields := strings.Fields(s)
	if len(fields) < 2 {
		return added, 0, fmt.Errorf("read git's diff: odd hunk %q", s)
	}
	_, removed, err := parseRange(fields[0])
	if err != nil {
		return added, 0, err
	}
	start, count, err := parseRange(fields[1])
	return Span{start, start + count}, removed + count, err
}

func parseRange(s string) (start, count int, err error) {
	from, length, ok := strings.Cut(s[1:], ",")
	if start, err = strconv.Atoi(from); err != nil {
		return 0, 0, fmt.Errorf("read git's diff: odd range %q", s)
	}
	if !ok {
		return start, 1, nil
	}
	if count, err = strconv.Atoi(length); err != nil {
		return 0, 0, fmt.Errorf("read git's diff: odd range %q", s)
	}
	return start, count, nil
}
