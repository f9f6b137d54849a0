package aws_test

import (
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/aws"
)

func operatorRole(duration int32) *sts.AssumeRoleInput {
	return &sts.AssumeRoleInput{
		RoleArn:         awssdk.String("arn:aws:iam::111122223333:role/operator"),
		RoleSessionName: awssdk.String("terraform"),
		DurationSeconds: &duration,
	}
}

func TestGetCallerIdentityNeedsNoPermission(t *testing.T) {
	t.Parallel()
	w := start(t, aws.Config{})
	key := w.mint(t, "sender", `{"Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}`)
	_, _, client := w.clients("eu-west-1", key.AccessKeyID, key.SecretAccessKey, "")
	got, err := client.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	ok(t, err)
	equal(t, "ARN", *got.Arn, "arn:aws:iam::111122223333:user/sender")
	equal(t, "account", *got.Account, accountID)
	equal(t, "user id", *got.UserId, w.Snapshot().Users[1].UniqueID)
}

func TestAnAssumedRoleWorksUntilItExpires(t *testing.T) {
	t.Parallel()
	w, ctx := start(t, aws.Config{KeyDelay: time.Minute}), t.Context()
	got, err := w.sts.AssumeRole(ctx, operatorRole(900))
	ok(t, err)
	equal(t, "ARN", *got.AssumedRoleUser.Arn, "arn:aws:sts::111122223333:assumed-role/operator/terraform")
	key := got.Credentials
	users, _, client := w.clients("eu-west-1", *key.AccessKeyId, *key.SecretAccessKey, *key.SessionToken)

	identity, err := client.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	ok(t, err)
	equal(t, "identity", *identity.Arn, *got.AssumedRoleUser.Arn)
	_, err = users.CreateUser(ctx, &iam.CreateUserInput{UserName: awssdk.String("sender")})
	ok(t, err)
	_, err = users.GetUser(ctx, &iam.GetUserInput{})
	refused(t, err, "ValidationError", "Must specify userName when calling with non-User credentials")

	_, _, without := w.clients("eu-west-1", *key.AccessKeyId, *key.SecretAccessKey, "")
	_, err = without.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	refused(t, err, "InvalidClientTokenId", "")

	w.now.advance(899 * time.Second)
	_, _, client = w.clients("eu-west-1", *key.AccessKeyId, *key.SecretAccessKey, *key.SessionToken)
	_, err = client.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	ok(t, err)
	w.now.advance(time.Second)
	_, err = client.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	refused(t, err, "ExpiredToken", "The security token included in the request is expired")
}

func TestAssumeRoleIsRefused(t *testing.T) {
	t.Parallel()
	w, ctx := start(t, aws.Config{}), t.Context()
	unknown := operatorRole(900)
	unknown.RoleArn = awssdk.String("arn:aws:iam::111122223333:role/nobody")
	_, err := w.sts.AssumeRole(ctx, unknown)
	refused(t, err, "AccessDenied", "is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111122223333:role/nobody")
	_, err = w.sts.AssumeRole(ctx, operatorRole(899))
	refused(t, err, "ValidationError", "durationSeconds")
	_, err = w.sts.AssumeRole(ctx, operatorRole(7200))
	refused(t, err, "ValidationError", "MaxSessionDuration")
	badName := operatorRole(900)
	badName.RoleSessionName = awssdk.String("a b")
	_, err = w.sts.AssumeRole(ctx, badName)
	refused(t, err, "ValidationError", "roleSessionName")
	narrowed := operatorRole(900)
	narrowed.Policy = awssdk.String(publishPolicy)
	_, err = w.sts.AssumeRole(ctx, narrowed)
	refused(t, err, "ValidationError", "Session policies are not emulated")

	key := w.mint(t, "sender", publishPolicy)
	_, _, sender := w.clients("eu-west-1", key.AccessKeyID, key.SecretAccessKey, "")
	_, err = sender.AssumeRole(ctx, operatorRole(900))
	refused(t, err, "AccessDenied", "because no identity-based policy allows the sts:AssumeRole action")
}
