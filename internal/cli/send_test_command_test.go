package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/acctest"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/auth0"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/control"
)

const (
	testPhone = "+15005550001"
	// phoneDigits is what no output may have: it would be in the logs of CI.
	phoneDigits = "500555"
)

// scripted answers for deployed code, and counts its runs.
type scripted struct {
	result auth0.Result

	mu  sync.Mutex
	ran []auth0.Job
}

func (s *scripted) Run(_ context.Context, job auth0.Job) (auth0.Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ran = append(s.ran, job)
	return s.result, nil
}

func (s *scripted) jobs() []auth0.Job {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.ran)
}

// senderWorld is a world whose tenant sends through code that runner stands for.
type senderWorld struct {
	*acctest.Env
	runner *scripted
}

func newSenderWorld(t *testing.T) senderWorld {
	t.Helper()
	runner := &scripted{}
	env := acctest.New(t, func(o *sandbox.Options) { o.Runner = runner })
	return senderWorld{env, runner}
}

// action deploys an Action and returns its id.
func (w senderWorld) action(t *testing.T, trigger, version string) string {
	t.Helper()
	api := w.Auth0(t)
	a, err := api.CreateAction(t.Context(), auth0api.Action{
		Name: "Amazon SNS", Code: "exports.x = 1;", Runtime: "node22", Trigger: auth0api.ActionTrigger{ID: trigger, Version: version},
	})
	noError(t, err)
	w.World.Kernel.Clock.Advance(time.Minute)
	noError(t, api.DeployAction(t.Context(), a.ID))
	w.World.Kernel.Clock.Advance(time.Minute)
	noError(t, api.SetFactor(t.Context(), delivery.FactorSMS, true))
	return a.ID
}

func (w senderWorld) onAction(t *testing.T) string {
	t.Helper()
	id, api := w.action(t, delivery.TriggerSendPhoneMessage, "v2"), w.Auth0(t)
	noError(t, delivery.Bind(t.Context(), api, delivery.TriggerSendPhoneMessage, id, "Amazon SNS"))
	noError(t, api.SetSelectedProvider(t.Context(), delivery.ProviderCustom))
	return id
}

func (w senderWorld) onUnified(t *testing.T) (actionID, providerID string) {
	t.Helper()
	id, api := w.action(t, delivery.TriggerCustomPhoneProvider, "v1"), w.Auth0(t)
	provider, err := api.CreatePhoneProvider(t.Context(), auth0api.PhoneProvider{Name: delivery.PhoneProviderCustom, DeliveryMethods: []string{"text"}})
	noError(t, err)
	noError(t, api.SetPhoneConsolidatedExperience(t.Context(), true))
	return id, provider.ID
}

func (w senderWorld) onHook(t *testing.T) {
	t.Helper()
	api := w.Auth0(t)
	_, err := api.CreateHook(t.Context(), auth0api.Hook{Name: "sns", Script: "module.exports = 1", TriggerID: delivery.TriggerHook, Enabled: true})
	noError(t, err)
	noError(t, api.SetFactor(t.Context(), delivery.FactorSMS, true))
	noError(t, api.SetSelectedProvider(t.Context(), delivery.ProviderCustom))
}

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// published counts the messages that SNS was asked for, by whomever.
func (w senderWorld) published() int {
	n := 0
	for _, entry := range w.World.Kernel.Journal.Entries(0) {
		if entry.Operation == "sns:Publish" {
			n++
		}
	}
	return n
}

// runSendTestJSON runs the command with --json and reads its document.
func runSendTestJSON(t *testing.T, args ...string) (code int, result sendTestResult, stderr string) {
	t.Helper()
	code, stdout, stderr := execute(t.Context(), append([]string{"send-test", "--to", testPhone, "--yes", "--json", "--wait", "0s"}, args...)...)
	var document sendTestDocument
	if err := json.Unmarshal([]byte(stdout), &document); err != nil {
		t.Fatalf("%v in:\n%s\n%s", err, stdout, stderr)
	}
	if document.Schema != "send-test/1" || document.Tenant == "" || document.AWSAccount == "" {
		t.Errorf("the document is a %s: %s", document.Schema, stdout)
	}
	if strings.Contains(stdout, phoneDigits) {
		t.Errorf("the result has the whole number, which CI would keep: %s", stdout)
	}
	return code, document.sendTestResult, stderr
}

