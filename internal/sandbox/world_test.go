package sandbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/auth0"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/aws"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sender"
)

const phone = "+15005550001"

// world is a sandbox as seen from outside: by its control URL alone.
type world struct {
	t          *testing.T
	controlURL string
}

func start(t *testing.T, options sandbox.Options) world {
	t.Helper()
	if options.Runner == nil {
		options.Runner = runnerFunc(func(context.Context, auth0.Job) (auth0.Result, error) { return auth0.Result{}, nil })
	}
	started, err := sandbox.Start(t.Context(), options)
	if err != nil {
		t.Fatalf("the sandbox does not start: %v", err)
	}
	t.Cleanup(func() {
		if err := started.Close(); err != nil {
			t.Error(err)
		}
	})
	return world{t, started.ControlURL}
}

// startNode starts a sandbox that runs deployed code.
func startNode(t *testing.T) world {
	t.Helper()
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err == nil {
			continue
		}
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not on PATH: nothing shows that a message arrives", program)
		}
		t.Skipf("SKIPPED: %s is not on PATH (https://nodejs.org, 18 or newer): nothing here shows that a message arrives", program)
	}
	cache, err := filepath.Abs("../../.cache/npm")
	if err != nil {
		t.Fatal(err)
	}
	started, err := sandbox.Start(t.Context(), sandbox.Options{CacheDir: cache})
	if err != nil {
		t.Fatalf("the sandbox does not start: %v", err)
	}
	t.Cleanup(func() {
		if err := started.Close(); err != nil {
			t.Error(err)
		}
	})
	return world{t, started.ControlURL}
}

type runnerFunc func(context.Context, auth0.Job) (auth0.Result, error)

func (f runnerFunc) Run(ctx context.Context, job auth0.Job) (auth0.Result, error) { return f(ctx, job) }

