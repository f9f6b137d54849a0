package review_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/acctest"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/review"
)

// account is the sandbox's.
const account = "111122223333"

// applied is what is applied; each plan of the test changes something of it.
const applied = `
terraform {
  required_version = ">= 1.11"
  required_providers {
    auth0sns = {
      source = "auth0sns/auth0sns"
    }
  }
}

variable "domain" {
  type = string
}

variable "account_id" {
  type = string
}

provider "auth0sns" {
  auth0 = { domain = var.domain }
  aws   = { allowed_account_ids = [var.account_id] }
}

resource "auth0sns_iam_user" "sms" {
  name = "auth0-mfa-sms"
}

resource "auth0sns_action" "sms" {
  name = "Amazon SNS"
  sms = {
    allowed_country_codes = ["+41", "+49"]
    max_price_usd         = "0.20"
  }
}

resource "auth0sns_credentials" "sms" {
  iam_user     = auth0sns_iam_user.sms.name
  action_id    = auth0sns_action.sms.id
  rotate_after = "90d"
}

resource "auth0sns_sms_factor" "sms" {
  sender_id            = auth0sns_credentials.sms.sender_id
  enrollment_message   = "{{code}} adds this phone."
  verification_message = "{{code}} is your code."

  lifecycle {
    create_before_destroy = true
  }
}

resource "auth0sns_mfa_policy" "sms" {
  policy     = "all-applications"
  depends_on = [auth0sns_sms_factor.sms]
}
`

// terraform is a directory of the real CLI whose provider runs in this process.
type terraform struct {
	dir       string
	variables []string
}

func newTerraform(t *testing.T, env *acctest.Env) terraform {
	t.Helper()
	if os.Getenv("TF_ACC") == "" {
		t.Skip("Acceptance tests skipped unless env 'TF_ACC' set")
	}
	_, err := exec.LookPath("terraform")
	acctest.NeedTool(t, err == nil, "terraform", "https://developer.hashicorp.com/terraform/install")
	return terraform{t.TempDir(), append(os.Environ(), "TF_REATTACH_PROVIDERS="+env.Serve(t),
		"TF_VAR_domain="+env.Variables["AUTH0_DOMAIN"], "TF_VAR_account_id="+account)}
}

func (tf terraform) run(t *testing.T, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "terraform", args...)
	cmd.Dir, cmd.Env = tf.dir, tf.variables
	stdout, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		t.Fatalf("terraform %s: %v\n%s%s", strings.Join(args, " "), err, stdout, exit.Stderr)
	}
	if err != nil {
		t.Fatal(err)
	}
	return stdout
}

// plan is the JSON of a plan for a configuration.
func (tf terraform) plan(t *testing.T, configuration string, args ...string) []byte {
	t.Helper()
	tf.write(t, configuration)
	tf.run(t, append([]string{"plan", "-input=false", "-no-color", "-out=plan"}, args...)...)
	return tf.run(t, "show", "-json", "plan")
}

