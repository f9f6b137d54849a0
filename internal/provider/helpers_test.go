package provider_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/acctest"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/aws"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/control"
)

// lastSMS is the newest message on the phone.
func lastSMS(t *testing.T, env *acctest.Env) aws.SMS {
	t.Helper()
	inbox := env.Account.Inbox()
	if len(inbox) == 0 {
		t.Fatal("no SMS arrived")
	}
	return inbox[len(inbox)-1]
}

func requireEqual(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("%s (-want +got):\n%s", what, diff)
	}
}

// blockConfig is a configuration with one resource block named "test".
func blockConfig(resourceType, body string) string {
	return fmt.Sprintf("terraform {\n  required_providers {\n    auth0sns = { source = \"auth0sns/auth0sns\" }\n  }\n}\n\nresource %q \"test\" {\n%s\n}\n", resourceType, body)
}

// actionIs asserts what a plan does with the only resource.
func actionIs(address string, action plancheck.ResourceActionType, more ...plancheck.PlanCheck) resource.ConfigPlanChecks {
	return resource.ConfigPlanChecks{PreApply: append(more, plancheck.ExpectResourceAction(address, action))}
}

// holds is a check of what tenant or account hold after an apply.
func holds(check func()) resource.TestCheckFunc {
	return func(*terraform.State) error {
		check()
		return nil
	}
}

// succeeds fails the test where a change outside Terraform did not work.
func succeeds(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// requireWords fails unless every one of the phrases is in the text.
func requireWords(t *testing.T, text string, phrases ...string) {
	t.Helper()
	for _, phrase := range phrases {
		if !strings.Contains(text, phrase) {
			t.Errorf("%q is missing in:\n%s", phrase, text)
		}
	}
}

// requireNoWrites fails if a command that was refused changed anything.
func requireNoWrites(t *testing.T, requests []control.Entry) {
	t.Helper()
	for _, r := range requests {
		read := r.Method == "GET" || r.Path == "/oauth/token" || strings.HasPrefix(r.Operation, "sts:") ||
			strings.HasPrefix(r.Operation, "iam:Get") || strings.HasPrefix(r.Operation, "iam:List")
		if !read {
			t.Errorf("%s was sent although the plan was refused", r.Operation)
		}
	}
}

// importOf is the import block that a refusal prints.
func importOf(address, id string) string {
	return fmt.Sprintf("import {\n  to = %s\n  id = %q\n}\n", address, id)
}
