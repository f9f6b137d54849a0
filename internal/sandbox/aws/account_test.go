package aws_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/aws"
)

const accountID = "111122223333"

// world is an account behind a real HTTP server, with its operator's clients.
type world struct {
	*aws.Account
	url string
	now *clock
	iam *iam.Client
	sns *sns.Client
	sts *sts.Client
}

// clock is the account's time: the real one, moved.
type clock struct {
	mu     sync.Mutex
	offset time.Duration
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.offset)
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset += d
}

func start(t *testing.T, config aws.Config) *world {
	t.Helper()
	w := &world{now: &clock{}}
	config.AccountID, config.Now = accountID, w.now.Now
	w.Account = aws.New(config)
	server := httptest.NewServer(w.Account)
	t.Cleanup(server.Close)
	w.url = server.URL
	operator := w.Operator()
	w.iam, w.sns, w.sts = w.clients("eu-west-1", operator.AccessKeyID, operator.SecretAccessKey, "")
	return w
}

func (w *world) clients(region, id, secret, token string) (*iam.Client, *sns.Client, *sts.Client) {
	config := awssdk.Config{
		Region:       region,
		BaseEndpoint: awssdk.String(w.url),
		Credentials:  credentials.NewStaticCredentialsProvider(id, secret, token),
		Retryer:      func() awssdk.Retryer { return awssdk.NopRetryer{} },
	}
	return iam.NewFromConfig(config), sns.NewFromConfig(config), sts.NewFromConfig(config)
}

// mint makes a user with one inline policy and an access key.
func (w *world) mint(t *testing.T, name, policy string) aws.Credentials {
	t.Helper()
	_, err := w.iam.CreateUser(t.Context(), &iam.CreateUserInput{UserName: &name})
	ok(t, err)
	if policy != "" {
		_, err = w.iam.PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{UserName: &name, PolicyName: awssdk.String("p"), PolicyDocument: &policy})
		ok(t, err)
	}
	key, err := w.iam.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: &name})
	ok(t, err)
	return aws.Credentials{AccessKeyID: *key.AccessKey.AccessKeyId, SecretAccessKey: *key.AccessKey.SecretAccessKey}
}

// whoami calls GetCallerIdentity, which asks for no permission, with a key.
func (w *world) whoami(ctx context.Context, key aws.Credentials) error {
	_, _, client := w.clients("eu-west-1", key.AccessKeyID, key.SecretAccessKey, "")
	_, err := client.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	return err
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// refused wants an API error with this code, and this text in it.
func refused(t *testing.T, err error, code, text string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) {
		t.Fatalf("want the error %s, got %v", code, err)
	}
	if api.ErrorCode() != code || !strings.Contains(api.ErrorMessage(), text) {
		t.Fatalf("want %s with %q, got %s: %s", code, text, api.ErrorCode(), api.ErrorMessage())
	}
}

// typed wants an error of the SDK's type E, because users switch on types.
func typed[E error](t *testing.T, err error) {
	t.Helper()
	var want E
	if !errors.As(err, &want) {
		t.Fatalf("want a %T, got %v", want, err)
	}
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

func TestANewKeyIsRefusedUntilItHasSpread(t *testing.T) {
	t.Parallel()
	w := start(t, aws.Config{KeyDelay: 10 * time.Second})
	key := w.mint(t, "sender", "")

	refused(t, w.whoami(t.Context(), key), "InvalidClientTokenId", "security token included in the request is invalid")
	w.now.advance(9 * time.Second)
	refused(t, w.whoami(t.Context(), key), "InvalidClientTokenId", "")
	w.now.advance(time.Second)
	ok(t, w.whoami(t.Context(), key))
}

func TestARevokedKeyStopsAfterTheDelay(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"deactivated", "deleted"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			w := start(t, aws.Config{RevocationDelay: 5 * time.Second})
			key := w.mint(t, "sender", "")
			ok(t, w.revoke(t.Context(), how, key))

			ok(t, w.whoami(t.Context(), key))
			w.now.advance(5 * time.Second)
			refused(t, w.whoami(t.Context(), key), "InvalidClientTokenId", "")
		})
	}
}

