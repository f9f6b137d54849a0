package provider_test

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/acctest"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/auth0"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/aws"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/control"
)

const (
	credentialsAddress = "auth0sns_credentials.test"
	credentialsUser    = "sms"
	createAccessKey    = "iam:CreateAccessKey"
	patchSecrets       = "PATCH /api/v2/hooks/{id}/secrets"
	postSecrets        = "POST /api/v2/hooks/{id}/secrets"
)

// credentialsWorld is a sandbox with a user and a hook that nobody else's
// resource owns, so that a plan shows the credentials alone.
type credentialsWorld struct {
	*acctest.Env
	hookID string
	jobs   *recordedJobs
}

func newCredentialsWorld(t *testing.T) credentialsWorld {
	t.Helper()
	jobs := &recordedJobs{}
	w := credentialsWorld{Env: acctest.New(t, func(o *sandbox.Options) { o.Runner = jobs }), jobs: jobs}
	_, err := w.AWS(t).CreateUser(t.Context(), awsapi.User{Name: credentialsUser})
	succeeds(t, err)
	hook, err := w.Auth0(t).CreateHook(t.Context(), auth0api.Hook{Name: "SNS", Script: "module.exports = (a, b, c, cb) => cb(null, {});", TriggerID: delivery.TriggerHook, Enabled: true})
	succeeds(t, err)
	w.hookID = hook.ID
	w.live(t, true)
	succeeds(t, w.Auth0(t).SetMessageTypes(t.Context(), []string{"sms"}))
	w.live(t, false)
	succeeds(t, w.Auth0(t).AddHookSecrets(t.Context(), hook.ID, map[string]string{"OTHER": "untouched"}))
	return w
}

func (w credentialsWorld) config(body string) string { return w.configOf(credentialsUser, body) }

func (w credentialsWorld) configOf(user, body string) string {
	return blockConfig("auth0sns_credentials", fmt.Sprintf("  iam_user = %q\n  hook_id  = %q\n  %s", user, w.hookID, body))
}

// key is the only access key of the user.
func (w credentialsWorld) key(t *testing.T) aws.KeyState {
	t.Helper()
	keys := iamUser(t, w.Env, credentialsUser).AccessKeys
	if len(keys) != 1 {
		t.Fatalf("the user has %d keys instead of one: %v", len(keys), keys)
	}
	return keys[0]
}

// live makes the hook the one that people who log in depend on, or ends that.
func (w credentialsWorld) live(t *testing.T, on bool) {
	t.Helper()
	provider := delivery.ProviderCustom
	if !on {
		provider = "auth0"
	}
	succeeds(t, w.Auth0(t).SetSelectedProvider(t.Context(), provider))
	succeeds(t, w.Auth0(t).SetFactor(t.Context(), delivery.FactorSMS, on))
}

// secrets are those that the running hook sees.
func (w credentialsWorld) secrets(t *testing.T) map[string]string {
	t.Helper()
	w.live(t, true)
	w.Challenge(t)
	w.live(t, false)
	return w.jobs.last().Secrets
}

// requireWorking proves that the hook can send: it holds an Active key of the
// user, the right secret for it, the region, and what was not ours.
func (w credentialsWorld) requireWorking(t *testing.T, region string) {
	t.Helper()
	secrets := w.secrets(t)
	key := w.key(t)
	secret := secrets["AWS_SECRET_ACCESS_KEY"]
	requireEqual(t, "secrets of the hook", secrets, map[string]string{
		"AWS_ACCESS_KEY_ID": key.ID, "AWS_SECRET_ACCESS_KEY": secret, "AWS_REGION": region, "OTHER": "untouched",
	})
	requireEqual(t, "status of the key", key.Status, "Active")
	accepted, err := w.AWS(t).Accepted(t.Context(), region, awsapi.NewAccessKey{AccessKey: awsapi.AccessKey{ID: key.ID}, Secret: awsapi.NewSecret(secret)})
	if err != nil || !accepted {
		t.Errorf("AWS does not accept what the hook signs with: %v", err)
	}
}

// fault makes one kind of request go wrong, and returns its end.
func (w credentialsWorld) fault(t *testing.T, f control.Fault) (end func()) {
	t.Helper()
	return armFault(t, w.Env, f)
}

func armFault(t *testing.T, env *acctest.Env, f control.Fault) (end func()) {
	t.Helper()
	id, err := env.World.Kernel.Faults.Add(f)
	succeeds(t, err)
	return func() { succeeds(t, env.World.Kernel.Faults.Remove(id)) }
}

// requireSettled fails unless there is nothing left to do.
func requireSettled(t *testing.T, w *workspace) {
	t.Helper()
	requireEqual(t, "changes of the next plan", w.must("plan").changes, map[string]string{})
}

// recordedJobs is a runner that accepts every message and keeps what it was given.
type recordedJobs struct {
	mu   sync.Mutex
	jobs []auth0.Job
}

func (r *recordedJobs) Run(_ context.Context, job auth0.Job) (auth0.Result, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.jobs = append(r.jobs, job)
	return auth0.Result{}, nil
}

func (r *recordedJobs) last() auth0.Job {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.jobs[len(r.jobs)-1]
}

// rotation is the plan of a new key for the same sender.
func rotation(more ...plancheck.PlanCheck) resource.ConfigPlanChecks {
	return actionIs(credentialsAddress, plancheck.ResourceActionUpdate, append(more,
		plancheck.ExpectUnknownValue(credentialsAddress, tfjsonpath.New("access_key_id")),
		plancheck.ExpectUnknownValue(credentialsAddress, tfjsonpath.New("created_at")),
		plancheck.ExpectKnownValue(credentialsAddress, tfjsonpath.New("sender_id"), knownvalue.NotNull()),
		plancheck.ExpectKnownValue(credentialsAddress, tfjsonpath.New("status"), knownvalue.StringExact("delivered")),
	)...)
}

