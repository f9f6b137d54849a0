//go:build unix

package acctest_test

import (
	"errors"
	"net/http/httptest"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/acctest"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/aws"
)

const motoAccount = "111122223333"

// motoConfig is for clients of AWS's own SDK, which moto on its own confuses.
func motoConfig(url string, key aws.Credentials) awssdk.Config {
	return awssdk.Config{
		Region: "us-east-1", BaseEndpoint: &url,
		Credentials: credentials.NewStaticCredentialsProvider(key.AccessKeyID, key.SecretAccessKey, ""),
		Retryer:     func() awssdk.Retryer { return awssdk.NopRetryer{} },
	}
}

func wantCode(t *testing.T, what string, err error, code string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code {
		t.Errorf("%s: got %v, want %s: the second opinion on AWS would be no AWS", what, err, code)
	}
}

func TestMotoBehindTheProxyRefusesAsAWSDoes(t *testing.T) {
	t.Parallel()
	moto := acctest.StartMoto(t, motoAccount)
	server := httptest.NewServer(moto)
	t.Cleanup(server.Close)
	ctx, operator := t.Context(), iam.NewFromConfig(motoConfig(server.URL, moto.Operator))
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	identity, err := sts.NewFromConfig(motoConfig(server.URL, moto.Operator)).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	must(err)
	if *identity.Account != motoAccount {
		t.Errorf("account %s, want %s", *identity.Account, motoAccount)
	}

	user := awssdk.String("powerless")
	_, err = operator.CreateUser(ctx, &iam.CreateUserInput{UserName: user})
	must(err)
	created, err := operator.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: user})
	must(err)
	keyID := created.AccessKey.AccessKeyId
	key := moto.Key(t, *keyID)
	if key.SecretAccessKey != *created.AccessKey.SecretAccessKey {
		t.Error("the proxy kept another key than the one it passed on")
	}
	powerless := motoConfig(server.URL, key)
	publish := func(config awssdk.Config) error {
		_, err := sns.NewFromConfig(config).Publish(ctx, &sns.PublishInput{PhoneNumber: awssdk.String("+15005550001"), Message: awssdk.String("hi")})
		return err
	}

	err = publish(powerless)
	wantCode(t, "SNS without permission", err, "AuthorizationError")
	var typed *snstypes.AuthorizationErrorException
	if !errors.As(err, &typed) {
		t.Errorf("%T is not the type that callers switch on", err)
	}
	_, err = iam.NewFromConfig(powerless).ListUsers(ctx, &iam.ListUsersInput{})
	wantCode(t, "IAM without permission", err, "AccessDenied")
	wantCode(t, "a wrong secret", publish(motoConfig(server.URL, aws.Credentials{AccessKeyID: *keyID, SecretAccessKey: "wrong"})), "SignatureDoesNotMatch")
	wantCode(t, "an unknown key", publish(motoConfig(server.URL, aws.Credentials{AccessKeyID: "AKIAUNKNOWNUNKNOWN00", SecretAccessKey: "wrong"})), "InvalidClientTokenId")

	_, err = operator.DeleteUser(ctx, &iam.DeleteUserInput{UserName: user})
	wantCode(t, "a user with keys", err, "DeleteConflict")
	_, err = operator.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{UserName: user, AccessKeyId: keyID, Status: iamtypes.StatusTypeInactive})
	must(err)
	wantCode(t, "an inactive key", publish(powerless), "InvalidClientTokenId")
	_, err = operator.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{UserName: user, AccessKeyId: keyID, Status: iamtypes.StatusTypeActive})
	must(err)
	wantCode(t, "a key turned on again", publish(powerless), "AuthorizationError")
	_, err = operator.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: user, AccessKeyId: keyID})
	must(err)
	wantCode(t, "a deleted key", publish(powerless), "InvalidClientTokenId")
	_, err = operator.DeleteUser(ctx, &iam.DeleteUserInput{UserName: user})
	must(err)

	calls := moto.Calls("sns", "Publish")
	if len(calls) != 6 || calls[0].Code != "AuthorizationError" || calls[0].Form.Get("PhoneNumber") != "+15005550001" || calls[0].AccessKeyID != *keyID {
		t.Errorf("%d calls recorded, the first %+v: a test could not tell what moto was asked", len(calls), calls[0])
	}
}