func (tf terraform) write(t *testing.T, configuration string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(tf.dir, "main.tf"), []byte(configuration), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestAccPlans reviews plans that the real Terraform makes with the real provider:
// the plans of testdata, made by hand, could be of a Terraform that nobody has.
func TestAccPlans(t *testing.T) {
	env := acctest.New(t)
	tf := newTerraform(t, env)
	change := func(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(applied) }
	requireFindings(t, "the first set-up", tf.plan(t, applied))
	tf.run(t, "apply", "-no-color", "plan")
	requireFindings(t, "no change", tf.plan(t, applied))
	const sms = `sms = {
    allowed_country_codes = ["+41", "+49"]
    max_price_usd         = "0.20"
  }`
	const policy = `resource "auth0sns_mfa_policy" "sms" {
  policy     = "all-applications"
  depends_on = [auth0sns_sms_factor.sms]
}`
	for _, test := range []struct {
		name, configuration string
		args, want          []string
	}{
		{"factor and policy off", change("sender_id            =", "enabled = false\nsender_id =", "all-applications", "never"), nil, []string{
			"critical policy-off auth0sns_mfa_policy.sms", "critical factor-off auth0sns_sms_factor.sms",
		}},
		{"other options", change(`max_price_usd         = "0.20"`, "", `"+41", `, ""), nil, []string{
			"high countries-narrowed auth0sns_action.sms", "high max-price-removed auth0sns_action.sms", "medium code-changed auth0sns_action.sms",
		}},
		{"own code", change(sms, `code = "exports.onExecuteSendPhoneMessage = async () => {};"`), nil, []string{"high own-code auth0sns_action.sms"}},
		{"keepers", change("rotate_after", "keepers = { n = \"1\" }\nrotate_after"), nil, []string{"medium key-replaced auth0sns_credentials.sms"}},
		{"destroyed", applied, []string{"-destroy"}, []string{
			"critical sender-destroyed auth0sns_action.sms", "critical sender-destroyed auth0sns_credentials.sms", "critical sender-destroyed auth0sns_iam_user.sms",
			"critical policy-destroyed auth0sns_mfa_policy.sms", "critical factor-destroyed auth0sns_sms_factor.sms",
		}},
		{"replaced, made first", change(`name = "Amazon SNS"`, "name = \"Other\"\ntrigger = \"custom-phone-provider\""), nil, []string{
			"medium code-changed auth0sns_action.sms", "medium sender-replaced auth0sns_action.sms", "medium sender-replaced auth0sns_credentials.sms",
		}},
		{"replaced, destroyed first", change(`name = "Amazon SNS"`, "name = \"Other\"\ntrigger = \"custom-phone-provider\"", "create_before_destroy = true", ""), nil, []string{
			"critical create-before-destroy-missing auth0sns_action.sms", "critical create-before-destroy-missing auth0sns_credentials.sms", "medium code-changed auth0sns_action.sms",
		}},
		{"forgotten", change(policy, "removed {\nfrom = auth0sns_mfa_policy.sms\nlifecycle {\ndestroy = false\n}\n}"), nil, []string{"medium forgotten auth0sns_mfa_policy.sms"}},
		{"a part", applied, []string{"-target=auth0sns_iam_user.sms"}, []string{"medium plan-incomplete "}},
	} {
		requireFindings(t, test.name, tf.plan(t, test.configuration, test.args...), test.want...)
	}
	if err := env.Clock.Sleep(t.Context(), 91*24*time.Hour); err != nil {
		t.Fatal(err)
	}
	plan := tf.plan(t, applied)
	if !bytes.Contains(plan, []byte("rotation due")) {
		t.Error("the key is not due for rotation")
	}
	requireFindings(t, "a rotation that is due", plan)
	requireTarget(t, env, plan)
}

func requireFindings(t *testing.T, name string, plan []byte, want ...string) {
	t.Helper()
	var got []string
	for _, f := range review.Plan(read(t, plan)) {
		got = append(got, fmt.Sprintf("%s %s %s", f.Severity, f.ID, f.Address))
		if f.ID == "code-changed" && f.Diff == "" {
			t.Errorf("%s: the diff of the code is missing: %s", name, f.Detail)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: findings (-want +got):\n%s", name, diff)
	}
}

// requireTarget takes the plan for one of this tenant and account, and of no other.
func requireTarget(t *testing.T, env *acctest.Env, plan []byte) {
	t.Helper()
	pins := review.Pins{Environment: "staging", Domain: env.Variables["AUTH0_DOMAIN"], AccountID: account}
	if findings := review.Against(read(t, plan), pins); len(findings) != 0 {
		t.Errorf("against its own environment the plan has the findings %v", findings)
	}
	pins.Domain, pins.AccountID = "production.eu.auth0.com", "444455556666"
	if findings := review.Against(read(t, plan), pins); len(findings) != 2 {
		t.Errorf("against another environment the plan has the findings %v", findings)
	}
}
