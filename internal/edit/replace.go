// Package edit changes files so that nothing is lost on the way.
package edit

import (
	"errors"
	"os"
	"path/filepath"
)

// Replace writes a file for its owner's eyes alone, wholly or not at all: who
// reads it at any time, also after this process was killed, finds what was
// there before or all of data.
func Replace(path string, data []byte) error {
	return replace(path, data, func(*os.File) error { return nil })
}

// replace writes a file beside the old one, prepares it, and puts it in place.
func replace(path string, data []byte, prepare func(*os.File) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, prepare(f), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}
