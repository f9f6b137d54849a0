//go:build unix

package provider_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/acctest"
)

const (
	// orphanQuiet is how long a provider whose Terraform was killed must have
	// asked nothing before it counts as done with cleaning up.
	orphanQuiet = 150 * time.Millisecond
	orphanPoll  = 25 * time.Millisecond
)

// killer runs Terraform with the test binary as a provider process and kills one
// of the two with signal 9 while a request is held.
type killer struct {
	env       *acctest.Env
	config    string // CLI configuration that leads to the provider
	processes string // directory in which providers name themselves
}

func newKiller(t *testing.T, env *acctest.Env) *killer {
	t.Helper()
	binary, err := os.Executable()
	succeeds(t, err)
	dir := t.TempDir()
	succeeds(t, os.Symlink(binary, filepath.Join(dir, "terraform-provider-auth0sns")))
	k := &killer{env: env, config: filepath.Join(dir, "terraform.rc"), processes: filepath.Join(dir, "processes")}
	succeeds(t, os.Mkdir(k.processes, 0o700))
	succeeds(t, os.WriteFile(k.config, fmt.Appendf(nil, "provider_installation {\n  dev_overrides {\n    %q = %q\n  }\n}\n", acctest.ProviderHost()+"/auth0sns/auth0sns", dir), 0o600))
	return k
}

// run runs a command, kills the victim when the fault holds a request, and
// returns what was said until then. Nothing of it is left running.
func (k *killer) run(w *workspace, fault string, victim acctest.Victim, command string, args ...string) outcome {
	w.t.Helper()
	cmd := exec.CommandContext(w.t.Context(), "terraform", slices.Concat([]string{command, "-json", "-input=false", "-no-color", "-auto-approve"}, args)...)
	cmd.Dir = w.dir
	cmd.Env = append(os.Environ(), "TF_CLI_CONFIG_FILE="+k.config, "TF_REATTACH_PROVIDERS=", envControl+"="+k.env.World.ControlURL, envProcesses+"="+k.processes)
	// A group of its own, so that whoever survives can be ended without looking for it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var stdout bytes.Buffer
	cmd.Stdout = &stdout
	cmd.WaitDelay = time.Second // An orphaned provider may keep the pipe open.
	succeeds(w.t, cmd.Start())
	ended := make(chan struct{})
	held, stop := context.WithCancel(w.t.Context())
	go func() { defer close(ended); defer stop(); _ = cmd.Wait() }()
	if k.env.World.Kernel.Faults.AwaitHeld(held, fault) == nil {
		if victim == acctest.VictimTerraform {
			succeeds(w.t, cmd.Process.Kill())
			k.awaitOrphan(w.t.Context())
		} else {
			succeeds(w.t, k.killProvider())
			<-ended // Terraform says what it lost, and saves the state.
		}
	}
	// ESRCH says that nobody is left.
	if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		w.t.Fatal(err)
	}
	<-ended
	o := outcome{exit: cmd.ProcessState.ExitCode(), changes: map[string]string{}}
	for line := range bytes.Lines(stdout.Bytes()) {
		if bytes.HasSuffix(line, []byte("\n")) { // The last one may be cut short.
			o.read(w.t, line)
		}
	}
	return o
}

// killProvider kills the provider that Terraform started last.
func (k *killer) killProvider() error {
	entries, err := os.ReadDir(k.processes)
	if err != nil {
		return err
	}
	if len(entries) == 0 {
		return errors.New("no provider process has named itself")
	}
	_, last, _ := strings.Cut(entries[len(entries)-1].Name(), ".")
	pid, err := strconv.Atoi(last)
	if err != nil {
		return err
	}
	return syscall.Kill(pid, syscall.SIGKILL)
}

// awaitOrphan waits until the provider notices that nobody listens any more, and
// has cleaned up.
func (k *killer) awaitOrphan(ctx context.Context) {
	last, since := -1, time.Now()
	for time.Since(since) < orphanQuiet {
		if n := len(k.env.World.Kernel.Journal.Entries(0)); n != last {
			last, since = n, time.Now()
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(orphanPoll):
		}
	}
}
