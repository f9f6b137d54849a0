//go:build unix

package main_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/acctest"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/config"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/auth0"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/aws"
)

// scriptBuild is how long the emulated Auth0 builds and deploys an Action in a
// script. Waiting is what other tests are about.
const scriptBuild = auth0.Duration(100 * time.Millisecond)

// TestAccScripts runs every testdata/script/*.txtar: the real binary, the real
// terraform and, for each script, a world of its own with the tenants and accounts
// staging and production, the latter with a number to send from to the United
// States. What a person would export is in the script's environment
// under the names of its environments: STAGING_AUTH0_DOMAIN, PRODUCTION_AWS_REGION.
//
// Beside testscript's own commands there are
//
//	exits CODE PROGRAM [ARGUMENT…]     as exec, and wants that exit code
//	[!] changed INSTANCE               whether tenant or account differ from the start, or from the last time it was asked
//	challenge INSTANCE NUMBER          one MFA step through what is deployed; fails where no code was sent
//	by-hand INSTANCE                   sets up by hand what a first apply would find: a user, the factor, the policy
//	by-hand INSTANCE sender            the same with a sender of the Unified Phone Experience that is live
//	mfa-off INSTANCE                   stops asking for MFA by hand
//	control METHOD PATH [FILE]         the sandbox's control API: control POST /sandbox/staging/seed seed.json
func TestAccScripts(t *testing.T) {
	needAcc(t)
	for tool, from := range map[string]string{
		"terraform": "https://developer.hashicorp.com/terraform/install",
		"node":      "https://nodejs.org/en/download",
	} {
		_, err := exec.LookPath(tool)
		acctest.NeedTool(t, err == nil, tool, from)
	}
	mirror := filepath.Join(t.TempDir(), "terraform.rc")
	if err := os.WriteFile(mirror, []byte(acctest.Mirror(t, binary(t))), 0o600); err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                filepath.Join("testdata", "script"),
		RequireUniqueNames: true,
		Setup:              func(env *testscript.Env) error { return setUpScript(t.Context(), env, binary(t), mirror) },
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":     scriptExits,
			"changed":   scriptChanged,
			"challenge": scriptChallenge,
			"by-hand":   scriptByHand,
			"mfa-off":   scriptMFAOff,
			"control":   scriptControl,
		},
	})
}

// scriptWorld is what the commands of one script share.
type scriptWorld struct {
	*sandbox.World
	seen map[string]acctest.State // by instance, when it was last compared
}

// worldKey is where a script's values have its world.
type worldKey struct{}

func worldOf(ts *testscript.TestScript) *scriptWorld {
	world, ok := ts.Value(worldKey{}).(*scriptWorld)
	if !ok {
		ts.Fatalf("the script has no world")
	}
	return world
}

func setUpScript(ctx context.Context, env *testscript.Env, binary, mirror string) error {
	root, err := filepath.Abs(".")
	if err != nil {
		return err
	}
	world, err := sandbox.Start(ctx, sandbox.Options{KeyDelay: keyDelay, CacheDir: filepath.Join(root, ".cache", "npm")})
	if err != nil {
		return err
	}
	env.Defer(func() { _ = world.Close() })
	script := &scriptWorld{World: world, seen: map[string]acctest.State{}}
	env.Values[worldKey{}] = script
	for _, instance := range world.Describe().Instances {
		for name, value := range instance.Env {
			env.Setenv(config.EnvironmentPrefix(instance.Name)+name, value)
		}
		world.Instance(instance.Name).Account.SetOriginationNumbers([]aws.OriginationNumber{{Number: "+18445550100", Country: "US"}})
		tenant := world.Instance(instance.Name).Tenant
		switches := tenant.Switches()
		switches.BuildTime, switches.DeployTime = scriptBuild, scriptBuild
		if err := tenant.SetSwitches(switches); err != nil {
			return err
		}
		script.seen[instance.Name] = script.state(instance.Name)
	}
	home := filepath.Join(env.WorkDir, ".home")
	if err := os.Mkdir(home, 0o700); err != nil {
		return err
	}
	for name, value := range map[string]string{
		"HOME":                        home,
		"PATH":                        filepath.Dir(binary) + string(os.PathListSeparator) + env.Getenv("PATH"),
		"TERM":                        "dumb",
		"TF_CLI_CONFIG_FILE":          mirror,
		"CHECKPOINT_DISABLE":          "1",
		"AWS_EC2_METADATA_DISABLED":   "true",
		"AWS_CONFIG_FILE":             os.DevNull,
		"AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
	} {
		env.Setenv(name, value)
	}
	return nil
}

