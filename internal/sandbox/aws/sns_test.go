package aws_test

import (
	"strings"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/aws"
)

const phone = "+14155550100"

func text(to, message string) *sns.PublishInput {
	return &sns.PublishInput{PhoneNumber: &to, Message: &message}
}

func attribute(kind, value string) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: &kind, StringValue: &value}
}

func TestAnSMSArrivesAsItWasSent(t *testing.T) {
	t.Parallel()
	w := start(t, aws.Config{})
	key := w.mint(t, "sender", publishPolicy)
	_, client, _ := w.clients("ap-south-1", key.AccessKeyID, key.SecretAccessKey, "")
	message := "Your code is 123456 – пароль 🔑 & + = % # ? ()*!~\n"
	input := text(phone, message)
	input.MessageAttributes = map[string]types.MessageAttributeValue{
		"AWS.SNS.SMS.SenderID":         attribute("String", "Example-1"),
		"AWS.SNS.SMS.SMSType":          attribute("String", "Transactional"),
		"AWS.SNS.SMS.MaxPrice":         attribute("Number", "0.50"),
		"AWS.MM.SMS.OriginationNumber": attribute("String", "+12065550100"),
		"AWS.MM.SMS.EntityId":          attribute("String", "1101"),
		"AWS.MM.SMS.TemplateId":        attribute("String", "2202"),
		"mine":                         attribute("String", "ignored"),
	}
	got, err := client.Publish(t.Context(), input)
	ok(t, err)

	want := []aws.SMS{{
		To: phone, Text: message, SenderID: "Example-1", Type: "Transactional", OriginationNumber: "+12065550100",
		MaxPrice: "0.50", EntityID: "1101", TemplateID: "2202", Region: "ap-south-1",
		AccessKeyID: key.AccessKeyID, MessageID: *got.MessageId,
	}}
	if diff := cmp.Diff(want, w.Inbox(), cmpopts.IgnoreFields(aws.SMS{}, "Time")); diff != "" {
		t.Fatalf("the phone shows something else than was sent (-want +got):\n%s", diff)
	}
}

func TestPublishRefusesWhatAWSRefuses(t *testing.T) {
	t.Parallel()
	w := start(t, aws.Config{})
	with := func(name, kind, value string) *sns.PublishInput {
		input := text(phone, "hi")
		input.MessageAttributes = map[string]types.MessageAttributeValue{name: attribute(kind, value)}
		return input
	}
	both := text(phone, "hi")
	both.TopicArn = awssdk.String("arn:aws:sns:eu-west-1:111122223333:t")
	structured := text(phone, `{"default":"hi"}`)
	structured.MessageStructure = awssdk.String("json")
	for what, c := range map[string]struct {
		input      *sns.PublishInput
		code, text string
	}{
		"no plus":                    {text("14155550100", "hi"), "InvalidParameter", "Invalid parameter: PhoneNumber Reason: 14155550100 is not valid to publish to"},
		"spaces":                     {text("+1 415 555 0100", "hi"), "InvalidParameter", "PhoneNumber"},
		"a leading zero":             {text("+04155550100", "hi"), "InvalidParameter", "PhoneNumber"},
		"16 digits":                  {text("+1234567890123456", "hi"), "InvalidParameter", "PhoneNumber"},
		"too short":                  {text("+12", "hi"), "InvalidParameter", "PhoneNumber"},
		"no message":                 {text(phone, ""), "InvalidParameter", "Empty message"},
		"1601 characters":            {text(phone, strings.Repeat("ä", 1601)), "InvalidParameter", "Message too long"},
		"no target":                  {&sns.PublishInput{Message: awssdk.String("hi")}, "InvalidParameter", "no value for required parameter"},
		"two targets":                {both, "InvalidParameter", "Only one of"},
		"a JSON message":             {structured, "InvalidParameter", "MessageStructure"},
		"a sender id of digits":      {with("AWS.SNS.SMS.SenderID", "String", "12345"), "InvalidParameter", "SenderID"},
		"a sender id of 12":          {with("AWS.SNS.SMS.SenderID", "String", "ABCDEFGHIJKL"), "InvalidParameter", "SenderID"},
		"a sender id with a space":   {with("AWS.SNS.SMS.SenderID", "String", "My Co"), "InvalidParameter", "SenderID"},
		"a wrong type":               {with("AWS.SNS.SMS.SMSType", "String", "transactional"), "InvalidParameter", "SMSType"},
		"a price as a string":        {with("AWS.SNS.SMS.MaxPrice", "String", "0.5"), "InvalidParameter", "MaxPrice"},
		"a price that is no number":  {with("AWS.SNS.SMS.MaxPrice", "Number", "cheap"), "InvalidParameter", "MaxPrice"},
		"an origination number":      {with("AWS.MM.SMS.OriginationNumber", "String", "12"), "InvalidParameter", "OriginationNumber"},
		"a reserved attribute name":  {with("AWS.SNS.SMS.SenderId", "String", "Example"), "ParameterValueInvalid", "reserved for use by Amazon"},
		"an attribute with no type":  {with("mine", "", "x"), "ParameterValueInvalid", "non-empty message attribute type"},
		"a topic that is not there":  {&sns.PublishInput{Message: awssdk.String("hi"), TopicArn: both.TopicArn}, "NotFound", "Topic does not exist"},
		"a target that is not there": {&sns.PublishInput{Message: awssdk.String("hi"), TargetArn: both.TopicArn}, "NotFound", "endpoint"},
	} {
		_, err := w.sns.Publish(t.Context(), c.input)
		t.Run(what, func(t *testing.T) { refused(t, err, c.code, c.text) })
	}
	equal(t, "messages delivered", len(w.Inbox()), 0)
	_, err := w.sns.Publish(t.Context(), text("14155550100", "hi"))
	typed[*types.InvalidParameterException](t, err)
	_, err = w.sns.Publish(t.Context(), &sns.PublishInput{Message: awssdk.String("hi"), TopicArn: both.TopicArn})
	typed[*types.NotFoundException](t, err)
	_, err = w.sns.Publish(t.Context(), text(phone, strings.Repeat("ä", 1600)))
	ok(t, err)
}

