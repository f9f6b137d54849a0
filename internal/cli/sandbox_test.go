package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox"
)

// sandboxRun is a sandbox command that runs.
type sandboxRun struct {
	stdout *bufio.Reader
	stop   context.CancelFunc
	done   chan error
}

func runSandboxCommand(t *testing.T, args ...string) sandboxRun {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	t.Cleanup(stop)
	read, write := io.Pipe()
	cmd := newSandboxCommand()
	cmd.SetArgs(append([]string{"--cache-dir", t.TempDir()}, args...))
	cmd.SetOut(write)
	cmd.SetErr(io.Discard)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	done := make(chan error, 1)
	go func() {
		err := cmd.ExecuteContext(ctx)
		_ = write.Close()
		done <- err
	}()
	return sandboxRun{bufio.NewReader(read), stop, done}
}

// rest stops the sandbox and returns what else it prints.
func (r sandboxRun) rest(t *testing.T) string {
	t.Helper()
	r.stop()
	rest, err := io.ReadAll(r.stdout)
	if err != nil {
		t.Fatal(err)
	}
	if err := <-r.done; err != nil {
		t.Errorf("interrupted, the command fails with %v: a script could not tell a clean end", err)
	}
	return string(rest)
}

func TestSandboxPrintsOneLineOfJSONAndServesUntilInterrupted(t *testing.T) {
	run := runSandboxCommand(t, "--json", "--hooks-mode", "gone")
	line, err := run.stdout.ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	var world sandbox.Description
	if err := json.Unmarshal(line, &world); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	if len(world.Instances) != 2 || world.Instances[0].Name != "staging" || world.Instances[1].Name != "production" {
		t.Errorf("instances = %+v, want staging and production", world.Instances)
	}
	served := get(t, world.ControlURL+"/sandbox/")
	if !bytes.Equal(bytes.TrimSpace(served), bytes.TrimSpace(line)) {
		t.Errorf("GET /sandbox/ answers %s, --json printed %s: they must not tell different stories", served, line)
	}
	if state := get(t, world.ControlURL+"/sandbox/staging/state"); !bytes.Contains(state, []byte(`"hooks_mode":"gone"`)) {
		t.Errorf("--hooks-mode did not reach the tenant: %s", state)
	}
	if rest := run.rest(t); rest != "" {
		t.Errorf("after the line stdout got %q: a script that reads one document breaks", rest)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, world.ControlURL, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := http.DefaultClient.Do(req); err == nil {
		_ = resp.Body.Close()
		t.Error("it still serves after its end")
	}
}

func TestSandboxPrintsWhatToCopy(t *testing.T) {
	run := runSandboxCommand(t, "--instances", "qa")
	first, err := run.stdout.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	// The table is one write: it is all there when its first line is.
	text := first
	for range 20 {
		line, err := run.stdout.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		text += line
		if strings.HasPrefix(line, "Control API") {
			break
		}
	}
	run.rest(t)
	for _, want := range []string{
		"qa\n", "Auth0 tenant  http://127.0.0.1:", "AWS account   http://127.0.0.1:",
		"export AUTH0_DOMAIN='http://127.0.0.1:", "export AUTH0_CLIENT_ID='", "export AUTH0_CLIENT_SECRET='",
		"export AWS_ENDPOINT_URL='http://127.0.0.1:", "export AWS_ACCESS_KEY_ID='AKIA", "export AWS_SECRET_ACCESS_KEY='", "export AWS_REGION='us-east-1'",
		"Control API     http://127.0.0.1:",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
}

// TestSandboxPrintsForOneShell gives what a shell needs that holds staging and
// production at once, and nothing plain that would count for both.
func TestSandboxPrintsForOneShell(t *testing.T) {
	var b strings.Builder
	world := sandbox.Description{Instances: []sandbox.InstanceDescription{
		{Name: "staging", Env: map[string]string{"AUTH0_DOMAIN": "s"}}, {Name: "eu-production", Env: map[string]string{"AWS_REGION": "p"}},
	}}
	if err := printWorld(&b, world, sandboxFlags{prefixed: true}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"  export STAGING_AUTH0_DOMAIN='s'\n", "  export EU_PRODUCTION_AWS_REGION='p'\n", "unset STAGING_AWS_PROFILE STAGING_AWS_SESSION_TOKEN"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in:\n%s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "export A") || strings.Contains(b.String(), "unset A") || strings.Contains(b.String(), " AUTH0_API_TOKEN") {
		t.Errorf("a plain variable is touched:\n%s", b.String())
	}
}

func TestSandboxRefusesBadArguments(t *testing.T) {
	for want, args := range map[string][]string{
		`--hooks-mode "off": want one of available, read_only, disabled, gone`: {"--hooks-mode", "off"},
		`got "staging"`: {"staging"},
		`--json and --prefixed exclude each other`: {"--json", "--prefixed"},
	} {
		cmd := newSandboxCommand()
		cmd.SetArgs(args)
		cmd.SetOut(io.Discard)
		cmd.SilenceErrors, cmd.SilenceUsage = true, true
		err := cmd.ExecuteContext(t.Context())
		if exitCodeOf(t.Context(), err) != exitUsage || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: error = %v, want a usage error that contains %q", args, err, want)
		}
	}
}

func TestSandboxHelpNamesEveryEndpointAndSwitch(t *testing.T) {
	world, err := sandbox.Start(t.Context(), sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = world.Close() }()
	for _, endpoint := range world.Describe().Endpoints {
		_, path, _ := strings.Cut(endpoint, " ")
		path = strings.NewReplacer("{instance}", "INSTANCE", "faults/{id}/", "faults/ID/", "faults/{id}", "faults[/ID]").Replace(path)
		if !strings.Contains(sandboxLong, path) {
			t.Errorf("the help does not name %s", endpoint)
		}
	}
	for _, of := range []reflect.Type{reflect.TypeFor[sandbox.Auth0Seed](), reflect.TypeFor[sandbox.AWSSeed]()} {
		for _, field := range reflect.VisibleFields(of) {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if !strings.Contains(sandboxLong, "\n  "+name+" ") && !field.Anonymous {
				t.Errorf("the help does not explain the switch %s", name)
			}
		}
	}
}

func TestShellQuoteSurvivesAShell(t *testing.T) {
	for value, want := range map[string]string{"a/b+c": "'a/b+c'", "it's": `'it'\''s'`} {
		if got := shellQuote(value); got != want {
			t.Errorf("shellQuote(%q) = %s, want %s", value, got, want)
		}
	}
}

func get(t *testing.T, url string) []byte {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return body
}