func TestSendTestGoesTheWayOfTheTenant(t *testing.T) {
	t.Run("unified", func(t *testing.T) {
		w := newSenderWorld(t)
		id, _ := w.onUnified(t)
		code, result, _ := runSendTestJSON(t)
		if code != exitOK || result.Way != wayPhoneProvider || result.Outcome != outcomeSent || result.SenderID != id {
			t.Errorf("exit %d, %+v", code, result)
		}
		if len(w.runner.jobs()) != 1 || w.runner.jobs()[0].Recipient != testPhone {
			t.Errorf("the Action ran %d times", len(w.runner.jobs()))
		}
	})
	t.Run("action", func(t *testing.T) {
		w := newSenderWorld(t)
		id := w.onAction(t)
		code, result, _ := runSendTestJSON(t)
		if code != exitOK || result.Way != wayAction || result.Outcome != outcomeSent || result.SenderID != id {
			t.Errorf("exit %d, %+v", code, result)
		}
		if len(w.runner.jobs()) != 1 {
			t.Fatalf("the Action ran %d times", len(w.runner.jobs()))
		}
		options, _ := w.runner.jobs()[0].Event["message_options"].(map[string]any)
		if options["recipient"] != testPhone || options["text"] != testText {
			t.Errorf("the Action got %v", options)
		}
	})
	t.Run("hook", func(t *testing.T) {
		w := newSenderWorld(t)
		w.onHook(t)
		code, result, stderr := runSendTestJSON(t)
		if code != exitOK || result.Way != wayDirect || result.MessageID == "" || len(w.Account.Inbox()) != 1 {
			t.Errorf("exit %d, %+v: %s", code, result, stderr)
		}
		if !strings.Contains(strings.Join(result.NotExercised, "\n"), "the hook") || len(w.runner.jobs()) != 0 {
			t.Errorf("it is not said that the hook was not exercised: %v", result.NotExercised)
		}
	})
	t.Run("direct", func(t *testing.T) {
		w := newSenderWorld(t)
		w.onUnified(t)
		code, result, _ := runSendTestJSON(t, "--direct")
		if code != exitOK || result.Way != wayDirect || len(w.runner.jobs()) != 0 || len(w.Account.Inbox()) != 1 {
			t.Errorf("exit %d, %+v", code, result)
		}
	})
}

func TestSendTestTellsWhatTheSenderSays(t *testing.T) {
	failure := "Amazon SNS: InvalidClientTokenId (HTTP 403)."
	t.Run("unified", func(t *testing.T) {
		w := newSenderWorld(t)
		w.onUnified(t)
		w.runner.result.Verdict = &auth0.Verdict{Outcome: auth0.VerdictDrop, Reason: failure}
		if code, result, stderr := runSendTestJSON(t); code != exitFindings || result.Outcome != outcomeFailed || result.Reason != failure {
			t.Errorf("a message that was dropped: exit %d, %+v: %s", code, result, stderr)
		}
	})
	t.Run("action", func(t *testing.T) {
		w := newSenderWorld(t)
		w.onAction(t)
		w.runner.result.Error = &auth0.RunError{Name: "Error", Message: failure}
		if code, result, _ := runSendTestJSON(t); code != exitFindings || result.Outcome != outcomeFailed || result.Reason != failure {
			t.Errorf("an Action that throws: exit %d, %+v", code, result)
		}
	})
	t.Run("a log that cannot be read", func(t *testing.T) {
		w := newSenderWorld(t)
		w.onUnified(t)
		t.Setenv("AUTH0_API_TOKEN", w.Tenant.Token("read:actions", "read:phone_providers", "create:phone_providers", "read:tenant_settings", "read:guardian_factors"))
		if code, result, _ := runSendTestJSON(t); code != exitOK || result.Outcome != outcomeUnknown || !strings.Contains(result.Reason, "read:logs") {
			t.Errorf("exit %d, %+v: unknown must not read as sent", code, result)
		}
	})
}