// keepsKey is the plan of a change that needs no new key.
func keepsKey(id func() string, more ...plancheck.PlanCheck) resource.ConfigPlanChecks {
	return actionIs(credentialsAddress, plancheck.ResourceActionUpdate, append(more, planCheckFunc(func(req plancheck.CheckPlanRequest) error {
		return plancheckValue(req, credentialsAddress, "access_key_id", knownvalue.StringExact(id()))
	}))...)
}

// planCheckFunc is a check of values that are known only when the plan is made.
type planCheckFunc func(plancheck.CheckPlanRequest) error

func (f planCheckFunc) CheckPlan(_ context.Context, req plancheck.CheckPlanRequest, resp *plancheck.CheckPlanResponse) {
	resp.Error = f(req)
}

func plancheckValue(req plancheck.CheckPlanRequest, address, attribute string, want knownvalue.Check) error {
	for _, change := range req.Plan.ResourceChanges {
		if change.Address != address {
			continue
		}
		value, err := tfjsonpath.Traverse(change.Change.After, tfjsonpath.New(attribute))
		if err != nil {
			return err
		}
		return want.CheckValue(value)
	}
	return fmt.Errorf("the plan has no %s", address)
}

// TestAccCredentials is the life of a key. If it fails, the hook holds a key
// that does not work, or AWS one that nobody holds.
func TestAccCredentials(t *testing.T) {
	w := newCredentialsWorld(t)
	var ids []string
	var mark int64
	working := func(region string, wantNew bool) resource.TestCheckFunc {
		return holds(func() {
			w.requireWorking(t, region)
			id := w.key(t).ID
			if isNew := !slices.Contains(ids, id); isNew != wantNew {
				t.Errorf("the key is new: %t, want %t (%s after %v)", isNew, wantNew, id, ids)
			}
			ids = append(ids, id)
		})
	}
	current := func() string { return ids[len(ids)-1] }
	env := w.Env
	env.Test(t,
		resource.TestStep{
			Config: w.config(`keepers = { n = "1" }`),
			ConfigPlanChecks: actionIs(credentialsAddress, plancheck.ResourceActionCreate,
				plancheck.ExpectUnknownValue(credentialsAddress, tfjsonpath.New("access_key_id")),
				plancheck.ExpectUnknownValue(credentialsAddress, tfjsonpath.New("created_at")),
				plancheck.ExpectUnknownValue(credentialsAddress, tfjsonpath.New("sender_id")),
				plancheck.ExpectKnownValue(credentialsAddress, tfjsonpath.New("region"), knownvalue.StringExact("us-east-1")),
			),
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue(credentialsAddress, tfjsonpath.New("sender_id"), knownvalue.StringExact(w.hookID)),
				statecheck.ExpectKnownValue(credentialsAddress, tfjsonpath.New("status"), knownvalue.StringExact("delivered")),
				statecheck.ExpectKnownValue(credentialsAddress, tfjsonpath.New("rotation_due_at"), knownvalue.Null()),
				statecheck.ExpectKnownValue(credentialsAddress, tfjsonpath.New("force_destroy"), knownvalue.Bool(false)),
			},
			Check: working("us-east-1", true),
		},
		resource.TestStep{
			Config:           w.config(`keepers = { n = "2" }`),
			ConfigPlanChecks: rotation(),
			Check:            working("us-east-1", true),
		},
		resource.TestStep{
			PreConfig: func() { mark = w.lastSeq() },
			Config:    w.config("keepers = { n = \"2\" }\n  rotate_after = \"90d\""),
			ConfigPlanChecks: keepsKey(current,
				plancheck.ExpectKnownValue(credentialsAddress, tfjsonpath.New("rotation_due_at"), knownvalue.NotNull())),
			Check: resource.ComposeTestCheckFunc(
				holds(func() { requireNoWrites(t, w.World.Kernel.Journal.Entries(mark)) }),
				resource.TestCheckResourceAttrWith(credentialsAddress, "rotation_due_at", func(due string) error {
					at, err := time.Parse(time.RFC3339, due)
					want := w.key(t).Created.Add(90 * 24 * time.Hour).Truncate(time.Second)
					if err != nil || !at.Equal(want) {
						return fmt.Errorf("rotation_due_at is %s, want %s: %w", due, want, err)
					}
					return nil
				}),
				working("us-east-1", false),
			),
		},
		resource.TestStep{
			PreConfig:        func() { w.World.Kernel.Clock.Advance(91 * 24 * time.Hour) },
			Config:           w.config("keepers = { n = \"2\" }\n  rotate_after = \"90d\""),
			ConfigPlanChecks: rotation(expectBefore{"status", knownvalue.StringExact("rotation due")}),
			Check:            working("us-east-1", true),
		},
		resource.TestStep{
			Config:           w.config("keepers = { n = \"2\" }\n  rotate_after = \"90d\"\n  region = \"eu-central-1\""),
			ConfigPlanChecks: rotation(),
			Check:            working("eu-central-1", true),
		},
		resource.TestStep{
			PreConfig:        func() { mark = w.lastSeq() },
			Config:           w.config("region = \"eu-central-1\"\n  keepers = { n = \"2\" }\n  force_destroy = true"),
			ConfigPlanChecks: keepsKey(current, plancheck.ExpectKnownValue(credentialsAddress, tfjsonpath.New("rotation_due_at"), knownvalue.Null())),
			Check: resource.ComposeTestCheckFunc(
				holds(func() { requireNoWrites(t, w.World.Kernel.Journal.Entries(mark)) }),
				working("eu-central-1", false),
			),
		},
	)
}