// send makes one request on a connection of its own, so that no client repeats it, and returns status and body.
func send(ctx context.Context, method, url, token string, body any) (int, string, error) {
	encoded, raw := []byte(nil), false
	if text, ok := body.(string); ok {
		encoded, raw = []byte(text), true
	}
	if body != nil && !raw {
		var err error
		if encoded, err = json.Marshal(body); err != nil {
			return 0, "", err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(encoded))
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

// control calls the control API and wants a 2xx.
func (w world) control(method, path string, body, result any) {
	w.t.Helper()
	status, text, err := send(w.t.Context(), method, w.controlURL+path, "", body)
	if err != nil || status/100 != 2 {
		w.t.Fatalf("%s %s: status %d, body %s, error %v", method, path, status, text, err)
	}
	decode(w.t, text, result)
}

func decode(t *testing.T, text string, result any) {
	t.Helper()
	if result == nil {
		return
	}
	if err := json.Unmarshal([]byte(text), result); err != nil {
		t.Fatalf("answer %s: %v", text, err)
	}
}

func (w world) instance(name string) instance {
	w.t.Helper()
	var d sandbox.Description
	w.control("GET", "/sandbox/", nil, &d)
	i := slices.IndexFunc(d.Instances, func(i sandbox.InstanceDescription) bool { return i.Name == name })
	if i < 0 {
		w.t.Fatalf("no instance %s in %+v", name, d)
	}
	return instance{w, d.Instances[i], new(string)}
}

type instance struct {
	world
	sandbox.InstanceDescription
	token *string
}

// auth0 calls the Management API and wants a 2xx.
func (i instance) auth0(method, path string, body, result any) {
	i.t.Helper()
	if *i.token == "" {
		var answer struct {
			AccessToken string `json:"access_token"`
		}
		status, text, err := send(i.t.Context(), "POST", i.Auth0.Domain+"/oauth/token", "", map[string]string{
			"grant_type": "client_credentials", "client_id": i.Auth0.ClientID, "client_secret": i.Auth0.ClientSecret,
			"audience": i.Auth0.Domain + "/api/v2/",
		})
		if err != nil || status != 200 {
			i.t.Fatalf("token: status %d, body %s, error %v", status, text, err)
		}
		decode(i.t, text, &answer)
		*i.token = answer.AccessToken
	}
	status, text, err := send(i.t.Context(), method, i.Auth0.Domain+"/api/v2"+path, *i.token, body)
	if err != nil || status/100 != 2 {
		i.t.Fatalf("%s %s: status %d, body %s, error %v", method, path, status, text, err)
	}
	decode(i.t, text, result)
}

func (i instance) aws(accessKeyID, secret string) awssdk.Config {
	return awssdk.Config{
		Region: i.AWS.Region, BaseEndpoint: &i.AWS.EndpointURL,
		Credentials: credentials.NewStaticCredentialsProvider(accessKeyID, secret, ""),
	}
}

func (i instance) iam() *iam.Client {
	return iam.NewFromConfig(i.aws(i.AWS.AccessKeyID, i.AWS.SecretAccessKey))
}

// mint makes a user that may only publish SMS, and its access key.
func (i instance) mint() (accessKeyID, secret string) {
	i.t.Helper()
	client, name := i.iam(), awssdk.String("auth0-sms")
	if _, err := client.CreateUser(i.t.Context(), &iam.CreateUserInput{UserName: name}); err != nil {
		i.t.Fatal(err)
	}
	policy := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sns:Publish","Resource":"*"}]}`
	if _, err := client.PutUserPolicy(i.t.Context(), &iam.PutUserPolicyInput{UserName: name, PolicyName: name, PolicyDocument: &policy}); err != nil {
		i.t.Fatal(err)
	}
	key, err := client.CreateAccessKey(i.t.Context(), &iam.CreateAccessKeyInput{UserName: name})
	if err != nil {
		i.t.Fatal(err)
	}
	return *key.AccessKey.AccessKeyId, *key.AccessKey.SecretAccessKey
}

// deploy follows the guide on the Auth0 side.
func (i instance) deploy(client sender.Client, accessKeyID, secret string) {
	i.t.Helper()
	code, err := sender.Render(sender.Hook, sender.Options{Client: client})
	if err != nil {
		i.t.Fatal(err)
	}
	var hook struct {
		ID string `json:"id"`
	}
	i.auth0("POST", "/hooks", map[string]any{
		"name": "sns", "triggerId": "send-phone-message", "enabled": true, "script": code.Script, "dependencies": code.Dependencies,
	}, &hook)
	i.auth0("POST", "/hooks/"+hook.ID+"/secrets", map[string]string{
		"AWS_ACCESS_KEY_ID": accessKeyID, "AWS_SECRET_ACCESS_KEY": secret, "AWS_REGION": i.AWS.Region,
	}, nil)
	i.auth0("PUT", "/guardian/factors/sms", map[string]bool{"enabled": true}, nil)
	i.auth0("PUT", "/guardian/factors/phone/message-types", map[string][]string{"message_types": {"sms"}}, nil)
	i.auth0("PUT", "/guardian/factors/phone/selected-provider", map[string]string{"provider": "phone-message-hook"}, nil)
}

type challengeResult struct {
	Sender string `json:"sender"`
	Sent   bool   `json:"sent"`
	Text   string `json:"text"`
	Error  string `json:"error"`
}

func (i instance) challenge() (result challengeResult) {
	i.t.Helper()
	i.control("POST", "/sandbox/"+i.Name+"/challenge", map[string]string{"phone_number": phone}, &result)
	return result
}

type message struct {
	To          string `json:"to"`
	Text        string `json:"text"`
	AccessKeyID string `json:"access_key_id"`
}

func (i instance) inbox() (messages []message) {
	i.t.Helper()
	i.control("GET", "/sandbox/"+i.Name+"/inbox", nil, &messages)
	return messages
}

func TestTheGuideEndsWithAMessage(t *testing.T) {
	for _, client := range []sender.Client{sender.AWSSDK, sender.Builtin} {
		t.Run(string(client), func(t *testing.T) {
			w := startNode(t)
			staging, production := w.instance("staging"), w.instance("production")
			key, secret := staging.mint()
			staging.deploy(client, key, secret)
			result := staging.challenge()
			if !result.Sent {
				t.Fatalf("challenge = %+v: a user who follows the guide gets no message", result)
			}
			if got := staging.inbox(); len(got) != 1 || got[0] != (message{phone, result.Text, key}) {
				t.Errorf("inbox = %+v, want one message %q, signed by the minted key %s", got, result.Text, key)
			}
			if got := production.inbox(); len(got) != 0 {
				t.Errorf("production's inbox = %+v: staging's messages went there", got)
			}
			_, journal, err := send(t.Context(), "GET", w.controlURL+"/sandbox/journal", "", nil)
			if err != nil || !strings.Contains(journal, `"operation":"sns:Publish"`) || !strings.Contains(journal, `"operation":"POST /api/v2/hooks/{id}/secrets"`) {
				t.Errorf("journal = %s, error %v, want what Auth0 and AWS were asked", journal, err)
			}
			for _, hidden := range []string{secret, staging.Auth0.ClientSecret, staging.AWS.SecretAccessKey, *staging.token} {
				if strings.Contains(journal, hidden) {
					t.Error("the journal holds a secret: it ends up in a test's output")
				}
			}
		})
	}
}

// deployAction puts an Action into the place of the guide's hook.
func (i instance) deployAction(accessKeyID, secret string) (id string) {
	i.t.Helper()
	code, err := sender.Render(sender.SendPhoneMessage, sender.Options{Client: sender.Builtin})
	if err != nil {
		i.t.Fatal(err)
	}
	var action struct {
		ID string `json:"id"`
	}
	i.auth0("POST", "/actions/actions", map[string]any{
		"name": "sns", "supported_triggers": []any{map[string]string{"id": "send-phone-message", "version": "v2"}},
		"code": code.Script,
		"secrets": []any{
			map[string]string{"name": "AWS_ACCESS_KEY_ID", "value": accessKeyID},
			map[string]string{"name": "AWS_SECRET_ACCESS_KEY", "value": secret},
			map[string]string{"name": "AWS_REGION", "value": i.AWS.Region},
		},
	}, &action)
	i.control("POST", "/sandbox/clock", map[string]string{"advance": "2s"}, nil)
	i.auth0("POST", "/actions/actions/"+action.ID+"/deploy", nil, nil)
	i.control("POST", "/sandbox/clock", map[string]string{"advance": "1s"}, nil)
	i.auth0("PATCH", "/actions/triggers/send-phone-message/bindings", map[string]any{
		"bindings": []any{map[string]any{"ref": map[string]string{"type": "action_id", "value": action.ID}}},
	}, nil)
	return action.ID
}

func TestAnActionTakesOverFromTheHook(t *testing.T) {
	w := startNode(t)
	staging := w.instance("staging")
	key, secret := staging.mint()
	staging.deploy(sender.Builtin, "AKIAIOSFODNN7EXAMPLE", "the-hook-must-not-be-run")
	id := staging.deployAction(key, secret)
	result := staging.challenge()
	if !result.Sent || result.Sender != id {
		t.Fatalf("challenge = %+v, want Action %s to send: nobody could try a move to Actions", result, id)
	}
	if got := staging.inbox(); len(got) != 1 || got[0] != (message{phone, result.Text, key}) {
		t.Errorf("inbox = %+v, want one message %q, signed by the minted key %s", got, result.Text, key)
	}
	_, state, err := send(t.Context(), "GET", w.controlURL+"/sandbox/staging/state", "", nil)
	if err != nil || strings.Contains(state, secret) || !strings.Contains(state, `"secret_names":["AWS_ACCESS_KEY_ID","AWS_REGION","AWS_SECRET_ACCESS_KEY"]`) {
		t.Errorf("state = %s, error %v, want the names of the Action's secrets alone", state, err)
	}
}

// TestAMessageIsRetriedWhenTheClockMoves plays the unified path from outside, as
// people do: a message comes late, and not never.
func TestAMessageIsRetriedWhenTheClockMoves(t *testing.T) {
	w := startNode(t)
	staging := w.instance("staging")
	const code = `exports.onExecuteCustomPhoneProvider = async (event, api) => {
		if (event.secrets.FAILS === 'yes') api.notification.retry('Throttled');
	};`
	var action struct {
		ID string `json:"id"`
	}
	deploy := func(fails string) {
		t.Helper()
		body := map[string]any{
			"name": "phone", "supported_triggers": []any{map[string]string{"id": "custom-phone-provider", "version": "v1"}}, "code": code,
			"secrets": []any{map[string]string{"name": "FAILS", "value": fails}},
		}
		if action.ID == "" {
			staging.auth0("POST", "/actions/actions", body, &action)
		} else {
			staging.auth0("PATCH", "/actions/actions/"+action.ID, body, nil)
		}
		staging.control("POST", "/sandbox/clock", map[string]string{"advance": "2s"}, nil)
		staging.auth0("POST", "/actions/actions/"+action.ID+"/deploy", nil, nil)
		staging.control("POST", "/sandbox/clock", map[string]string{"advance": "1s"}, nil)
	}
	deploy("yes")
	staging.auth0("PATCH", "/tenants/settings", map[string]bool{"phone_consolidated_experience": true}, nil)
	staging.auth0("PUT", "/guardian/factors/sms", map[string]bool{"enabled": true}, nil)
	staging.auth0("PUT", "/guardian/factors/phone/message-types", map[string]any{"message_types": []string{"sms"}}, nil)
	staging.auth0("POST", "/branding/phone/providers", map[string]any{
		"name": "custom", "configuration": map[string]any{"delivery_methods": []string{"text"}}, "credentials": map[string]any{},
	}, nil)
	if result := staging.challenge(); result.Sent || result.Sender != action.ID {
		t.Fatalf("challenge = %+v, want one that Action %s wants to be tried again", result, action.ID)
	}
	deploy("no")
	types := func() string {
		t.Helper()
		var entries []struct {
			Type string `json:"type"`
		}
		staging.auth0("GET", `/logs?q=type:("fn"%20OR%20"gd_send_sms")&sort=date:1`, nil, &entries)
		var all []string
		for _, e := range entries {
			all = append(all, e.Type)
		}
		return strings.Join(all, " ")
	}
	if got := types(); got != "fn" {
		t.Errorf("log before the retry: %s, want fn", got)
	}
	w.control("POST", "/sandbox/clock", map[string]string{"advance": "1m"}, nil)
	if got := types(); got != "fn gd_send_sms" {
		t.Errorf("log after the retry: %s, want fn gd_send_sms", got)
	}
	var outbox []any
	if staging.control("GET", "/sandbox/staging/outbox", nil, &outbox); outbox == nil || len(outbox) != 0 {
		t.Errorf("outbox = %v, want an empty list: nothing went through Twilio", outbox)
	}
}

func TestKeysOfOneInstanceAreUnknownInTheOther(t *testing.T) {
	w := start(t, sandbox.Options{})
	staging, production := w.instance("staging"), w.instance("production")
	staging.AWS.EndpointURL = production.AWS.EndpointURL
	client := sts.NewFromConfig(staging.aws(staging.AWS.AccessKeyID, staging.AWS.SecretAccessKey))
	if _, err := client.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}); err == nil || !strings.Contains(err.Error(), "InvalidClientTokenId") {
		t.Errorf("error = %v, want InvalidClientTokenId: a mix-up of the two accounts would go unnoticed", err)
	}
}

