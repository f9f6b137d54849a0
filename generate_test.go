//go:build unix

package main_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	tfjson "github.com/hashicorp/terraform-json"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/acctest"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sender"
)

// byHand sets up a tenant and an account as a person does, without Terraform.
type byHand struct {
	t   *testing.T
	env *acctest.Env
	key awsapi.NewAccessKey
}

const handUser = "auth0-sns"

func (h *byHand) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// account makes the user of Auth0's guide, with a policy as people write it.
func (h *byHand) account(user awsapi.User, policies map[string]string) {
	h.t.Helper()
	client := h.env.AWS(h.t)
	_, err := client.CreateUser(h.t.Context(), user)
	h.must(err)
	for name, document := range policies {
		h.must(client.PutUserPolicy(h.t.Context(), user.Name, name, document))
	}
	h.key, err = client.CreateAccessKey(h.t.Context(), user.Name)
	h.must(err)
}

func (h *byHand) secrets() map[string]string {
	return map[string]string{
		"AWS_ACCESS_KEY_ID": h.key.ID, "AWS_SECRET_ACCESS_KEY": h.key.Secret.Reveal(), "AWS_REGION": h.env.Variables["AWS_REGION"],
	}
}

// action makes, fills and deploys an Action.
func (h *byHand) action(action auth0api.Action) string {
	h.t.Helper()
	client := h.env.Auth0(h.t)
	made, err := client.CreateAction(h.t.Context(), action)
	h.must(err)
	_, err = client.SetActionSecrets(h.t.Context(), made.ID, h.secrets())
	h.must(err)
	_, err = delivery.Deploy(h.t.Context(), client, h.env.Clock, made.ID)
	h.must(err)
	return made.ID
}

func (h *byHand) hook(hook auth0api.Hook) {
	h.t.Helper()
	client := h.env.Auth0(h.t)
	made, err := client.CreateHook(h.t.Context(), hook)
	h.must(err)
	h.must(client.AddHookSecrets(h.t.Context(), made.ID, h.secrets()))
}

// live turns people's codes to the sender.
func (h *byHand) live(legacy bool) {
	h.t.Helper()
	client := h.env.Auth0(h.t)
	if legacy {
		h.must(client.SetSelectedProvider(h.t.Context(), delivery.ProviderCustom))
	}
	h.must(client.SetFactor(h.t.Context(), delivery.FactorSMS, true))
	h.must(client.SetMessageTypes(h.t.Context(), []string{"sms"}))
	h.must(client.SetPolicies(h.t.Context(), []string{"all-applications"}))
}

func (h *byHand) phoneProvider(methods ...string) {
	h.t.Helper()
	client := h.env.Auth0(h.t)
	_, err := client.CreatePhoneProvider(h.t.Context(), auth0api.PhoneProvider{Name: delivery.PhoneProviderCustom, DeliveryMethods: methods})
	h.must(err)
	h.must(client.SetPhoneConsolidatedExperience(h.t.Context(), true))
}

// attach attaches a managed policy, which nothing else here does.
func (h *byHand) attach(user, policy string) {
	h.t.Helper()
	client := iam.New(iam.Options{
		Region: h.env.Variables["AWS_REGION"], BaseEndpoint: aws.String(h.env.AccountURL),
		Credentials: credentials.NewStaticCredentialsProvider(h.env.Variables["AWS_ACCESS_KEY_ID"], h.env.Variables["AWS_SECRET_ACCESS_KEY"], ""),
	})
	_, err := client.AttachUserPolicy(h.t.Context(), &iam.AttachUserPolicyInput{UserName: &user, PolicyArn: &policy})
	h.must(err)
}

const (
	ownUnified = "const unused = `${process.version}`;\r\nexports.onExecuteCustomPhoneProvider = async (event, api) => { /* \"ours\" */ };"
	guideHook  = "module.exports = function (recipient, text, context, cb) {\n  cb(null, {});\n};\n"
	snsOnly    = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sns:Publish","Resource":"*"}}`
)

