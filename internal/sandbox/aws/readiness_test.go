package aws_test

import (
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/google/go-cmp/cmp"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/aws"
)

func (w *world) metrics(key aws.Credentials) *cloudwatch.Client {
	return cloudwatch.NewFromConfig(awssdk.Config{
		Region: "eu-west-1", BaseEndpoint: &w.url,
		Credentials: credentials.NewStaticCredentialsProvider(key.AccessKeyID, key.SecretAccessKey, ""),
		Retryer:     func() awssdk.Retryer { return awssdk.NopRetryer{} },
	})
}

// spending asks for the month up to now, as the metric is meant to be read.
func spending(now time.Time) *cloudwatch.GetMetricStatisticsInput {
	return &cloudwatch.GetMetricStatisticsInput{
		Namespace: awssdk.String("AWS/SNS"), MetricName: awssdk.String("SMSMonthToDateSpentUSD"),
		StartTime: awssdk.Time(now.Add(-24 * time.Hour)), EndTime: awssdk.Time(now.Add(time.Minute)),
		Period: awssdk.Int32(3600), Statistics: []cwtypes.Statistic{cwtypes.StatisticMaximum},
	}
}

func TestCloudWatchTellsWhatTheMonthHasCost(t *testing.T) {
	t.Parallel()
	w := start(t, aws.Config{})
	client, now := w.metrics(w.Operator()), w.now.Now()
	out, err := client.GetMetricStatistics(t.Context(), spending(now))
	ok(t, err)
	equal(t, "data points before anything was sent", len(out.Datapoints), 0)

	w.SetMonthlySpend(5, 4.25)
	out, err = client.GetMetricStatistics(t.Context(), spending(now))
	ok(t, err)
	if len(out.Datapoints) != 1 || *out.Datapoints[0].Maximum != 4.25 || out.Datapoints[0].Timestamp.After(now) {
		t.Fatalf("a check of the spending reads %+v, want one data point of 4.25 USD", out.Datapoints)
	}
	other := spending(now)
	other.MetricName = awssdk.String("NumberOfMessagesPublished")
	out, err = client.GetMetricStatistics(t.Context(), other)
	ok(t, err)
	equal(t, "data points of a metric that is not emulated", len(out.Datapoints), 0)
}

func TestCloudWatchRefusesWhatAWSRefuses(t *testing.T) {
	t.Parallel()
	w := start(t, aws.Config{})
	operator, now := w.Operator(), w.now.Now()
	bent := func(bend func(*cloudwatch.GetMetricStatisticsInput)) *cloudwatch.GetMetricStatisticsInput {
		in := spending(now)
		bend(in)
		return in
	}
	wrong := aws.Credentials{AccessKeyID: operator.AccessKeyID, SecretAccessKey: "wrong"}
	for name, c := range map[string]struct {
		key        aws.Credentials
		in         *cloudwatch.GetMetricStatisticsInput
		code, text string
	}{
		"no permission":    {w.mint(t, "sender", publishPolicy), spending(now), "AccessDeniedException", "not authorized to perform: cloudwatch:GetMetricStatistics"},
		"wrong secret":     {wrong, spending(now), "InvalidSignatureException", "does not match"},
		"unknown key":      {aws.Credentials{AccessKeyID: "AKIANOBODY", SecretAccessKey: "x"}, spending(now), "UnrecognizedClientException", "invalid"},
		"odd period":       {operator, bent(func(in *cloudwatch.GetMetricStatisticsInput) { in.Period = awssdk.Int32(61) }), "InvalidParameterValue", "Period"},
		"end before start": {operator, bent(func(in *cloudwatch.GetMetricStatisticsInput) { in.StartTime, in.EndTime = in.EndTime, in.StartTime }), "InvalidParameterValue", "StartTime"},
		"too many points": {operator, bent(func(in *cloudwatch.GetMetricStatisticsInput) {
			in.Period, in.StartTime = awssdk.Int32(60), awssdk.Time(now.Add(-48*time.Hour))
		}), "InvalidParameterCombination", "1440"},
		"nothing asked for": {operator, bent(func(in *cloudwatch.GetMetricStatisticsInput) { in.Statistics = nil }), "MissingParameter", "Statistics"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.metrics(c.key).GetMetricStatistics(t.Context(), c.in)
			refused(t, err, c.code, c.text)
		})
	}
	_, err := w.metrics(operator).ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{})
	refused(t, err, "UnknownOperationException", "not emulated")
}

