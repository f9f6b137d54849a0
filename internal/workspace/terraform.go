package workspace

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/hashicorp/go-version"
	"github.com/hashicorp/terraform-exec/tfexec"
	tfjson "github.com/hashicorp/terraform-json"
)

const (
	minTerraform = "1.11"

	// binaryVariable names another program than the terraform on PATH, such as
	// OpenTofu's tofu.
	binaryVariable = "AUTH0SNS_TERRAFORM"

	// handOver is how long an interrupted apply may take to end a hand-over of a
	// key that it has begun: AWS takes seconds to accept one, Auth0 up to a
	// minute to deploy, and calls in flight get 20 s.
	handOver = 2 * time.Minute

	versionLimit = 30 * time.Second
)

// Terraform runs terraform in one folder. It is not for several goroutines.
type Terraform struct {
	cli    *tfexec.Terraform
	stderr *bytes.Buffer
}

// NewTerraform finds terraform on PATH, or where AUTH0SNS_TERRAFORM of environ
// says (OpenTofu's tofu works too), for the folder of a root module. An error
// says where to get it where there is none, or one below 1.11.
//
// The child processes have the variables of environ and no others, without
// those that would change what is applied behind the back of the files: TF_VAR_…,
// TF_CLI_ARGS, TF_WORKSPACE and the like. A folder in which another Terraform
// workspace than default is selected is a [ConflictError], since its state is
// not the environment's; in HCP Terraform it is the file that names it.
func NewTerraform(dir string, environ map[string]string) (*Terraform, error) {
	if err := refuseSelectedWorkspace(dir, environ["TF_DATA_DIR"]); err != nil {
		return nil, err
	}
	t, err := newTerraform(dir, environ)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), versionLimit)
	defer cancel()
	_, err = t.version(ctx)
	return t, err
}

// TerraformVersion is the version of the terraform that [NewTerraform] finds,
// with its errors, for a preflight: it needs no folder.
func TerraformVersion(ctx context.Context, environ map[string]string) (string, error) {
	t, err := newTerraform(os.TempDir(), environ)
	if err != nil {
		return "", err
	}
	return t.version(ctx)
}

func newTerraform(dir string, environ map[string]string) (*Terraform, error) {
	name := environ[binaryVariable]
	if name == "" {
		name = "terraform"
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return nil, fmt.Errorf("%s is not on PATH (%w): get Terraform %s or newer from https://developer.hashicorp.com/terraform/install, or name a program by %s",
			name, err, minTerraform, binaryVariable)
	}
	if path, err = filepath.Abs(path); err != nil { // It is started in another folder.
		return nil, err
	}
	cli, err := tfexec.NewTerraform(dir, path)
	if err != nil {
		return nil, err
	}
	variables := maps.Clone(environ)
	for _, name := range tfexec.ProhibitedEnv(variables) {
		delete(variables, name)
	}
	if variables == nil {
		variables = map[string]string{} // nil would mean those of this process.
	}
	t := &Terraform{cli: cli, stderr: &bytes.Buffer{}}
	cli.SetStderr(t.stderr)
	err = cli.SetEnv(variables)
	if runtime.GOOS != "windows" { // There a process cannot be interrupted.
		err = errors.Join(err, cli.SetWaitDelay(handOver))
	}
	return t, err
}

func (t *Terraform) version(ctx context.Context) (string, error) {
	found, _, err := t.cli.Version(ctx, false)
	if err != nil {
		return "", t.failed(ctx, "version", nil, err)
	}
	if found.Core().LessThan(version.Must(version.NewVersion(minTerraform))) {
		return "", fmt.Errorf("%s is version %s: get Terraform %s or newer from https://developer.hashicorp.com/terraform/install, or name a program by %s",
			t.cli.ExecPath(), found, minTerraform, binaryVariable)
	}
	return found.String(), nil
}

// refuseSelectedWorkspace looks where Terraform keeps what was selected.
func refuseSelectedWorkspace(dir, dataDir string) error {
	if dataDir == "" {
		dataDir = ".terraform"
	}
	if !filepath.IsAbs(dataDir) {
		dataDir = filepath.Join(dir, dataDir)
	}
	content, err := os.ReadFile(filepath.Join(dataDir, "environment")) //nolint:gosec // Terraform's own file.
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	selected := strings.TrimSpace(string(content))
	b, err := backendOf(dir)
	if err != nil || b.Kind == backendRemote || selected == "" || selected == "default" {
		return err
	}
	return ConflictError{fmt.Sprintf("the Terraform workspace %s is selected in %s: its state is not the environment's. Run there: terraform workspace select default", selected, dir)}
}

// Init downloads the provider and connects the backend. The lock file decides
// the version: a newer one takes terraform init -upgrade, as the error says.
func (t *Terraform) Init(ctx context.Context) error {
	return t.stream(ctx, "init", nil, func(w io.Writer) error { return t.cli.InitJSON(ctx, w) })
}

// Plan writes a plan to planFile, which only its owner can read, and tells
// whether it changes anything. The file's folder is to be a private one.
func (t *Terraform) Plan(ctx context.Context, planFile string, progress func(Event)) (changes bool, err error) {
	if planFile, err = filepath.Abs(planFile); err != nil {
		return false, err
	}
	err = t.stream(ctx, "plan", progress, func(w io.Writer) (err error) {
		changes, err = t.cli.PlanJSON(ctx, w, tfexec.Out(planFile))
		return err
	})
	if err != nil {
		return false, err
	}
	return changes, os.Chmod(planFile, 0o600)
}

