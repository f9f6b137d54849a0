//go:build unix

package main_test

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/acctest"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/control"
)

// TestAccBootstrapInterrupted presses Ctrl-C while the plan is made, and Ctrl-C or
// closes the terminal while the first key is on its way. Each time the command says so, leaves nothing that is in the way, and the same command goes on from there.
// Nothing that it printed or wrote, interrupted or not, holds a secret.
func TestAccBootstrapInterrupted(t *testing.T) {
	needAcc(t)
	env := acctest.New(t, realTime)
	before := env.State()
	root, run := bootstrapper(t, env)

	p := run("bootstrap", "--env", "staging", "--yes")
	p.Await(t, "terraform init, plan")
	fault(t, env, control.Fault{Side: control.SideAuth0, Operation: "POST /oauth/token", Effect: control.HoldBefore})
	requireHeld(t, env)
	out := interrupt(t, p)
	env.World.Kernel.Faults.Reset()
	printed := out.Stdout + out.Stderr
	requireInterrupted(t, out)
	if !strings.Contains(out.Stderr, "terraform plan failed") {
		t.Errorf("the interrupt did not land in the plan:\n%s", out.Stderr)
	}
	if diff := before.Diff(env.State()); diff != "" {
		t.Errorf("Ctrl-C before the apply has changed something (-before +after):\n%s", diff)
	}

	// A closed terminal must not take Terraform down with it. That nohup ignores it
	// would be inherited; what is caught is not.
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	for _, ending := range []syscall.Signal{syscall.SIGINT, syscall.SIGHUP} {
		env.World.Kernel.Journal.Reset()
		p := run("bootstrap", "--env", "staging", "--yes")
		awaitOperations(t, env, "iam:CreateAccessKey")
		out = p.End(t, ending)
		printed += out.Stdout + out.Stderr
		requireInterrupted(t, out)
		if left := keys(env); left != "" {
			t.Errorf("%s: the key %s was left behind: nobody has its secret", ending, left)
		}
		if at := strings.Index(out.Stderr, "Interrupted: finishing or undoing what is under way"); at < 0 || at > strings.Index(out.Stderr, "the same command goes on from here") {
			t.Errorf("%s: whoever pressed Ctrl-C is not told at once what it waits for:\n%s", ending, out.Stderr)
		}
		if !strings.Contains(out.Stdout, "staging: interrupted, applied in part") || strings.Contains(out.Stderr, "execution halted") {
			t.Errorf("%s: what became of it is not told:\n%s%s", ending, out.Stdout, out.Stderr)
		}
		if !strings.Contains(out.Stderr, "was deleted again") {
			t.Errorf("%s: what Terraform said on its way out is lost:\n%s", ending, out.Stderr)
		}
	}

	out = run("bootstrap", "--env", "staging", "--yes").Wait(t)
	printed += out.Stdout + out.Stderr
	if !strings.Contains(out.Stdout, "staging: applied (") {
		t.Fatalf("the same command does not finish what was interrupted: exit %d\n%s%s", out.Code, out.Stdout, out.Stderr)
	}
	env.Challenge(t)
	out = run("bootstrap", "--env", "staging").Wait(t)
	if !strings.Contains(out.Stdout, "staging: up to date") {
		t.Errorf("it is not done: exit %d\n%s%s", out.Code, out.Stdout, out.Stderr)
	}

	if err := os.WriteFile(filepath.Join(root, "printed"), []byte(printed), 0o600); err != nil {
		t.Fatal(err)
	}
	secrets := map[string]string{"the Auth0 client secret": env.Variables["AUTH0_CLIENT_SECRET"]}
	for i, secret := range env.Account.Secrets() {
		secrets[fmt.Sprintf("AWS secret %d", i)] = secret
	}
	scanner, err := acctest.NewScanner(secrets)
	if err != nil {
		t.Fatal(err)
	}
	findings, err := scanner.Dir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, finding := range findings {
		t.Errorf("a secret left memory: %s", finding)
	}
}

// requireHeld waits until a request is held: the plan has begun, init asks nobody.
func requireHeld(t *testing.T, env *acctest.Env) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if list := env.World.Kernel.Faults.List(); list[0].Held > 0 {
			return
		}
	}
	t.Fatal("the plan has asked for nothing within a minute")
}

func requireInterrupted(t *testing.T, out acctest.Output) {
	t.Helper()
	if out.Code != 130 || !strings.HasSuffix(out.Stderr, "auth0sns: interrupted\n") || strings.Contains(out.Stderr, "panic") {
		t.Fatalf("Ctrl-C: exit %d\n%s%s", out.Code, out.Stdout, out.Stderr)
	}
}

// bootstrapper starts the command line in a directory of its own below root.
func bootstrapper(t *testing.T, env *acctest.Env) (root string, run func(args ...string) *acctest.Process) {
	t.Helper()
	root, environ := bootstrapEnvironment(t, env)
	return root, func(args ...string) *acctest.Process {
		return acctest.StartProcess(t, filepath.Join(root, "work"), environ, binary(t), args...)
	}
}

// bootstrapEnvironment makes a directory with an empty folder work, and the
// environment with the credentials of the world and a mirror of the provider.
func bootstrapEnvironment(t *testing.T, env *acctest.Env) (root string, environ []string) {
	t.Helper()
	root = acctest.ShortTempDir(t)
	home := filepath.Join(root, "home")
	for _, dir := range []string{filepath.Join(root, "work"), home} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	mirror := filepath.Join(root, "terraform.rc")
	if err := os.WriteFile(mirror, []byte(acctest.Mirror(t, binary(t))), 0o600); err != nil {
		t.Fatal(err)
	}
	environ = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "TMPDIR=" + home, "TF_CLI_CONFIG_FILE=" + mirror, "CHECKPOINT_DISABLE=1",
		"AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=" + os.DevNull, "AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull,
	}
	for name, value := range env.Variables {
		environ = append(environ, name+"="+value)
	}
	return root, environ
}
