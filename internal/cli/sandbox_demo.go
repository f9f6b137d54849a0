package cli

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/auth0sns/terraform-provider-auth0sns/examples"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/auth0"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/aws"
)

const (
	demoPhone = "+15005550001"
	// demoVersion is under which the mirror offers this binary: Terraform
	// takes 0.0.0 for no version.
	demoVersion = "0.0.1"
	// terraformGrace is how long Terraform may take to stop after an interrupt.
	terraformGrace = 30 * time.Second
)

// demoPath is one way of a tenant to send, a scenario of the examples.
type demoPath struct {
	about  string // what there is to know of it
	sender string // what runs at Auth0
	gone   string // what destroy leaves nothing of
}

// demoPaths are the paths of the demo by the name of their scenario.
func demoPaths() map[string]demoPath {
	return map[string]demoPath{
		"hook": {
			"The path is the guide's own, a hook: Auth0 ended hooks on 2026-11-18, the sandbox still runs them.",
			"hook", "no hook",
		},
		"action": {
			"The path is that of tenants with the legacy MFA phone provider, an Action bound to send-phone-message.",
			"action", "no action",
		},
		"unified": {
			"The path is the Unified Phone Experience, which every new tenant has: a phone provider and its custom-phone-provider Action.",
			"action", "no phone provider, no action",
		},
	}
}

func newDemoCommand() *cobra.Command {
	var cacheDir, path string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Watch Auth0's guide happen on a sandbox, through the terraform on PATH",
		Long: "Applies examples/scenarios/hook, or another path's, on a sandbox with the real Terraform, logs a person in, rotates the key, and destroys everything again.\n" +
			"Needs terraform, node and npm on PATH. Nothing outside this machine is touched; npm downloads the hook's package once.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, ok := demoPaths()[path]; !ok {
				return fmt.Errorf("--path %q: want one of %s", path, strings.Join(slices.Sorted(maps.Keys(demoPaths())), ", "))
			}
			if err := needDemoTools(); err != nil {
				return err
			}
			dir, err := sandboxCacheDir(cacheDir)
			if err != nil {
				return err
			}
			return runDemo(cmd.Context(), dir, path, cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&path, "path", "hook", "what sends the messages: "+strings.Join(slices.Sorted(maps.Keys(demoPaths())), ", "))
	cmd.Flags().StringVar(&cacheDir, "cache-dir", "", "where npm packages are kept (default: auth0sns in the user's cache directory)")
	return cmd
}

// needDemoTools names every missing tool and where it is to be had.
func needDemoTools() error {
	var missing []error
	for _, tool := range []struct{ name, from string }{
		{"terraform", "https://developer.hashicorp.com/terraform/install (1.11 or newer)"},
		{"node", "https://nodejs.org/en/download (18 or newer)"},
		{"npm", "https://nodejs.org/en/download (comes with Node)"},
	} {
		if _, err := exec.LookPath(tool.name); err != nil {
			missing = append(missing, fmt.Errorf("%s is not on PATH: get it from %s", tool.name, tool.from))
		}
	}
	return errors.Join(missing...)
}

// demo is one run: a world, a directory with the scenario, and what it showed so far.
type demo struct {
	out      io.Writer
	dir      string
	scenario string
	path     demoPath
	world    *sandbox.World
	instance *sandbox.Instance
	before   any
	step     int
}

