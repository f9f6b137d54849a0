package cli

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/auth0"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/workspace"
)

// TestAnotherSendersMessageProvesNothing keeps production from following a staging
// whose codes came from Twilio, or from a sender set up by hand, all the time.
func TestAnotherSendersMessageProvesNothing(t *testing.T) {
	w := newSenderWorld(t)
	w.onAction(t)
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
	login()
	_, err = side.aws.CreateUser(t.Context(), awsapi.User{Name: "auth0-mfa-sms", Path: "/"})
	noError(t, err)
	key, err := side.aws.CreateAccessKey(t.Context(), "auth0-mfa-sms")
	noError(t, err)
	live := workspace.Live{IAMUser: "auth0-mfa-sms", AccessKeyID: key.ID}

	b := &bootstrap{}
	if err := b.hasSent(t.Context(), side, "staging", live); err == nil || !strings.Contains(err.Error(), "has never sent a message") {
		t.Errorf("a message from before there was this sender is taken for its own: %v", err)
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
