//go:build unix

package coredump_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime/debug"
	"syscall"
	"testing"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/coredump"
)

// childVariable makes TestMain die of SIGABRT instead of testing: "protected"
// with core dumps disabled, "plain" without.
const childVariable = "AUTH0SNS_TEST_CORE"

func TestMain(m *testing.M) {
	if mode := os.Getenv(childVariable); mode != "" {
		fmt.Fprintln(os.Stderr, crash(mode))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// crash does not return unless it fails.
func crash(mode string) error {
	debug.SetTraceback("crash")
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_CORE, &limit); err != nil {
		return err
	}
	limit.Cur = limit.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_CORE, &limit); err != nil {
		return err
	}
	if mode == "protected" {
		if err := coredump.Disable(); err != nil {
			return err
		}
		if dumpable() {
			return errors.New("a kernel.core_pattern that is a pipe would get the memory")
		}
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGABRT); err != nil {
		return err
	}
	select {}
}

// TestACrashLeavesNoCore: whoever finds a core dump has the secret key, for as
// long as the key lives.
func TestACrashLeavesNoCore(t *testing.T) {
	t.Parallel()
	if dumped, output := dies(t, "plain"); !dumped {
		t.Skipf("SKIPPED, no process can leave a core dump here: %s", output)
	}
	if dumped, _ := dies(t, "protected"); dumped {
		t.Error("the process left its memory, and the secret in it, in a core dump")
	}
}

func dies(t *testing.T, mode string) (dumped bool, output []byte) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), childVariable+"="+mode)
	output, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		t.Fatalf("it did not crash: %v\n%s", err, output)
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	if !ok {
		t.Fatalf("no status of a process: %T", exit.Sys())
	}
	files, err := os.ReadDir(cmd.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if mode == "protected" && !status.Signaled() {
		t.Fatalf("it ended by itself, not by a signal: %s", output)
	}
	return status.CoreDump() || len(files) > 0, output
}
