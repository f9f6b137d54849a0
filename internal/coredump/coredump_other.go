//go:build !linux

package coredump

func disable() error { return limit() }
