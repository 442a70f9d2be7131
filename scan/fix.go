package scan

import (
	"path/filepath"
	"strings"

	"tegata/internal/edit"
)

// Diff returns the change as a patch for git apply and patch -p1.
func (c Change) Diff() string {
	return edit.Unified(strings.TrimPrefix(c.Path, "/"), string(c.Before), string(c.After))
}

// Write writes the change into its file, wholly or not at all. It fails with
// [edit.ErrChanged] if the file is not what was scanned.
func (c Change) Write() error {
	return edit.Rewrite(filepath.FromSlash(c.Path), c.Before, c.After)
}
