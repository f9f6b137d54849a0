//go:build unix

// Package load_test changes everything that can be changed while people log in.
// Its waits are real. It is a package of its own so that `go test ./...` runs it
// beside the others, and each way runs in a process of its own so that they run
// beside each other: the provider finds AWS in the environment of its process.
package load_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/acctest"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/auth0"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/aws"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/control"
)

const (
	senderUser = "auth0-mfa-sms"
	// loginEvery is the steady rate. A login costs a start of Node.
	loginEvery = 400 * time.Millisecond
	// keyDelay is how long AWS refuses a new key: a sender that gets one too
	// early loses several codes.
	keyDelay = 2 * time.Second
	// With these, no window between two requests is too short to be seen, and
	// there are always codes on their way when a key is deleted.
	slowAPI     = 50 * time.Millisecond
	slowPublish = time.Second
	// buildTime is what Auth0 takes to build an Action, and to deploy it.
	buildTime = time.Second
)

// way is one of the ways in which Auth0 sends codes through SNS.
type way struct {
	name   string
	sender string // resource blocks of the sender, which read var.name and var.client
	// reference is the argument of auth0sns_credentials that names the sender, and
	// address what -replace makes anew.
	reference, address string
	// asked is what auth0sns_sms_factor turns to, and after what else it waits for.
	asked, after string
	// edit changes the code of the sender by hand, to one that still sends.
	edit func(t *testing.T, env *acctest.Env)
	// alone is the refusal, in plan, of a second sender beside the one that it is
	// to replace; "" where Auth0 has room for two.
	alone string
}

func hook() way {
	return way{
		name: "hook",
		sender: `resource "auth0sns_hook" "sender" {
  name = var.name
  sms  = { client = var.client }
}`,
		reference: "hook_id = auth0sns_hook.sender.id",
		address:   "auth0sns_hook.sender",
		asked:     "auth0sns_credentials.sender.sender_id",
		edit:      editHook,
		alone:     "Another Send Phone Message hook is enabled",
	}
}

func action() way {
	return way{
		name: "action",
		sender: `resource "auth0sns_action" "sender" {
  name = var.name
  sms  = { client = var.client }
}`,
		reference: "action_id = auth0sns_action.sender.id",
		address:   "auth0sns_action.sender",
		asked:     "auth0sns_credentials.sender.sender_id",
		edit:      editAction,
	}
}

func unified() way {
	return way{
		name: "unified",
		sender: `resource "auth0sns_action" "sender" {
  name    = "${var.name} phone provider"
  trigger = "custom-phone-provider"
  sms     = { client = var.client }
}

resource "auth0sns_phone_provider" "sender" {
  action_id                = auth0sns_credentials.sender.sender_id
  unified_phone_experience = true
}`,
		reference: "action_id = auth0sns_action.sender.id",
		address:   "auth0sns_action.sender",
		asked:     "auth0sns_phone_provider.sender.id",
		edit:      editAction,
		alone:     "The Action cannot be replaced while it is there",
	}
}

// leaving is the Action of a tenant that leaves the Unified Phone Experience: the
// phone provider stays for one apply.
func leaving() way {
	w := action()
	w.sender += `

resource "auth0sns_phone_provider" "sender" {
  action_id                = auth0sns_credentials.sender.sender_id
  unified_phone_experience = false
  force_destroy            = true
}`
	w.after = "auth0sns_phone_provider.sender"
	return w
}

func editHook(t *testing.T, env *acctest.Env) {
	t.Helper()
	api := env.Auth0(t)
	hooks, err := api.Hooks(t.Context(), "")
	if err != nil || len(hooks) != 1 {
		t.Fatalf("the hook to edit by hand: %v, %v", hooks, err)
	}
	edited := hooks[0].Script + "\n// edited by hand\n"
	if _, err := api.UpdateHook(t.Context(), hooks[0].ID, auth0api.HookPatch{Script: &edited}); err != nil {
		t.Fatal(err)
	}
}

