//go:build unix

package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/acctest"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/control"
)

// magicCookie is what Terraform starts every provider with, see
// https://github.com/hashicorp/terraform-plugin-go (tfprotov6/tf6server).
const magicCookie = "TF_PLUGIN_MAGIC_COOKIE=d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2"

// keyDelay is real time here: the binary waits by the machine's clock.
const keyDelay = 300 * time.Millisecond

// TestMain builds the binary once.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "auth0sns-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binary := filepath.Join(dir, "auth0sns")
	build := exec.Command("go", "build", "-trimpath", "-o", binary, ".") //nolint:noctx // There is no context yet.
	build.Stderr = os.Stderr
	code := 1
	if err := build.Run(); err == nil {
		_ = os.Setenv(binaryVariable, binary)
		code = m.Run()
	}
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// binaryVariable tells tests where the binary is, without a package variable.
const binaryVariable = "AUTH0SNS_TEST_BINARY"

func binary(t *testing.T) string {
	t.Helper()
	path := os.Getenv(binaryVariable)
	if path == "" {
		t.Fatal("no binary was built")
	}
	return path
}

func needAcc(t *testing.T) {
	t.Helper()
	if os.Getenv(resource.EnvTfAcc) == "" {
		t.Skipf("set %s=1 to run Terraform", resource.EnvTfAcc)
	}
}

// start runs the binary with an environment of its own.
func start(t *testing.T, env []string, args ...string) *acctest.Process {
	t.Helper()
	dir := acctest.ShortTempDir(t)
	return acctest.StartProcess(t, dir, append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + dir}, env...), binary(t), args...)
}

func TestStartedByTerraformItPrintsTheHandshakeAlone(t *testing.T) {
	p := start(t, []string{magicCookie, "PLUGIN_PROTOCOL_VERSIONS=6"})
	p.Await(t, `(?m)^1\|6\|unix\|[^|\n]+\|grpc\|.*\n`)
	p.Kill(t)
	out := p.Wait(t)
	if lines := strings.Split(strings.TrimSpace(out.Stdout), "\n"); len(lines) != 1 {
		t.Errorf("stdout is Terraform's protocol, and got %q: Terraform could not start the provider", out.Stdout)
	}
}

func TestWithAnotherCookieItServesNobody(t *testing.T) {
	out := start(t, []string{"TF_PLUGIN_MAGIC_COOKIE=something else"}).Wait(t)
	if out.Code == 0 || out.Stdout != "" || !strings.Contains(out.Stderr, "plugin") {
		t.Errorf("exit %d, stdout %q, stderr %q: want a failure that says what it is, on stderr", out.Code, out.Stdout, out.Stderr)
	}
}

func TestWithoutACookieItIsTheCommandLine(t *testing.T) {
	out := start(t, nil, "version").Wait(t)
	if out.Code != 0 || out.Stdout == "" || out.Stderr != "" {
		t.Errorf("version: exit %d, stdout %q, stderr %q", out.Code, out.Stdout, out.Stderr)
	}
	out = start(t, nil).Wait(t)
	if out.Code != 0 || !strings.Contains(out.Stdout, "sandbox") {
		t.Errorf("without arguments: exit %d, stdout %q: want the help", out.Code, out.Stdout)
	}
	out = start(t, nil, "no-such-command").Wait(t)
	if out.Code != 3 || out.Stdout != "" || !strings.Contains(out.Stderr, "no-such-command") {
		t.Errorf("an unknown command: exit %d, stdout %q, stderr %q: want 3, usage", out.Code, out.Stdout, out.Stderr)
	}
}

func TestAccDebuggedItPrintsWhatToAttachTo(t *testing.T) {
	needAcc(t)
	p := start(t, nil, "-debug")
	reattach := p.Await(t, `TF_REATTACH_PROVIDERS='(\{.*\})'`)[1]
	if !json.Valid([]byte(reattach)) || !strings.Contains(reattach, "auth0sns/auth0sns") {
		t.Errorf("%s is nothing that Terraform can attach to", reattach)
	}
	env := acctest.New(t)
	tf := acctest.NewTerraform(t, binary(t), scenario(t), env.Variables)
	tf.Set("TF_REATTACH_PROVIDERS", strings.ReplaceAll(reattach, "registry.terraform.io", acctest.ProviderHost()))
	tf.Must(t, "validate")
	if out := p.Interrupt(t); out.Code != 0 || strings.Contains(out.Stderr, "panic") {
		t.Errorf("Ctrl-C on a debugged provider: exit %d, stderr %q", out.Code, out.Stderr)
	}
	if out := tf.Run(t, "validate"); out.Code == 0 {
		t.Error("Terraform gets on without the debugged provider: it never spoke to it")
	}
}

