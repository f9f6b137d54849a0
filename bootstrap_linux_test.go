package main_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/acctest"
)

// TestAccBootstrapForm answers as a person does, on a terminal that is narrow:
// type, Enter. A secret is not shown; Ctrl-C is the end, before
// anything was written.
func TestAccBootstrapForm(t *testing.T) {
	needAcc(t)
	env := acctest.New(t, realTime)
	before := env.State()
	secret := env.Variables["AUTH0_CLIENT_SECRET"]
	delete(env.Variables, "AUTH0_CLIENT_SECRET")
	delete(env.Variables, "AWS_REGION")
	delete(env.Variables, "AWS_DEFAULT_REGION")

	p := person(t, env, "bootstrap", "--env", "staging")
	p.answer(t, "AWS region", "us-east-1\r")
	p.answer(t, "Client secret", "\x03")
	if code := p.end(t); code != 130 {
		t.Errorf("Ctrl-C at a question ends with %d, want 130:\n%s", code, p.screen())
	}
	if _, err := os.Stat(filepath.Join(p.dir, "environments")); err == nil {
		t.Error("Ctrl-C at a question, and files are written")
	}

	p = person(t, env, "bootstrap", "--env", "staging")
	p.answer(t, "AWS region", "us-east-1\r")
	p.answer(t, "Client secret", secret+"\r")
	p.answer(t, "Countries", "+1\r")
	p.answer(t, "MFA policy", "nev\r")
	p.answer(t, "Backend", "\r")
	p.answer(t, "Change tenant", "\r") // no, unless somebody says yes
	if code := p.end(t); code != 6 {
		t.Errorf("a no ends with %d, want 6:\n%s", code, p.screen())
	}
	if screen := p.screen(); strings.Contains(screen, secret) || strings.Contains(screen, secret[:8]) {
		t.Errorf("the secret is on the screen:\n%s", screen)
	}
	settings, err := os.ReadFile(filepath.Join(p.dir, "environments", "staging", "terraform.tfvars"))
	if err != nil {
		t.Fatal(err)
	}
	for _, value := range []string{`"us-east-1"`, `"+1"`, `"never"`} {
		if !strings.Contains(string(settings), value) {
			t.Errorf("what was answered, %s, is not in the settings:\n%s", value, settings)
		}
	}
	if diff := before.Diff(env.State()); diff != "" {
		t.Errorf("a no has changed something (-before +after):\n%s", diff)
	}
}

// terminalPerson sits at the terminal of a command.
type terminalPerson struct {
	cmd        *exec.Cmd
	dir        string
	controller *os.File

	mu    sync.Mutex
	shown strings.Builder
}

// person starts the command on a terminal of 60 columns.
func person(t *testing.T, env *acctest.Env, args ...string) *terminalPerson {
	t.Helper()
	controller, tty := openPTY(t)
	root, environ := bootstrapEnvironment(t, env)
	p := &terminalPerson{cmd: exec.CommandContext(t.Context(), binary(t), args...), dir: filepath.Join(root, "work"), controller: controller} //nolint:gosec // The binary under test.
	p.cmd.Dir, p.cmd.Env = p.dir, append(environ, "TERM=xterm")
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = tty, tty, tty
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = tty.Close()
	go p.watch()
	return p
}

func (p *terminalPerson) watch() {
	buffer := make([]byte, 4096)
	for {
		n, err := p.controller.Read(buffer)
		if err != nil {
			return
		}
		p.mu.Lock()
		p.shown.Write(buffer[:n])
		p.mu.Unlock()
	}
}

func (p *terminalPerson) screen() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.shown.String()
}

// answer waits for a question and types.
func (p *terminalPerson) answer(t *testing.T, question, keys string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !strings.Contains(p.screen(), question); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("nobody asks for %q:\n%s", question, p.screen())
		}
	}
	if _, err := p.controller.WriteString(keys); err != nil {
		t.Fatal(err)
	}
}

func (p *terminalPerson) end(t *testing.T) (code int) {
	t.Helper()
	overdue := time.AfterFunc(time.Minute, func() { _ = p.cmd.Process.Kill() })
	defer overdue.Stop()
	_ = p.cmd.Wait()
	_ = p.controller.Close()
	return p.cmd.ProcessState.ExitCode()
}

// openPTY makes a terminal; what is written to the controller is typed on it.
func openPTY(t *testing.T) (controller, tty *os.File) {
	t.Helper()
	controller, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	acctest.NeedTool(t, err == nil, "a pseudo-terminal", "/dev/ptmx")
	fd := int(controller.Fd()) //nolint:gosec // A file descriptor is an int.
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 40, Col: 60}); err != nil {
		t.Fatal(err)
	}
	tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return controller, tty
}