// lastSeq is the place in the journal where the next command begins.
func (w credentialsWorld) lastSeq() int64 { return journalEnd(w.Env) }

func journalEnd(env *acctest.Env) int64 {
	entries := env.World.Kernel.Journal.Entries(0)
	if len(entries) == 0 {
		return 0
	}
	return entries[len(entries)-1].Seq
}

// TestAccCredentialsRotateAfter proves that a person reads in the plan why the
// key changes, and that an approved plan stays what it was.
func TestAccCredentialsRotateAfter(t *testing.T) {
	w := newCredentialsWorld(t)
	tf := newWorkspace(t, w.Env, w.config(`rotate_after = "90d"`))
	tf.must("apply")
	first := w.key(t).ID

	w.World.Kernel.Clock.Advance(89 * 24 * time.Hour)
	requireSettled(t, tf)

	// The limit passes while the plan of another change waits for approval.
	tf.write(w.config("rotate_after = \"90d\"\n  force_destroy = true"))
	requireEqual(t, "plan", tf.must("plan", "-out=approved").changes, map[string]string{credentialsAddress: "update"})
	w.World.Kernel.Clock.Advance(2 * 24 * time.Hour)
	applied := tf.run("apply", "approved")
	requireEqual(t, "apply of a plan after which the key became due", applied.errorText(), "")
	requireEqual(t, "key after it", w.key(t).ID, first)

	due := tf.must("plan")
	requireEqual(t, "plan", due.changes, map[string]string{credentialsAddress: "update"})
	requireWords(t, due.text("warning"), "The access key is due for rotation", "Key "+first+" is 91 days old and rotate_after is 90d",
		"codes keep being sent throughout")
	tf.must("apply")
	w.requireWorking(t, "us-east-1")
	if w.key(t).ID == first {
		t.Error("the key was not rotated")
	}
	requireSettled(t, tf)

	// A new limit counts from the next plan on: deciding by the time of the
	// apply would contradict a plan that was approved before.
	w.World.Kernel.Clock.Advance(3 * time.Hour)
	second := w.key(t).ID
	tf.write(w.config(`rotate_after = "2h"`))
	requireWords(t, tf.must("apply").text("warning"), "Key "+second+" is 3h", "rotate_after is 2h", "the next one rotates")
	requireEqual(t, "key after a new limit", w.key(t).ID, second)
	tf.must("apply")
	if w.key(t).ID == second {
		t.Error("the key was not rotated")
	}
	requireSettled(t, tf)

	w.World.Kernel.Clock.Advance(3 * time.Hour)
	tf.write(w.config(""))
	requireEqual(t, "warning without rotate_after", tf.must("apply").text("warning"), "")
	requireSettled(t, tf)
	requireEqual(t, "destroy", tf.must("destroy").errorText(), "")
}

// TestAccCredentialsUser proves that a key follows its user, and that no key is
// forgotten at another one.
func TestAccCredentialsUser(t *testing.T) {
	env := acctest.New(t)
	const address = "auth0sns_credentials.sms"
	text := `
terraform {
  required_providers {
    auth0sns = { source = "auth0sns/auth0sns" }
  }
}
variable "name"    { default = "first" }
variable "keepers" { default = "1" }
variable "user"    { default = "a" }
resource "auth0sns_iam_user" "a" { name = var.name }
resource "auth0sns_iam_user" "b" { name = "other" }
resource "auth0sns_hook" "sms" {
  name   = "SNS"
  script = "module.exports = (a, b, c, cb) => cb(null, {});"
}
resource "auth0sns_credentials" "sms" {
  iam_user = var.user == "a" ? auth0sns_iam_user.a.name : auth0sns_iam_user.b.name
  hook_id  = auth0sns_hook.sms.id
  keepers  = { n = var.keepers }
}
`
	var id string
	keysOf := func(users map[string]int, wantNew bool) resource.TestCheckFunc {
		return func(s *terraform.State) error {
			got, found := map[string]int{}, ""
			for _, u := range env.Account.Snapshot().Users {
				if n := len(u.AccessKeys); n > 0 && u.Name != "operator" {
					got[u.Name], found = n, u.AccessKeys[0].ID
				}
			}
			requireEqual(t, "keys of each user", got, users)
			if (found != id) != wantNew {
				t.Errorf("the key is %s after %s, want a new one: %t", found, id, wantNew)
			}
			id = found
			return resource.TestCheckResourceAttr(address, "access_key_id", found)(s)
		}
	}
	variables := func(name, keepers, user string) config.Variables {
		return config.Variables{"name": config.StringVariable(name), "keepers": config.StringVariable(keepers), "user": config.StringVariable(user)}
	}
	update := resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
		plancheck.ExpectResourceAction(address, plancheck.ResourceActionUpdate),
		plancheck.ExpectResourceAction("auth0sns_hook.sms", plancheck.ResourceActionNoop),
	}}
	env.Test(t,
		resource.TestStep{
			Config: text, ConfigVariables: variables("first", "1", "a"),
			ConfigPlanChecks: actionIs(address, plancheck.ResourceActionCreate),
			Check:            keysOf(map[string]int{"first": 1}, true),
		},
		// The same user under another name.
		resource.TestStep{
			Config: text, ConfigVariables: variables("renamed", "1", "a"), ConfigPlanChecks: update,
			Check: keysOf(map[string]int{"renamed": 1}, false),
		},
		// A new name and a new key at once.
		resource.TestStep{
			Config: text, ConfigVariables: variables("again", "2", "a"), ConfigPlanChecks: update,
			Check: keysOf(map[string]int{"again": 1}, true),
		},
		// Another user.
		resource.TestStep{
			Config: text, ConfigVariables: variables("again", "2", "b"), ConfigPlanChecks: update,
			Check: keysOf(map[string]int{"other": 1}, true),
		},
		// And back, with other keepers.
		resource.TestStep{
			Config: text, ConfigVariables: variables("again", "3", "a"), ConfigPlanChecks: update,
			Check: keysOf(map[string]int{"again": 1}, true),
		},
	)
}

