// Package acctest holds what acceptance tests share: a sandbox world, the
// provider pointed at it, and proof that a test left nothing behind.
package acctest

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/auth0sns/terraform-provider-auth0sns/examples"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/handover"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/provider"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/auth0"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/aws"
)

// Instance is the name of the environment that tests run in.
const Instance = "staging"

// keyDelay makes every mint wait for AWS, as real ones do. It passes on the
// world's clock, which the provider's waits move on.
const keyDelay = 3 * time.Second

// Env is one sandbox world, and the environment variables that point at it.
type Env struct {
	*sandbox.Instance
	World *sandbox.World
	// Clock is the provider's: its waits pass at once and move the world on.
	// A test that wants another sets it before a provider starts.
	Clock handover.Clock
	// Variables are what a person would export. Tests may change them before
	// a provider starts; AWS_* are set in the process as well.
	Variables map[string]string
}

// Option changes how a world starts.
type Option func(*sandbox.Options)

// WithNode runs deployed code in Node instead of only recording it.
func WithNode(t testing.TB) Option {
	return func(o *sandbox.Options) {
		o.CacheDir = filepath.Join(ModuleRoot(t), ".cache", "npm")
		o.Runner = nil
	}
}

// WithAWS replaces the emulated account.
func WithAWS(handler http.Handler) Option {
	return func(o *sandbox.Options) { o.AWS = map[string]http.Handler{Instance: handler} }
}

// New starts a world that ends with the test.
func New(t testing.TB, options ...Option) *Env {
	t.Helper()
	o := sandbox.Options{Instances: []string{Instance}, KeyDelay: keyDelay, Runner: accepting{}}
	for _, option := range options {
		option(&o)
	}
	world, err := sandbox.Start(t.Context(), o)
	if err != nil {
		t.Fatalf("the sandbox did not start: %v", err)
	}
	t.Cleanup(func() { _ = world.Close() })
	env := &Env{Instance: world.Instance(Instance), World: world, Clock: Clock{world}, Variables: world.Describe().Instances[0].Env}
	env.Export(t)
	return env
}

// Export sets the AWS variables in this process, where the SDK's chain reads
// them, and keeps the chain from finding anything else.
func (e *Env) Export(t testing.TB) {
	t.Helper()
	none := filepath.Join(t.TempDir(), "none")
	for _, name := range []string{"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL_IAM", "AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL_SNS", "AWS_CA_BUNDLE"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_CONFIG_FILE", none)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", none)
	for name, value := range e.Variables {
		t.Setenv(name, value)
	}
	t.Setenv("TF_CLI_CONFIG_FILE", os.DevNull)
	t.Setenv("CHECKPOINT_DISABLE", "1")
	// Under this namespace the examples name the provider.
	t.Setenv("TF_ACC_PROVIDER_NAMESPACE", "auth0sns")
}

// Factories serve the provider in this process, with the world's clock.
func (e *Env) Factories() map[string]func() (tfprotov6.ProviderServer, error) {
	return map[string]func() (tfprotov6.ProviderServer, error){
		"auth0sns": providerserver.NewProtocol6WithError(provider.New(provider.Options{
			Version: "test",
			Lookup:  func(name string) string { return e.Variables[name] },
			Clock:   e.Clock,
		})),
	}
}

// Test runs steps through the real Terraform and then proves that tenant and
// account are as they were when Test was called.
func (e *Env) Test(t *testing.T, steps ...resource.TestStep) {
	t.Helper()
	before := e.State()
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: e.Factories(),
		CheckDestroy: func(*terraform.State) error {
			if diff := before.Diff(e.State()); diff != "" {
				return &leftBehindError{diff}
			}
			return nil
		},
		Steps: steps,
	})
}

type leftBehindError struct{ diff string }

func (e *leftBehindError) Error() string {
	return "destroy did not give back what was there before (-before +after):\n" + e.diff
}

// State is everything that a tenant and an account hold, without secrets.
type State struct {
	Tenant  auth0.State
	Account aws.State
}