func TestTheSendersKeyMayPublishSMSAndNothingElse(t *testing.T) {
	t.Parallel()
	w, ctx := start(t, aws.Config{}), t.Context()
	key := w.mint(t, "sender", publishPolicy)
	users, client, _ := w.clients("eu-west-1", key.AccessKeyID, key.SecretAccessKey, "")
	topic := awssdk.String("arn:aws:sns:eu-west-1:111122223333:t")

	_, err := client.Publish(ctx, text(phone, "hi"))
	ok(t, err)
	_, err = client.Publish(ctx, &sns.PublishInput{TopicArn: topic, Message: awssdk.String("hi")})
	refused(t, err, "AuthorizationError", "User: arn:aws:iam::111122223333:user/sender is not authorized to perform: SNS:Publish on resource: "+*topic+" with an explicit deny in an identity-based policy")
	typed[*types.AuthorizationErrorException](t, err)
	_, err = client.Publish(ctx, &sns.PublishInput{TargetArn: awssdk.String("arn:aws:sns:eu-west-1:111122223333:endpoint/GCM/a/b"), Message: awssdk.String("hi")})
	refused(t, err, "AuthorizationError", "explicit deny")
	_, err = client.CreateTopic(ctx, &sns.CreateTopicInput{Name: awssdk.String("t")})
	refused(t, err, "AuthorizationError", "SNS:CreateTopic on resource: "+*topic+" because no identity-based policy allows the SNS:CreateTopic action")
	_, err = client.Subscribe(ctx, &sns.SubscribeInput{TopicArn: topic, Protocol: awssdk.String("sms"), Endpoint: awssdk.String(phone)})
	refused(t, err, "AuthorizationError", "SNS:Subscribe")
	_, err = client.SetSMSAttributes(ctx, &sns.SetSMSAttributesInput{Attributes: map[string]string{"MonthlySpendLimit": "1"}})
	refused(t, err, "AuthorizationError", "SNS:SetSMSAttributes on resource: arn:aws:sns:eu-west-1:111122223333:*")
	_, err = users.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{})
	refused(t, err, "AccessDenied", "iam:CreateAccessKey on resource: arn:aws:iam::111122223333:user/sender")
	_, err = users.ListUsers(ctx, &iam.ListUsersInput{})
	refused(t, err, "AccessDenied", "iam:ListUsers on resource: arn:aws:iam::111122223333:user/")

	powerless := w.mint(t, "powerless", "")
	_, client, _ = w.clients("eu-west-1", powerless.AccessKeyID, powerless.SecretAccessKey, "")
	_, err = client.Publish(ctx, text(phone, "hi"))
	refused(t, err, "AuthorizationError", "SNS:Publish on resource: "+phone+" because no identity-based policy")
}