// TestSendTestIsNeverRepeated drops the answer to the request that sends.
func TestSendTestIsNeverRepeated(t *testing.T) {
	for name, test := range map[string]struct {
		set       func(*testing.T, senderWorld)
		operation string
		args      []string
	}{
		"phone provider": {func(t *testing.T, w senderWorld) { t.Helper(); w.onUnified(t) }, "POST /api/v2/branding/phone/providers/{id}/try", nil},
		"Action":         {func(t *testing.T, w senderWorld) { t.Helper(); w.onAction(t) }, "POST /api/v2/actions/actions/{id}/test", nil},
		"directly":       {func(t *testing.T, w senderWorld) { t.Helper(); w.onAction(t) }, "sns:Publish", []string{"--direct"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newSenderWorld(t)
			test.set(t, w)
			_, err := w.World.Kernel.Faults.Add(control.Fault{Operation: test.operation, Effect: control.DropAfter})
			noError(t, err)
			code, stdout, stderr := execute(t.Context(), append([]string{"send-test", "--to", testPhone, "--yes"}, test.args...)...)
			if code != exitError || stdout != "" || !strings.Contains(stderr, "The message may be on its way, so it is not sent again") {
				t.Errorf("exit %d, %q, %q", code, stdout, stderr)
			}
			if n := len(w.runner.jobs()) + w.published(); n != 1 {
				t.Errorf("%d messages: somebody pays for each", n)
			}
		})
	}
}

func TestSendTestRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		set  func(*testing.T, senderWorld)
		args []string
		code int
		want string
	}{
		"without a terminal or --yes": {nil, []string{"--to", testPhone}, exitRefused, "Add --yes"},
		"without a number":            {nil, []string{"--yes"}, exitUsage, "--to +15005550001"},
		"without a country code":      {nil, []string{"--to", "5005550001", "--yes"}, exitUsage, "not E.164"},
		"too short":                   {nil, []string{"--to", "+12345", "--yes"}, exitUsage, "not E.164"},
		"no sender":                   {nil, []string{"--to", testPhone, "--yes"}, exitRefused, "no sender of its own"},
		"an unknown environment":      {nil, []string{"--to", testPhone, "--yes", "--env", "qa"}, exitUsage, "environment qa"},
		"a country that the sender does not send to": {func(t *testing.T, w senderWorld) {
			t.Helper()
			w.onUnified(t)
			t.Chdir(t.TempDir())
			tfvars := "auth0_domain = \"x.eu.auth0.com\"\naws_account_id = \"111122223333\"\naws_region = \"us-east-1\"\nsms_allowed_country_codes = [\"+41\", \"+49\"]\n"
			noError(t, os.MkdirAll("environments/staging", 0o750))
			noError(t, os.WriteFile("environments/staging/terraform.tfvars", []byte(tfvars), 0o600))
		}, []string{"--to", testPhone, "--yes", "--env", "staging"}, exitUsage, "begin with +41, +49"},
		"a draft that is not deployed": {func(t *testing.T, w senderWorld) {
			t.Helper()
			id := w.onAction(t)
			code := "exports.x = 2;"
			_, err := w.Auth0(t).UpdateAction(t.Context(), id, auth0api.ActionPatch{Code: &code})
			noError(t, err)
		}, []string{"--to", testPhone, "--yes"}, exitRefused, "not what is deployed"},
		"a disabled provider": {func(t *testing.T, w senderWorld) {
			t.Helper()
			_, id := w.onUnified(t)
			off := true
			_, err := w.Auth0(t).UpdatePhoneProvider(t.Context(), id, auth0api.PhoneProviderPatch{Disabled: &off})
			noError(t, err)
		}, []string{"--to", testPhone, "--yes"}, exitRefused, "is disabled"},
		"a token without scopes": {func(t *testing.T, w senderWorld) {
			t.Helper()
			w.onUnified(t)
			t.Setenv("AUTH0_API_TOKEN", w.Tenant.Token("read:actions", "read:phone_providers", "read:tenant_settings", "read:guardian_factors", "read:logs"))
		}, []string{"--to", testPhone, "--yes"}, exitPermission, "create:phone_providers"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newSenderWorld(t)
			if test.set != nil {
				test.set(t, w)
			}
			code, stdout, stderr := execute(t.Context(), append([]string{"send-test"}, test.args...)...)
			if code != test.code || stdout != "" || !strings.Contains(stderr, test.want) {
				t.Errorf("exit %d, want %d with %q; stdout %q, stderr:\n%s", code, test.code, test.want, stdout, stderr)
			}
			if n := len(w.runner.jobs()) + w.published(); n != 0 {
				t.Errorf("%d messages were sent", n)
			}
		})
	}
}

