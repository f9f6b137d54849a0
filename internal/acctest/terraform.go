//go:build unix

package acctest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// mirrored is the version under which a mirror offers the provider. It stands
// for nothing: a configuration of a test names none.
const mirrored = "0.0.1"

const (
	// sayLimit is how long a process may take to print what is waited for.
	sayLimit = time.Minute
	// endLimit is how long it may take to end when it was asked to.
	endLimit   = 30 * time.Second
	pollOutput = 20 * time.Millisecond
)

// Terraform runs the real command line tool and, found in a filesystem mirror,
// the provider's real binary. All that they write is below Root, for a
// [Scanner]: logs at level TRACE, the plugin protocol's payloads, what each
// command printed, temporary files.
type Terraform struct {
	Root string
	// Dir, below Root, holds the configuration, the state and plans.
	Dir string

	path string
	env  []string
	runs int
}

// NewTerraform makes a directory with one configuration file and initializes
// it. The child processes know the given variables and nothing else of this
// process's environment but PATH.
func NewTerraform(t testing.TB, binary, configuration string, variables map[string]string) *Terraform {
	t.Helper()
	path, err := exec.LookPath(firstOf(os.Getenv("TF_ACC_TERRAFORM_PATH"), "terraform"))
	NeedTool(t, err == nil, "terraform", "https://developer.hashicorp.com/terraform/install")
	tf := &Terraform{Root: ShortTempDir(t), path: path}
	tf.Dir = tf.below(t, "work")
	data, logs, temp, payloads := tf.below(t, "data"), tf.below(t, "logs"), tf.below(t, "tmp"), tf.below(t, "payloads")
	tf.env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + temp, "TMPDIR=" + temp,
		"TF_CLI_CONFIG_FILE=" + tf.write(t, "terraform.rc", Mirror(t, binary)), "TF_DATA_DIR=" + data,
		"TF_LOG=TRACE", "TF_LOG_PATH=" + filepath.Join(logs, "terraform.log"), "TF_LOG_SDK_PROTO_DATA_DIR=" + payloads,
		"TF_IN_AUTOMATION=1", "TF_INPUT=0", "CHECKPOINT_DISABLE=1",
		"AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=" + os.DevNull, "AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull,
	}
	for name, value := range variables {
		tf.env = append(tf.env, name+"="+value)
	}
	tf.Write(t, configuration)
	tf.Must(t, "init")
	return tf
}

// Write replaces the configuration by another one of the same provider.
func (tf *Terraform) Write(t testing.TB, configuration string) {
	t.Helper()
	tf.write(t, "work/main.tf", configuration)
}