// TestAccCredentialsRenameHalfDone: the user has its new name, the credentials
// were not reached. The key must not be forgotten under the new name.
func TestAccCredentialsRenameHalfDone(t *testing.T) {
	w := newCredentialsWorld(t)
	tf := newWorkspace(t, w.Env, w.config(""))
	tf.must("apply")
	succeeds(t, w.AWS(t).RenameUser(t.Context(), credentialsUser, "renamed", "/"))
	tf.write(w.configOf("renamed", ""))
	requireEqual(t, "plan", tf.must("apply").changes, map[string]string{credentialsAddress: "update"})
	if keys := iamUser(t, w.Env, "renamed").AccessKeys; len(keys) != 1 {
		t.Errorf("the old key is still there, and nothing knows it: %v", keys)
	}
	requireSettled(t, tf)
	tf.must("destroy")
}

// TestAccCredentialsImport proves that a key which works is taken over as it is.
func TestAccCredentialsImport(t *testing.T) {
	w := newCredentialsWorld(t)
	id := func(*terraform.State) (string, error) {
		return credentialsUser + "/" + w.key(t).ID + "/" + w.hookID + "/eu-west-1", nil
	}
	plain := w.config(`region = "eu-west-1"`)
	w.Test(t,
		resource.TestStep{
			Config:           plain,
			ConfigPlanChecks: actionIs(credentialsAddress, plancheck.ResourceActionCreate),
		},
		resource.TestStep{
			ResourceName: credentialsAddress, ImportState: true, ImportStateIdFunc: id,
			ImportStateVerify: true, ImportStateVerifyIdentifierAttribute: "access_key_id",
		},
		resource.TestStep{
			Config: plain, ResourceName: credentialsAddress, ImportState: true, ImportStateIdFunc: id,
			ImportStateKind: resource.ImportBlockWithID,
		},
	)
}

func TestAccCredentialsImportKeepsTheKey(t *testing.T) {
	w := newCredentialsWorld(t)
	user := w.AWS(t)
	key, err := user.CreateAccessKey(t.Context(), credentialsUser)
	succeeds(t, err)
	succeeds(t, w.Auth0(t).AddHookSecrets(t.Context(), w.hookID, map[string]string{
		"AWS_ACCESS_KEY_ID": key.ID, "AWS_SECRET_ACCESS_KEY": key.Secret.Reveal(), "AWS_REGION": "us-east-1",
	}))
	block := func(id string) string {
		return fmt.Sprintf("import {\n  to = %s\n  id = %q\n}\n", credentialsAddress, id)
	}
	full := w.config("keepers = { n = \"1\" }\n  rotate_after = \"90d\"")
	tf := newWorkspace(t, w.Env, "")
	for id, problem := range map[string]string{
		"sms/" + key.ID: "is not <IAM user>/<access key id>/<hook or Action id>/<region>",
		"sms/" + key.ID + "/" + w.hookID + "/frankfurt":           "is not the name of an AWS region",
		"sms/AKIAIOSFODNN7EXAMPLE/" + w.hookID + "/us-east-1":     `IAM user "sms" has no access key AKIAIOSFODNN7EXAMPLE`,
		"nobody/" + key.ID + "/" + w.hookID + "/us-east-1":        `IAM user "nobody" has no access key`,
		"sms/" + key.ID + "/01ARZ3NDEKTSV4RRFFQ69G5FAV/us-east-1": "has no sender 01ARZ3NDEKTSV4RRFFQ69G5FAV",
	} {
		tf.write(full + block(id))
		refused := tf.run("plan")
		requireWords(t, refused.errorText(), problem)
		requireNoWrites(t, refused.requests)
	}

	tf.write(full + block("sms/"+key.ID+"/"+w.hookID+"/us-east-1"))
	imported := tf.must("apply")
	requireNoWrites(t, imported.requests)
	requireEqual(t, "key after the import", w.key(t).ID, key.ID)
	requireSettled(t, tf)

	tf.write(w.config("keepers = { n = \"2\" }\n  rotate_after = \"90d\""))
	tf.must("apply")
	w.requireWorking(t, "us-east-1")
	if w.key(t).ID == key.ID {
		t.Error("keepers that were recorded after an import are not acted on")
	}
	tf.must("destroy")
	requireEqual(t, "secrets after destroy", onlyHook(t, w.Env).SecretNames, []string{"OTHER"})
}

// TestAccCredentialsOutOfBand: each of these ends all messages until it is seen.
func TestAccCredentialsOutOfBand(t *testing.T) {
	w := newCredentialsWorld(t)
	text := w.config("")
	remove := func(names ...string) func() {
		return func() { succeeds(t, w.Auth0(t).RemoveHookSecrets(t.Context(), w.hookID, names)) }
	}
	steps := []resource.TestStep{{Config: text, ConfigPlanChecks: actionIs(credentialsAddress, plancheck.ResourceActionCreate)}}
	for _, c := range []struct {
		status string
		change func()
	}{
		{"key missing", func() { succeeds(t, w.AWS(t).DeleteAccessKey(t.Context(), credentialsUser, w.key(t).ID)) }},
		{"key inactive", func() {
			succeeds(t, w.AWS(t).SetAccessKeyActive(t.Context(), credentialsUser, w.key(t).ID, false))
		}},
		{"secrets missing", remove("AWS_REGION")},
		{"secrets missing", remove("AWS_ACCESS_KEY_ID")},
		{"secrets missing", remove("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION")},
	} {
		steps = append(steps, resource.TestStep{
			PreConfig:        c.change,
			Config:           text,
			ConfigPlanChecks: rotation(expectBefore{"status", knownvalue.StringExact(c.status)}),
			Check:            holds(func() { w.requireWorking(t, "us-east-1") }),
		})
	}
	w.Test(t, steps...)
}