func TestAPermissionsBoundaryLimitsAUser(t *testing.T) {
	t.Parallel()
	w, ctx := start(t, aws.Config{}), t.Context()
	key := w.mint(t, "sender", `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`)
	users, client, _ := w.clients("eu-west-1", key.AccessKeyID, key.SecretAccessKey, "")
	_, err := users.ListUsers(ctx, &iam.ListUsersInput{})
	ok(t, err)
	_, err = w.iam.PutUserPermissionsBoundary(ctx, &iam.PutUserPermissionsBoundaryInput{
		UserName: awssdk.String("sender"), PermissionsBoundary: awssdk.String("arn:aws:iam::aws:policy/PowerUserAccess"),
	})
	ok(t, err)
	_, err = users.ListUsers(ctx, &iam.ListUsersInput{})
	refused(t, err, "AccessDenied", "because no permissions boundary allows the iam:ListUsers action")
	_, err = client.Publish(ctx, text(phone, "hi"))
	ok(t, err)
}

func TestInTheSMSSandboxOnlyVerifiedNumbersGetMessages(t *testing.T) {
	t.Parallel()
	w := start(t, aws.Config{})
	w.SetSMSSandbox(true, []string{phone})
	status, err := w.sns.GetSMSSandboxAccountStatus(t.Context(), &sns.GetSMSSandboxAccountStatusInput{})
	ok(t, err)
	equal(t, "in the sandbox", status.IsInSandbox, true)
	_, err = w.sns.Publish(t.Context(), text(phone, "hi"))
	ok(t, err)
	_, err = w.sns.Publish(t.Context(), text("+14155550199", "hi"))
	refused(t, err, "InvalidParameter", "SMS sandbox")
	equal(t, "messages delivered", len(w.Inbox()), 1)
}

func TestSomeMessagesAreAcceptedAndNeverArrive(t *testing.T) {
	t.Parallel()
	for reason, prepare := range map[string]func(*world){
		"Phone number is opted out": func(w *world) { w.SetOptedOut([]string{phone}) },
		"No quota left for account": func(w *world) { w.SetMonthlySpend(1, 1) },
	} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			w := start(t, aws.Config{})
			prepare(w)
			got, err := w.sns.Publish(t.Context(), text(phone, "hi"))
			ok(t, err)
			equal(t, "messages delivered", len(w.Inbox()), 0)
			lost := w.Snapshot().Undelivered
			equal(t, "messages lost", len(lost), 1)
			equal(t, "reason", lost[0].Reason, reason)
			equal(t, "message id", lost[0].MessageID, *got.MessageId)
		})
	}
}

func TestOptOutsCanBeAskedFor(t *testing.T) {
	t.Parallel()
	w := start(t, aws.Config{})
	w.SetOptedOut([]string{phone})
	for number, want := range map[string]bool{phone: true, "+14155550199": false} {
		got, err := w.sns.CheckIfPhoneNumberIsOptedOut(t.Context(), &sns.CheckIfPhoneNumberIsOptedOutInput{PhoneNumber: &number})
		ok(t, err)
		equal(t, number, got.IsOptedOut, want)
	}
	_, err := w.sns.CheckIfPhoneNumberIsOptedOut(t.Context(), &sns.CheckIfPhoneNumberIsOptedOutInput{PhoneNumber: awssdk.String("415")})
	refused(t, err, "InvalidParameter", "incorrectly formatted")
	list, err := w.sns.ListPhoneNumbersOptedOut(t.Context(), &sns.ListPhoneNumbersOptedOutInput{})
	ok(t, err)
	equal(t, "opted out", strings.Join(list.PhoneNumbers, " "), phone)
}

