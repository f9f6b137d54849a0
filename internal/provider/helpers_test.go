package provider_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/acctest"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/aws"
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