func TestNumbers(t *testing.T) {
	for text, want := range map[string]phoneNumber{
		testPhone:            testPhone,
		"+1 (604) 555-0123":  "+16045550123",
		" +41 78.123.45.67 ": "+41781234567",
		"+800 1234 5678":     "+80012345678",
	} {
		if number, err := parseNumber(text); err != nil || number != want {
			t.Errorf("%q is read as %q, %v", text, number, err)
		}
	}
	if got := phoneNumber(testPhone).masked(); got != "+1••••••0001" {
		t.Errorf("masked: %s", got)
	}
}

func TestSendTestOnANarrowTerminal(t *testing.T) {
	w := newSenderWorld(t)
	w.onUnified(t)
	code, stdout, stderr := execute(t.Context(), "send-test", "--to", testPhone, "--yes")
	if code != exitOK || !strings.HasPrefix(stdout, "Sent to +1••••••0001.\n") {
		t.Errorf("exit %d: %s%s", code, stdout, stderr)
	}
	for _, line := range strings.Split(stdout, "\n") {
		if len([]rune(line)) > pageWidth && strings.Contains(strings.TrimSpace(line), " ") {
			t.Errorf("wider than %d columns: %s", pageWidth, line)
		}
	}
	for _, want := range []string{w.TenantURL, w.World.Describe().Instances[0].AWS.AccountID, "Region"} {
		if !strings.Contains(stderr, want) {
			t.Errorf("before it sends it does not name %s: %s", want, stderr)
		}
	}
}

// TestAnInterruptedMessageIsNotForgotten presses Ctrl-C while the message is
// under way: what is printed is only that it was interrupted, so what is to be
// known is said before.
func TestAnInterruptedMessageIsNotForgotten(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	var stderr bytes.Buffer
	err := notTwice(ctx, output{stderr: &stderr}, maybe{})
	if err == nil || !strings.Contains(stderr.String(), "may be on its way") {
		t.Errorf("%v; stderr %q", err, stderr.String())
	}
}

type maybe struct{}

func (maybe) Error() string   { return "no answer" }
func (maybe) Ambiguous() bool { return true }

// TestSendTestToWhoOptedOut keeps a test from saying "sent" of what SNS drops.
func TestSendTestToWhoOptedOut(t *testing.T) {
	w := newSenderWorld(t)
	w.onUnified(t)
	w.Account.SetOptedOut([]string{testPhone})
	for _, way := range [][]string{nil, {"--direct"}} {
		code, stdout, stderr := execute(t.Context(), append([]string{"send-test", "--to", testPhone, "--yes"}, way...)...)
		if code != exitRefused || !strings.Contains(stderr, "opted out") || strings.Contains(stderr, phoneDigits) || stdout != "" {
			t.Errorf("%v: exit code %d\n%s%s", way, code, stdout, stderr)
		}
	}
	if n := w.published() + len(w.runner.jobs()); n > 0 {
		t.Errorf("%d messages were asked for", n)
	}
}