// ShortTempDir is a directory in which a Unix socket can live: its path has at
// most 108 bytes, and t.TempDir puts the test's name into it. It ends with the test.
func ShortTempDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "acc") //nolint:usetesting // See above.
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func (tf *Terraform) below(t testing.TB, name string) string {
	t.Helper()
	dir := filepath.Join(tf.Root, name)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

func (tf *Terraform) write(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(tf.Root, filepath.FromSlash(name))
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Mirror is Terraform's CLI configuration for a mirror that holds the binary and
// is the only source of providers. It lies in a directory of its own, where no
// test searches it.
func Mirror(t testing.TB, binary string) string {
	t.Helper()
	mirror := t.TempDir()
	dir := filepath.Join(mirror, ProviderHost(), "auth0sns", "auth0sns", mirrored, runtime.GOOS+"_"+runtime.GOARCH)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(binary, filepath.Join(dir, "terraform-provider-auth0sns_v"+mirrored)); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("provider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n", mirror)
}

// ProviderHost is the registry that the command line tool under test takes for
// its own: OpenTofu's differs.
func ProviderHost() string {
	return firstOf(os.Getenv("TF_ACC_PROVIDER_HOST"), "registry.terraform.io")
}

func firstOf(value, fallback string) string {
	if value != "" {
		return value
	}
	return fallback
}

// Set adds a variable to the environment of the commands that follow.
func (tf *Terraform) Set(name, value string) { tf.env = append(tf.env, name+"="+value) }

// Output is how a command ended.
type Output struct {
	Stdout, Stderr string
	Code           int // -1 when a signal ended it
}

// Must runs a command that has to succeed.
func (tf *Terraform) Must(t testing.TB, args ...string) Output {
	t.Helper()
	out := tf.Run(t, args...)
	if out.Code != 0 {
		t.Fatalf("terraform %s: exit %d\n%s%s", strings.Join(args, " "), out.Code, out.Stdout, out.Stderr)
	}
	return out
}

// Run runs a command to its end.
func (tf *Terraform) Run(t testing.TB, args ...string) Output {
	t.Helper()
	return tf.Start(t, args...).Wait(t)
}

// Start starts a command. What it prints is kept in a file below Root too.
func (tf *Terraform) Start(t testing.TB, args ...string) *Process {
	t.Helper()
	tf.runs++
	p := StartProcess(t, tf.Dir, tf.env, tf.path, append(args, "-no-color")...)
	p.record = filepath.Join(tf.Root, "logs", fmt.Sprintf("%02d-%s", tf.runs, args[0]))
	return p
}

// Process is a command in a process group of its own, as a terminal's
// foreground job is. It is killed, with all it started, when the test ends.
type Process struct {
	cmd            *exec.Cmd
	stdout, stderr output
	record         string // prefix of files for the output; "" for none
}

// StartProcess starts a command in dir with exactly the environment env.
func StartProcess(t testing.TB, dir string, env []string, path string, args ...string) *Process {
	t.Helper()
	p := &Process{cmd: exec.CommandContext(t.Context(), path, args...)}
	p.cmd.Dir, p.cmd.Env = dir, env
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.cmd.Cancel = func() error { return p.signal(syscall.SIGKILL) }
	p.cmd.WaitDelay = time.Second
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if p.cmd.ProcessState == nil {
			_ = p.cmd.Wait() // The test's context has ended, and the process with it.
		}
	})
	return p
}

// Await waits until pattern matches what was printed on stdout or stderr and
// returns the match with its groups.
func (p *Process) Await(t testing.TB, pattern string) []string {
	t.Helper()
	expression := regexp.MustCompile(pattern)
	limit := time.After(sayLimit)
	for {
		for _, printed := range []*output{&p.stdout, &p.stderr} {
			if match := expression.FindStringSubmatch(printed.String()); match != nil {
				return match
			}
		}
		select {
		case <-time.After(pollOutput):
		case <-limit:
			t.Fatalf("%s printed no %s\nstdout: %s\nstderr: %s", p.cmd, pattern, p.stdout.String(), p.stderr.String())
		}
	}
}

// Kill ends the process and all it started at once.
func (p *Process) Kill(t testing.TB) {
	t.Helper()
	if err := p.signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

// Interrupt does what Ctrl-C at a terminal does: every process of the group
// gets SIGINT, the provider too. It returns how the command ended.
func (p *Process) Interrupt(t testing.TB) Output {
	t.Helper()
	return p.End(t, syscall.SIGINT)
}

// End sends a signal to every process of the group, as a terminal does, and
// returns how the command ended.
func (p *Process) End(t testing.TB, signal syscall.Signal) Output {
	t.Helper()
	if err := p.signal(signal); err != nil {
		t.Fatal(err)
	}
	overdue := time.AfterFunc(endLimit, func() { _ = p.signal(syscall.SIGKILL) })
	defer overdue.Stop()
	return p.Wait(t)
}

func (p *Process) signal(s syscall.Signal) error { return syscall.Kill(-p.cmd.Process.Pid, s) }

// Wait returns how the command ended.
func (p *Process) Wait(t testing.TB) Output {
	t.Helper()
	err := p.cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	out := Output{Stdout: p.stdout.String(), Stderr: p.stderr.String(), Code: p.cmd.ProcessState.ExitCode()}
	if p.record != "" {
		err = errors.Join(
			os.WriteFile(p.record+".stdout", []byte(out.Stdout), 0o600),
			os.WriteFile(p.record+".stderr", []byte(out.Stderr), 0o600))
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// output is a buffer that can be read while a process writes to it.
type output struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buffer.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buffer.String()
}