func (w *world) revoke(ctx context.Context, how string, key aws.Credentials) error {
	name := awssdk.String("sender")
	if how == "deleted" {
		_, err := w.iam.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: name, AccessKeyId: &key.AccessKeyID})
		return err
	}
	_, err := w.iam.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{UserName: name, AccessKeyId: &key.AccessKeyID, Status: "Inactive"})
	return err
}

func TestAnInactiveKeyIsRefusedAndAReactivatedOneWorks(t *testing.T) {
	t.Parallel()
	w := start(t, aws.Config{})
	key := w.mint(t, "sender", "")
	ok(t, w.revoke(t.Context(), "deactivated", key))
	refused(t, w.whoami(t.Context(), key), "InvalidClientTokenId", "")

	_, err := w.iam.UpdateAccessKey(t.Context(), &iam.UpdateAccessKeyInput{UserName: awssdk.String("sender"), AccessKeyId: &key.AccessKeyID, Status: "Active"})
	ok(t, err)
	ok(t, w.whoami(t.Context(), key))
}

func TestAReactivatedKeyHasToSpreadAgain(t *testing.T) {
	t.Parallel()
	w := start(t, aws.Config{KeyDelay: 10 * time.Second, RevocationDelay: 5 * time.Second})
	key := w.mint(t, "sender", "")
	w.now.advance(10 * time.Second)
	activate := func() {
		_, err := w.iam.UpdateAccessKey(t.Context(), &iam.UpdateAccessKeyInput{UserName: awssdk.String("sender"), AccessKeyId: &key.AccessKeyID, Status: "Active"})
		ok(t, err)
	}

	ok(t, w.revoke(t.Context(), "deactivated", key))
	activate()
	ok(t, w.whoami(t.Context(), key)) // Taken back before anyone had seen the revocation.

	ok(t, w.revoke(t.Context(), "deactivated", key))
	w.now.advance(5 * time.Second)
	activate()
	refused(t, w.whoami(t.Context(), key), "InvalidClientTokenId", "")
	w.now.advance(10 * time.Second)
	ok(t, w.whoami(t.Context(), key))
}

func TestMovingTheAccountsClockDoesNotPutClientsOut(t *testing.T) {
	t.Parallel()
	w := start(t, aws.Config{})
	w.now.advance(90 * 24 * time.Hour)
	ok(t, w.whoami(t.Context(), w.Operator()))
}

func TestBadCredentialsGetAWSsOwnCodes(t *testing.T) {
	t.Parallel()
	w := start(t, aws.Config{})
	operator := w.Operator()
	unknown := aws.Credentials{AccessKeyID: "AKIAUNKNOWNUNKNOWN00", SecretAccessKey: "x"}
	refused(t, w.whoami(t.Context(), unknown), "InvalidClientTokenId", "")
	wrong := aws.Credentials{AccessKeyID: operator.AccessKeyID, SecretAccessKey: "wrong"}
	refused(t, w.whoami(t.Context(), wrong), "SignatureDoesNotMatch", "The request signature we calculated")

	_, _, withToken := w.clients("eu-west-1", operator.AccessKeyID, operator.SecretAccessKey, "a token")
	_, err := withToken.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	refused(t, err, "InvalidClientTokenId", "")
}

