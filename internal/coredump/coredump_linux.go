package coredump

import (
	"fmt"
	"syscall"
)

// disable needs both: the limit alone does not bind a kernel.core_pattern that
// is a pipe, as systemd-coredump's is, and what is not dumpable becomes so
// again where a child starts another program.
// https://man7.org/linux/man-pages/man5/core.5.html
func disable() error {
	if err := limit(); err != nil {
		return err
	}
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_DUMPABLE, 0, 0); errno != 0 {
		return fmt.Errorf("keep this process from being dumped: %w", errno)
	}
	return nil
}