// TestAccGenerate takes set-ups over that were made by hand. If it fails, the
// configuration does not match what is there: its plan changes, or takes away,
// what people get their codes through.
func TestAccGenerate(t *testing.T) {
	for name, test := range map[string]struct {
		setUp func(h *byHand)
		args  []string
		// imports are the types that are taken over.
		imports []string
		// changes are the attributes that the plan changes, by address, each of
		// which the output announces.
		changes map[string][]string
		says    []string
	}{
		"unified, own code": {
			setUp: func(h *byHand) {
				h.account(awsapi.User{Name: handUser, Path: "/auth0/", Tags: map[string]string{"team": "identity"}}, map[string]string{"Publish": awsapi.PublishPolicy("aws")})
				id := h.action(auth0api.Action{
					Name: "Our \"SNS\" ${sender}", Code: ownUnified, Runtime: "node18",
					Dependencies: map[string]string{"@aws-sdk/client-sns": "3.1169.0"},
					Trigger:      auth0api.ActionTrigger{ID: delivery.TriggerCustomPhoneProvider, Version: "v1"},
				})
				client := h.env.Auth0(h.t)
				h.must(delivery.Bind(h.t.Context(), client, delivery.TriggerCustomPhoneProvider, id, "SNS"))
				h.phoneProvider("text")
				for _, kind := range []string{"otp_enroll", "otp_verify"} {
					_, err := client.CreatePhoneTemplate(h.t.Context(), auth0api.PhoneTemplate{Type: kind, Text: kind + " {{ code | escape }} of {{friendly_name}}", Voice: "{{code}}"})
					h.must(err)
				}
				h.live(false)
			},
			imports: []string{"auth0sns_action", "auth0sns_credentials", "auth0sns_iam_user", "auth0sns_mfa_policy", "auth0sns_phone_provider", "auth0sns_sms_factor"},
			says:    []string{"The plan imports these and changes nothing", "It is the one user of the account", "It is the one active key"},
		},
		"action, our code, policy of a person": {
			setUp: func(h *byHand) {
				h.account(awsapi.User{Name: handUser}, map[string]string{"PublishSMS": snsOnly})
				code, err := sender.Render(sender.SendPhoneMessage, sender.Options{
					SenderID: "EXAMPLE", AllowedCountryCodes: []string{"+41", "+49"}, Timeout: 3 * time.Second,
					Texts: []sender.Text{{Language: "de", VerificationMessage: "{{code}} ist Ihr Code."}},
				})
				h.must(err)
				id := h.action(auth0api.Action{
					Name: "Amazon SNS", Code: code.Script, Runtime: "node22",
					Trigger: auth0api.ActionTrigger{ID: delivery.TriggerSendPhoneMessage, Version: "v2"},
				})
				h.must(delivery.Bind(h.t.Context(), h.env.Auth0(h.t), delivery.TriggerSendPhoneMessage, id, "Amazon SNS"))
				h.live(true)
				h.must(h.env.Auth0(h.t).SetTemplates(h.t.Context(), auth0api.Templates{EnrollmentMessage: "{{code}} A", VerificationMessage: "{{code}} for {{tenant.friendly_name}}"}))
			},
			args:    []string{"--iam-user", handUser},
			imports: []string{"auth0sns_action", "auth0sns_credentials", "auth0sns_iam_user", "auth0sns_mfa_policy", "auth0sns_sms_factor"},
			changes: map[string][]string{"auth0sns_iam_user.sms": {"policy_json"}},
			says:    []string{"The inline policy PublishSMS says something else"},
		},
		"hook of the guide, managed policy": {
			setUp: func(h *byHand) {
				h.account(awsapi.User{Name: handUser}, nil)
				h.attach(handUser, "arn:aws:iam::aws:policy/AmazonSNSFullAccess")
				h.hook(auth0api.Hook{Name: "SNS", Script: guideHook, TriggerID: delivery.TriggerHook, Enabled: true, Dependencies: map[string]string{"aws-sdk": "2.1693.0"}})
				h.live(true)
			},
			imports: []string{"auth0sns_credentials", "auth0sns_hook", "auth0sns_iam_user", "auth0sns_mfa_policy", "auth0sns_sms_factor"},
			changes: map[string][]string{"auth0sns_iam_user.sms": {"policy_json"}},
			says:    []string{"AmazonSNSFullAccess stays attached", "The plan adds auth0sns-publish-sms", "Auth0 ended hooks"},
		},
		"unified, our code, with voice": {
			setUp: func(h *byHand) {
				h.account(awsapi.User{Name: handUser}, map[string]string{"auth0sns-publish-sms": awsapi.PublishPolicy("aws")})
				code, err := sender.Render(sender.CustomPhoneProvider, sender.Options{AllowedCountryCodes: []string{"+49", "+41"}})
				h.must(err)
				h.action(auth0api.Action{Name: "SNS", Code: code.Script, Runtime: "node22", Trigger: auth0api.ActionTrigger{ID: delivery.TriggerCustomPhoneProvider, Version: "v1"}})
				h.phoneProvider("text", "voice")
				h.live(false)
			},
			imports: []string{"auth0sns_action", "auth0sns_credentials", "auth0sns_iam_user", "auth0sns_mfa_policy", "auth0sns_phone_provider", "auth0sns_sms_factor"},
			changes: map[string][]string{"auth0sns_action.sms": {"bound", "code_sha256", "version_id"}, "auth0sns_phone_provider.sms": {"delivery_methods"}},
			says:    []string{"The Action is not bound to its trigger.", "The plan sorts them,", "SNS sends text alone"},
		},
		"factor off, secrets of other names": {
			setUp: func(h *byHand) {
				h.account(awsapi.User{Name: handUser}, map[string]string{"auth0sns-publish-sms": awsapi.PublishPolicy("aws")})
				id := h.action(auth0api.Action{
					Name: "SNS", Code: "exports.onExecuteSendPhoneMessage = async () => {};", Runtime: "node22",
					Trigger: auth0api.ActionTrigger{ID: delivery.TriggerSendPhoneMessage, Version: "v2"},
				})
				client := h.env.Auth0(h.t)
				_, err := client.SetActionSecrets(h.t.Context(), id, map[string]string{"KEY": h.key.ID, "SECRET": h.key.Secret.Reveal()})
				h.must(err)
				_, err = delivery.Deploy(h.t.Context(), client, h.env.Clock, id)
				h.must(err)
				h.must(delivery.Bind(h.t.Context(), client, delivery.TriggerSendPhoneMessage, id, "SNS"))
				h.must(client.SetSelectedProvider(h.t.Context(), delivery.ProviderCustom))
			},
			imports: []string{"auth0sns_action", "auth0sns_iam_user", "auth0sns_mfa_policy", "auth0sns_sms_factor"},
			changes: map[string][]string{"auth0sns_sms_factor.sms": {"message_types"}},
			says:    []string{"the sender does not have the secrets AWS_ACCESS_KEY_ID,", "The factor is off."},
		},
	} {
		t.Run(name, func(t *testing.T) {
			needAcc(t)
			env := acctest.New(t, realTime)
			h := &byHand{t: t, env: env}
			test.setUp(h)
			before := env.State()
			dir := filepath.Join(t.TempDir(), "sms-mfa")
			out := start(t, environ(env), append([]string{"generate", "--dir", dir}, test.args...)...).Wait(t)
			if out.Code != 0 {
				t.Fatalf("generate: exit %d\n%s%s", out.Code, out.Stdout, out.Stderr)
			}
			t.Log(out.Stdout)
			if diff := before.Diff(env.State()); diff != "" {
				t.Errorf("generate changed the tenant or the account:\n%s", diff)
			}
			words := strings.Join(strings.Fields(out.Stdout), " ")
			for _, says := range test.says {
				if !strings.Contains(words, says) {
					t.Errorf("the output does not say %q", says)
				}
			}
			tf := generated(t, env, dir)
			t.Log(tf.Must(t, "fmt", "-diff", "-check").Stdout)

			tf.Must(t, "plan", "-out=import.tfplan")
			imports, changes := planned(t, tf, "import.tfplan")
			if !slices.Equal(imports, test.imports) {
				t.Errorf("the plan imports %q, want %q", imports, test.imports)
			}
			if !maps.EqualFunc(changes, test.changes, slices.Equal) {
				t.Errorf("the plan changes %q, announced are %q", changes, test.changes)
			}
			tf.Must(t, "apply", "import.tfplan")
			tf.Must(t, "plan", "-detailed-exitcode")
			if len(test.changes) == 0 {
				if diff := before.Diff(env.State()); diff != "" {
					t.Errorf("an import changed the tenant or the account:\n%s", diff)
				}
			}
			if again := start(t, environ(env), "generate", "--dir", dir).Wait(t); again.Code != 6 || !strings.Contains(again.Stderr, "main.tf is there already") {
				t.Errorf("a second generate: exit %d, %s: want a refusal that names the file", again.Code, again.Stderr)
			}
		})
	}
}