// TestAccCredentialsHookDeleted proves that one apply mends what hangs together,
// and that a destroy is not stuck on a hook that is gone.
func TestAccCredentialsHookDeleted(t *testing.T) {
	env := acctest.New(t)
	text := blockConfig("auth0sns_iam_user", `name = "sms"`) + `
resource "auth0sns_hook" "test" {
  name   = "SNS"
  script = "module.exports = (a, b, c, cb) => cb(null, {});"
}
resource "auth0sns_credentials" "test" {
  iam_user = auth0sns_iam_user.test.name
  hook_id  = auth0sns_hook.test.id
}
`
	before := env.State()
	tf := newWorkspace(t, env, text)
	tf.must("apply")
	deleteHook := func() string {
		id := onlyHook(t, env).ID
		succeeds(t, env.Auth0(t).DeleteHook(t.Context(), id))
		return id
	}
	old := deleteHook()
	requireEqual(t, "plan", tf.must("apply").changes, map[string]string{"auth0sns_hook.test": "create", credentialsAddress: "replace"})
	hook := onlyHook(t, env)
	if hook.ID == old {
		t.Fatal("the hook was not made anew")
	}
	requireEqual(t, "secrets of the new hook", hook.SecretNames, []string{"AWS_ACCESS_KEY_ID", "AWS_REGION", "AWS_SECRET_ACCESS_KEY"})
	requireEqual(t, "number of keys", len(iamUser(t, env, "sms").AccessKeys), 1)
	requireSettled(t, tf)

	deleteHook()
	tf.must("destroy")
	requireEqual(t, "what is left after destroy", before.Diff(env.State()), "")
}

// TestAccCredentialsSlots proves that a key of somebody else is never guessed away.
func TestAccCredentialsSlots(t *testing.T) {
	w := newCredentialsWorld(t)
	var foreign []string
	for range 2 {
		key, err := w.AWS(t).CreateAccessKey(t.Context(), credentialsUser)
		succeeds(t, err)
		foreign = append(foreign, key.ID)
	}
	before := w.State()
	tf := newWorkspace(t, w.Env, w.config(""))
	refused := tf.run("apply")
	requireWords(t, refused.errorText(), "The key was not handed over", `"sms" has no free slot`, foreign[0], foreign[1],
		"aws iam get-access-key-last-used", "aws iam delete-access-key --user-name sms", "No key was made")
	requireNoWrites(t, refused.requests)
	requireEqual(t, "what the refused apply changed", before.Diff(w.State()), "")

	succeeds(t, w.AWS(t).DeleteAccessKey(t.Context(), credentialsUser, foreign[0]))
	tf.must("apply")
	tf.write(w.config(`keepers = { n = "2" }`))
	refused = tf.run("apply")
	requireWords(t, refused.errorText(), "The rotation did not finish", `"sms" has no free slot`, foreign[1])
	requireNoWrites(t, refused.requests)
	requireEqual(t, "what the next plan still shows", tf.must("plan").changes, map[string]string{credentialsAddress: "update"})

	succeeds(t, w.AWS(t).DeleteAccessKey(t.Context(), credentialsUser, foreign[1]))
	tf.must("apply")
	w.requireWorking(t, "us-east-1")
	tf.must("destroy")
}

// TestAccCredentialsRefusedInPlan: found in apply, each of these leaves half a set-up.
func TestAccCredentialsRefusedInPlan(t *testing.T) {
	w := newCredentialsWorld(t)
	tf := newWorkspace(t, w.Env, "")
	hook := fmt.Sprintf("hook_id = %q\n  ", w.hookID)
	for name, c := range map[string]struct {
		body  string
		words []string
	}{
		"neither hook nor action":   {`iam_user = "sms"`, []string{"hook_id", "action_id"}},
		"both hook and action":      {"iam_user = \"sms\"\n  action_id = \"a\"\n  " + hook, []string{"hook_id", "action_id"}},
		"action alone":              {"iam_user = \"sms\"\n  action_id = \"a\"", []string{"action_id", "is not the id of an Action, which is a UUID; for a hook, use hook_id"}},
		"empty hook":                {"iam_user = \"sms\"\n  hook_id = \"\"", []string{"hook_id", "at least 1"}},
		"user that AWS refuses":     {"iam_user = \"no spaces\"\n  " + hook, []string{"iam_user: "}},
		"rotate_after of no unit":   {"iam_user = \"sms\"\n  rotate_after = \"90\"\n  " + hook, []string{`rotate_after: "90" is no duration`, `"90d"`}},
		"rotate_after of a minute":  {"iam_user = \"sms\"\n  rotate_after = \"1m\"\n  " + hook, []string{`rotate_after: "1m" is not between 1 hour and 10 years`}},
		"region that is none":       {"iam_user = \"sms\"\n  region = \"frankfurt\"\n  " + hook, []string{`region: "frankfurt" is not the name of an AWS region, such as eu-central-1`}},
		"region of the placeholder": {"iam_user = \"sms\"\n  region = \"\"\n  " + hook, []string{`region: "" is not the name of an AWS region`}},
	} {
		t.Run(name, func(t *testing.T) {
			tf.write(blockConfig("auth0sns_credentials", c.body))
			refused := tf.run("plan")
			if refused.exit == 0 {
				t.Fatal("the plan was not refused")
			}
			requireWords(t, refused.errorText(), c.words...)
		})
	}

	t.Run("region that sends no SMS", func(t *testing.T) {
		tf.write(w.config(`region = "ap-east-1"`))
		requireWords(t, tf.must("plan").text("warning"), "Region may not send SMS", `region: "ap-east-1"`, "docs.aws.amazon.com")
	})
	t.Run("no region at all", func(t *testing.T) {
		t.Setenv("AWS_REGION", "")
		t.Setenv("AWS_DEFAULT_REGION", "")
		tf.write(w.config(""))
		text := tf.run("plan").errorText()
		requireWords(t, text, "No AWS region", "region: set it here, in the provider's aws block, or in AWS_REGION")
		requireEqual(t, "times that it is said", strings.Count(text, "No AWS region"), 1)
		tf.write(w.config(`region = "eu-central-1"`))
		tf.must("plan")
	})
	requireEqual(t, "keys that plans made", len(iamUser(t, w.Env, credentialsUser).AccessKeys), 0)
}