func TestEverythingStillWorksAfterTheClockMoved(t *testing.T) {
	w := startNode(t)
	staging := w.instance("staging")
	key, secret := staging.mint()
	staging.deploy(sender.Builtin, key, secret)
	w.control("POST", "/sandbox/clock", map[string]string{"advance": "2160h"}, nil)
	*staging.token = ""
	if result := staging.challenge(); !result.Sent {
		t.Errorf("challenge = %+v: after 90 days the deployed code's signatures are refused", result)
	}
	if _, err := staging.iam().ListUsers(t.Context(), &iam.ListUsersInput{}); err != nil {
		t.Errorf("after 90 days Terraform cannot speak to the account: %v", err)
	}
	staging.auth0("GET", "/hooks", nil, nil)
}

func TestResetBringsTheStartBack(t *testing.T) {
	w := start(t, sandbox.Options{HooksMode: auth0.HooksReadOnly})
	staging := w.instance("staging")
	state := func() string {
		_, text, err := send(t.Context(), "GET", w.controlURL+"/sandbox/staging/state", "", nil)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	// Ids and dates of the operator are new after a reset.
	strip := func(text string) string {
		var decoded struct {
			Auth0 struct {
				Hooks    []any           `json:"hooks"`
				Factors  json.RawMessage `json:"factors"`
				Switches json.RawMessage `json:"switches"`
			} `json:"auth0"`
			AWS struct {
				Users []struct {
					Name string `json:"name"`
				} `json:"users"`
				SMSSandbox bool `json:"sms_sandbox"`
			} `json:"aws"`
		}
		decode(t, text, &decoded)
		return fmt.Sprintf("%+v", decoded)
	}
	before := strip(state())
	staging.mint()
	staging.auth0("PUT", "/guardian/factors/sms", map[string]bool{"enabled": true}, nil)
	w.control("POST", "/sandbox/clock", map[string]string{"advance": "1h"}, nil)
	w.control("POST", "/sandbox/faults", map[string]any{"effect": "respond", "status": 500}, nil)
	w.control("POST", "/sandbox/staging/seed", `{"auth0":{"hooks_mode":"gone"},"aws":{"sms_sandbox":{"inside":true}}}`, nil)
	if strip(state()) == before {
		t.Fatal("nothing changed: this test shows nothing")
	}

	w.control("POST", "/sandbox/reset", nil, nil)

	if after := strip(state()); after != before {
		t.Errorf("after a reset:\n%s\nat the start:\n%s", after, before)
	}
	var faults, journal []any
	w.control("GET", "/sandbox/faults", nil, &faults)
	w.control("GET", "/sandbox/journal", nil, &journal)
	if len(faults) != 0 || len(journal) != 0 {
		t.Errorf("after a reset there are faults %v and journal %v, want none: tests would influence each other", faults, journal)
	}
	if got := w.instance("staging"); got.Auth0 != staging.Auth0 || got.AWS != staging.AWS {
		t.Error("the reset changed addresses or credentials: whoever was given them is locked out")
	}
	staging.auth0("GET", "/guardian/factors", nil, nil)
	if _, err := staging.iam().ListUsers(t.Context(), &iam.ListUsersInput{}); err != nil {
		t.Errorf("after a reset the printed credentials do not work: %v", err)
	}
}

func TestFaultsThroughTheControlAPI(t *testing.T) {
	w := start(t, sandbox.Options{})
	staging := w.instance("staging")
	staging.auth0("GET", "/guardian/factors", nil, nil) // Has the token.
	factors := func() (int, string, error) {
		return send(t.Context(), "GET", staging.Auth0.Domain+"/api/v2/guardian/factors", *staging.token, nil)
	}
	var added struct {
		ID string `json:"id"`
	}
	w.control("POST", "/sandbox/faults", `{"side":"auth0","instance":"staging","operation":"GET /api/v2/guardian/*","times":1,
		"effect":"respond","status":429,"header":{"x-ratelimit-reset":"1"},"body":"{}"}`, &added)
	if status, _, err := factors(); err != nil || status != 429 {
		t.Errorf("status %d, error %v, want 429", status, err)
	}
	if status, _, err := factors(); err != nil || status != 200 {
		t.Errorf("status %d, error %v, want the fault to be used up", status, err)
	}
	var list []struct {
		ID      string `json:"id"`
		Delay   string `json:"delay"`
		Applied int    `json:"applied"`
	}
	w.control("GET", "/sandbox/faults", nil, &list)
	if len(list) != 1 || list[0].ID != added.ID || list[0].Applied != 1 {
		t.Errorf("faults = %+v, want %s, applied once", list, added.ID)
	}
	w.control("DELETE", "/sandbox/faults/"+added.ID, nil, nil)

	w.control("POST", "/sandbox/faults", `{"id":"slow","effect":"delay","delay":"50ms"}`, nil)
	w.control("GET", "/sandbox/faults", nil, &list)
	if len(list) != 1 || list[0].Delay != "50ms" {
		t.Errorf("faults = %+v, want one with delay 50ms", list)
	}
	begin := time.Now()
	if _, _, err := factors(); err != nil || time.Since(begin) < 50*time.Millisecond {
		t.Errorf("answered after %v, error %v, want a delay of 50ms", time.Since(begin), err)
	}
	w.control("DELETE", "/sandbox/faults", nil, nil)
	w.control("GET", "/sandbox/faults", nil, &list)
	if len(list) != 0 {
		t.Errorf("faults = %+v, want none", list)
	}
}

func TestHoldAndReleaseThroughTheControlAPI(t *testing.T) {
	w := start(t, sandbox.Options{})
	staging := w.instance("staging")
	w.control("POST", "/sandbox/faults", `{"id":"kill-point","operation":"iam:CreateUser","times":1,"effect":"hold_after"}`, nil)
	done := make(chan error, 1)
	go func() {
		_, err := staging.iam().CreateUser(t.Context(), &iam.CreateUserInput{UserName: awssdk.String("held")})
		done <- err
	}()
	eventually(t, "the request is held", func() bool {
		var list []struct {
			Held int `json:"held"`
		}
		w.control("GET", "/sandbox/faults", nil, &list)
		return list[0].Held == 1
	})
	if _, err := staging.iam().GetUser(t.Context(), &iam.GetUserInput{UserName: awssdk.String("held")}); err != nil {
		t.Errorf("the held request has not taken effect: %v", err)
	}
	select {
	case err := <-done:
		t.Fatalf("the held request was answered, with error %v", err)
	default:
	}
	w.control("POST", "/sandbox/faults/kill-point/release", nil, nil)
	if err := <-done; err != nil {
		t.Errorf("after the release: %v", err)
	}
}

func TestSeedSetsSwitchesOfBothSides(t *testing.T) {
	w := start(t, sandbox.Options{})
	staging := w.instance("staging")
	w.control("POST", "/sandbox/staging/seed", `{
		"auth0": {"second_enabled_hook": "switch_over", "confidence_score": true, "build_time": "1m30s", "client_scopes": ["read:hooks"]},
		"aws": {"sms_sandbox": {"inside": true, "verified": ["+15005550009"]}, "monthly_spend": {"limit": 5, "spent": 4.5},
			"opted_out": ["+15005550008"], "origination_numbers": [{"number": "+12065550100", "country": "US"}], "operator_policy": "{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\"}}"}}`, nil)
	var state struct {
		Auth0 struct {
			Switches     auth0.Switches `json:"switches"`
			ClientGrants []struct {
				Scope []string `json:"scope"`
			} `json:"client_grants"`
		} `json:"auth0"`
		AWS struct {
			SMSSandbox        bool     `json:"sms_sandbox"`
			VerifiedNumbers   []string `json:"verified_numbers"`
			OptedOut          []string `json:"opted_out"`
			MonthlySpendLimit float64  `json:"monthly_spend_limit"`
			MonthToDateSpent  float64  `json:"month_to_date_spent"`

			OriginationNumbers []aws.OriginationNumber `json:"origination_numbers"`
		} `json:"aws"`
	}
	w.control("GET", "/sandbox/staging/state", nil, &state)
	want := auth0.DefaultSwitches()
	want.SecondEnabledHook, want.ConfidenceScore, want.BuildTime = auth0.SecondHookSwitchOver, true, auth0.Duration(90*time.Second)
	if state.Auth0.Switches != want {
		t.Errorf("switches = %+v, want %+v: what a seed leaves out must stay", state.Auth0.Switches, want)
	}
	if grants := state.Auth0.ClientGrants; len(grants) != 1 || fmt.Sprint(grants[0].Scope) != "[read:hooks]" {
		t.Errorf("grants = %+v, want read:hooks alone", grants)
	}
	if got := state.AWS; !got.SMSSandbox || fmt.Sprint(got.VerifiedNumbers, got.OptedOut, got.MonthlySpendLimit, got.MonthToDateSpent, got.OriginationNumbers) != "[+15005550009] [+15005550008] 5 4.5 [{+12065550100 US  false}]" {
		t.Errorf("account = %+v, not as seeded", got)
	}
	if _, err := staging.iam().ListUsers(t.Context(), &iam.ListUsersInput{}); err == nil || !strings.Contains(err.Error(), "AccessDenied") {
		t.Errorf("error = %v, want AccessDenied after the operator's permissions were taken", err)
	}
	w.control("POST", "/sandbox/staging/seed", `{"auth0": {"delete_client_grant": true, "revoke_tokens": true}, "aws": {"operator_policy": ""}}`, nil)
	w.control("POST", "/sandbox/staging/seed", `{"auth0": {"client_scopes": "all"}}`, nil)
	w.control("GET", "/sandbox/staging/state", nil, &state)
	if grants := state.Auth0.ClientGrants; len(grants) != 1 || len(grants[0].Scope) < 2 {
		t.Errorf("grants = %+v, want one that has every scope again: there is no other way back but a reset", grants)
	}
	if _, err := staging.iam().ListUsers(t.Context(), &iam.ListUsersInput{}); err != nil {
		t.Errorf("error = %v after the operator's permissions were given back", err)
	}
}

func TestControlAPISaysWhatIsWrong(t *testing.T) {
	w := start(t, sandbox.Options{})
	tests := []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"POST", "/sandbox/clock", `{"advnce":"1h"}`, 400, `unknown field "advnce"`},
		{"POST", "/sandbox/clock", `{"advance":"tomorrow"}`, 400, `got "tomorrow"`},
		{"POST", "/sandbox/clock", `{"advance":"-1h"}`, 400, "positive duration"},
		{"POST", "/sandbox/clock", ``, 400, "request body"},
		{"POST", "/sandbox/clock", `{"advance":"1h"} {}`, 400, "more than one JSON value"},
		{"POST", "/sandbox/faults", `{"effect":"explode"}`, 400, `unknown effect "explode"`},
		{"POST", "/sandbox/faults", `{"effect":"delay","delay":2}`, 400, "delay"},
		{"POST", "/sandbox/faults", `{"effect":"delay","delay":"2"}`, 400, `got "2"`},
		{"POST", "/sandbox/faults", `{"effect":"drop_after","time":1}`, 400, `unknown field "time"`},
		{"DELETE", "/sandbox/faults/nope", ``, 404, `no such fault: "nope"`},
		{"POST", "/sandbox/faults/nope/release", ``, 404, `no such fault: "nope"`},
		{"GET", "/sandbox/journal?since=yesterday", ``, 400, `got "yesterday"`},
		{"GET", "/sandbox/nowhere/state", ``, 404, `no instance "nowhere": this sandbox has staging, production`},
		{"POST", "/sandbox/staging/seed", `{"auth0":{"hook_mode":"gone"}}`, 400, `unknown field "hook_mode"`},
		{"POST", "/sandbox/staging/seed", `{"auth0":{"client_scopes":"some"}}`, 400, `client_scopes: want "all" or a list of scopes`},
		{"POST", "/sandbox/staging/seed", `{"auth0":{"hooks_mode":"off"}}`, 400, `hooks_mode "off"`},
		{"POST", "/sandbox/staging/seed", `{"aws":{"operator_policy":"{"}}`, 400, "aws: policy of the operator"},
		{"POST", "/sandbox/staging/challenge", `{}`, 422, "phone number"},
		{"GET", "/", ``, 404, "GET /sandbox/ lists what there is"},
		{"PUT", "/sandbox/staging/inbox", ``, 404, "no PUT /sandbox/staging/inbox here"},
	}
	for _, test := range tests {
		t.Run(test.method+" "+test.path+" "+test.body, func(t *testing.T) {
			status, text, err := send(t.Context(), test.method, w.controlURL+test.path, "", test.body)
			if err != nil {
				t.Fatal(err)
			}
			var answer map[string]string
			decode(t, text, &answer)
			if status != test.status || !strings.Contains(answer["error"], test.want) {
				t.Errorf("status %d, error %q, want %d and one that contains %q", status, answer["error"], test.status, test.want)
			}
		})
	}
}