func editAction(t *testing.T, env *acctest.Env) {
	t.Helper()
	api := env.Auth0(t)
	actions, err := api.Actions(t.Context(), "")
	if err != nil || len(actions) != 1 {
		t.Fatalf("the Action to edit by hand: %v, %v", actions, err)
	}
	edited := actions[0].Code + "\n// edited by hand\n"
	if _, err := api.UpdateAction(t.Context(), actions[0].ID, auth0api.ActionPatch{Code: &edited}); err != nil {
		t.Fatal(err)
	}
	if _, err := delivery.Deploy(t.Context(), api, env.Clock, actions[0].ID); err != nil {
		t.Fatal(err)
	}
}

func (w way) config() string {
	return strings.NewReplacer("SENDER_USER", senderUser, "SENDER_BLOCK", w.sender, "SENDER_REFERENCE", w.reference, "SENDER_ASKED", w.asked, "SENDER_AFTER", w.after).Replace(`
terraform {
  required_providers {
    auth0sns = { source = "auth0sns/auth0sns" }
  }
}

variable "keeper" { default = "1" }
variable "region" { default = "us-east-1" }
variable "client" { default = "builtin" }
variable "name" { default = "Amazon SNS" }

resource "auth0sns_iam_user" "sender" {
  name = "SENDER_USER"
}

SENDER_BLOCK

resource "auth0sns_credentials" "sender" {
  iam_user     = auth0sns_iam_user.sender.name
  SENDER_REFERENCE
  region       = var.region
  rotate_after = "90d"
  keepers      = { rotation = var.keeper }
}

resource "auth0sns_sms_factor" "sms" {
  sender_id  = SENDER_ASKED
  depends_on = [SENDER_AFTER]

  lifecycle {
    create_before_destroy = true
  }
}

resource "auth0sns_mfa_policy" "sms" {
  policy     = "all-applications"
  depends_on = [auth0sns_sms_factor.sms]
}
`)
}

// operator is the clock of the machine that runs Terraform. Its waits are real,
// and it can be ahead of the world, so that a key is found to be old.
type operator struct{ ahead atomic.Int64 }

func (o *operator) Now() time.Time { return time.Now().Add(time.Duration(o.ahead.Load())) }

func (o *operator) Sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// stack is what Terraform manages while people log in.
type stack struct {
	way   way
	env   *acctest.Env
	clock *operator
	tf    *acctest.Terraform
	vars  map[string]string
}

func newStack(t *testing.T, w way) *stack {
	t.Helper()
	env := acctest.New(t, acctest.WithNode(t), func(o *sandbox.Options) { o.KeyDelay = keyDelay })
	for _, fault := range []control.Fault{
		{Operation: "sns:Publish", Effect: control.Delay, Delay: slowPublish},
		{Effect: control.Delay, Delay: slowAPI},
	} {
		if _, err := env.World.Kernel.Faults.Add(fault); err != nil {
			t.Fatal(err)
		}
	}
	switches := env.Tenant.Switches()
	switches.BuildTime, switches.DeployTime = auth0.Duration(buildTime), auth0.Duration(buildTime)
	if err := env.Tenant.SetSwitches(switches); err != nil {
		t.Fatal(err)
	}
	s := &stack{way: w, env: env, clock: &operator{}, vars: map[string]string{}}
	env.Clock = s.clock
	variables := maps.Clone(env.Variables)
	variables["TF_REATTACH_PROVIDERS"] = env.Serve(t)
	// Terraform speaks to this process; what it finds in its mirror is never started.
	s.tf = acctest.NewTerraform(t, os.Args[0], w.config(), variables)
	return s
}

// apply applies with the variables set so far.
func (s *stack) apply(t *testing.T, args ...string) {
	t.Helper()
	s.tf.Must(t, s.command("apply", args...)...)
}

func (s *stack) command(name string, args ...string) []string {
	command := []string{name}
	if name != "plan" {
		command = append(command, "-auto-approve")
	}
	for _, variable := range slices.Sorted(maps.Keys(s.vars)) {
		command = append(command, fmt.Sprintf("-var=%s=%s", variable, s.vars[variable]))
	}
	return append(command, args...)
}