// TestAccCredentialsDeliveryFails proves that a failed rotation leaves the
// sender with a key that works, and no key that nobody holds.
func TestAccCredentialsDeliveryFails(t *testing.T) {
	for name, f := range map[string]control.Fault{
		"refused, 400":              {Operation: patchSecrets, Effect: control.Respond, Status: 400, Body: `{"statusCode":400,"error":"Bad Request","message":"Payload validation error"}`},
		"refused, 403":              {Operation: patchSecrets, Effect: control.Respond, Status: 403, Body: `{"statusCode":403,"error":"Forbidden","message":"This endpoint is disabled for your tenant."}`},
		"secrets cannot be listed":  {Operation: "GET /api/v2/hooks/{id}/secrets", Effect: control.Respond, Status: 403, Body: `{"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: read:hooks","errorCode":"insufficient_scope"}`},
		"answer of the mint lost":   {Operation: createAccessKey, Times: 1, Effect: control.DropAfter},
		"mint refused":              {Operation: createAccessKey, Times: 1, Effect: control.Respond, Status: 403, Body: accessDenied},
		"AWS never accepts the key": {Operation: "sts:GetCallerIdentity", Effect: control.Respond, Status: 403, Body: strings.ReplaceAll(accessDenied, "AccessDenied", "InvalidClientTokenId")},
	} {
		t.Run(name, func(t *testing.T) {
			w := newCredentialsWorld(t)
			tf := newWorkspace(t, w.Env, w.config(`keepers = { n = "1" }`))
			tf.must("apply")
			before, secrets := w.State(), w.secrets(t)

			tf.write(w.config(`keepers = { n = "2" }`))
			tf.must("plan", "-out=rotate")
			f.ID = "fault"
			end := w.fault(t, f)
			failed := tf.run("apply", "rotate")
			end()
			if failed.exit == 0 {
				t.Fatalf("the apply succeeded: %v", failed.operations())
			}
			requireWords(t, failed.errorText(), "The rotation did not finish", "The sender holds what it held before.")
			requireEqual(t, "what the failed rotation changed", before.Diff(w.State()), "")
			requireEqual(t, "secrets after it", w.secrets(t), secrets)

			requireEqual(t, "next plan", tf.must("apply").changes, map[string]string{credentialsAddress: "update"})
			w.requireWorking(t, "us-east-1")
			requireSettled(t, tf)
			tf.must("destroy")
		})
	}
}

const accessDenied = `<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>refused by the test</Message></Error><RequestId>b25f48e8-84fd-11e6-80d9-574e0c4664cb</RequestId></ErrorResponse>`

// TestAccCredentialsFirstDeliveryFails is the same where there is no key yet.
func TestAccCredentialsFirstDeliveryFails(t *testing.T) {
	for name, f := range map[string]control.Fault{
		"refused":                 {Operation: postSecrets, Times: 1, Effect: control.Respond, Status: 400, Body: `{"statusCode":400,"error":"Bad Request","message":"Payload validation error"}`},
		"answer of the mint lost": {Operation: createAccessKey, Times: 1, Effect: control.DropAfter},
	} {
		t.Run(name, func(t *testing.T) {
			w := newCredentialsWorld(t)
			before := w.State()
			tf := newWorkspace(t, w.Env, w.config(""))
			end := w.fault(t, f)
			failed := tf.run("apply")
			end()
			requireWords(t, failed.errorText(), "The key was not handed over", "was deleted again")
			requireEqual(t, "what the failed apply left", before.Diff(w.State()), "")
			requireEqual(t, "next plan", tf.must("apply").changes, map[string]string{credentialsAddress: "create"})
			w.requireWorking(t, "us-east-1")
			tf.must("destroy")
			requireEqual(t, "what is left after destroy", before.Diff(w.State()), "")
		})
	}
}

// TestAccCredentialsDeliveryRepeated proves that a lost answer costs nothing.
func TestAccCredentialsDeliveryRepeated(t *testing.T) {
	w := newCredentialsWorld(t)
	tf := newWorkspace(t, w.Env, w.config(`keepers = { n = "1" }`))
	tf.must("apply")
	for i, effect := range []control.Effect{control.DropAfter, control.DropBefore, control.Truncate} {
		end := w.fault(t, control.Fault{Operation: patchSecrets, Times: 1, Effect: effect})
		tf.write(w.config(fmt.Sprintf(`keepers = { n = "%d" }`, i+2)))
		tf.must("apply")
		end()
		w.requireWorking(t, "us-east-1")
	}
	requireSettled(t, tf)
	tf.must("destroy")
}