func TestDescriptionIsEnoughToStart(t *testing.T) {
	w := start(t, sandbox.Options{Instances: []string{"staging", "qa"}})
	var d sandbox.Description
	w.control("GET", "/sandbox/", nil, &d)
	if d.ControlURL != w.controlURL || len(d.Endpoints) != 14 || !slices.Contains(d.Endpoints, "POST /sandbox/reset") || len(d.Instances) != 2 {
		t.Errorf("description = %+v", d)
	}
	for _, i := range d.Instances {
		if fmt.Sprint(i.Env["AUTH0_DOMAIN"], i.Env["AUTH0_CLIENT_ID"], i.Env["AUTH0_CLIENT_SECRET"]) != fmt.Sprint(i.Auth0.Domain, i.Auth0.ClientID, i.Auth0.ClientSecret) {
			t.Errorf("%s: env %v does not match %+v", i.Name, i.Env, i.Auth0)
		}
		if fmt.Sprint(i.Env["AWS_ENDPOINT_URL"], i.Env["AWS_ACCESS_KEY_ID"], i.Env["AWS_SECRET_ACCESS_KEY"], i.Env["AWS_REGION"]) !=
			fmt.Sprint(i.AWS.EndpointURL, i.AWS.AccessKeyID, i.AWS.SecretAccessKey, i.AWS.Region) {
			t.Errorf("%s: env %v does not match %+v", i.Name, i.Env, i.AWS)
		}
		in := instance{w, i, new(string)}
		identity, err := sts.NewFromConfig(in.aws(i.AWS.AccessKeyID, i.AWS.SecretAccessKey)).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
		if err != nil || *identity.Account != i.AWS.AccountID {
			t.Errorf("%s: identity %+v, error %v, want account %s", i.Name, identity, err, i.AWS.AccountID)
		}
		in.auth0("GET", "/hooks", nil, nil)
	}
	if d.Instances[0].AWS.AccountID != "111122223333" || d.Instances[1].AWS.AccountID == "111122223333" {
		t.Errorf("accounts %s and %s, want 111122223333 for staging and another one", d.Instances[0].AWS.AccountID, d.Instances[1].AWS.AccountID)
	}
}

