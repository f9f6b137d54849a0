package generate_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2/hclparse"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/acctest"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/generate"
)

const user = "auth0-sns"

// world is a tenant whose people get their codes through an Action that was made
// by hand. A test changes what it is about.
type world struct {
	*acctest.Env
	t      *testing.T
	action string
	key    awsapi.NewAccessKey
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{Env: acctest.New(t), t: t}
	w.key = w.user(user, awsapi.PublishPolicy("aws"))
	w.action = w.bound("SNS")
	client := w.Auth0(t)
	w.must(client.SetSelectedProvider(t.Context(), delivery.ProviderCustom))
	w.must(client.SetFactor(t.Context(), delivery.FactorSMS, true))
	w.must(client.SetMessageTypes(t.Context(), []string{"sms"}))
	return w
}

// user makes a user with an inline policy and a key.
func (w *world) user(name, policy string) awsapi.NewAccessKey {
	w.t.Helper()
	client := w.AWS(w.t)
	_, err := client.CreateUser(w.t.Context(), awsapi.User{Name: name})
	w.must(err)
	w.must(client.PutUserPolicy(w.t.Context(), name, "auth0sns-publish-sms", policy))
	key, err := client.CreateAccessKey(w.t.Context(), name)
	w.must(err)
	return key
}

// bound makes an Action with a key and binds it.
func (w *world) bound(name string) string {
	w.t.Helper()
	client := w.Auth0(w.t)
	action, err := client.CreateAction(w.t.Context(), auth0api.Action{
		Name: name, Code: "exports.onExecuteSendPhoneMessage = async () => {};", Runtime: "node22",
		Trigger: auth0api.ActionTrigger{ID: delivery.TriggerSendPhoneMessage, Version: "v2"},
	})
	w.must(err)
	_, err = client.SetActionSecrets(w.t.Context(), action.ID, map[string]string{
		"AWS_ACCESS_KEY_ID": w.key.ID, "AWS_SECRET_ACCESS_KEY": w.key.Secret.Reveal(), "AWS_REGION": "eu-central-1",
	})
	w.must(err)
	_, err = delivery.Deploy(w.t.Context(), client, w.Clock, action.ID)
	w.must(err)
	w.must(delivery.Bind(w.t.Context(), client, delivery.TriggerSendPhoneMessage, action.ID, name))
	return action.ID
}

// everything is taken over where nothing stands in the way.
func everything() []string {
	return []string{"iam_user", "action", "credentials", "sms_factor", "mfa_policy"}
}

func without(kind string) []string {
	return slices.DeleteFunc(everything(), func(k string) bool { return k == kind })
}