// ShowPlan reads a plan file.
func (t *Terraform) ShowPlan(ctx context.Context, planFile string) (*tfjson.Plan, error) {
	planFile, err := filepath.Abs(planFile)
	if err != nil {
		return nil, err
	}
	plan, err := t.cli.ShowPlanFile(ctx, planFile)
	if err != nil {
		return nil, t.failed(ctx, "show", nil, err)
	}
	t.stderr.Reset()
	return plan, nil
}

// Apply applies exactly the plan of a file. When the context ends it asks
// Terraform to stop and waits, up to two minutes, for what has begun: a key on
// its way to Auth0 arrives, and the state is written.
func (t *Terraform) Apply(ctx context.Context, planFile string, progress func(Event)) error {
	planFile, err := filepath.Abs(planFile)
	if err != nil {
		return err
	}
	return t.stream(ctx, "apply", progress, func(w io.Writer) error {
		return t.cli.ApplyJSON(ctx, w, tfexec.DirOrPlan(planFile))
	})
}

// State reads the state through its backend. Its Values are nil where nothing
// was applied.
func (t *Terraform) State(ctx context.Context) (*tfjson.State, error) {
	state, err := t.cli.Show(ctx)
	if err != nil {
		return nil, t.failed(ctx, "show", nil, err)
	}
	t.stderr.Reset()
	return state, nil
}

// stream runs a command that prints a line of JSON for each thing that happens.
func (t *Terraform) stream(ctx context.Context, command string, progress func(Event), run func(io.Writer) error) error {
	if progress == nil {
		progress = func(Event) {}
	}
	lines := &eventWriter{progress: progress}
	outlive := outliveReaders()
	err := run(lines)
	outlive()
	t.cli.SetStdout(io.Discard) // tfexec would send the next command's output there too.
	lines.flush()
	if err != nil {
		return t.failed(ctx, command, lines, err)
	}
	t.stderr.Reset()
	return nil
}

// outliveReaders keeps this process alive when whoever reads its output goes, as
// tee does on Ctrl-C: writing to a pipe that nobody reads would end it by SIGPIPE,
// and Terraform, which on Linux is killed with it, in the middle of a hand-over
// and with the state locked. The caller ends it.
func outliveReaders() (end func()) {
	broken := make(chan os.Signal, 1)
	signal.Notify(broken, syscall.SIGPIPE)
	return func() { signal.Stop(broken) }
}

// failed makes the error of a command from all that Terraform said.
func (t *Terraform) failed(ctx context.Context, command string, lines *eventWriter, err error) error {
	failure := &TerraformError{Command: command, err: err}
	if ctx.Err() != nil {
		failure.err = ctx.Err() // The text of tfexec's own cannot be relied on.
	}
	if lines != nil {
		failure.Diagnostics = lines.errors
		failure.Output = strings.TrimSpace(lines.other.String())
	}
	if ctx.Err() != nil { // What Terraform says of each step that it did not begin any more.
		failure.Diagnostics = slices.DeleteFunc(failure.Diagnostics, func(d tfjson.Diagnostic) bool {
			return d.Summary == "execution halted" && d.Detail == ""
		})
	}
	failure.Output = strings.TrimSpace(failure.Output + "\n" + t.stderr.String())
	t.stderr.Reset()
	return failure
}

// TerraformError is a command of Terraform that failed.
type TerraformError struct {
	Command     string              // "plan"
	Diagnostics []tfjson.Diagnostic // the errors, in Terraform's order
	Output      string              // what else Terraform printed
	err         error
}

// Unwrap gives the cause: of an interrupted command that of its context.
func (e *TerraformError) Unwrap() error { return e.err }

// Error is all that Terraform said, as it would have printed it.
func (e *TerraformError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "terraform %s failed", e.Command)
	if errors.Is(e.err, context.Canceled) || errors.Is(e.err, context.DeadlineExceeded) || len(e.Diagnostics) == 0 && e.Output == "" {
		fmt.Fprintf(&b, ": %v", e.err)
	}
	for _, d := range e.Diagnostics {
		b.WriteString("\n\n" + formatDiagnostic(d))
	}
	if e.Output != "" {
		b.WriteString("\n\n" + e.Output)
	}
	return b.String()
}

func formatDiagnostic(d tfjson.Diagnostic) string {
	var b strings.Builder
	b.WriteString("Error: " + d.Summary)
	if d.Severity == tfjson.DiagnosticSeverityWarning {
		b.Reset()
		b.WriteString("Warning: " + d.Summary)
	}
	var where []string
	if d.Address != "" {
		where = append(where, "  with "+d.Address)
	}
	if d.Range != nil {
		place := fmt.Sprintf("  on %s line %d", d.Range.Filename, d.Range.Start.Line)
		if d.Snippet != nil && d.Snippet.Context != nil {
			place += ", in " + *d.Snippet.Context
		}
		where = append(where, place)
	}
	if len(where) > 0 {
		b.WriteString("\n\n" + strings.Join(where, ",\n") + ":")
	}
	if d.Snippet != nil {
		for i, line := range strings.Split(d.Snippet.Code, "\n") {
			fmt.Fprintf(&b, "\n  %4d: %s", d.Snippet.StartLine+i, line)
		}
	}
	if d.Detail != "" {
		b.WriteString("\n\n" + d.Detail)
	}
	return b.String()
}