func environ(env *acctest.Env) []string {
	list := []string{"AWS_EC2_METADATA_DISABLED=true"}
	for name, value := range env.Variables {
		list = append(list, name+"="+value)
	}
	return list
}

// generated is Terraform in a copy of what was generated.
func generated(t *testing.T, env *acctest.Env, dir string) *acctest.Terraform {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	content := map[string][]byte{}
	for _, file := range files {
		if content[filepath.Base(file)], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%s", content["main.tf"])
	tf := acctest.NewTerraform(t, binary(t), string(content["main.tf"]), env.Variables)
	for name, data := range content {
		if err := os.WriteFile(filepath.Join(tf.Dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return tf
}

// planned are the types that a plan imports, and what it changes of each resource.
func planned(t *testing.T, tf *acctest.Terraform, file string) (imports []string, changes map[string][]string) {
	t.Helper()
	var plan tfjson.Plan
	if err := json.Unmarshal([]byte(tf.Must(t, "show", "-json", file).Stdout), &plan); err != nil {
		t.Fatal(err)
	}
	changes = map[string][]string{}
	for _, resource := range plan.ResourceChanges {
		if resource.Change.Importing != nil {
			imports = append(imports, resource.Type)
		}
		if resource.Change.Actions.NoOp() {
			continue
		}
		after, _ := resource.Change.After.(map[string]any)
		before, _ := resource.Change.Before.(map[string]any)
		differs := []string{}
		for _, name := range slices.Sorted(maps.Keys(after)) {
			was, _ := json.Marshal(before[name]) //nolint:errchkjson // It came out of JSON.
			will, _ := json.Marshal(after[name]) //nolint:errchkjson // It came out of JSON.
			if string(was) != string(will) {
				differs = append(differs, name)
			}
		}
		unknown, _ := resource.Change.AfterUnknown.(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(unknown)) {
			if unknown[name] == true {
				differs = append(differs, name)
			}
		}
		if !resource.Change.Actions.Update() {
			differs = append(differs, "is not updated in place but otherwise")
		}
		slices.Sort(differs)
		changes[resource.Address] = differs
	}
	slices.Sort(imports)
	return imports, changes
}
