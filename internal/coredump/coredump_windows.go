package coredump

func limit() error { return nil }