// operation is something that is done to a tenant with people in it.
type operation struct {
	name string
	do   func(t *testing.T, s *stack)
	// rekeys tells that the sender has another key afterwards, or none.
	rekeys bool
	// turns tells that the operation switches MFA by SMS on or off.
	turns bool
	// overlaps says that Auth0 runs two senders for a moment, each of which sends
	// the code: an Action is bound before its predecessor is unbound, since the
	// other way round codes would be lost.
	overlaps bool
	// common is for what is the same on every way.
	common bool
}

// life is what the sender of a way goes through.
func life(w way) []operation {
	set := func(variable, value string) func(*testing.T, *stack) {
		return func(t *testing.T, s *stack) {
			t.Helper()
			s.vars[variable] = value
			s.apply(t)
		}
	}
	return []operation{
		create(),
		{name: "rotation by keepers", rekeys: true, do: set("keeper", "2")},
		{name: "rotation due by age", rekeys: true, common: true, do: func(t *testing.T, s *stack) {
			t.Helper()
			s.clock.ahead.Store(int64(91 * 24 * time.Hour))
			defer s.clock.ahead.Store(0)
			s.apply(t)
		}},
		{name: "drift: code edited", do: func(t *testing.T, s *stack) {
			t.Helper()
			s.way.edit(t, s.env)
			s.apply(t)
		}},
		{name: "drift: policy edited", common: true, do: func(t *testing.T, s *stack) {
			t.Helper()
			editPolicy(t, s)
			s.apply(t)
		}},
		{name: "change of region", rekeys: true, common: true, do: set("region", "eu-west-1")},
		{name: "replacement of the key", rekeys: true, do: func(t *testing.T, s *stack) {
			t.Helper()
			s.apply(t, "-replace=auth0sns_credentials.sender")
		}},
		{name: "change of code", do: set("client", "aws-sdk")},
		{name: "replacement of the sender", rekeys: w.alone == "", overlaps: w.alone == "", do: replaceSender},
		destroy(),
	}
}

// ownLife is what differs from one way to the other.
func ownLife(w way) []operation {
	return slices.DeleteFunc(life(w), func(o operation) bool { return o.common })
}

func create() operation {
	return operation{name: "create", rekeys: true, turns: true, do: func(t *testing.T, s *stack) {
		t.Helper()
		s.apply(t)
	}}
}

func destroy() operation {
	return operation{name: "destroy", rekeys: true, turns: true, do: func(t *testing.T, s *stack) {
		t.Helper()
		s.tf.Must(t, s.command("destroy")...)
	}}
}

// moves takes people from one way to the next, each move one apply.
func moves(from way, stops ...way) []operation {
	operations := []operation{create()}
	for _, to := range stops {
		operations = append(operations, operation{name: "move " + from.name + " → " + to.name, rekeys: true, do: func(t *testing.T, s *stack) {
			t.Helper()
			s.tf.Write(t, to.config())
			s.apply(t)
		}})
		from = to
	}
	return append(operations, destroy())
}

// replaceSender makes another sender and turns people to it, or is refused.
func replaceSender(t *testing.T, s *stack) {
	t.Helper()
	s.vars["name"] = "Amazon SNS 2"
	out := s.tf.Run(t, s.command("apply", "-replace="+s.way.address)...)
	switch {
	case s.way.alone == "":
		if out.Code != 0 {
			t.Errorf("exit %d: %s", out.Code, out.Stderr)
		}
		return
	case out.Code != 1 || !strings.Contains(out.Stderr, s.way.alone):
		t.Errorf("exit %d, want a refusal that says %q: %s", out.Code, s.way.alone, out.Stderr)
	}
	delete(s.vars, "name")
}

// editPolicy rewrites the policy of the sending user by hand, to one that still
// lets it send.
func editPolicy(t *testing.T, s *stack) {
	t.Helper()
	const wider = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sns:*","Resource":"*"}]}`
	for policy := range s.user().Policies {
		if err := s.env.AWS(t).PutUserPolicy(t.Context(), senderUser, policy, wider); err != nil {
			t.Fatal(err)
		}
	}
}

