package doctor

import (
	"regexp"
	"sync"
)

// pattern compiles an expression when it is first used: all that is compiled
// at start is paid for by every command.
func pattern(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}
