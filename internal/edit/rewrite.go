package edit

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
)

// ErrChanged is returned for a file that is not what it was when the change
// was thought out.
var ErrChanged = errors.New("has changed in the meantime")

// Rewrite puts after in place of before, wholly or not at all; the file keeps
// its mode and its owner, and a link to it stays a link. It fails with
// [ErrChanged] if the file holds anything else than before, and for a file that
// may not be written, even where its folder may.
func Rewrite(path string, before, after []byte) error {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	old, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	info, err := old.Stat()
	old.Close()
	if err != nil {
		return err
	}
	if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, before) {
		return errors.Join(err, ErrChanged)
	}
	return replace(path, after, func(f *os.File) error {
		if err := f.Chmod(info.Mode().Perm()); err != nil {
			return err
		}
		return keepOwner(f, info)
	})
}