func scenario(t *testing.T) string {
	t.Helper()
	return acctest.Config(t, "scenarios/hook/main.tf")
}

// realTime makes a world for the real binary, whose clock nobody can move.
func realTime(o *sandbox.Options) { o.KeyDelay = keyDelay }

// TestAccNoSecretLeavesMemory lives the life of a key, with what can go wrong in
// it, and then looks through everything that Terraform and the provider wrote.
func TestAccNoSecretLeavesMemory(t *testing.T) {
	needAcc(t)
	env := acctest.New(t, realTime)
	before := env.State()
	tenant := startTenantProxy(t, env.TenantURL)
	env.Variables["AUTH0_DOMAIN"] = tenant.address
	tf := acctest.NewTerraform(t, binary(t), scenario(t), env.Variables)

	tf.Must(t, "plan", "-out=create.tfplan")
	tf.Must(t, "show", "-json", "create.tfplan")
	tf.Must(t, "apply", "create.tfplan")
	env.Challenge(t)
	first := keys(env)

	tenant.echoes.Store(true)
	refused := tf.Run(t, "apply", "-auto-approve", "-var=rotation=refused")
	tenant.echoes.Store(false)
	if refused.Code != 1 || !strings.Contains(refused.Stderr, "deliver the key to the sender") || !strings.Contains(refused.Stderr, "400") {
		t.Errorf("exit %d: the error names neither the step nor the answer:\n%s", refused.Code, refused.Stderr)
	}
	if after := keys(env); after != first {
		t.Errorf("after a refused delivery the user has the keys %s, before %s", after, first)
	}
	for _, effect := range []control.Effect{control.Truncate, control.DropAfter} {
		fault(t, env, control.Fault{Operation: "iam:CreateAccessKey", Effect: effect, Times: 1})
		if lost := tf.Run(t, "apply", "-auto-approve", "-var=rotation=lost"); lost.Code != 1 || keys(env) != first {
			t.Errorf("%s: exit %d, keys %s, want an error and %s:\n%s", effect, lost.Code, keys(env), first, lost.Stderr)
		}
	}

	tf.Must(t, "plan", "-out=rotate.tfplan", "-var=rotation=2")
	tf.Must(t, "show", "-json", "rotate.tfplan")
	tf.Must(t, "apply", "rotate.tfplan")
	if after := keys(env); after == first {
		t.Error("the rotation kept the key")
	}
	tf.Must(t, "plan", "-detailed-exitcode", "-var=rotation=2")
	tf.Must(t, "show", "-json")
	tf.Must(t, "state", "pull")
	tf.Must(t, "output", "-json")
	tf.Must(t, "providers", "schema", "-json")
	tf.Must(t, "destroy", "-auto-approve")
	if diff := before.Diff(env.State()); diff != "" {
		t.Errorf("destroy did not give back what was there before (-before +after):\n%s", diff)
	}

	for _, pattern := range []string{
		"work/terraform.tfstate", "work/terraform.tfstate.backup", "work/.terraform.lock.hcl", "work/*.tfplan",
		"logs/terraform.log", "logs/*-show.stdout", "logs/*-apply.stderr", "payloads/*ApplyResourceChange*",
	} {
		if found, err := filepath.Glob(filepath.Join(tf.Root, pattern)); err != nil || len(found) == 0 {
			t.Errorf("nothing was written to %s: the search would miss it", pattern)
		}
	}
	tokens := tenant.issued()
	if len(tokens) == 0 {
		t.Error("no access token was seen: the search would miss them")
	}
	// The operator's, one that lasted, three that failed, one that replaced the first.
	requireNoSecrets(t, tf, env, 6, tokens)
}