// TestRead says what becomes of set-ups that are not as they should be. Whatever
// is taken over wrongly here, an apply changes for people who log in.
func TestRead(t *testing.T) {
	for name, test := range map[string]struct {
		change  func(w *world)
		options func(w *world) generate.Options
		imports []string
		remark  string // the kind, the address and words of one remark that there has to be
	}{
		"as it should be": {imports: everything(), remark: "unproven auth0sns_credentials.sms the one active key"},
		"two keys, none used": {
			change:  func(w *world) { _, err := w.AWS(w.t).CreateAccessKey(w.t.Context(), user); w.must(err) },
			imports: without("credentials"), remark: "left out auth0sns_credentials.sms --access-key-id",
		},
		"two keys, one named": {
			change:  func(w *world) { _, err := w.AWS(w.t).CreateAccessKey(w.t.Context(), user); w.must(err) },
			options: func(w *world) generate.Options { return generate.Options{AccessKeyID: w.key.ID} },
			imports: everything(), remark: "unproven auth0sns_credentials.sms the key that you named",
		},
		"no active key": {
			change:  func(w *world) { w.must(w.AWS(w.t).SetAccessKeyActive(w.t.Context(), user, w.key.ID, false)) },
			imports: without("credentials"), remark: "left out auth0sns_credentials.sms no active key",
		},
		"another secret": {
			change: func(w *world) {
				_, err := w.Auth0(w.t).SetActionSecrets(w.t.Context(), w.action, map[string]string{
					"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": "c", "SLACK": "d",
				})
				w.must(err)
				_, err = delivery.Deploy(w.t.Context(), w.Auth0(w.t), w.Clock, w.action)
				w.must(err)
			},
			imports: everything(), remark: "left out auth0sns_credentials.sms SLACK",
		},
		"a draft": {
			change: func(w *world) {
				code := "exports.onExecuteSendPhoneMessage = async () => { /* new */ };"
				_, err := w.Auth0(w.t).UpdateAction(w.t.Context(), w.action, auth0api.ActionPatch{Code: &code})
				w.must(err)
			},
			imports: everything(), remark: "change auth0sns_action.sms a draft that is not deployed",
		},
		"two Actions": {
			change:  func(w *world) { w.bound("Another") },
			imports: everything(), remark: "left out auth0sns_action.sms two messages",
		},
		"Auth0 sends": {
			change:  func(w *world) { w.must(w.Auth0(w.t).SetSelectedProvider(w.t.Context(), "auth0")) },
			imports: without("sms_factor"), remark: `left out auth0sns_sms_factor.sms "auth0" and not Custom`,
		},
		"texts without a code": {
			change: func(w *world) {
				w.must(w.Auth0(w.t).SetTemplates(w.t.Context(), auth0api.Templates{EnrollmentMessage: "Hello", VerificationMessage: "{{code}}"}))
			},
			imports: everything(), remark: "left out auth0sns_sms_factor.sms has no {{code}}",
		},
		"a text that the provider refuses": {
			change: func(w *world) {
				w.must(w.Auth0(w.t).SetTemplates(w.t.Context(), auth0api.Templates{EnrollmentMessage: "{{{code}}}", VerificationMessage: "{{code}}"}))
			},
			imports: everything(), remark: "left out auth0sns_sms_factor.sms braces that are no placeholder",
		},
		"a policy about more": {
			change: func(w *world) {
				w.must(w.AWS(w.t).DeleteUserPolicy(w.t.Context(), user, "auth0sns-publish-sms"))
				w.must(w.AWS(w.t).PutUserPolicy(w.t.Context(), user, "mixed", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sns:Publish","s3:GetObject"],"Resource":"*"}]}`))
			},
			options: func(*world) generate.Options { return generate.Options{IAMUser: user} },
			imports: everything(), remark: "change auth0sns_iam_user.sms adds auth0sns-publish-sms",
		},
		"the hook beside the Action": {
			change: func(w *world) {
				_, err := w.Auth0(w.t).CreateHook(w.t.Context(), auth0api.Hook{Name: "Old", Script: "module.exports = () => {};", TriggerID: delivery.TriggerHook, Enabled: true})
				w.must(err)
			},
			options: func(*world) generate.Options { return generate.Options{Hook: true} },
			imports: []string{"iam_user", "hook", "mfa_policy"}, remark: "left out auth0sns_sms_factor.sms the tenant's path is action",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			if test.change != nil {
				test.change(w)
			}
			var options generate.Options
			if test.options != nil {
				options = test.options(w)
			}
			before := w.State()
			setup, err := generate.Read(t.Context(), w.Auth0(t), w.AWS(t), options)
			if err != nil {
				t.Fatal(err)
			}
			if diff := before.Diff(w.State()); diff != "" {
				t.Errorf("reading changed the tenant or the account:\n%s", diff)
			}
			var imports []string
			for _, i := range setup.Imports() {
				imports = append(imports, strings.TrimSuffix(strings.TrimPrefix(i.To, "auth0sns_"), ".sms"))
			}
			if !slices.Equal(imports, test.imports) {
				t.Errorf("takes over %q, want %q", imports, test.imports)
			}
			if !slices.ContainsFunc(setup.Remarks, func(r generate.Remark) bool {
				words, ok := strings.CutPrefix(test.remark, fmt.Sprintf("%s %s ", r.Kind, r.Address))
				return ok && strings.Contains(r.Text, words)
			}) {
				t.Errorf("no remark says %q: %+v", test.remark, setup.Remarks)
			}
			requireParses(t, setup.Files())
		})
	}
}

func requireParses(t *testing.T, files []generate.File) {
	t.Helper()
	main := files[0]
	if _, diags := hclparse.NewParser().ParseHCL(main.Content, main.Name); diags.HasErrors() {
		t.Errorf("%s\n%s", diags, main.Content)
	}
	if bytes.Contains(main.Content, []byte("force_destroy")) {
		t.Error("the configuration lets a live sender be destroyed")
	}
}

// TestFiles has what no tenant or account here can be made to have.
func TestFiles(t *testing.T) {
	w := newWorld(t)
	setup, err := generate.Read(t.Context(), w.Auth0(t), w.AWS(t), generate.Options{Version: "1.4.2"})
	w.must(err)
	setup.User.Tags = map[string]string{"aws:cloudformation:stack-name": "sms", "team": "identity"}
	setup.Factor.EnrollmentMessage = "${code} %{if} \"{{code}}\"\n"
	files := setup.Files()
	requireParses(t, files)
	for _, want := range []string{
		`version = "~> 1.4.0"`, "ignore_changes = [tags]", `"$${code} %%{if} \"{{code}}\"\n"`,
		"domain = \"" + w.TenantURL + "\"", `allowed_account_ids = ["111122223333"]`,
	} {
		if !bytes.Contains(files[0].Content, []byte(want)) {
			t.Errorf("main.tf has no %s:\n%s", want, files[0].Content)
		}
	}
	if code := string(files[1].Content); files[1].Name != "sender.js" || code != "exports.onExecuteSendPhoneMessage = async () => {};" {
		t.Errorf("%s is not the sender's code byte for byte: %q", files[1].Name, code)
	}
}

// TestReadRefuses keeps a guess from becoming configuration.
func TestReadRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		change  func(w *world)
		options generate.Options
		says    string
		asks    bool // for --iam-user
	}{
		"two users may send": {
			change: func(w *world) {
				w.user("alarms", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sns:*","Resource":"*"}]}`)
			},
			says: "alarms, auth0-sns", asks: true,
		},
		"no user may send": {
			change: func(w *world) { w.must(w.AWS(w.t).DeleteUserPolicy(w.t.Context(), user, "auth0sns-publish-sms")) },
			says:   "no user of account", asks: true,
		},
		"an unknown user": {options: generate.Options{IAMUser: "nobody"}, says: `no IAM user "nobody"`},
		"an unknown key":  {options: generate.Options{AccessKeyID: "AKIANOTHERE"}, says: "has no access key AKIANOTHERE"},
		"no sender": {
			change: func(w *world) {
				w.must(delivery.Unbind(w.t.Context(), w.Auth0(w.t), delivery.TriggerSendPhoneMessage, w.action))
			},
			says: "nothing to take over",
		},
		"no hook": {options: generate.Options{Hook: true}, says: "0 Send Phone Message hooks"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			if test.change != nil {
				test.change(w)
			}
			_, err := generate.Read(t.Context(), w.Auth0(t), w.AWS(t), test.options)
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Fatalf("%v, want an error that says %q", err, test.says)
			}
			if asks := errors.As(err, new(*generate.UserError)); asks != test.asks {
				t.Errorf("asks for the user: %t, want %t", asks, test.asks)
			}
		})
	}
}