func TestSnapshotShowsEverythingButSecrets(t *testing.T) {
	t.Parallel()
	w := start(t, aws.Config{})
	key := w.mint(t, "sender", publishPolicy)
	_, client, _ := w.clients("us-east-1", key.AccessKeyID, key.SecretAccessKey, "")
	_, err := client.Publish(t.Context(), &sns.PublishInput{PhoneNumber: awssdk.String("+14155550100"), Message: awssdk.String("123456")})
	ok(t, err)

	snapshot := w.Snapshot()
	equal(t, "users", len(snapshot.Users), 2)
	sender := snapshot.Users[1]
	equal(t, "name", sender.Name, "sender")
	equal(t, "policy", sender.Policies["p"], publishPolicy)
	equal(t, "key", sender.AccessKeys[0].ID, key.AccessKeyID)
	equal(t, "last used service", sender.AccessKeys[0].LastUsedService, "sns")
	equal(t, "last used region", sender.AccessKeys[0].LastUsedRegion, "us-east-1")

	encoded, err := json.Marshal(snapshot)
	ok(t, err)
	shown := string(encoded) + fmt.Sprintf("%v %+v %#v %s", w.Account, w.Account, w.Operator(), w.Operator())
	for _, secret := range []string{key.SecretAccessKey, w.Operator().SecretAccessKey} {
		if strings.Contains(shown, secret) {
			t.Fatal("a secret key shows in the snapshot or in formatted output")
		}
	}
	if strings.Contains(string(encoded), "null") {
		t.Fatalf("lists of the snapshot must not be null: %s", encoded)
	}
}

func TestSecretsAreAllThatWereEverHandedOut(t *testing.T) {
	t.Parallel()
	w := start(t, aws.Config{})
	before, deleted := w.mint(t, "before", ""), w.mint(t, "deleted", "")
	_, err := w.iam.DeleteAccessKey(t.Context(), &iam.DeleteAccessKeyInput{UserName: awssdk.String("deleted"), AccessKeyId: &deleted.AccessKeyID})
	ok(t, err)
	session, err := w.sts.AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: awssdk.String("arn:aws:iam::" + accountID + ":role/operator"), RoleSessionName: awssdk.String("s-1")})
	ok(t, err)
	w.Reset()
	after := w.mint(t, "after", "")
	want := []string{
		w.Operator().SecretAccessKey, before.SecretAccessKey, deleted.SecretAccessKey,
		*session.Credentials.SecretAccessKey, *session.Credentials.SessionToken, after.SecretAccessKey,
	}
	if got := w.Secrets(); !slices.Equal(got, want) {
		t.Errorf("%d secrets, want %d: a search for leaks would not look for all of them", len(got), len(want))
	}
}

func TestResetKeepsTheOperatorAndForgetsTheRest(t *testing.T) {
	t.Parallel()
	w := start(t, aws.Config{})
	key := w.mint(t, "sender", "")
	w.Reset()
	ok(t, w.whoami(t.Context(), w.Operator()))
	refused(t, w.whoami(t.Context(), key), "InvalidClientTokenId", "")
	equal(t, "users", len(w.Snapshot().Users), 1)
}

func TestTheOperatorsPermissionsCanBeTaken(t *testing.T) {
	t.Parallel()
	w := start(t, aws.Config{})
	ok(t, w.SetOperatorPolicy(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:GetUser","Resource":"*"}}`))
	_, err := w.iam.GetUser(t.Context(), &iam.GetUserInput{})
	ok(t, err)
	_, err = w.iam.CreateUser(t.Context(), &iam.CreateUserInput{UserName: awssdk.String("sender")})
	refused(t, err, "AccessDenied", "User: arn:aws:iam::111122223333:user/operator is not authorized to perform: iam:CreateUser on resource: "+
		"arn:aws:iam::111122223333:user/sender because no identity-based policy allows the iam:CreateUser action")

	if err := w.SetOperatorPolicy("{"); err == nil {
		t.Fatal("a policy that IAM would refuse was accepted: the operator would silently keep or lose rights")
	}
	ok(t, w.SetOperatorPolicy(""))
	_, err = w.iam.CreateUser(t.Context(), &iam.CreateUserInput{UserName: awssdk.String("sender")})
	ok(t, err)
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	w := start(t, aws.Config{})
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			name := fmt.Sprintf("user-%d", i)
			if _, err := w.iam.CreateUser(t.Context(), &iam.CreateUserInput{UserName: &name}); err != nil {
				t.Error(err)
			}
			w.SetOptedOut([]string{name})
			w.Snapshot()
		})
	}
	group.Wait()
	equal(t, "users", len(w.Snapshot().Users), 9)
}
