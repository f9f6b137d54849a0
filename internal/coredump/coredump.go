// Package coredump keeps the memory of this process out of files: a core dump
// holds every secret that the process does.
package coredump

// Disable makes the operating system write no core dump of this process, and of
// no process that it starts, whatever the caller's limits are. Under Linux it
// also closes the memory to the user's other processes, debuggers included.
//
// Windows keeps dumps only where an administrator has set that up; nothing is
// done about it.
func Disable() error { return disable() }
