package provider_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/acctest"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/control"
)

// workspace is a directory of the real CLI whose provider runs in this process.
// Unlike resource.Test it runs exactly the command it is told, so that requests
// can be counted, and it has every diagnostic whole, not wrapped at 78 columns.
type workspace struct {
	t        *testing.T
	env      *acctest.Env
	dir      string
	reattach string
}

func newWorkspace(t *testing.T, env *acctest.Env, config string) *workspace {
	t.Helper()
	if os.Getenv("TF_ACC") == "" {
		t.Skip("Acceptance tests skipped unless env 'TF_ACC' set")
	}
	_, err := exec.LookPath("terraform")
	acctest.NeedTool(t, err == nil, "terraform", "https://developer.hashicorp.com/terraform/install")
	w := &workspace{t: t, env: env, dir: t.TempDir(), reattach: env.Serve(t)}
	w.write(config)
	return w
}

// write replaces the configuration.
func (w *workspace) write(config string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, "main.tf"), []byte(config), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// forget takes the state away, as an apply does that is killed before it wrote it.
func (w *workspace) forget() {
	w.t.Helper()
	for _, name := range []string{"terraform.tfstate", "terraform.tfstate.backup"} {
		if err := os.Remove(filepath.Join(w.dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			w.t.Fatal(err)
		}
	}
}

// copyState starts with the state of another workspace.
func (w *workspace) copyState(from *workspace) {
	w.t.Helper()
	const name = "terraform.tfstate"
	data, err := os.ReadFile(filepath.Join(from.dir, name))
	if err == nil {
		err = os.WriteFile(filepath.Join(w.dir, name), data, 0o600)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// outcome is what one command said and did.
type outcome struct {
	exit        int
	diagnostics []diagnostic
	changes     map[string]string // planned action by address
	requests    []control.Entry
}

type diagnostic struct {
	Severity string `json:"severity"`
	Summary  string `json:"summary"`
	Detail   string `json:"detail"`
	Address  string `json:"address"`
	Range    struct {
		Start struct {
			Line int `json:"line"`
		} `json:"start"`
	} `json:"range"`
}

// run runs a command that knows -json: plan, apply, destroy, refresh.
func (w *workspace) run(command string, args ...string) outcome {
	w.t.Helper()
	flags := []string{command, "-json", "-input=false", "-no-color"}
	if command == "apply" || command == "destroy" {
		flags = append(flags, "-auto-approve")
	}
	args = append(flags, args...)
	cmd := exec.CommandContext(w.t.Context(), "terraform", args...)
	cmd.Dir = w.dir
	cmd.Env = append(os.Environ(), "TF_REATTACH_PROVIDERS="+w.reattach)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	entries := w.env.World.Kernel.Journal.Entries(0)
	var since int64
	if len(entries) > 0 {
		since = entries[len(entries)-1].Seq
	}
	stdout, err := cmd.Output()
	var exited *exec.ExitError
	if err != nil && !errors.As(err, &exited) {
		w.t.Fatalf("terraform %s: %v", strings.Join(args, " "), err)
	}
	o := outcome{exit: cmd.ProcessState.ExitCode(), changes: map[string]string{}, requests: w.env.World.Kernel.Journal.Entries(since)}
	for line := range bytes.Lines(stdout) {
		o.read(w.t, line)
	}
	if stderr.Len() > 0 {
		w.t.Fatalf("terraform %s: %s", strings.Join(args, " "), stderr.String())
	}
	return o
}

// must is run for a command that has to succeed.
func (w *workspace) must(command string, args ...string) outcome {
	w.t.Helper()
	o := w.run(command, args...)
	if o.exit != 0 {
		w.t.Fatalf("terraform %s failed: %s", command, o.errorText())
	}
	return o
}

func (o *outcome) read(t *testing.T, line []byte) {
	t.Helper()
	var message struct {
		Type       string
		Diagnostic diagnostic
		Change     struct {
			Resource struct{ Addr string }
			Action   string
		}
	}
	if err := json.Unmarshal(line, &message); err != nil {
		t.Fatalf("terraform wrote %q: %v", line, err)
	}
	switch message.Type {
	case "diagnostic":
		o.diagnostics = append(o.diagnostics, message.Diagnostic)
	case "planned_change":
		o.changes[message.Change.Resource.Addr] = message.Change.Action
	}
}

// text joins the diagnostics of a severity, as a person would read them.
func (o outcome) text(severity string) string {
	var text []string
	for _, d := range o.diagnostics {
		if d.Severity == severity {
			text = append(text, d.Summary+": "+d.Detail)
		}
	}
	return strings.Join(text, "\n")
}

func (o outcome) errorText() string { return o.text("error") }

// count is how often a request was made.
func (o outcome) count(operation string) int {
	n := 0
	for _, e := range o.requests {
		if e.Operation == operation {
			n++
		}
	}
	return n
}

// operations names the requests in the order in which they were answered.
func (o outcome) operations() []string {
	names := []string{}
	for _, e := range o.requests {
		names = append(names, e.Operation)
	}
	return names
}
