//go:build unix

package coredump

import (
	"fmt"
	"syscall"
)

// limit sets the hard limit too, so that nothing raises it again.
func limit() error {
	if err := syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}); err != nil {
		return fmt.Errorf("limit core dumps to nothing: %w", err)
	}
	return nil
}
