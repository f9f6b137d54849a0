//go:build unix

package checks_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/acctest"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/checks"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sender"
)

// TestAnAccountThatIsNotOursIsReadAlike: the sandbox and the checks could agree
// on something that AWS does not say. moto knows no simulator, SMS sandbox,
// origination number or CloudWatch in CBOR, and its managed policies are off.
func TestAnAccountThatIsNotOursIsReadAlike(t *testing.T) {
	moto := acctest.StartMoto(t, "111122223333")
	env := acctest.New(t, acctest.WithAWS(moto))
	moto.Use(t, env)
	w := &accountWorld{Env: env, t: t, aws: env.AWS(t), sender: &accountSenderFake{}}
	w.expect = checks.Expect{IAMUser: accountUser, PolicyName: accountPolicy, SenderID: accountSender, Region: "us-east-1", SMS: &sender.Options{}}
	_, err := w.aws.CreateUser(t.Context(), awsapi.User{Name: accountUser, Path: "/"})
	w.ok(err)
	w.ok(w.aws.PutUserPolicy(t.Context(), accountUser, accountPolicy, awsapi.PublishPolicy("aws")))
	w.ok(w.rotate())

	look := func() map[string]checks.Finding {
		known := []string{"aws-reachable", "key-active", "key-is-the-states", "key-last-used", "key-age", "key-slot", "policy-allows-sms", "policy-no-more", "spend-limit"}
		return w.lookAt(known...)
	}
	// A limit that was never set is none that moto tells.
	if diff := cmp.Diff([]string{"spend-limit: unknown"}, notPassed(look())); diff != "" {
		t.Errorf("a good account (-want +got):\n%s\n%v", diff, look())
	}
	w.ok(w.aws.SetAccessKeyActive(t.Context(), accountUser, w.expect.AccessKeyID, false))
	w.ok(w.aws.PutUserPolicy(t.Context(), accountUser, "more", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}`))
	if diff := cmp.Diff([]string{"key-active: fail", "policy-no-more: fail", "spend-limit: unknown"}, notPassed(look())); diff != "" {
		t.Errorf("a key that is inactive, a policy that allows more (-want +got):\n%s", diff)
	}

	if _, err := w.aws.PublishSMS(t.Context(), "us-east-1", awsapi.SMS{To: "+15005550006", Text: "hi", Type: "Transactional", MaxPriceUSD: "0.5"}); err != nil {
		t.Errorf("a message: %v", err)
	}
	// moto's own rule: numbers that end in 99.
	for number, want := range map[string]bool{"+15005550006": false, "+15005550099": true} {
		if out, err := w.aws.IsOptedOut(t.Context(), "us-east-1", number); err != nil || out != want {
			t.Errorf("%s opted out: %t, %v", number, out, err)
		}
	}
}
