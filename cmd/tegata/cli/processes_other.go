//go:build !linux

package cli

import (
	"errors"

	"tegata/doctor"
)

// processes is not available outside Linux.
func processes() ([]doctor.Process, error) {
	return nil, errors.New("list processes: not available here")
}