func TestTheAccountListsItsNumbers(t *testing.T) {
	t.Parallel()
	w := start(t, aws.Config{})
	w.SetSMSSandbox(true, []string{"+15005550002", "+15005550001"})
	w.SetOriginationNumbers([]aws.OriginationNumber{{Number: "+12065550100", Country: "US"}, {Number: "+442071838750", Country: "GB", VoiceOnly: true, Status: "PENDING"}})
	first, err := w.sns.ListSMSSandboxPhoneNumbers(t.Context(), &sns.ListSMSSandboxPhoneNumbersInput{MaxResults: awssdk.Int32(1)})
	ok(t, err)
	second, err := w.sns.ListSMSSandboxPhoneNumbers(t.Context(), &sns.ListSMSSandboxPhoneNumbersInput{NextToken: first.NextToken})
	ok(t, err)
	if len(first.PhoneNumbers) != 1 || *first.PhoneNumbers[0].PhoneNumber != "+15005550001" || len(second.PhoneNumbers) != 1 || second.NextToken != nil {
		t.Errorf("pages %+v and %+v: a check would miss a verified number", first, second)
	}
	numbers, err := w.sns.ListOriginationNumbers(t.Context(), &sns.ListOriginationNumbersInput{})
	ok(t, err)
	var got []string
	for _, n := range numbers.PhoneNumbers {
		got = append(got, *n.PhoneNumber, *n.Iso2CountryCode, *n.Status, string(n.NumberCapabilities[0]))
	}
	if diff := cmp.Diff([]string{"+12065550100", "US", "ACTIVE", "SMS", "+442071838750", "GB", "PENDING", "VOICE"}, got); diff != "" {
		t.Errorf("origination numbers (-want +got):\n%s", diff)
	}
	_, err = w.sns.ListOriginationNumbers(t.Context(), &sns.ListOriginationNumbersInput{MaxResults: awssdk.Int32(31)})
	refused(t, err, "ValidationError", "between 1 and 30")
	_, err = w.sns.ListOriginationNumbers(t.Context(), &sns.ListOriginationNumbersInput{NextToken: awssdk.String("7")})
	refused(t, err, "InvalidParameter", "NextToken")
}

func TestManagedPoliciesAreAttachedAndRead(t *testing.T) {
	t.Parallel()
	w := start(t, aws.Config{})
	key, user := w.mint(t, "sender", ""), awssdk.String("sender")
	full := awssdk.String("arn:aws:iam::aws:policy/AmazonSNSFullAccess")
	_, client, _ := w.clients("eu-west-1", key.AccessKeyID, key.SecretAccessKey, "")
	_, err := client.Publish(t.Context(), text(phone, "hi"))
	refused(t, err, "AuthorizationError", "SNS:Publish")
	_, err = w.iam.AttachUserPolicy(t.Context(), &iam.AttachUserPolicyInput{UserName: user, PolicyArn: full})
	ok(t, err)
	_, err = client.Publish(t.Context(), text(phone, "hi"))
	ok(t, err)

	policy, err := w.iam.GetPolicy(t.Context(), &iam.GetPolicyInput{PolicyArn: full})
	ok(t, err)
	version, err := w.iam.GetPolicyVersion(t.Context(), &iam.GetPolicyVersionInput{PolicyArn: full, VersionId: policy.Policy.DefaultVersionId})
	ok(t, err)
	equal(t, "document", *version.PolicyVersion.Document, "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%5B%22sns%3A%2A%22%5D%2C%22Resource%22%3A%5B%22%2A%22%5D%7D%5D%7D")
	_, err = w.iam.GetPolicyVersion(t.Context(), &iam.GetPolicyVersionInput{PolicyArn: full, VersionId: awssdk.String("v2")})
	refused(t, err, "NoSuchEntity", "v2")
	_, err = w.iam.GetPolicy(t.Context(), &iam.GetPolicyInput{PolicyArn: awssdk.String("arn:aws:iam::111122223333:policy/mine")})
	refused(t, err, "NoSuchEntity", "mine")

	_, err = w.iam.DetachUserPolicy(t.Context(), &iam.DetachUserPolicyInput{UserName: user, PolicyArn: full})
	ok(t, err)
	_, err = w.iam.DetachUserPolicy(t.Context(), &iam.DetachUserPolicyInput{UserName: user, PolicyArn: full})
	refused(t, err, "NoSuchEntity", "AmazonSNSFullAccess")
}

