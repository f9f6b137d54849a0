package checks_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/acctest"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/checks"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/handover"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/auth0"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sender"
)

// tenantIDs are the checks of the Auth0 side, as scripts name them.
func tenantIDs(stage checks.Stage) []string {
	before := []string{"auth0-reachable", "auth0-scopes", "tenant-path", "path-end-of-life", "tenant-free", "other-senders"}
	after := []string{
		"auth0-reachable", "path-end-of-life", "other-senders", "sender-deployed", "sender-code", "secrets-present", "secrets-untouched",
		"factor-custom", "message-types", "texts", "mfa-policy", "recent-failures", "phone-format",
	}
	if stage == checks.Before {
		return before
	}
	return after
}

// tenantWorld is a sandbox with a sender that works, set up by hand.
type tenantWorld struct {
	*acctest.Env
	t       *testing.T
	api     *auth0api.Client
	aws     *awsapi.Client
	runner  *tenantRunner
	subject checks.Subject // what is expected of it

	action auth0api.Action
	hook   auth0api.Hook
	phone  auth0api.PhoneProvider
	key    awsapi.AccessKey
}

// tenantRunner stands in for Node: what it says is what the sender did.
type tenantRunner struct{ result auth0.Result }

func (r *tenantRunner) Run(context.Context, auth0.Job) (auth0.Result, error) { return r.result, nil }

const (
	tenantUser    = "auth0-mfa-sms"
	tenantNewcode = "{{code}} is your code"
)

func newTenantWorld(t *testing.T, path delivery.Path) *tenantWorld {
	t.Helper()
	runner := &tenantRunner{}
	env := acctest.New(t, func(o *sandbox.Options) { o.Runner = runner })
	w := &tenantWorld{Env: env, t: t, api: env.Auth0(t), aws: env.AWS(t), runner: runner}
	w.subject.Expect = checks.Expect{IAMUser: tenantUser, Region: "us-east-1"}
	if path == delivery.PathNone {
		return w
	}
	_, err := w.aws.CreateUser(t.Context(), awsapi.User{Name: tenantUser, Path: "/"})
	w.ok(err)
	minted, err := w.aws.CreateAccessKey(t.Context(), tenantUser)
	w.ok(err)
	w.key = minted.AccessKey
	w.subject.Expect.AccessKeyID, w.subject.Expect.Path = w.key.ID, path
	switch path {
	case delivery.PathHook:
		w.makeHook()
	case delivery.PathAction:
		w.makeAction(delivery.TriggerSendPhoneMessage, "v2")
	default:
		w.makeAction(delivery.TriggerCustomPhoneProvider, "v1")
		w.makeProvider()
	}
	w.turnOn(path)
	w.login()
	return w
}