// requireNoSecrets searches everything below the directory of tf for the secrets
// of AWS, of which there are that many, and for what the provider signs in with.
func requireNoSecrets(t *testing.T, tf *acctest.Terraform, env *acctest.Env, minted int, tokens []string) {
	t.Helper()
	ofAWS := env.Account.Secrets()
	if len(ofAWS) != minted {
		t.Errorf("AWS made %d secrets, want %d: the test did not go the way it was meant to", len(ofAWS), minted)
	}
	secrets := map[string]string{"the Auth0 client secret": env.Variables["AUTH0_CLIENT_SECRET"]}
	for i, secret := range ofAWS {
		secrets[fmt.Sprintf("AWS secret %d", i)] = secret
	}
	for i, token := range tokens {
		// The parts before the signature open no door, and are alike in all tokens.
		secrets[fmt.Sprintf("Auth0 access token %d", i)] = token[strings.LastIndex(token, ".")+1:]
	}
	scanner, err := acctest.NewScanner(secrets)
	if err != nil {
		t.Fatal(err)
	}
	findings, err := scanner.Dir(tf.Root)
	if err != nil {
		t.Fatal(err)
	}
	for _, finding := range findings {
		t.Errorf("a secret left memory: %s", finding)
	}
}

// TestAccInterrupted presses Ctrl-C where a rotation is longest, and where the
// first key is not delivered yet.
func TestAccInterrupted(t *testing.T) {
	needAcc(t)
	env := acctest.New(t, realTime)
	before := env.State()
	tf := acctest.NewTerraform(t, binary(t), scenario(t), env.Variables)

	out := interruptAfter(t, env, tf.Start(t, "apply", "-auto-approve"), "iam:CreateAccessKey")
	requireCleanStop(t, out, "wait until AWS accepts the key", "The new key AKIA[A-Z2-7]+ was deleted again")
	if left := keys(env); left != "" {
		t.Errorf("the key %s was left behind: nobody has its secret", left)
	}
	tf.Must(t, "apply", "-auto-approve")
	env.Challenge(t)
	first := keys(env)

	out = interruptAfter(t, env, tf.Start(t, "apply", "-auto-approve", "-var=rotation=2"), "PATCH /api/v2/hooks/{id}/secrets", "iam:TagUser")
	requireCleanStop(t, out, "wait out calls in flight", "The sender holds the new key AKIA[A-Z2-7]+. Still to be deleted, by the next apply: "+first)
	env.Challenge(t)
	tf.Must(t, "apply", "-auto-approve", "-var=rotation=2")
	if left := keys(env); strings.Contains(left, first) || strings.Contains(left, " ") {
		t.Errorf("after the next apply the user has the keys %s, want the new one alone", left)
	}
	tf.Must(t, "plan", "-detailed-exitcode", "-var=rotation=2")
	tf.Must(t, "destroy", "-auto-approve")
	if diff := before.Diff(env.State()); diff != "" {
		t.Errorf("destroy did not give back what was there before (-before +after):\n%s", diff)
	}
	// The operator's, one that was given up, the first and the second.
	requireNoSecrets(t, tf, env, 4, nil)
}

// requireCleanStop wants an error that says, in these words, where it stopped
// and what is true now.
func requireCleanStop(t *testing.T, out acctest.Output, says ...string) {
	t.Helper()
	// Terraform breaks lines and draws a bar before each.
	said := strings.Join(strings.Fields(strings.ReplaceAll(out.Stderr, "│", " ")), " ")
	if out.Code != 1 || strings.Contains(said, "panic") || strings.Contains(said, "crash") {
		t.Fatalf("Ctrl-C: exit %d\n%s%s", out.Code, out.Stdout, out.Stderr)
	}
	for _, pattern := range says {
		if !regexp.MustCompile(pattern).MatchString(said) {
			t.Errorf("Ctrl-C: the error does not say %q:\n%s", pattern, out.Stderr)
		}
	}
}

// interruptAfter presses Ctrl-C once requests of these operations were answered,
// one after the other: the last one before a wait that is longer than a second.
func interruptAfter(t *testing.T, env *acctest.Env, p *acctest.Process, operations ...string) acctest.Output {
	t.Helper()
	awaitOperations(t, env, operations...)
	return interrupt(t, p)
}

// awaitOperations waits until requests of these operations were answered, one
// after the other.
func awaitOperations(t *testing.T, env *acctest.Env, operations ...string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		left := operations
		for _, entry := range env.World.Kernel.Journal.Entries(0) {
			if len(left) > 0 && entry.Operation == left[0] {
				left = left[1:]
			}
		}
		if len(left) == 0 {
			return
		}
	}
	t.Fatalf("no %v within a minute", operations)
}

func fault(t *testing.T, env *acctest.Env, f control.Fault) {
	t.Helper()
	if _, err := env.World.Kernel.Faults.Add(f); err != nil {
		t.Fatal(err)
	}
}