func TestTheSimulatorDecidesAsRequestsAreDecided(t *testing.T) {
	t.Parallel()
	w := start(t, aws.Config{})
	w.mint(t, "bounded", `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":["sns:Publish","iam:GetUser"],"Resource":"*"},
		{"Effect":"Deny","Action":"sns:Publish","Resource":"arn:aws:sns:*:*:*"},
		{"Effect":"Allow","Action":"s3:GetObject","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}]}`)
	_, err := w.iam.PutUserPermissionsBoundary(t.Context(), &iam.PutUserPermissionsBoundaryInput{
		UserName: awssdk.String("bounded"), PermissionsBoundary: awssdk.String("arn:aws:iam::aws:policy/PowerUserAccess"),
	})
	ok(t, err)
	source := awssdk.String("arn:aws:iam::111122223333:user/bounded")
	out, err := w.iam.SimulatePrincipalPolicy(t.Context(), &iam.SimulatePrincipalPolicyInput{
		PolicySourceArn: source, ActionNames: []string{"sns:Publish", "iam:GetUser", "s3:GetObject", "sns:CreateTopic"}, ResourceArns: []string{"*"},
	})
	ok(t, err)
	var got []string
	for _, r := range out.EvaluationResults {
		got = append(got, *r.EvalActionName+" "+string(r.EvalDecision))
		if len(r.MissingContextValues) > 0 {
			got = append(got, r.MissingContextValues...)
		}
	}
	want := []string{"sns:Publish allowed", "iam:GetUser implicitDeny", "s3:GetObject implicitDeny", "aws:MultiFactorAuthPresent", "sns:CreateTopic implicitDeny"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("a check of permissions would tell something else than what happens (-want +got):\n%s", diff)
	}
	topic, err := w.iam.SimulatePrincipalPolicy(t.Context(), &iam.SimulatePrincipalPolicyInput{
		PolicySourceArn: source, ActionNames: []string{"sns:Publish"}, ResourceArns: []string{"arn:aws:sns:eu-west-1:111122223333:t"},
	})
	ok(t, err)
	equal(t, "a topic", string(topic.EvaluationResults[0].EvalDecision), "explicitDeny")

	role, err := w.iam.GetRole(t.Context(), &iam.GetRoleInput{RoleName: awssdk.String("operator")})
	ok(t, err)
	asRole, err := w.iam.SimulatePrincipalPolicy(t.Context(), &iam.SimulatePrincipalPolicyInput{PolicySourceArn: role.Role.Arn, ActionNames: []string{"iam:CreateUser"}})
	ok(t, err)
	equal(t, "an administrator's role", string(asRole.EvaluationResults[0].EvalDecision), "allowed")

	simulate := func(bend func(*iam.SimulatePrincipalPolicyInput)) error {
		in := &iam.SimulatePrincipalPolicyInput{PolicySourceArn: source, ActionNames: []string{"sns:Publish"}}
		bend(in)
		_, err := w.iam.SimulatePrincipalPolicy(t.Context(), in)
		return err
	}
	refused(t, simulate(func(in *iam.SimulatePrincipalPolicyInput) { in.ResourceArns = []string{phone} }), "InvalidInput", "Invalid Resource")
	refused(t, simulate(func(in *iam.SimulatePrincipalPolicyInput) { in.ActionNames = []string{"sns:*"} }), "InvalidInput", "Invalid Action")
	refused(t, simulate(func(in *iam.SimulatePrincipalPolicyInput) { in.ResourceArns = []string{"arn:a", "arn:b"} }), "InvalidInput", "not emulated")
	refused(t, simulate(func(in *iam.SimulatePrincipalPolicyInput) {
		in.PolicySourceArn = awssdk.String("arn:aws:iam::111122223333:user/nobody")
	}), "NoSuchEntity", "nobody")
}
