package aws_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/aws"
)

// TestTheAWSCLIAgrees is a second opinion: botocore reads our XML and its signer
// is none of Go's.
func TestTheAWSCLIAgrees(t *testing.T) {
	t.Parallel()
	path, err := exec.LookPath("aws")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("the aws CLI is not on PATH; in CI it has to be")
		}
		t.Skip("SKIPPED: the aws CLI is not on PATH, so nothing but Go's SDK was asked")
	}
	w := start(t, aws.Config{})
	operator := w.Operator()
	run := func(key aws.Credentials, args ...string) (string, error) {
		command := exec.CommandContext(t.Context(), path, append(args, "--endpoint-url", w.url, "--output", "text")...) //nolint:gosec // The arguments are the test's own.
		command.Env = []string{
			"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "AWS_EC2_METADATA_DISABLED=true", "AWS_DEFAULT_REGION=eu-west-1", "AWS_MAX_ATTEMPTS=1",
			"AWS_ACCESS_KEY_ID=" + key.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + key.SecretAccessKey, "PYENV_VERSION=" + os.Getenv("PYENV_VERSION"),
		}
		out, err := command.CombinedOutput()
		return strings.TrimSpace(string(out)), err
	}
	if out, err := run(operator, "--version"); err != nil {
		t.Skipf("SKIPPED: the aws CLI does not run: %s", out)
	}

	for _, step := range []struct{ args, want string }{
		{"sts get-caller-identity --query Arn", "arn:aws:iam::111122223333:user/operator"},
		{"iam create-user --user-name sender --path /auth0/ --tags Key=env,Value=staging --query User.Arn", "arn:aws:iam::111122223333:user/auth0/sender"},
		{"iam put-user-policy --user-name sender --policy-name sms --policy-document " + publishPolicy, ""},
		{"iam get-user-policy --user-name sender --policy-name sms --query PolicyDocument.Statement[1].Resource", "arn:aws:sns:*:*:*"},
		{"iam list-access-keys --user-name sender --query length(AccessKeyMetadata)", "0"},
		{"sns get-sms-attributes --query attributes.MonthlySpendLimit", "1"},
		{"sns list-origination-numbers --query length(PhoneNumbers)", "0"},
		{"sns list-sms-sandbox-phone-numbers --query length(PhoneNumbers)", "0"},
		{"iam simulate-principal-policy --policy-source-arn arn:aws:iam::111122223333:user/auth0/sender --action-names sns:Publish --query EvaluationResults[0].EvalDecision", "allowed"},
		{"iam list-attached-user-policies --user-name operator --query AttachedPolicies[0].PolicyName", "AdministratorAccess"},
		{"iam get-policy-version --policy-arn arn:aws:iam::aws:policy/AmazonSNSFullAccess --version-id v1 --query PolicyVersion.Document.Statement[0].Action[0]", "sns:*"},
		{"iam get-role --role-name operator --query Role.Arn", "arn:aws:iam::111122223333:role/operator"},
		{"sns check-if-phone-number-is-opted-out --phone-number " + phone + " --query isOptedOut", "False"},
	} {
		got, err := run(operator, strings.Fields(step.args)...)
		if err != nil || got != step.want {
			t.Fatalf("aws %s: got %q (%v), want %q", step.args, got, err, step.want)
		}
	}
	minted, err := run(operator, strings.Fields("iam create-access-key --user-name sender --query AccessKey.[AccessKeyId,SecretAccessKey]")...)
	ok(t, err)
	id, secret, _ := strings.Cut(minted, "\t")
	key := aws.Credentials{AccessKeyID: id, SecretAccessKey: secret}
	_, err = run(key, "sns", "publish", "--phone-number", phone, "--message", "code 1*2~3", "--message-attributes",
		`{"AWS.SNS.SMS.SMSType":{"DataType":"String","StringValue":"Transactional"}}`)
	ok(t, err)
	equal(t, "message", w.Inbox()[0].Text, "code 1*2~3")
	equal(t, "type", w.Inbox()[0].Type, "Transactional")

	refusal, err := run(key, strings.Fields("iam create-user --user-name x")...)
	if err == nil || !strings.Contains(refusal, "An error occurred (AccessDenied) when calling the CreateUser operation: User: arn:aws:iam::111122223333:user/auth0/sender is not authorized") {
		t.Fatalf("the CLI reads our refusal as %q", refusal)
	}
}
