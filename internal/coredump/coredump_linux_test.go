package coredump_test

import "syscall"

// dumpable asks the kernel about this process, for the case that cannot be set
// up here: the limit does not bind a kernel.core_pattern that is a pipe.
func dumpable() bool {
	value, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_GET_DUMPABLE, 0, 0)
	return errno != 0 || value != 0
}