func TestNewKeysAreRefusedForTheKeyDelay(t *testing.T) {
	w := start(t, sandbox.Options{KeyDelay: time.Hour})
	staging := w.instance("staging")
	key, secret := staging.mint()
	identify := func() error {
		_, err := sts.NewFromConfig(staging.aws(key, secret)).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
		return err
	}
	if err := identify(); err == nil || !strings.Contains(err.Error(), "InvalidClientTokenId") {
		t.Errorf("error = %v, want InvalidClientTokenId for a key that has not spread", err)
	}
	w.control("POST", "/sandbox/clock", map[string]string{"advance": "1h"}, nil)
	if err := identify(); err != nil {
		t.Errorf("after the delay: %v", err)
	}
}

func TestAnotherAWSCanStandInTheAccountsPlace(t *testing.T) {
	var calls atomic.Int32
	w := start(t, sandbox.Options{AWS: map[string]http.Handler{"staging": http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		_, _ = io.WriteString(rw, `<GetCallerIdentityResponse><GetCallerIdentityResult><Account>000011112222</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`)
	})}})
	staging := w.instance("staging")
	identity, err := sts.NewFromConfig(staging.aws("AKIA1", "secret")).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil || *identity.Account != "000011112222" || calls.Load() != 1 {
		t.Errorf("identity %+v, error %v, %d calls, want the replacement's answer", identity, err, calls.Load())
	}
	var journal []struct {
		Operation string `json:"operation"`
		Principal string `json:"principal"`
	}
	w.control("GET", "/sandbox/journal", nil, &journal)
	if fmt.Sprint(journal) != "[{sts:GetCallerIdentity AKIA1}]" {
		t.Errorf("journal = %v, want the request to the replacement", journal)
	}
}