// keys are the ids of the sending user's access keys, in order of creation.
func keys(env *acctest.Env) string {
	var ids []string
	for _, user := range env.State().Account.Users {
		if user.Name != "auth0-mfa-sms" {
			continue
		}
		for _, key := range user.AccessKeys {
			ids = append(ids, key.ID)
		}
	}
	return strings.Join(ids, " ")
}

// tenantProxy stands before a tenant, keeps the access tokens it issues, and can
// answer a delivery with what it was sent.
type tenantProxy struct {
	address string // of the proxy, as a domain
	// echoes makes the proxy refuse secrets and repeat them, as an API does that
	// quotes what it could not validate.
	echoes atomic.Bool

	mu     sync.Mutex
	tokens []string
}

func startTenantProxy(t *testing.T, tenantURL string) *tenantProxy {
	t.Helper()
	target, err := url.Parse(tenantURL)
	if err != nil {
		t.Fatal(err)
	}
	p := &tenantProxy{}
	reverse := &httputil.ReverseProxy{
		Rewrite:        func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ModifyResponse: p.keepToken,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		delivery := strings.HasSuffix(r.URL.Path, "/secrets") || r.Method == http.MethodPatch && strings.Contains(r.URL.Path, "/actions/actions/")
		if p.echoes.Load() && r.Method != http.MethodGet && delivery {
			echo(w, body)
			return
		}
		// The tenant's audience has its own address.
		body = bytes.ReplaceAll(body, []byte(p.address), []byte(tenantURL))
		body = bytes.ReplaceAll(body, []byte(url.QueryEscape(p.address)), []byte(url.QueryEscape(tenantURL)))
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		r.Header.Del("Content-Length")
		reverse.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	p.address = server.URL
	return p
}

func echo(w http.ResponseWriter, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusBadRequest)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"statusCode": http.StatusBadRequest, "error": "Bad Request", "errorCode": "invalid_body",
		"message": "Payload validation error: " + string(body),
	})
}

func (p *tenantProxy) keepToken(resp *http.Response) error {
	if resp.Request.URL.Path != "/oauth/token" {
		return nil
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	if json.Unmarshal(body, &answer) == nil && answer.AccessToken != "" {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.tokens = append(p.tokens, answer.AccessToken)
	}
	return nil
}

func (p *tenantProxy) issued() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.tokens...)
}

// TestAccSandboxInOneProcessTerraformInAnother is what the README tells a reader
// to do.
func TestAccSandboxInOneProcessTerraformInAnother(t *testing.T) {
	needAcc(t)
	_, err := exec.LookPath("node")
	acctest.NeedTool(t, err == nil, "node", "https://nodejs.org/en/download")
	box := start(t, nil, "sandbox", "--json", "--key-delay", keyDelay.String(),
		"--cache-dir", filepath.Join(acctest.ModuleRoot(t), ".cache", "npm"))
	line := box.Await(t, `(?m)^\{.*\}\n`)[0]
	var world sandbox.Description
	if err := json.Unmarshal([]byte(line), &world); err != nil {
		t.Fatal(err)
	}
	tf := acctest.NewTerraform(t, binary(t), scenario(t), world.Instances[0].Env)
	tf.Must(t, "apply", "-auto-approve")

	var challenge struct {
		Sent bool
		Text string
	}
	ask(t, http.MethodPost, world.ControlURL+"/sandbox/staging/challenge", `{"phone_number":"+15005550001"}`, &challenge)
	var inbox []struct{ To, Text string }
	ask(t, http.MethodGet, world.ControlURL+"/sandbox/staging/inbox", "", &inbox)
	if !challenge.Sent || len(inbox) != 1 || inbox[0].Text != challenge.Text || inbox[0].To != "+15005550001" {
		t.Errorf("challenge %+v, phone %+v: a reader who follows the README sees no SMS", challenge, inbox)
	}
	tf.Must(t, "destroy", "-auto-approve")

	out := box.Interrupt(t)
	if out.Code != 0 || out.Stdout != line {
		t.Errorf("Ctrl-C: exit %d, stdout %q after the line: a script cannot tell a clean end", out.Code, strings.TrimPrefix(out.Stdout, line))
	}
}

// ask calls the sandbox's control API.
func ask(t *testing.T, method, address, body string, into any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %s %v: %s", method, address, resp.Status, err, answer)
	}
	if err := json.Unmarshal(answer, into); err != nil {
		t.Fatalf("%s: %v: %s", address, err, answer)
	}
}