// user is the sending user, without a name where there is none.
func (s *stack) user() aws.UserState {
	for _, user := range s.env.State().Account.Users {
		if user.Name == senderUser {
			return user
		}
	}
	return aws.UserState{}
}

// key is the id of the sender's key, "" without one.
func (s *stack) key(t *testing.T) string {
	t.Helper()
	switch keys := s.user().AccessKeys; len(keys) {
	case 0:
		return ""
	case 1:
		return keys[0].ID
	default:
		t.Errorf("keys %v: want one", keys)
		return keys[len(keys)-1].ID
	}
}

// atOnce is how many runs go on side by side: they mostly wait, and share the
// processors with the Node of their logins.
const atOnce = 3

func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", strconv.Itoa(atOnce)); err != nil {
		panic(err)
	}
	m.Run()
}

// TestAccLoad is what people with a phone in their hand see of Terraform. If it
// fails, some of them wait for a code in vain, or get it twice.
func TestAccLoad(t *testing.T) {
	if os.Getenv(resource.EnvTfAcc) == "" {
		t.Skipf("set %s=1 to run Terraform", resource.EnvTfAcc)
	}
	_, err := exec.LookPath("node")
	acctest.NeedTool(t, err == nil, "node", "https://nodejs.org/en/download")
	for name, run := range map[string]struct {
		start      way
		operations []operation
		// left is the selected provider that destroy leaves where the legacy
		// endpoints are closed until the end.
		left string
	}{
		"hook":      {start: hook(), operations: life(hook())},
		"action":    {start: action(), operations: ownLife(action())},
		"unified":   {start: unified(), operations: ownLife(unified())},
		"moves":     {start: hook(), operations: moves(hook(), action(), unified(), leaving())},
		"long-move": {start: hook(), operations: moves(hook(), unified()), left: delivery.ProviderCustom},
	} {
		t.Run(name, func(t *testing.T) {
			if os.Getenv(ownProcess) == "" {
				t.Parallel()
				inOwnProcess(t)
				return
			}
			s := newStack(t, run.start)
			before := s.env.State()
			t.Logf("%-26s%s", name, acctest.TallyHeader)
			for _, o := range run.operations {
				s.perform(t, o)
			}
			after := s.env.State()
			if run.left != "" && after.Tenant.Provider == run.left {
				after.Tenant.Provider = before.Tenant.Provider
			}
			if diff := before.Diff(after); diff != "" {
				t.Errorf("destroy did not give back what was there before (-before +after):\n%s", diff)
			}
		})
	}
}

// ownProcess is set in a process that was started for one way.
const ownProcess = "AUTH0SNS_LOAD_OWN_PROCESS"

// inOwnProcess runs the test that calls it once more, in a process of its own.
func inOwnProcess(t *testing.T) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.v", "-test.run=^"+strings.ReplaceAll(t.Name(), "/", "$/^")+"$")
	cmd.Env = append(os.Environ(), ownProcess+"=1")
	out, err := cmd.CombinedOutput()
	t.Logf("\n%s", out)
	if err != nil {
		t.Error(err)
	}
}

// perform does one operation under load and judges it.
func (s *stack) perform(t *testing.T, o operation) {
	t.Helper()
	key := s.key(t)
	tally := s.env.UnderLoad(t, loginEvery, func() { o.do(t, s) })
	t.Logf("%-26s%s", o.name, tally)
	if after := s.key(t); (after != key) != o.rekeys {
		t.Errorf("%s: key %q before and %q after: the operation was not the one that was meant", o.name, key, after)
	}
	if tally.Sent == 0 || tally.Lost > 0 || tally.Duplicated > 0 && !o.overlaps {
		t.Errorf("%s: people did not get their codes, or got them twice", o.name)
	}
	if tally.Unasked > 0 && !o.turns {
		t.Errorf("%s: MFA by SMS was off meanwhile", o.name)
	}
	if s.user().Name != "" {
		s.tf.Must(t, s.command("plan", "-detailed-exitcode")...)
	}
}