func (w *scriptWorld) state(instance string) acctest.State {
	i := w.Instance(instance)
	return (&acctest.Env{Instance: i}).State()
}

// scriptExits is exec for a program that tells something by its exit code.
func scriptExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM [ARGUMENT…]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func scriptChanged(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: [!] changed INSTANCE")
	}
	world := worldOf(ts)
	now := world.state(args[0])
	diff := world.seen[args[0]].Diff(now)
	world.seen[args[0]] = now
	switch {
	case neg && diff != "":
		ts.Fatalf("%s was changed (-before +after):\n%s", args[0], diff)
	case !neg && diff == "":
		ts.Fatalf("%s was not changed", args[0])
	}
}

func scriptChallenge(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: challenge INSTANCE NUMBER")
	}
	result, err := worldOf(ts).Instance(args[0]).Tenant.Challenge(context.Background(), auth0.ChallengeRequest{PhoneNumber: args[1]})
	ts.Check(err)
	if !result.Sent {
		ts.Fatalf("a person who logs in got no code: %s", result.Error)
	}
	fmt.Fprintln(ts.Stdout(), result.Text)
}

func scriptByHand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 || len(args) > 2 {
		ts.Fatalf("usage: by-hand INSTANCE [sender]")
	}
	ctx := context.Background()
	instance := worldOf(ts).Instance(args[0])
	operator := instance.Account.Operator()
	account := iam.NewFromConfig(awssdk.Config{
		Region: "us-east-1", BaseEndpoint: &instance.AccountURL,
		Credentials: credentials.NewStaticCredentialsProvider(operator.AccessKeyID, operator.SecretAccessKey, ""),
	})
	_, err := account.CreateUser(ctx, &iam.CreateUserInput{UserName: awssdk.String("auth0-mfa-sms")})
	ts.Check(err)
	tenant := tenantOf(ts, instance)
	ts.Check(tenant.SetFactor(ctx, delivery.FactorSMS, true))
	ts.Check(tenant.SetMessageTypes(ctx, []string{"sms"}))
	ts.Check(tenant.SetPolicies(ctx, []string{"all-applications"}))
	if len(args) == 1 {
		return
	}
	action, err := tenant.CreateAction(ctx, auth0api.Action{
		Name: "My SMS", Trigger: auth0api.ActionTrigger{ID: delivery.TriggerCustomPhoneProvider, Version: "v1"}, Runtime: "node22",
		Code: "exports.onExecuteCustomPhoneProvider = async () => {};",
	})
	ts.Check(err)
	time.Sleep(2 * time.Duration(scriptBuild))
	ts.Check(tenant.DeployAction(ctx, action.ID))
	time.Sleep(2 * time.Duration(scriptBuild))
	_, err = tenant.CreatePhoneProvider(ctx, auth0api.PhoneProvider{Name: delivery.PhoneProviderCustom, DeliveryMethods: []string{"text"}})
	ts.Check(err)
	ts.Check(tenant.SetPhoneConsolidatedExperience(ctx, true))
}

func scriptMFAOff(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: mfa-off INSTANCE")
	}
	tenant := tenantOf(ts, worldOf(ts).Instance(args[0]))
	ts.Check(tenant.SetPolicies(context.Background(), nil))
}

// tenantOf is a client of somebody who does not use Terraform.
func tenantOf(ts *testscript.TestScript, instance *sandbox.Instance) *auth0api.Client {
	client, err := auth0api.New(auth0api.Config{Domain: instance.TenantURL, APIToken: instance.Tenant.Token(), UserAgent: "by hand"})
	ts.Check(err)
	return client
}

func scriptControl(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: control METHOD PATH [FILE]")
	}
	var body []byte
	if len(args) == 3 {
		body = []byte(ts.ReadFile(args[2]))
	}
	request, err := http.NewRequestWithContext(context.Background(), args[0], worldOf(ts).ControlURL+args[1], bytes.NewReader(body))
	ts.Check(err)
	response, err := http.DefaultClient.Do(request)
	ts.Check(err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	ts.Check(err)
	if response.StatusCode >= http.StatusBadRequest {
		ts.Fatalf("%s: %s", response.Status, strings.TrimSpace(string(answer)))
	}
	_, err = ts.Stdout().Write(answer)
	ts.Check(err)
}