func TestStartRefusesWhatCannotWork(t *testing.T) {
	for want, options := range map[string]sandbox.Options{
		`instance "Staging"`:           {Instances: []string{"Staging"}},
		`instance "a/b"`:               {Instances: []string{"a/b"}},
		`instance "a" is named twice`:  {Instances: []string{"a", "a"}},
		`AWS is replaced for "nobody"`: {AWS: map[string]http.Handler{"nobody": http.NotFoundHandler()}},
		`hooks_mode "off"`:             {HooksMode: "off"},
	} {
		if _, err := sandbox.Start(t.Context(), options); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error = %v, want one that contains %q", err, want)
		}
	}
}

func TestTheWorldEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	started, err := sandbox.Start(ctx, sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := world{t, started.ControlURL}
	staging := w.instance("staging")
	w.control("POST", "/sandbox/faults", `{"id":"hold","operation":"POST /oauth/token","effect":"hold_before"}`, nil)
	held := make(chan error, 1)
	go func() {
		_, _, err := send(t.Context(), "POST", staging.Auth0.Domain+"/oauth/token", "", map[string]string{})
		held <- err
	}()
	if err := started.Kernel.Faults.AwaitHeld(t.Context(), "hold"); err != nil {
		t.Fatal(err)
	}
	cancel()
	select {
	case err := <-held:
		if err == nil {
			t.Error("the held request was answered by a world that ends")
		}
	case <-time.After(5 * time.Second):
		t.Fatal("the held request keeps the world alive: Ctrl-C would hang")
	}
	eventually(t, "the ports are closed", func() bool {
		_, _, err := send(t.Context(), "GET", w.controlURL+"/sandbox/", "", nil)
		return err != nil
	})
	if err := started.Close(); err != nil {
		t.Errorf("closing it once more: %v", err)
	}
}

func TestARunnerThatCannotRunIsNoFailureOfTheHook(t *testing.T) {
	w := start(t, sandbox.Options{Runner: runnerFunc(func(context.Context, auth0.Job) (auth0.Result, error) {
		return auth0.Result{}, errors.New("node is needed")
	})})
	staging := w.instance("staging")
	staging.deploy(sender.Builtin, "AKIA1", "secret")
	status, text, err := send(t.Context(), "POST", w.controlURL+"/sandbox/staging/challenge", "", map[string]string{"phone_number": phone})
	if err != nil || status != 422 || !strings.Contains(text, "node is needed") {
		t.Errorf("status %d, body %s, error %v, want 422 and the reason: without Node, a user must be told so", status, text, err)
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 500 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("5 s on, still not so: %s", what)
}