// State returns a copy of the present state. A setting that a tenant may lack is
// what its absence means: there is no request that takes it away again.
func (e *Env) State() State {
	tenant := e.Tenant.Snapshot()
	if _, ok := tenant.Settings["phone_consolidated_experience"]; !ok && tenant.Settings != nil {
		tenant.Settings["phone_consolidated_experience"] = false
	}
	return State{Tenant: tenant, Account: e.Account.Snapshot()}
}

// Diff tells in which way another state differs; "" for not at all. When a key
// was last used is no difference, nor is how far an Action's build has come, nor
// which run wrote the record of a hand-over and when.
func (s State) Diff(other State) string {
	return cmp.Diff(s, other, cmp.FilterPath(isRecord, cmp.Comparer(func(a, b string) bool { return whatRecordSays(a) == whatRecordSays(b) })),
		cmpopts.EquateEmpty(), cmpopts.IgnoreFields(aws.KeyState{}, "LastUsed", "LastUsedService", "LastUsedRegion"),
		cmpopts.IgnoreFields(auth0.ActionState{}, "Status"), cmpopts.IgnoreFields(aws.State{}, "Undelivered", "MonthToDateSpent"))
}

var recordTime = regexp.MustCompile(`(at|run|owner)=\S+ ?`)

func whatRecordSays(value string) string { return recordTime.ReplaceAllString(value, "") }

// isRecord tells whether a path of State leads to a record of [handover.Record].
func isRecord(p cmp.Path) bool {
	index, ok := p.Last().(cmp.MapIndex)
	return ok && index.Key().Kind() == reflect.String && strings.HasPrefix(index.Key().String(), handover.TagPrefix)
}

// Auth0 is a client for changes outside Terraform.
func (e *Env) Auth0(t testing.TB) *auth0api.Client {
	t.Helper()
	client, err := auth0api.New(auth0api.Config{Domain: e.TenantURL, APIToken: e.Tenant.Token(), UserAgent: "out-of-band"})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// AWS is a client for changes outside Terraform.
func (e *Env) AWS(t testing.TB) *awsapi.Client {
	t.Helper()
	client, err := awsapi.New(t.Context(), awsapi.Config{Region: e.Variables["AWS_REGION"], EndpointURL: e.AccountURL})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// Challenge plays the MFA step of one login and fails the test if no code was sent.
func (e *Env) Challenge(t testing.TB) auth0.ChallengeResult {
	t.Helper()
	result, err := e.Tenant.Challenge(t.Context(), auth0.ChallengeRequest{PhoneNumber: "+15005550001", Action: "second-factor-authentication"})
	if err != nil || !result.Sent {
		t.Fatalf("a person who logs in got no code: %v %+v", err, result)
	}
	return result
}

// Config returns a file of examples/, e.g. "scenarios/hook/main.tf".
func Config(t testing.TB, path string) string {
	t.Helper()
	data, err := examples.FS.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// ModuleRoot is the folder that holds go.mod.
func ModuleRoot(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("no go.mod above the test")
		}
		dir = parent
	}
}

// NeedTool skips a test whose tool is missing; in CI nothing may be missing.
func NeedTool(t testing.TB, found bool, name, howToGet string) {
	t.Helper()
	switch {
	case found:
	case os.Getenv("CI") == "true":
		t.Fatalf("%s is missing: %s", name, howToGet)
	default:
		t.Skipf("SKIPPED, %s is missing: %s", name, howToGet)
	}
}

// Clock is the world's clock as the provider's: a wait moves it on at once.
type Clock struct{ world *sandbox.World }

// Now is the world's time.
func (c Clock) Now() time.Time { return c.world.Kernel.Clock.Now() }

// Sleep moves the world on.
func (c Clock) Sleep(ctx context.Context, d time.Duration) error {
	c.world.Kernel.Clock.Advance(d)
	return ctx.Err()
}

// accepting stands in for Node where a test is not about the sender's code.
type accepting struct{}

func (accepting) Run(context.Context, auth0.Job) (auth0.Result, error) { return auth0.Result{}, nil }