// TestHandOvers says how another configuration lets go. If a line is missing,
// that configuration destroys what people get their codes through.
func TestHandOvers(t *testing.T) {
	w := newWorld(t)
	resource := func(address, kind, values string) string {
		return fmt.Sprintf(`{"address":%q,"mode":"managed","type":%q,"name":"x","provider_name":"p","schema_version":0,"values":%s}`, address, kind, values)
	}
	read := func(resources ...string) (*generate.Setup, []generate.HandOver, error) {
		state, err := generate.ReadState(strings.NewReader(`{"format_version":"1.0","terraform_version":"1.13.0","values":{"root_module":{"resources":[` +
			resources[0] + `],"child_modules":[{"address":"module.sms","resources":[` + strings.Join(resources[1:], ",") + `]}]}}}`))
		w.must(err)
		setup, err := generate.Read(t.Context(), w.Auth0(t), w.AWS(t), generate.Options{State: state})
		w.must(err)
		list, err := setup.HandOvers(state)
		return setup, list, err
	}
	w.user("alarms", awsapi.PublishPolicy("aws"))         // Only the state tells which of the two it is.
	_, err := w.AWS(t).CreateAccessKey(t.Context(), user) // And which of its two keys.
	w.must(err)
	setup, list, err := read(
		resource("auth0_action.sms", "auth0_action", `{"id":"`+w.action+`"}`),
		resource("module.sms.auth0_action.other", "auth0_action", `{"id":"other"}`),
		resource(`module.sms.auth0_trigger_action.sms["a"]`, "auth0_trigger_action", `{"action_id":"`+w.action+`","trigger":"send-phone-message"}`),
		resource("module.sms.auth0_guardian.mfa", "auth0_guardian", `{"policy":"never"}`),
		resource("module.sms.aws_iam_access_key.sms", "aws_iam_access_key", `{"id":"`+w.key.ID+`","user":"`+user+`","secret":"not to be printed"}`),
		resource("module.sms.aws_iam_user.sms", "aws_iam_user", `{"name":"`+user+`","arn":"arn:aws:iam::111122223333:user/`+user+`"}`),
		resource("module.sms.aws_iam_user.other", "aws_iam_user", `{"name":"other","arn":"arn:aws:iam::111122223333:user/other"}`),
		resource("module.sms.aws_iam_user_policy.sms", "aws_iam_user_policy", `{"user":"`+user+`","name":"auth0sns-publish-sms"}`),
	)
	w.must(err)
	if setup.AccessKeyID != w.key.ID {
		t.Errorf("the key is taken to be %q, and the state has %s", setup.AccessKeyID, w.key.ID)
	}
	var got []string
	for _, h := range list {
		got = append(got, fmt.Sprintf("%s removed=%t command=%t advice=%t", h.Address, h.Removed != "", h.Command != "", h.Advice != ""))
		if strings.Contains(fmt.Sprint(h), "not to be printed") {
			t.Error("a secret of the state is printed")
		}
	}
	want := []string{
		"auth0_action.sms removed=true command=true advice=false",
		`module.sms.auth0_trigger_action.sms["a"] removed=false command=true advice=false`,
		"module.sms.auth0_guardian.mfa removed=false command=false advice=true",
		"module.sms.aws_iam_access_key.sms removed=true command=true advice=false",
		"module.sms.aws_iam_user.sms removed=true command=true advice=false",
		"module.sms.aws_iam_user_policy.sms removed=true command=true advice=false",
	}
	if !slices.Equal(got, want) {
		t.Errorf("hands over\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if command := list[1].Command; command != `terraform state rm 'module.sms.auth0_trigger_action.sms["a"]'` {
		t.Errorf("a shell would not understand %s", command)
	}

	_, _, err = read(
		resource("auth0sns_action.sms", "auth0sns_action", `{"id":"`+w.action+`"}`),
		resource("module.sms.aws_iam_access_key.sms", "aws_iam_access_key", `{"id":"x","user":"`+user+`"}`))
	if err == nil || !strings.Contains(err.Error(), "manages this set-up with auth0sns already") {
		t.Errorf("%v: what auth0sns manages would be managed twice", err)
	}
}

// TestReadState names what is no state instead of finding nothing in it.
func TestReadState(t *testing.T) {
	for name, text := range map[string]string{
		"a state file": `{"version":4,"serial":1,"resources":[]}`,
		"empty":        `{"format_version":"1.0"}`,
		"no JSON":      "auth0_action.sms",
	} {
		if _, err := generate.ReadState(strings.NewReader(text)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
