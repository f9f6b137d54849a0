//go:build unix && !linux

package coredump_test

func dumpable() bool { return false }