// TestAccCredentialsDeliveryInDoubt: no answer at all says which key the hook
// holds. Whichever it is must go on working until the next delivery.
func TestAccCredentialsDeliveryInDoubt(t *testing.T) {
	w := newCredentialsWorld(t)
	tf := newWorkspace(t, w.Env, w.config(`keepers = { n = "1" }`))
	tf.must("apply")
	first := w.key(t).ID
	tf.write(w.config(`keepers = { n = "2" }`))
	end := w.fault(t, control.Fault{Operation: patchSecrets, Effect: control.DropAfter})
	failed := tf.run("apply")
	end()
	requireWords(t, failed.errorText(), "It is not known whether the sender took the new key")
	for _, key := range iamUser(t, w.Env, credentialsUser).AccessKeys {
		requireEqual(t, "status of "+key.ID, key.Status, "Active")
	}
	requireEqual(t, "key that the sender took", w.secrets(t)["AWS_ACCESS_KEY_ID"] != first, true)

	// Both slots are taken now, by keys that may be in use. A key of a second user, which is gone again afterwards, tides the sender over.
	requireEqual(t, "next plan", tf.must("plan").changes, map[string]string{credentialsAddress: "update"})
	bridged := tf.must("apply")
	requireEqual(t, "users made for it", bridged.count("iam:CreateUser"), 1)
	requireEqual(t, "users deleted after it", bridged.count("iam:DeleteUser"), 1)
	w.requireWorking(t, "us-east-1")
	requireSettled(t, tf)
	tf.must("destroy")
}

// TestAccCredentialsTwoApplies: two people rotate at once, without a lock on the
// state. One of them wins, the other is told so, and the hook has one key that
// works.
func TestAccCredentialsTwoApplies(t *testing.T) {
	w := newCredentialsWorld(t)
	first := newWorkspace(t, w.Env, w.config(`keepers = { n = "1" }`))
	first.must("apply")
	second := newWorkspace(t, w.Env, w.config(`keepers = { n = "2b" }`))
	second.copyState(first)
	first.write(w.config(`keepers = { n = "2a" }`))

	// The first one waits for AWS to accept its key while the second one starts and ends.
	id, err := w.World.Kernel.Faults.Add(control.Fault{Operation: "sts:GetCallerIdentity", Times: 1, Effect: control.HoldBefore})
	succeeds(t, err)
	lost := make(chan outcome)
	go func() { lost <- first.run("apply") }()
	succeeds(t, w.World.Kernel.Faults.AwaitHeld(t.Context(), id))
	second.must("apply")
	w.requireWorking(t, "us-east-1")
	won := w.key(t).ID
	succeeds(t, w.World.Kernel.Faults.Release(id))

	requireWords(t, (<-lost).errorText(), "The rotation did not finish", "another apply took over the keys of IAM user", "state locking")
	w.requireWorking(t, "us-east-1")
	requireEqual(t, "key of the user", w.key(t).ID, won)
	first.must("apply")
	w.requireWorking(t, "us-east-1")
	requireSettled(t, first)
	first.must("destroy")
}

// TestAccCredentialsStateRolledBack: the state of before a rotation comes back,
// from a backup. The key that it names is gone, and that of the sender is not in
// it, so it must neither be believed nor cost the sender its key.
func TestAccCredentialsStateRolledBack(t *testing.T) {
	w := newCredentialsWorld(t)
	before := w.State()
	current := newWorkspace(t, w.Env, w.config(`keepers = { n = "1" }`))
	current.must("apply")
	old := newWorkspace(t, w.Env, w.config(`keepers = { n = "1" }`))
	old.copyState(current)
	current.write(w.config(`keepers = { n = "2" }`))
	current.must("apply")

	requireEqual(t, "plan of the older state", old.must("plan").changes, map[string]string{})
	old.must("apply")
	w.requireWorking(t, "us-east-1")
	requireEqual(t, "key of the state", w.key(t).ID, w.secrets(t)["AWS_ACCESS_KEY_ID"])
	requireSettled(t, old)
	old.must("destroy")
	requireEqual(t, "what is left after destroy", before.Diff(w.State()), "")
}

// TestAccCredentialsRetireFails proves that an old key which could not be
// deleted is not forgotten.
func TestAccCredentialsRetireFails(t *testing.T) {
	w := newCredentialsWorld(t)
	current := func() string { return w.secrets(t)["AWS_ACCESS_KEY_ID"] }
	var first string
	var end func()
	w.Test(t,
		resource.TestStep{
			Config:           w.config(`keepers = { n = "1" }`),
			ConfigPlanChecks: actionIs(credentialsAddress, plancheck.ResourceActionCreate),
			Check:            holds(func() { first = w.key(t).ID }),
		},
		resource.TestStep{
			PreConfig: func() {
				end = w.fault(t, control.Fault{Operation: "iam:DeleteAccessKey", Effect: control.Respond, Status: 403, Body: accessDenied})
			},
			Config:           w.config(`keepers = { n = "2" }`),
			ConfigPlanChecks: rotation(),
			ExpectError:      words("The sender holds the new key", "Still to be deleted, by the next apply"),
		},
		resource.TestStep{
			PreConfig: func() {
				end()
				if current() == first {
					t.Error("the new key was not delivered")
				}
			},
			Config:           w.config(`keepers = { n = "2" }`),
			ConfigPlanChecks: keepsKey(current, expectBefore{"status", knownvalue.StringExact("old key left")}),
			Check:            holds(func() { w.requireWorking(t, "us-east-1") }),
		},
	)
}

