package cli

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/auth0"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/workspace"
)

// TestAnOldMessageProvesNothing keeps production from following a staging whose
// codes came from Twilio, from a sender set up by hand, or from this one before
// its settings were changed.
func TestAnOldMessageProvesNothing(t *testing.T) {
	w := newSenderWorld(t)
	id := w.onAction(t)
	noError(t, w.Auth0(t).SetMessageTypes(t.Context(), []string{"sms"}))
	for name, value := range w.Variables {
		t.Setenv(name, value)
	}
	side, err := connect(t.Context(), "1.2.3", pins{})
	noError(t, err)
	login := func() {
		t.Helper()
		w.World.Kernel.Clock.Advance(time.Minute)
		result, err := w.Tenant.Challenge(t.Context(), auth0.ChallengeRequest{PhoneNumber: testPhone})
		noError(t, err)
		if !result.Sent {
			t.Fatalf("nobody got a code: %s", result.Error)
		}
		w.World.Kernel.Clock.Advance(time.Minute)
	}
	_, err = side.aws.CreateUser(t.Context(), awsapi.User{Name: "auth0-mfa-sms", Path: "/"})
	noError(t, err)
	login()
	code := "exports.x = 2;"
	_, err = side.auth0.UpdateAction(t.Context(), id, auth0api.ActionPatch{Code: &code})
	noError(t, err)
	w.World.Kernel.Clock.Advance(time.Minute)
	noError(t, side.auth0.DeployAction(t.Context(), id))
	w.World.Kernel.Clock.Advance(time.Minute)
	key, err := side.aws.CreateAccessKey(t.Context(), "auth0-mfa-sms")
	noError(t, err)
	live := workspace.Live{SenderID: id, IAMUser: "auth0-mfa-sms", AccessKeyID: key.ID}

	b := &bootstrap{}
	if err := b.hasSent(t.Context(), side, "staging", live); err == nil || !strings.Contains(err.Error(), "has never sent a message") {
		t.Errorf("a message from before its last deploy is taken for one of it: %v", err)
	}
	login()
	if err := b.hasSent(t.Context(), side, "staging", live); err != nil {
		t.Errorf("its own message is not seen: %v", err)
	}
}

// TestALockThatWasLeftHasAWayOut: Terraform's own advice is a flag that this
// command does not have.
func TestALockThatWasLeftHasAWayOut(t *testing.T) {
	b := &bootstrap{display: &display{}}
	err := b.terraformFailed(t.Context(), "Mend it", errors.New("Error: Error acquiring the state lock\n\nID: 6b1e"))
	if !strings.Contains(err.Error(), "terraform force-unlock") || !strings.Contains(err.Error(), "ID: 6b1e") {
		t.Errorf("nobody can go on: %v", err)
	}
}

// TestInitSaysWhatToDoAboutTheProvider is for everybody who builds it, as all do
// until the registry has it. The texts are Terraform's.
func TestInitSaysWhatToDoAboutTheProvider(t *testing.T) {
	for text, want := range map[string]string{
		"Error: Failed to query available provider packages\n\nCould not retrieve the list of available versions for provider auth0sns/auth0sns":                 "make install",
		"the local package for registry.terraform.io/auth0sns/auth0sns 1.2.3 doesn't match any of the checksums previously recorded in the dependency lock file": ".terraform.lock.hcl",
		"Error: Failed to get existing workspaces: S3 bucket \"states\" does not exist":                                                                          "the backend",
	} {
		if got := initRemedy(errors.New(text)); !strings.Contains(got, want) {
			t.Errorf("%q: %s", text, got)
		}
	}
}