func runDemo(ctx context.Context, cacheDir, path string, out io.Writer) (err error) {
	begin := time.Now()
	dir, err := os.MkdirTemp("", "auth0sns-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	world, err := sandbox.Start(ctx, sandbox.Options{CacheDir: cacheDir, KeyDelay: 2 * time.Second})
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	defer func() { err = errors.Join(err, world.Close()) }()
	d := &demo{out: out, dir: dir, scenario: path, path: demoPaths()[path], world: world, instance: world.Instance(sandbox.DefaultInstances()[0])}
	d.say("Auth0's guide \"Configure Amazon SNS as MFA SMS Provider\", through Terraform, on a sandbox.\n" + d.path.about)
	for _, step := range []func(context.Context) error{d.prepare, d.plan, d.apply, d.login, d.rotate, d.secondPlan, d.showState, d.destroy} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	d.say("\nDone in %.0f s. Next:", time.Since(begin).Seconds())
	d.say("  make test                        prove all of it")
	d.say("  ./build/auth0sns sandbox         keep such a world running and point Terraform at it")
	d.say("  docs/guides/getting-started.md   the same on your own tenant and account")
	return nil
}

func (d *demo) say(format string, args ...any) { fmt.Fprintf(d.out, format+"\n", args...) }

func (d *demo) title(format string, args ...any) {
	d.step++
	d.say("\n%d. "+format, append([]any{d.step}, args...)...)
}

func (d *demo) line(format string, args ...any) { d.say("   "+format, args...) }

func (d *demo) prepare(ctx context.Context) error {
	d.title("A tenant, an AWS account and a phone: the sandbox. The provider is this very binary.")
	d.before = leftovers(d.instance)
	description := d.world.Describe().Instances[0]
	d.line("Auth0 tenant   %s", description.Auth0.Domain)
	d.line("AWS account    %s, %s", description.AWS.AccountID, description.AWS.EndpointURL)
	if err := copyScenario(d.dir, d.scenario); err != nil {
		return err
	}
	if err := writeMirror(d.dir); err != nil {
		return err
	}
	return d.terraform(ctx, nil, "init", "-input=false", "-no-color")
}

func (d *demo) plan(ctx context.Context) error {
	d.title("terraform plan: what a reviewer sees before anything happens.")
	return d.terraform(ctx, isPlanLine, "plan", "-input=false", "-no-color", "-out=tfplan")
}

func (d *demo) apply(ctx context.Context) error {
	d.title("terraform apply: the factor goes last, so nobody is asked for a code that cannot come.")
	return d.terraform(ctx, isProgressLine, "apply", "-input=false", "-no-color", "tfplan")
}

func (d *demo) login(ctx context.Context) error {
	d.title("A person logs in, the tenant asks for MFA, the deployed %s sends the code:", d.path.sender)
	return d.challenge(ctx)
}

func (d *demo) rotate(ctx context.Context) error {
	d.title("Rotate the key: mint, wait until AWS accepts it, deliver, wait 20 s for calls in flight, retire the old.")
	if err := d.terraform(ctx, isProgressLine, "apply", "-input=false", "-no-color", "-auto-approve", "-var=rotation=2"); err != nil {
		return err
	}
	return d.challenge(ctx)
}

func (d *demo) secondPlan(ctx context.Context) error {
	entries := d.world.Kernel.Journal.Entries(0)
	last := entries[len(entries)-1].Seq
	d.title("terraform plan again: nothing to do.")
	if err := d.terraform(ctx, isPlanLine, "plan", "-input=false", "-no-color", "-detailed-exitcode", "-out=tfplan", "-var=rotation=2"); err != nil {
		return err
	}
	d.line("%d requests to Auth0 and AWS together.", len(d.world.Kernel.Journal.Entries(last)))
	return nil
}

func (d *demo) showState(ctx context.Context) error {
	d.title("What the state holds instead of a secret:")
	if err := d.terraform(ctx, func(line string) bool { return strings.HasPrefix(line, "    ") }, "state", "show", "-no-color", "auth0sns_credentials.sms"); err != nil {
		return err
	}
	files := []string{"tfplan", "terraform.tfstate", "terraform.tfstate.backup"}
	for _, file := range files {
		data, err := readUnpacked(filepath.Join(d.dir, file))
		if err != nil {
			return err
		}
		for _, secret := range d.instance.Account.Secrets() {
			if bytes.Contains(data, []byte(secret)) {
				return fmt.Errorf("a secret access key is in %s", file)
			}
		}
	}
	d.line("Searched %s for every secret key that AWS ever gave out: none.", strings.Join(files, ", "))
	return nil
}

func (d *demo) destroy(ctx context.Context) error {
	d.title("terraform destroy: the factor goes first, and what was there before comes back.")
	if err := d.terraform(ctx, isProgressLine, "destroy", "-input=false", "-no-color", "-auto-approve"); err != nil {
		return err
	}
	if !reflect.DeepEqual(leftovers(d.instance), d.before) {
		return errors.New("tenant or account are not as they were before")
	}
	d.line("Tenant and account are as before: %s, no user, no key, factor and policy as they were.", d.path.gone)
	return nil
}

// leftovers is everything that a run could leave behind. A setting that is off is
// one that was never set: there is no request that takes it away again.
func leftovers(i *sandbox.Instance) any {
	account, tenant := i.Account.Snapshot(), i.Tenant.Snapshot()
	maps.DeleteFunc(tenant.Settings, func(name string, value any) bool { return name == "phone_consolidated_experience" && value == false })
	users := make([]string, len(account.Users))
	for n, user := range account.Users {
		users[n] = user.UniqueID
	}
	return []any{tenant, users, account.SMSAttributes}
}

// challenge plays a login and shows the phone.
func (d *demo) challenge(ctx context.Context) error {
	result, err := d.instance.Tenant.Challenge(ctx, auth0.ChallengeRequest{PhoneNumber: demoPhone, Action: "second-factor-authentication"})
	if err != nil {
		return err
	}
	inbox := d.instance.Account.Inbox()
	if !result.Sent || len(inbox) == 0 {
		return fmt.Errorf("no code arrived: %s", result.Error)
	}
	d.phone(inbox[len(inbox)-1])
	return nil
}

func (d *demo) phone(sms aws.SMS) {
	width := max(len(sms.Text), len(sms.To)) + 2
	d.line("┌%s┐", strings.Repeat("─", width))
	d.line("│ %-*s │  %s", width-2, sms.Text, sms.To)
	d.line("└%s┘  through SNS in %s with key %s", strings.Repeat("─", width), sms.Region, sms.AccessKeyID)
}

// terraform runs Terraform in the demo's directory and shows the lines that keep wants. Where it fails, everything is shown.
func (d *demo) terraform(ctx context.Context, keep func(string) bool, args ...string) error {
	cmd := exec.CommandContext(ctx, "terraform", args...) //nolint:gosec // The arguments are the steps above.
	cmd.Dir = d.dir
	cmd.Env = append(foreignEnvironment(), "TF_CLI_CONFIG_FILE="+filepath.Join(d.dir, "terraform.rc"), "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1")
	for name, value := range d.world.Describe().Instances[0].Env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = terraformGrace
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	var output bytes.Buffer
	cmd.Stderr = &output
	if err := cmd.Start(); err != nil {
		return err
	}
	for lines := bufio.NewScanner(pipe); lines.Scan(); {
		output.WriteString(lines.Text() + "\n")
		if keep != nil && keep(lines.Text()) {
			d.line("%s", strings.TrimPrefix(lines.Text(), "    "))
		}
	}
	if err := cmd.Wait(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("terraform %s: %w\n%s", args[0], err, output.String())
	}
	return nil
}

// foreignEnvironment is this process's without what could point Terraform at a real tenant or account.
func foreignEnvironment() []string {
	return slices.DeleteFunc(os.Environ(), func(variable string) bool {
		return strings.HasPrefix(variable, "AUTH0_") || strings.HasPrefix(variable, "AWS_") || strings.HasPrefix(variable, "TF_")
	})
}

func isPlanLine(line string) bool {
	return strings.HasPrefix(strings.TrimSpace(line), "# ") || strings.HasPrefix(line, "Plan: ") || strings.HasPrefix(line, "No changes.")
}

func isProgressLine(line string) bool {
	for _, part := range []string{"complete after", "Still modifying", "complete! Resources"} {
		if strings.Contains(line, part) {
			return true
		}
	}
	return false
}

// readUnpacked reads a file; of a plan file, which is a ZIP archive, everything inside it.
func readUnpacked(path string) ([]byte, error) {
	archive, err := zip.OpenReader(path)
	if errors.Is(err, zip.ErrFormat) {
		return os.ReadFile(path) //nolint:gosec // A file that Terraform wrote into the demo's directory.
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = archive.Close() }()
	var all []byte
	for _, member := range archive.File {
		data, err := fs.ReadFile(archive, member.Name)
		if err != nil {
			return nil, err
		}
		all = append(all, data...)
	}
	return all, nil
}

// copyScenario writes the example's files, the very ones that a reader sees.
func copyScenario(dir, path string) error {
	scenario, err := fs.Sub(examples.FS, "scenarios/"+path)
	if err != nil {
		return err
	}
	return os.CopyFS(dir, scenario)
}

// writeMirror makes a filesystem mirror of this binary and the CLI configuration that names it, so that `terraform
// init` needs no network.
func writeMirror(dir string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	mirror := filepath.Join(dir, "mirror")
	target := filepath.Join(mirror, "registry.terraform.io", "auth0sns", "auth0sns", demoVersion, runtime.GOOS+"_"+runtime.GOARCH)
	if err := os.MkdirAll(target, 0o750); err != nil {
		return err
	}
	binary := filepath.Join(target, "terraform-provider-auth0sns_v"+demoVersion)
	if runtime.GOOS == "windows" {
		binary += ".exe"
	}
	if err := os.Link(self, binary); err != nil {
		if err := copyFile(self, binary); err != nil {
			return err
		}
	}
	quoted, err := json.Marshal(mirror) // HCL's strings are JSON's where a path needs quoting.
	if err != nil {
		return err
	}
	rc := fmt.Sprintf("provider_installation {\n  filesystem_mirror {\n    path = %s\n  }\n}\n", quoted)
	return os.WriteFile(filepath.Join(dir, "terraform.rc"), []byte(rc), 0o600)
}

// copyFile copies an executable to where it cannot be linked, another file system.
func copyFile(from, to string) error {
	source, err := os.Open(from) //nolint:gosec // The path of this program.
	if err != nil {
		return err
	}
	defer func() { _ = source.Close() }()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o755) //nolint:gosec // Terraform has to execute it.
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Close())
}