// words matches a message that holds the phrases in this order, however
// Terraform wraps its lines.
func words(phrases ...string) *regexp.Regexp {
	patterns := make([]string, len(phrases))
	for i, phrase := range phrases {
		fields := strings.Fields(phrase)
		for j := range fields {
			fields[j] = regexp.QuoteMeta(fields[j])
		}
		patterns[i] = strings.Join(fields, `[\s│]+`)
	}
	return regexp.MustCompile(`(?s)` + strings.Join(patterns, `.*`))
}

// TestAccCredentialsDestroy proves that people who log in keep their codes
// unless somebody said otherwise.
func TestAccCredentialsDestroy(t *testing.T) {
	w := newCredentialsWorld(t)
	before := w.State()
	tf := newWorkspace(t, w.Env, w.config(""))
	tf.must("apply")
	w.live(t, true)
	live := w.State()
	refused := tf.run("destroy")
	requireWords(t, refused.errorText(), "The key is in use", "get their codes through hook "+w.hookID, `on_destroy to "disable"`, "force_destroy = true")
	requireNoWrites(t, refused.requests)
	requireEqual(t, "what the refused destroy changed", live.Diff(w.State()), "")

	tf.write(w.config(`force_destroy = true`))
	tf.must("apply")
	end := w.fault(t, control.Fault{Operation: "iam:DeleteAccessKey", Times: 1, Effect: control.Respond, Status: 403, Body: accessDenied})
	requireWords(t, tf.run("destroy").errorText(), "Access key was not deleted", "Still to be deleted, by another destroy")
	end()
	tf.must("destroy")
	w.live(t, false)
	requireEqual(t, "what is left after destroy", before.Diff(w.State()), "")
}

// TestAccCredentialsDestroyAfterAnother: the hook holds another key by now, as
// after a block that was renamed without `moved`. Forcing the old one out must
// not take the new one's secrets along: nobody would get a code.
func TestAccCredentialsDestroyAfterAnother(t *testing.T) {
	w := newCredentialsWorld(t)
	tf := newWorkspace(t, w.Env, w.config("force_destroy = true"))
	tf.must("apply")
	w.live(t, true)
	key, err := w.AWS(t).CreateAccessKey(t.Context(), credentialsUser)
	succeeds(t, err)
	succeeds(t, w.Auth0(t).UpdateHookSecrets(t.Context(), w.hookID, map[string]string{
		"AWS_ACCESS_KEY_ID": key.ID, "AWS_SECRET_ACCESS_KEY": key.Secret.Reveal(),
	}))
	tf.must("destroy")
	requireEqual(t, "key of the user", w.key(t).ID, key.ID)
	requireEqual(t, "secrets of the hook", onlyHook(t, w.Env).SecretNames, []string{"AWS_ACCESS_KEY_ID", "AWS_REGION", "AWS_SECRET_ACCESS_KEY", "OTHER"})
	w.Challenge(t)
}

// TestAccCredentialsDestroyInactive: a key that is switched off sends nothing,
// so its object can go while the hook, which holds another, is live. It is the
// way out after a replacement that was killed in the middle.
func TestAccCredentialsDestroyInactive(t *testing.T) {
	w := newCredentialsWorld(t)
	tf := newWorkspace(t, w.Env, w.config(""))
	tf.must("apply")
	old := w.key(t).ID
	w.live(t, true)
	key, err := w.AWS(t).CreateAccessKey(t.Context(), credentialsUser)
	succeeds(t, err)
	succeeds(t, w.Auth0(t).UpdateHookSecrets(t.Context(), w.hookID, map[string]string{
		"AWS_ACCESS_KEY_ID": key.ID, "AWS_SECRET_ACCESS_KEY": key.Secret.Reveal(),
	}))
	requireWords(t, tf.run("destroy").text("warning"), "get-access-key-last-used --access-key-id "+old, "update-access-key --status Inactive")
	succeeds(t, w.AWS(t).SetAccessKeyActive(t.Context(), credentialsUser, old, false))
	tf.must("destroy", "-refresh=false")
	requireEqual(t, "key of the user", w.key(t).ID, key.ID)
	w.Challenge(t)
}

// TestAccCredentialsReplaced proves that the successor's secrets stay: both
// objects have the same hook.
func TestAccCredentialsReplaced(t *testing.T) {
	w := newCredentialsWorld(t)
	before := w.State()
	tf := newWorkspace(t, w.Env, w.config("lifecycle { create_before_destroy = true }"))
	tf.must("apply")
	first := w.key(t).ID
	w.live(t, true)
	requireEqual(t, "plan", tf.must("apply", "-replace="+credentialsAddress).changes, map[string]string{credentialsAddress: "replace"})
	w.requireWorking(t, "us-east-1")
	if w.key(t).ID == first {
		t.Error("the key is still the old one")
	}
	requireSettled(t, tf)

	// The old key outlives the apply that replaced it. The next one deletes it, and leaves the secrets alone.
	w.live(t, true)
	end := w.fault(t, control.Fault{Operation: "iam:DeleteAccessKey", Times: 1, Effect: control.Respond, Status: 403, Body: accessDenied})
	requireWords(t, tf.must("apply", "-replace="+credentialsAddress).text("warning"), "The hand-over did not finish", "Still to be deleted")
	end()
	w.live(t, true)
	tf.must("apply")
	w.requireWorking(t, "us-east-1")
	requireSettled(t, tf)

	// Without create_before_destroy the sender would be without a key in between.
	tf.write(w.config(""))
	tf.must("apply")
	w.live(t, true)
	requireWords(t, tf.run("apply", "-replace="+credentialsAddress).errorText(), "The key is in use")
	w.requireWorking(t, "us-east-1")
	tf.must("destroy")
	requireEqual(t, "what is left after destroy", before.Diff(w.State()), "")
}