func (w *tenantWorld) ok(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func secretsOf(key string) map[string]string {
	return map[string]string{handover.SecretAccessKeyID: key, handover.SecretSecretAccessKey: "does-not-matter", handover.SecretRegion: "us-east-1"}
}

func (w *tenantWorld) render(trigger sender.Trigger) sender.Code {
	w.t.Helper()
	code, err := sender.Render(trigger, sender.Options{AllowedCountryCodes: []string{"+1"}})
	w.ok(err)
	return code
}

func (w *tenantWorld) makeHook() {
	w.t.Helper()
	code, ctx := w.render(sender.Hook), w.t.Context()
	var err error
	w.hook, err = w.api.CreateHook(ctx, auth0api.Hook{Name: "SNS", Script: code.Script, TriggerID: delivery.TriggerHook, Enabled: true, Dependencies: code.Dependencies})
	w.ok(err)
	w.ok(w.api.AddHookSecrets(ctx, w.hook.ID, secretsOf(w.key.ID)))
	w.subject.Expect.SenderID = w.hook.ID
}

func (w *tenantWorld) makeAction(trigger, version string) {
	w.t.Helper()
	w.action = w.newAction("SNS", trigger, version)
	_, err := w.api.SetActionSecrets(w.t.Context(), w.action.ID, secretsOf(w.key.ID))
	w.ok(err)
	w.deploy()
	w.ok(delivery.Bind(w.t.Context(), w.api, trigger, w.action.ID, w.action.Name))
	w.subject.Expect.SenderID = w.action.ID
}

func (w *tenantWorld) newAction(name, trigger, version string) auth0api.Action {
	w.t.Helper()
	a, err := w.api.CreateAction(w.t.Context(), auth0api.Action{
		Name: name, Code: w.render(sender.Trigger(trigger)).Script, Runtime: "node22", Trigger: auth0api.ActionTrigger{ID: trigger, Version: version},
	})
	w.ok(err)
	return a
}

func (w *tenantWorld) deploy() {
	w.t.Helper()
	a, err := delivery.Deploy(w.t.Context(), w.api, w.Clock, w.action.ID)
	w.ok(err)
	w.action = a
}

func (w *tenantWorld) makeProvider() {
	w.t.Helper()
	var err error
	w.phone, err = w.api.CreatePhoneProvider(w.t.Context(), auth0api.PhoneProvider{Name: delivery.PhoneProviderCustom, DeliveryMethods: []string{"text"}})
	w.ok(err)
	w.ok(w.api.SetPhoneConsolidatedExperience(w.t.Context(), true))
}

func (w *tenantWorld) turnOn(path delivery.Path) {
	w.t.Helper()
	ctx := w.t.Context()
	w.ok(w.api.SetFactor(ctx, delivery.FactorSMS, true))
	if path != delivery.PathUnified {
		w.ok(w.api.SetSelectedProvider(ctx, delivery.ProviderCustom))
	}
	w.ok(w.api.SetMessageTypes(ctx, []string{"sms"}))
	w.ok(w.api.SetPolicies(ctx, []string{"all-applications"}))
}

// login plays the MFA step of one person, whatever comes of it.
func (w *tenantWorld) login() {
	w.t.Helper()
	_, err := w.Tenant.Challenge(w.t.Context(), auth0.ChallengeRequest{PhoneNumber: "+15005550001"})
	w.ok(err)
}

// fails lets the sender end like this in one login.
func (w *tenantWorld) fails(path delivery.Path, reason string) {
	w.t.Helper()
	w.World.Kernel.Clock.Advance(time.Minute)
	w.runner.result = auth0.Result{Error: &auth0.RunError{Name: "Error", Message: reason}}
	if path == delivery.PathUnified {
		w.runner.result = auth0.Result{Verdict: &auth0.Verdict{Outcome: auth0.VerdictDrop, Reason: reason}}
	}
	w.login()
	w.runner.result = auth0.Result{}
}

// client is a new one of the application, with the scopes that it has now.
func (w *tenantWorld) client() *auth0api.Client {
	w.t.Helper()
	client := w.Tenant.Client()
	api, err := auth0api.New(auth0api.Config{Domain: w.TenantURL, ClientID: client.ClientID, ClientSecret: client.ClientSecret, Now: w.Clock.Now, Sleep: w.Clock.Sleep})
	w.ok(err)
	return api
}

// look runs the checks and gives the findings by id.
func (w *tenantWorld) look(stage checks.Stage, client checks.Auth0) map[string]checks.Finding {
	w.t.Helper()
	subject := checks.Subject{Auth0: client, AWS: w.aws, Expect: w.subject.Expect, Now: w.Clock.Now}
	selected, err := checks.Select(stage, tenantIDs(stage)...)
	w.ok(err)
	findings, err := checks.Run(w.t.Context(), &subject, selected)
	w.ok(err)
	found := map[string]checks.Finding{}
	for _, f := range findings {
		found[f.ID] = f
		if f.Cause == "" || f.Title == "" {
			w.t.Errorf("%s says nothing: %+v", f.ID, f)
		}
		if f.Result == checks.Fail && f.Remedy == "" {
			w.t.Errorf("%s fails and does not say what to do: %s", f.ID, f.Cause)
		}
	}
	return found
}

// results leaves out what passed.
func results(found map[string]checks.Finding) map[string]checks.Result {
	bad := map[string]checks.Result{}
	for id, f := range found {
		if f.Result != checks.Pass {
			bad[id] = f.Result
		}
	}
	return bad
}

// expected is what a sender that works looks like on a path: of a hook, Auth0 has
// announced the end, and tells no times.
func expected(path delivery.Path, changes map[string]checks.Result) map[string]checks.Result {
	want := map[string]checks.Result{}
	if path == delivery.PathHook {
		want = map[string]checks.Result{"path-end-of-life": checks.Fail, "secrets-untouched": checks.Unknown}
	}
	maps.Copy(want, changes)
	return want
}

// TestTenantStages keeps a check from being lost or run when it makes no sense.
func TestTenantStages(t *testing.T) {
	for _, stage := range []checks.Stage{checks.Before, checks.After} {
		selected, err := checks.Select(stage)
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, c := range selected {
			if slices.Contains(slices.Concat(tenantIDs(checks.Before), tenantIDs(checks.After)), c.ID) {
				ids = append(ids, c.ID)
			}
		}
		if diff := cmp.Diff(tenantIDs(stage), ids); diff != "" {
			t.Errorf("checks of the stage %s (-want +got):\n%s", stage, diff)
		}
	}
}

type defect struct {
	name  string
	paths []delivery.Path
	spoil func(w *tenantWorld)
	// bad are the results that change, says what their causes and remedies have
	// in them.
	bad  map[string]checks.Result
	says map[string]string
}

func everyPath() []delivery.Path {
	return []delivery.Path{delivery.PathHook, delivery.PathAction, delivery.PathUnified}
}

func failing(ids ...string) map[string]checks.Result {
	bad := map[string]checks.Result{}
	for _, id := range ids {
		bad[id] = checks.Fail
	}
	return bad
}

func tenantDefects() []defect {
	hook, action, unified := []delivery.Path{delivery.PathHook}, []delivery.Path{delivery.PathAction}, []delivery.Path{delivery.PathUnified}
	legacy, actions := append(slices.Clone(hook), action...), append(slices.Clone(action), unified...)
	return []defect{
		{"nothing", everyPath(), func(*tenantWorld) {}, nil, nil},
		{"factor off", everyPath(), func(w *tenantWorld) {
			w.ok(w.api.SetPolicies(w.t.Context(), nil))
			w.ok(w.api.SetFactor(w.t.Context(), delivery.FactorSMS, false))
		}, failing("factor-custom", "mfa-policy"), map[string]string{"factor-custom": "nobody is asked"}},
		{"policy never", everyPath(), func(w *tenantWorld) { w.ok(w.api.SetPolicies(w.t.Context(), nil)) }, failing("mfa-policy"), nil},
		{"another policy", everyPath(), func(w *tenantWorld) { w.subject.Expect.MFAPolicy = "confidence-score" }, failing("mfa-policy"), map[string]string{"mfa-policy": "confidence-score"}},
		{"Twilio selected", legacy, func(w *tenantWorld) {
			w.ok(w.api.SetSelectedProvider(w.t.Context(), "twilio"))
		}, failing("factor-custom"), map[string]string{"factor-custom": `"twilio", not Custom`}},
		{"phone provider disabled", unified, func(w *tenantWorld) {
			off := true
			_, err := w.api.UpdatePhoneProvider(w.t.Context(), w.phone.ID, auth0api.PhoneProviderPatch{Disabled: &off})
			w.ok(err)
		}, failing("factor-custom"), map[string]string{"factor-custom": "disabled"}},
		{"phone provider deleted", unified, func(w *tenantWorld) {
			w.ok(w.api.DeletePhoneProvider(w.t.Context(), w.phone.ID))
		}, failing("factor-custom", "sender-deployed"), nil},
		{"voice", everyPath(), func(w *tenantWorld) {
			w.ok(w.api.SetMessageTypes(w.t.Context(), []string{"sms", "voice"}))
		}, failing("message-types"), map[string]string{"message-types": "no calls"}},
		{"no SMS", everyPath(), func(w *tenantWorld) {
			w.ok(w.api.SetMessageTypes(w.t.Context(), []string{}))
		}, failing("message-types"), nil},
		{"text without code", legacy, func(w *tenantWorld) {
			w.ok(w.api.SetTemplates(w.t.Context(), auth0api.Templates{EnrollmentMessage: "Hello", VerificationMessage: tenantNewcode}))
		}, failing("texts"), map[string]string{"texts": "the enrollment message"}},
		{"texts of one's own", legacy, func(w *tenantWorld) {
			w.ok(w.api.SetTemplates(w.t.Context(), auth0api.Templates{EnrollmentMessage: "{{ code | escape }}", VerificationMessage: tenantNewcode}))
		}, nil, nil},
		{"template without code", unified, func(w *tenantWorld) {
			_, err := w.api.CreatePhoneTemplate(w.t.Context(), auth0api.PhoneTemplate{Type: "otp_verify", Text: "Hello", Voice: "Hello"})
			w.ok(err)
		}, failing("texts"), map[string]string{"texts": "otp_verify"}},
		{"hook disabled", hook, func(w *tenantWorld) {
			off := false
			_, err := w.api.UpdateHook(w.t.Context(), w.hook.ID, auth0api.HookPatch{Enabled: &off})
			w.ok(err)
		}, map[string]checks.Result{"sender-deployed": checks.Fail, "path-end-of-life": checks.Pass}, map[string]string{"sender-deployed": "disabled"}},
		{"hook deleted", hook, func(w *tenantWorld) { w.ok(w.api.DeleteHook(w.t.Context(), w.hook.ID)) }, map[string]checks.Result{
			"sender-deployed": checks.Fail, "sender-code": checks.Fail, "secrets-present": checks.Fail, "secrets-untouched": checks.Fail, "path-end-of-life": checks.Pass,
		}, nil},
		{"hook secret removed", hook, func(w *tenantWorld) {
			w.ok(w.api.RemoveHookSecrets(w.t.Context(), w.hook.ID, []string{handover.SecretRegion}))
		}, failing("secrets-present"), map[string]string{"secrets-present": "AWS_REGION"}},
		{"hook edited", hook, func(w *tenantWorld) {
			script := w.hook.Script + "\n// edited"
			_, err := w.api.UpdateHook(w.t.Context(), w.hook.ID, auth0api.HookPatch{Script: &script})
			w.ok(err)
		}, map[string]checks.Result{"sender-code": checks.Unknown}, nil},
		{"the hook's package removed", hook, func(w *tenantWorld) {
			_, err := w.api.UpdateHook(w.t.Context(), w.hook.ID, auth0api.HookPatch{Dependencies: &map[string]string{}})
			w.ok(err)
		}, failing("sender-code"), map[string]string{"sender-code": "aws-sdk"}},
		{"an Action beside the hook", hook, func(w *tenantWorld) {
			w.makeAction(delivery.TriggerSendPhoneMessage, "v2")
			w.subject.Expect.SenderID, w.subject.Expect.Path = w.hook.ID, ""
		}, map[string]checks.Result{"other-senders": checks.Fail, "path-end-of-life": checks.Pass}, map[string]string{"other-senders": "Hook "}},
		{"unbound", action, func(w *tenantWorld) {
			w.ok(delivery.Unbind(w.t.Context(), w.api, delivery.TriggerSendPhoneMessage, w.action.ID))
		}, failing("sender-deployed"), map[string]string{"sender-deployed": "not bound"}},
		{"unbound, where the provider may need it", unified, func(w *tenantWorld) {
			w.ok(delivery.Unbind(w.t.Context(), w.api, delivery.TriggerCustomPhoneProvider, w.action.ID))
		}, map[string]checks.Result{"sender-deployed": checks.Unknown}, map[string]string{"sender-deployed": "not bound"}},
		{"a second Action bound", action, func(w *tenantWorld) {
			own := w.action
			w.action = w.newAction("other", delivery.TriggerSendPhoneMessage, "v2")
			w.deploy()
			w.ok(delivery.Bind(w.t.Context(), w.api, delivery.TriggerSendPhoneMessage, w.action.ID, "other"))
			w.action = own
		}, failing("other-senders"), map[string]string{"other-senders": "twice"}},
		{"another Action in its place", action, func(w *tenantWorld) {
			w.ok(delivery.Unbind(w.t.Context(), w.api, delivery.TriggerSendPhoneMessage, w.action.ID))
			own := w.action
			w.action = w.newAction("other", delivery.TriggerSendPhoneMessage, "v2")
			w.deploy()
			w.ok(delivery.Bind(w.t.Context(), w.api, delivery.TriggerSendPhoneMessage, w.action.ID, "other"))
			w.action = own
		}, failing("other-senders", "sender-deployed"), map[string]string{"other-senders": "the state has"}},
		{"edited and not deployed", actions, func(w *tenantWorld) {
			code := w.action.Code + "\n// edited"
			_, err := w.api.UpdateAction(w.t.Context(), w.action.ID, auth0api.ActionPatch{Code: &code})
			w.ok(err)
		}, failing("sender-deployed"), map[string]string{"sender-deployed": "not deployed"}},
		{"edited and deployed", actions, func(w *tenantWorld) {
			code := w.action.Code + "\n// edited"
			_, err := w.api.UpdateAction(w.t.Context(), w.action.ID, auth0api.ActionPatch{Code: &code})
			w.ok(err)
			w.deploy()
		}, map[string]checks.Result{"sender-code": checks.Unknown}, nil},
		{"somebody else's code in the place of what was applied", actions, func(w *tenantWorld) {
			w.subject.Expect.CodeSHA256 = sender.SHA256(w.action.Deployed.Code)
			code := "exports.onExecuteCustomPhoneProvider = async () => {};"
			_, err := w.api.UpdateAction(w.t.Context(), w.action.ID, auth0api.ActionPatch{Code: &code})
			w.ok(err)
			w.deploy()
		}, failing("sender-code"), map[string]string{"sender-code": "somebody changed it"}},
		{"own code", actions, func(w *tenantWorld) {
			code := "exports.onExecuteCustomPhoneProvider = async () => {};"
			_, err := w.api.UpdateAction(w.t.Context(), w.action.ID, auth0api.ActionPatch{Code: &code})
			w.ok(err)
			w.deploy()
		}, nil, nil},
		{"other countries", everyPath(), func(w *tenantWorld) {
			w.subject.Expect.SMS = &sender.Options{AllowedCountryCodes: []string{"+1", "+44"}}
		}, failing("sender-code"), map[string]string{"sender-code": "+44"}},
		{"build failed", actions, func(w *tenantWorld) {
			switches := w.Tenant.Switches()
			switches.BuildFails = true
			w.ok(w.Tenant.SetSwitches(switches))
			code := w.action.Code + "\n"
			_, err := w.api.UpdateAction(w.t.Context(), w.action.ID, auth0api.ActionPatch{Code: &code})
			w.ok(err)
			w.World.Kernel.Clock.Advance(time.Minute)
		}, failing("sender-deployed"), map[string]string{"sender-deployed": "build"}},
		{"secrets gone", actions, func(w *tenantWorld) {
			_, err := w.api.SetActionSecrets(w.t.Context(), w.action.ID, nil)
			w.ok(err)
			w.deploy()
		}, map[string]checks.Result{"secrets-present": checks.Fail, "secrets-untouched": checks.Unknown}, map[string]string{"secrets-present": "AWS_SECRET_ACCESS_KEY"}},
		{"secrets in the draft alone", actions, func(w *tenantWorld) {
			w.World.Kernel.Clock.Advance(time.Hour)
			_, err := w.api.SetActionSecrets(w.t.Context(), w.action.ID, secretsOf("AKIA"))
			w.ok(err)
		}, failing("sender-deployed", "secrets-untouched"), nil},
		{"secrets rewritten", actions, func(w *tenantWorld) {
			w.World.Kernel.Clock.Advance(time.Hour)
			_, err := w.api.SetActionSecrets(w.t.Context(), w.action.ID, secretsOf("AKIA"))
			w.ok(err)
			w.deploy()
		}, map[string]checks.Result{"secrets-untouched": checks.Unknown}, map[string]string{"secrets-untouched": "after key"}},
		{"the state has a newer key", actions, func(w *tenantWorld) {
			w.World.Kernel.Clock.Advance(time.Hour)
			minted, err := w.aws.CreateAccessKey(w.t.Context(), tenantUser)
			w.ok(err)
			w.subject.Expect.AccessKeyID = minted.ID
		}, failing("secrets-untouched"), map[string]string{"secrets-untouched": "has another one"}},
		{"no state", actions, func(w *tenantWorld) {
			w.subject.Expect.SenderID, w.subject.Expect.AccessKeyID = "", ""
		}, nil, nil},
		{"key deleted", actions, func(w *tenantWorld) {
			w.ok(w.aws.DeleteAccessKey(w.t.Context(), tenantUser, w.key.ID))
		}, map[string]checks.Result{"secrets-untouched": checks.Unknown}, nil},
		{"Action deleted", action, func(w *tenantWorld) {
			w.ok(delivery.Unbind(w.t.Context(), w.api, delivery.TriggerSendPhoneMessage, w.action.ID))
			w.ok(w.api.DeleteAction(w.t.Context(), w.action.ID))
		}, failing("sender-deployed", "sender-code", "secrets-present", "secrets-untouched"), map[string]string{"sender-deployed": "does not exist"}},
		{"configured for the other path", action, func(w *tenantWorld) { w.subject.Expect.Path = delivery.PathUnified }, failing("sender-deployed"), nil},
		{"bad key", everyPath(), func(w *tenantWorld) {
			w.fails(w.subject.Expect.Path, "Amazon SNS: InvalidClientTokenId (HTTP 403). AWS does not know the access key.")
		}, failing("recent-failures"), map[string]string{"recent-failures": "deleted, deactivated or mistyped"}},
		{"a bad key of before", everyPath(), func(w *tenantWorld) {
			w.fails(w.subject.Expect.Path, "Amazon SNS: InvalidClientTokenId (HTTP 403).")
			w.World.Kernel.Clock.Advance(time.Minute)
			w.login()
		}, nil, map[string]string{"recent-failures": "That is over"}},
		{"throttled now and then", everyPath(), func(w *tenantWorld) {
			w.fails(w.subject.Expect.Path, "Amazon SNS: Throttling (HTTP 400).")
			w.World.Kernel.Clock.Advance(time.Minute)
			w.login()
		}, failing("recent-failures"), map[string]string{"recent-failures": "messages per second"}},
		{"long ago", everyPath(), func(w *tenantWorld) {
			w.fails(w.subject.Expect.Path, "Amazon SNS: Throttling (HTTP 400).")
			w.World.Kernel.Clock.Advance(checks.LookBack + time.Hour)
		}, nil, map[string]string{"recent-failures": "No message was sent"}},
		{"numbers", everyPath(), func(w *tenantWorld) {
			w.fails(w.subject.Expect.Path, "The phone number is not E.164: it must start with + and the country code.")
		}, failing("phone-format"), nil},
		{"words that nobody knows", everyPath(), func(w *tenantWorld) {
			w.fails(w.subject.Expect.Path, "kaputt for +15005550001")
		}, failing("recent-failures"), map[string]string{"recent-failures": "kaputt for (number)"}},
	}
}

// TestTenantDefects breaks one thing at a time: a defect that no check names is
// one that a person hunts for hours, and a check that fails for another's defect
// sends him the wrong way.
func TestTenantDefects(t *testing.T) {
	for _, d := range tenantDefects() {
		for _, path := range d.paths {
			t.Run(d.name+"/"+string(path), func(t *testing.T) {
				w := newTenantWorld(t, path)
				d.spoil(w)
				found := w.look(checks.After, w.client())
				want := expected(path, d.bad)
				maps.DeleteFunc(want, func(_ string, r checks.Result) bool { return r == checks.Pass })
				if diff := cmp.Diff(want, results(found)); diff != "" {
					t.Errorf("(-want +got):\n%s%s", diff, inFull(found))
				}
				for id, words := range d.says {
					if f := found[id]; !strings.Contains(f.Cause+" "+f.Remedy, words) {
						t.Errorf("%s does not say %q: %s", id, words, f.Cause)
					}
				}
			})
		}
	}
}

func inFull(found map[string]checks.Finding) string {
	var b strings.Builder
	for _, f := range found {
		if f.Result != checks.Pass {
			b.WriteString(f.ID + " " + string(f.Result) + ": " + f.Cause + "\n")
		}
	}
	return b.String()
}

// twilio is a tenant whose phone messages Twilio sends.
type twilio struct{ checks.Auth0 }

func (twilio) PhoneProviders(context.Context) ([]auth0api.PhoneProvider, error) {
	return []auth0api.PhoneProvider{{ID: "pro_twilio", Name: "twilio", DeliveryMethods: []string{"text"}}}, nil
}

// TestBeforeTheFirstApply finds out in a second what the plan would otherwise
// refuse, or what the apply would run into.
func TestBeforeTheFirstApply(t *testing.T) {
	without := func(scope string) func(w *tenantWorld) {
		return func(w *tenantWorld) {
			scopes := slices.DeleteFunc(checks.Scopes(delivery.PathUnified), func(s string) bool { return s == scope })
			w.Tenant.SetGrantScopes(w.Tenant.Client().ClientID, append(scopes, "read:hooks"))
		}
	}
	unmanaged := func(w *tenantWorld) { w.subject.Expect.SenderID, w.subject.Expect.AccessKeyID = "", "" }
	for name, test := range map[string]struct {
		path  delivery.Path
		spoil func(w *tenantWorld)
		bad   map[string]checks.Result
		says  map[string]string
	}{
		"a new tenant":          {delivery.PathNone, func(*tenantWorld) {}, nil, map[string]string{"tenant-path": "phone_consolidated_experience"}},
		"scopes of the path do": {delivery.PathNone, without(""), nil, nil},
		"scopes of the path on a tenant of the old way": {
			delivery.PathNone, func(w *tenantWorld) {
				w.Tenant.SetGrantScopes(w.Tenant.Client().ClientID, checks.Scopes(delivery.PathUnified))
			},
			map[string]checks.Result{
				"auth0-scopes": checks.Unknown, "tenant-path": checks.Unknown, "path-end-of-life": checks.Unknown, "other-senders": checks.Unknown,
			},
			map[string]string{"auth0-scopes": "Grant read:hooks"},
		},
		"one is bound already": {
			delivery.PathAction, unmanaged, failing("tenant-free"), map[string]string{"tenant-free": "a code from each"},
		},
		"a scope is missing": {delivery.PathNone, without("create:actions"), failing("auth0-scopes"), map[string]string{"auth0-scopes": "Grant create:actions"}},
		"settings cannot be read": {
			delivery.PathNone, without("read:tenant_settings"),
			map[string]checks.Result{
				"auth0-scopes": checks.Fail, "tenant-path": checks.Unknown, "path-end-of-life": checks.Unknown, "other-senders": checks.Unknown,
			},
			nil,
		},
		"no grant":            {delivery.PathNone, func(w *tenantWorld) { w.Tenant.DeleteGrant(w.Tenant.Client().ClientID) }, nil, map[string]string{"auth0-reachable": "Authorise the application"}},
		"a managed sender":    {delivery.PathUnified, func(*tenantWorld) {}, nil, nil},
		"one set up by hand":  {delivery.PathUnified, unmanaged, failing("tenant-free"), map[string]string{"tenant-free": `auth0sns_action.sms, id = "`}},
		"one of the old path": {delivery.PathAction, func(w *tenantWorld) { unmanaged(w); w.subject.Expect.Path = "" }, nil, map[string]string{"tenant-path": "no code is lost"}},
		"a hook":              {delivery.PathHook, func(w *tenantWorld) { unmanaged(w); w.subject.Expect.Path = "" }, failing("path-end-of-life"), map[string]string{"tenant-path": "no way back to the hook"}},
		"back to an Action":   {delivery.PathUnified, func(w *tenantWorld) { w.subject.Expect.Path = delivery.PathAction }, map[string]checks.Result{"tenant-path": checks.Unknown}, nil},
		"to a hook":           {delivery.PathAction, func(w *tenantWorld) { w.subject.Expect.Path = delivery.PathHook }, failing("tenant-path"), nil},
		"the factor is on":    {delivery.PathNone, func(w *tenantWorld) { w.ok(w.api.SetFactor(w.t.Context(), delivery.FactorSMS, true)) }, failing("tenant-free"), map[string]string{"tenant-free": "auth0sns_sms_factor.sms"}},
		"another policy is set": {
			delivery.PathNone, func(w *tenantWorld) {
				w.ok(w.api.SetFactor(w.t.Context(), "otp", true))
				w.ok(w.api.SetPolicies(w.t.Context(), []string{"all-applications"}))
				w.subject.Expect.MFAPolicy = "never"
			}, failing("tenant-free"), map[string]string{"tenant-free": "auth0sns_mfa_policy.sms"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTenantWorld(t, test.path)
			test.spoil(w)
			found := w.look(checks.Before, w.client())
			if name == "no grant" {
				for id, f := range found {
					if f.Result == checks.Pass {
						t.Errorf("%s passes without a token: %s", id, f.Cause)
					}
				}
			} else if diff := cmp.Diff(expectedBefore(test.bad), results(found)); diff != "" {
				t.Errorf("(-want +got):\n%s%s", diff, inFull(found))
			}
			for id, words := range test.says {
				if f := found[id]; !strings.Contains(f.Cause+" "+f.Remedy, words) {
					t.Errorf("%s does not say %q: %s %s", id, words, f.Cause, f.Remedy)
				}
			}
		})
	}
	t.Run("Twilio has the place", func(t *testing.T) {
		w := newTenantWorld(t, delivery.PathNone)
		w.ok(w.api.SetPhoneConsolidatedExperience(t.Context(), true))
		if f := w.look(checks.Before, twilio{w.client()})["tenant-free"]; f.Result != checks.Fail || !strings.Contains(f.Remedy, "take_over = true") {
			t.Errorf("%+v", f)
		}
		w.ok(w.api.SetFactor(t.Context(), delivery.FactorSMS, true))
		if f := w.look(checks.After, twilio{w.client()})["factor-custom"]; f.Result != checks.Fail || !strings.Contains(f.Cause, `"twilio"`) {
			t.Errorf("%+v", f)
		}
	})
}

func expectedBefore(bad map[string]checks.Result) map[string]checks.Result {
	return expected(delivery.PathNone, bad)
}

// TestUnreadableIsUnknown takes one scope after the other away: what cannot be
// looked at must not pass, and must not be called broken.
func TestUnreadableIsUnknown(t *testing.T) {
	for _, path := range everyPath() {
		w := newTenantWorld(t, path)
		good := results(w.look(checks.After, w.client()))
		for _, scope := range checks.Scopes(path) {
			if !strings.HasPrefix(scope, "read:") {
				continue
			}
			left := slices.DeleteFunc(checks.Scopes(path), func(s string) bool { return s == scope })
			w.Tenant.SetGrantScopes(w.Tenant.Client().ClientID, left)
			found := w.look(checks.After, w.client())
			blind := 0
			for id, f := range found {
				if f.Result == checks.Fail && good[id] != checks.Fail {
					t.Errorf("%s without %s: %s is called broken: %s", path, scope, id, f.Cause)
				}
				if f.Result == checks.Unknown && good[id] == "" {
					if blind++; !strings.Contains(f.Cause+f.Remedy, scope) {
						t.Errorf("%s without %s: %s does not name the scope: %s", path, scope, id, f.Cause)
					}
				}
			}
			if blind == 0 {
				t.Errorf("%s: nothing misses the scope %s", path, scope)
			}
		}
	}
}

// TestFewRequests keeps the checks below the two requests a second of a free
// tenant for long: each thing is read once.
func TestFewRequests(t *testing.T) {
	for path, most := range map[delivery.Path]int{delivery.PathHook: 14, delivery.PathAction: 14, delivery.PathUnified: 13} {
		w := newTenantWorld(t, path)
		before := len(w.World.Kernel.Journal.Entries(0))
		w.look(checks.After, w.client())
		asked := map[string]int{}
		n := 0
		for _, e := range w.World.Kernel.Journal.Entries(0)[before:] {
			if e.Side == "auth0" {
				asked[e.Operation]++
				n++
			}
		}
		if n > most {
			t.Errorf("%s: %d requests, of which %v", path, n, asked)
		}
	}
}