func TestSMSAttributesAreKeptPerRegion(t *testing.T) {
	t.Parallel()
	w, ctx := start(t, aws.Config{}), t.Context()
	set := func(attributes map[string]string) error {
		_, err := w.sns.SetSMSAttributes(ctx, &sns.SetSMSAttributesInput{Attributes: attributes})
		return err
	}
	get := func(client *sns.Client, names ...string) map[string]string {
		got, err := client.GetSMSAttributes(ctx, &sns.GetSMSAttributesInput{Attributes: names})
		ok(t, err)
		return got.Attributes
	}
	w.SetMonthlySpend(50, 5)
	ok(t, set(map[string]string{
		"MonthlySpendLimit": "20", "DefaultSMSType": "Transactional", "DefaultSenderID": "Example",
		"DeliveryStatusIAMRole": "arn:aws:iam::111122223333:role/SNSLogs", "DeliveryStatusSuccessSamplingRate": "10", "UsageReportS3Bucket": "sms-reports",
	}))
	equal(t, "attributes", len(get(w.sns)), 6)
	two := get(w.sns, "MonthlySpendLimit", "DefaultSMSType")
	if diff := cmp.Diff(map[string]string{"MonthlySpendLimit": "20", "DefaultSMSType": "Transactional"}, two); diff != "" {
		t.Fatal(diff)
	}
	operator := w.Operator()
	_, elsewhere, _ := w.clients("us-east-1", operator.AccessKeyID, operator.SecretAccessKey, "")
	if diff := cmp.Diff(map[string]string{"MonthlySpendLimit": "50"}, get(elsewhere)); diff != "" {
		t.Fatal(diff)
	}

	_, err := w.sns.Publish(ctx, text(phone, "hi"))
	ok(t, err)
	equal(t, "default type", w.Inbox()[0].Type, "Transactional")
	equal(t, "default sender", w.Inbox()[0].SenderID, "Example")

	ok(t, set(map[string]string{"MonthlySpendLimit": "", "DefaultSenderID": ""}))
	equal(t, "limit after removal", get(w.sns)["MonthlySpendLimit"], "50")

	for name, value := range map[string]string{
		"MonthlySpendLimit": "51", "DefaultSMSType": "Urgent", "DefaultSenderID": "123", "DeliveryStatusSuccessSamplingRate": "101",
		"DeliveryStatusIAMRole": "SNSLogs", "UsageReportS3Bucket": "No_Bucket", "Colour": "red",
	} {
		refused(t, set(map[string]string{name: value}), "InvalidParameter", name)
	}
}

func TestTopicsAreAnsweredAndNotKept(t *testing.T) {
	t.Parallel()
	w, ctx := start(t, aws.Config{}), t.Context()
	topic, err := w.sns.CreateTopic(ctx, &sns.CreateTopicInput{Name: awssdk.String("t")})
	ok(t, err)
	equal(t, "ARN", *topic.TopicArn, "arn:aws:sns:eu-west-1:111122223333:t")
	_, err = w.sns.CreateTopic(ctx, &sns.CreateTopicInput{Name: awssdk.String("a b")})
	refused(t, err, "InvalidParameter", "Topic Name")
	_, err = w.sns.Subscribe(ctx, &sns.SubscribeInput{TopicArn: topic.TopicArn, Protocol: awssdk.String("sms"), Endpoint: awssdk.String(phone)})
	ok(t, err)
}

func TestThePartitionIsThatOfTheAccount(t *testing.T) {
	t.Parallel()
	w, ctx := start(t, aws.Config{Partition: "aws-cn"}), t.Context()
	topic, err := w.sns.CreateTopic(ctx, &sns.CreateTopicInput{Name: awssdk.String("t")})
	ok(t, err)
	equal(t, "topic", *topic.TopicArn, "arn:aws-cn:sns:eu-west-1:111122223333:t")
	user, err := w.iam.CreateUser(ctx, &iam.CreateUserInput{UserName: awssdk.String("a"), PermissionsBoundary: awssdk.String("arn:aws-cn:iam::aws:policy/AmazonSNSFullAccess")})
	ok(t, err)
	equal(t, "user", *user.User.Arn, "arn:aws-cn:iam::111122223333:user/a")
}
