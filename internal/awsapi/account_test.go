package awsapi

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"
	"github.com/google/go-cmp/cmp"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/aws"
)

// emulatedAccount is an emulated account, and its operator's client.
func emulatedAccount(t *testing.T) (*aws.Account, *Client) {
	t.Helper()
	emulated := aws.New(aws.Config{AccountID: testAccount})
	server := httptest.NewServer(emulated)
	t.Cleanup(server.Close)
	operator := emulated.Operator()
	t.Setenv("AWS_ACCESS_KEY_ID", operator.AccessKeyID)
	t.Setenv("AWS_SECRET_ACCESS_KEY", operator.SecretAccessKey)
	return emulated, newClient(t, Config{Region: "eu-west-1", EndpointURL: server.URL})
}

func TestAMessageGoesOutAsItWasMeant(t *testing.T) {
	emulated, client := emulatedAccount(t)
	sms := SMS{
		To: "+15005550006", Text: "123456 is your code", Type: "Transactional", SenderID: "Example",
		OriginationNumber: "+12065550100", MaxPriceUSD: "0.50", EntityID: "1101", TemplateID: "2202",
	}
	id, err := client.PublishSMS(t.Context(), "ap-south-1", sms)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := client.PublishSMS(t.Context(), "", SMS{To: sms.To, Text: "plain"})
	if err != nil {
		t.Fatal(err)
	}
	inbox := emulated.Inbox()
	if len(inbox) != 2 {
		t.Fatalf("%d messages arrived, want 2", len(inbox))
	}
	got := inbox[0]
	want := aws.SMS{
		Time: got.Time, To: sms.To, Text: sms.Text, SenderID: "Example", Type: "Transactional", OriginationNumber: "+12065550100",
		MaxPrice: "0.50", EntityID: "1101", TemplateID: "2202", Region: "ap-south-1", AccessKeyID: got.AccessKeyID, MessageID: id,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if inbox[1].MessageID != plain || inbox[1].Region != "eu-west-1" || inbox[1].Type != "Promotional" {
		t.Errorf("%+v: what a message leaves open is the account's and the client's", inbox[1])
	}
}

// TestAMessageIsSentOnce: a second attempt would be a second message, and cost.
func TestAMessageIsSentOnce(t *testing.T) {
	for name, c := range map[string]struct {
		answer    reply
		ambiguous bool
		says      string
	}{
		"server failure":  {failure(http.StatusInternalServerError, "InternalError", "oops"), true, "look at the phone"},
		"no answer":       {reply{}, true, "look at the phone"},
		"throttled":       {failure(http.StatusBadRequest, "Throttling", "Rate exceeded"), false, "in a minute"},
		"throttled (429)": {failure(http.StatusTooManyRequests, "Throttled", "Rate exceeded"), false, "in a minute"},
		"wrong clock":     {failure(http.StatusForbidden, "RequestTimeTooSkewed", "skew"), false, "clock"},
		"refused":         {failure(http.StatusBadRequest, "InvalidParameter", "Invalid parameter: PhoneNumber"), false, "Correct the value"},
		"not permitted":   {failure(http.StatusForbidden, "AuthorizationError", "User: arn:x is not authorized to perform: SNS:Publish on resource: +15005550006"), false, "Allow SNS:Publish"},
		"a proxy's page":  {reply{http.StatusOK, captivePage}, true, "look at the phone"},
		"no message id":   {result("Publish", ""), true, "look at the phone"},
	} {
		t.Run(name, func(t *testing.T) {
			server := newFake(t, map[string][]reply{"Publish": {c.answer}})
			_, err := newClient(t, Config{Region: "eu-west-1", EndpointURL: server.URL}).PublishSMS(t.Context(), "", SMS{To: "+15005550006", Text: "hi"})
			var failed *Error
			if !errors.As(err, &failed) || failed.Ambiguous() != c.ambiguous || !strings.Contains(failed.Error(), c.says) {
				t.Errorf("error = %v: want ambiguous %t, and %q", err, c.ambiguous, c.says)
			}
			if got := len(server.actions()); got != 1 {
				t.Errorf("sent %d times", got)
			}
		})
	}
}

func TestWhatAnAccountSaysAboutItself(t *testing.T) {
	emulated, client := emulatedAccount(t)
	ctx := t.Context()
	emulated.SetSMSSandbox(true, []string{"+15005550001"})
	emulated.SetOptedOut([]string{"+15005550002"})
	emulated.SetMonthlySpend(20, 3.5)
	emulated.SetOriginationNumbers([]aws.OriginationNumber{{Number: "+12065550100", Country: "US"}, {Number: "+442071838750", Country: "GB", VoiceOnly: true}})

	inside, err := client.SMSSandbox(ctx, "")
	if err != nil || !inside {
		t.Errorf("in the SMS sandbox: %t, %v", inside, err)
	}
	sandboxed, err := client.SandboxNumbers(ctx, "")
	if diff := cmp.Diff([]SandboxNumber{{"+15005550001", true}}, sandboxed); err != nil || diff != "" {
		t.Errorf("verified numbers: %v\n%s", err, diff)
	}
	numbers, err := client.OriginationNumbers(ctx, "")
	if diff := cmp.Diff([]OriginationNumber{{"+12065550100", "US", "ACTIVE", true}, {"+442071838750", "GB", "ACTIVE", false}}, numbers); err != nil || diff != "" {
		t.Errorf("origination numbers: %v\n%s", err, diff)
	}
	for number, want := range map[string]bool{"+15005550001": false, "+15005550002": true} {
		if out, err := client.IsOptedOut(ctx, "", number); err != nil || out != want {
			t.Errorf("%s opted out: %t, %v", number, out, err)
		}
	}
	attributes, err := client.SMSAttributes(ctx, "")
	if err != nil || attributes.MonthlySpendLimitUSD == nil || *attributes.MonthlySpendLimitUSD != 20 || attributes.DefaultSMSType != "" {
		t.Errorf("attributes %+v, %v", attributes, err)
	}
	spent, known, err := client.SMSMonthToDateSpentUSD(ctx, "", time.Now())
	if err != nil || !known || spent != 3.5 {
		t.Errorf("spent %v, %t, %v", spent, known, err)
	}
	emulated.SetMonthlySpend(20, 0)
	if _, known, err := client.SMSMonthToDateSpentUSD(ctx, "", time.Now()); err != nil || known {
		t.Errorf("without a data point: known %t, %v", known, err)
	}
}

// TestAnUnknownLimitIsNoLimitOfZero: the two mean the opposite of each other.
func TestAnUnknownLimitIsNoLimitOfZero(t *testing.T) {
	const entry = "<attributes><entry><key>MonthlySpendLimit</key><value>%s</value></entry></attributes>"
	for value, known := range map[string]bool{"": false, "<attributes/>": false, strings.ReplaceAll(entry, "%s", "0"): true, strings.ReplaceAll(entry, "%s", "much"): false} {
		server := newFake(t, map[string][]reply{"GetSMSAttributes": {result("GetSMSAttributes", value)}})
		attributes, err := newClient(t, Config{Region: "eu-west-1", EndpointURL: server.URL}).SMSAttributes(t.Context(), "")
		if err != nil || (attributes.MonthlySpendLimitUSD != nil) != known {
			t.Errorf("%q: %+v, %v", value, attributes, err)
		}
	}
}

// metrics answers every request of CloudWatch alike, as the SDK reads it.
func metrics(t *testing.T, status int, header string, body []byte) *Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if header != "" {
			w.Header().Set("Smithy-Protocol", header)
		}
		w.WriteHeader(status)
		_, _ = w.Write(body)
	}))
	t.Cleanup(server.Close)
	return newClient(t, Config{Region: "eu-west-1", EndpointURL: server.URL})
}

func TestTheSpendingIsThatOfTheLatestDataPoint(t *testing.T) {
	point := func(at time.Time, usd float64) cbor.Value {
		return cbor.Map{"Timestamp": &cbor.Tag{ID: 1, Value: cbor.Float64(at.Unix())}, "Maximum": cbor.Float64(usd)}
	}
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	// CloudWatch gives no order, and the first hours may show the month before.
	body := cbor.Encode(cbor.Map{"Datapoints": cbor.List{point(now, 2.5), point(now.AddDate(0, 0, -22), 40), point(now.Add(-time.Hour), 2)}})
	spent, known, err := metrics(t, http.StatusOK, "rpc-v2-cbor", body).SMSMonthToDateSpentUSD(t.Context(), "", now)
	if err != nil || !known || spent != 2.5 {
		t.Errorf("spent %v, %t, %v: want the latest", spent, known, err)
	}
}

// TestAnAnswerThatIsNotCloudWatchsIsNoSpending: a month without a data point is
// read as one without messages.
func TestAnAnswerThatIsNotCloudWatchsIsNoSpending(t *testing.T) {
	for name, client := range map[string]*Client{
		"a proxy's page":     metrics(t, http.StatusOK, "", []byte(captivePage)),
		"nothing":            metrics(t, http.StatusOK, "", nil),
		"CBOR without proof": metrics(t, http.StatusOK, "", cbor.Encode(cbor.Map{})),
	} {
		if _, _, err := client.SMSMonthToDateSpentUSD(t.Context(), "", time.Now()); err == nil || !strings.Contains(err.Error(), "not an answer of AWS") {
			t.Errorf("%s: %v", name, err)
		}
	}
	refused := cbor.Encode(cbor.Map{"__type": cbor.String("com.amazonaws.cloudwatch#AccessDeniedException"), "message": cbor.String("User: arn:x is not authorized to perform: cloudwatch:GetMetricStatistics")})
	_, _, err := metrics(t, http.StatusForbidden, "rpc-v2-cbor", refused).SMSMonthToDateSpentUSD(t.Context(), "", time.Now())
	var failed *Error
	if !errors.As(err, &failed) || failed.Kind != AccessDenied || failed.MissingAction != "cloudwatch:GetMetricStatistics" {
		t.Errorf("a refusal reads as %v", err)
	}
}

// TestAWrongAccountIsNotAsked: what another account says would be taken for this
// one's, and a message would be paid by it.
func TestAWrongAccountIsNotAsked(t *testing.T) {
	emulated, client := emulatedAccount(t)
	client.allowed = []string{"999999999999"}
	ctx := t.Context()
	for name, call := range map[string]func() error{
		"Publish":             func() error { _, err := client.PublishSMS(ctx, "", SMS{To: "+15005550006", Text: "hi"}); return err },
		"GetSMSAttributes":    func() error { _, err := client.SMSAttributes(ctx, ""); return err },
		"GetMetricStatistics": func() error { _, _, err := client.SMSMonthToDateSpentUSD(ctx, "", time.Now()); return err },
		"SimulatePrincipalPolicy": func() error {
			_, err := client.SimulatePrincipalPolicy(ctx, callerARN, []string{"iam:GetUser"}, "*")
			return err
		},
	} {
		var wrong *AccountError
		if err := call(); !errors.As(err, &wrong) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(emulated.Inbox()) > 0 {
		t.Error("a message was sent")
	}
}

func TestTheSimulatorIsAskedForEveryPage(t *testing.T) {
	evaluation := func(action, decision string) string {
		return "<member><EvalActionName>" + action + "</EvalActionName><EvalDecision>" + decision + "</EvalDecision><MissingContextValues><member>aws:x</member></MissingContextValues></member>"
	}
	server := newFake(t, map[string][]reply{"SimulatePrincipalPolicy": {
		result("SimulatePrincipalPolicy", "<IsTruncated>true</IsTruncated><Marker>next</Marker><EvaluationResults>"+evaluation("iam:GetUser", "allowed")+"</EvaluationResults>"),
		result("SimulatePrincipalPolicy", "<IsTruncated>false</IsTruncated><EvaluationResults>"+evaluation("iam:TagUser", "explicitDeny")+evaluation("iam:CreateUser", "implicitDeny")+"</EvaluationResults>"),
	}})
	got, err := newClient(t, Config{Region: "eu-west-1", EndpointURL: server.URL}).SimulatePrincipalPolicy(t.Context(), callerARN, []string{"iam:GetUser", "iam:TagUser", "iam:CreateUser"}, "*")
	want := []Simulated{{"iam:GetUser", true, false, []string{"aws:x"}}, {"iam:TagUser", false, true, []string{"aws:x"}}, {"iam:CreateUser", false, false, []string{"aws:x"}}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	if last := server.last(t).Form; last.Get("Marker") != "next" || last.Get("ResourceArns.member.1") != "*" {
		t.Errorf("the second page was asked for with %v", last)
	}
}

// TestASessionsPoliciesAreThoseOfItsRole: most people come as a role of IAM
// Identity Center, whose ARN has a path that the session's does not show.
func TestASessionsPoliciesAreThoseOfItsRole(t *testing.T) {
	const role = "arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Admin_0123456789abcdef"
	server := newFake(t, map[string][]reply{"GetRole": {result("GetRole", "<Role><Arn>"+role+"</Arn></Role>")}})
	client := newClient(t, Config{Region: "eu-west-1", EndpointURL: server.URL})
	for caller, want := range map[string]string{
		callerARN: callerARN,
		"arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/jane@example.com": role,
		"arn:aws:iam::123456789012:root":                "",
		"arn:aws:sts::123456789012:federated-user/jane": "",
	} {
		if got, err := client.Principal(t.Context(), Identity{ARN: caller}); err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", caller, got, err, want)
		}
	}
	if name := server.last(t).Form.Get("RoleName"); name != "AWSReservedSSO_Admin_0123456789abcdef" {
		t.Errorf("asked for the role %q", name)
	}
	if _, err := client.Principal(t.Context(), Identity{ARN: "nobody"}); err == nil {
		t.Error("what is no ARN has a principal")
	}
}

func TestWhatHangsOnAUserIsRead(t *testing.T) {
	emulated, client := emulatedAccount(t)
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := client.CreateUser(ctx, User{Name: "sender"})
	must(err)
	must(client.PutUserPolicy(ctx, "sender", "b", PublishPolicy("aws")))
	must(client.PutUserPolicy(ctx, "sender", "a", PublishPolicy("aws")))
	const full = "arn:aws:iam::aws:policy/AmazonSNSFullAccess"
	must(emulated.AttachUserPolicy("sender", full))
	for name, c := range map[string]struct {
		list func(context.Context, string) ([]string, error)
		want []string
	}{
		"inline": {client.UserPolicies, []string{"a", "b"}}, "attached": {client.AttachedPolicies, []string{full}}, "groups": {client.Groups, nil},
	} {
		if got, err := c.list(ctx, "sender"); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	document, err := client.ManagedPolicy(ctx, full)
	must(err)
	if allowed, err := Allows(document, "sns:Publish", "+15005550006"); err != nil || !allowed {
		t.Errorf("%s: allows %t, %v", document, allowed, err)
	}
	if _, err := client.ManagedPolicy(ctx, "arn:aws:iam::123456789012:policy/none"); !IsNotFound(err) {
		t.Errorf("a policy that does not exist: %v", err)
	}
}

func TestWhatIsBeyondAnSMS(t *testing.T) {
	policyOf := func(statements string) string { return `{"Version":"2012-10-17","Statement":[` + statements + `]}` }
	const deny = `{"Effect":"Deny","Action":"sns:Publish","Resource":"arn:aws:sns:*:*:*"}`
	for name, c := range map[string]struct {
		document string
		want     []string
	}{
		"ours":                {PublishPolicy("aws"), nil},
		"by NotResource":      {policyOf(`{"Effect":"Allow","Action":"SNS:Publish","NotResource":"arn:aws:sns:*:*:*"}`), nil},
		"the guide's":         {policyOf(`{"Effect":"Allow","Action":"sns:Publish","Resource":"*"}`), []string{"sns:Publish to any topic and endpoint"}},
		"one topic":           {policyOf(`{"Effect":"Allow","Action":"sns:Publish","Resource":"arn:aws:sns:eu-west-1:1:alerts*"}`), []string{"sns:Publish to arn:aws:sns:eu-west-1:1:alertsx"}},
		"one topic, denied":   {policyOf(`{"Effect":"Allow","Action":"sns:Publish","Resource":"arn:aws:sns:eu-west-1:1:alerts"},` + deny), nil},
		"full access":         {policyOf(`{"Effect":"Allow","Action":"sns:*","Resource":"*"},` + deny), []string{"sns:*"}},
		"all but IAM":         {policyOf(`{"Effect":"Allow","NotAction":"iam:*","Resource":"*"},` + deny), []string{"everything but iam:*"}},
		"a deny alone":        {policyOf(`{"Effect":"Deny","Action":"*","Resource":"*"}`), nil},
		"denied in a region":  {policyOf(`{"Effect":"Allow","Action":"sns:Publish","Resource":"*"},{"Effect":"Deny","Action":"sns:Publish","Resource":"arn:aws:sns:us-east-1:*:*"}`), []string{"sns:Publish to any topic and endpoint"}},
		"another partition's": {PublishPolicy("aws-cn"), []string{"sns:Publish to any topic and endpoint"}},
	} {
		got, err := BeyondSMS(c.document, "aws")
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, %v; want %q", name, got, err, c.want)
		}
	}
	if _, err := BeyondSMS(policyOf(`{"Effect":"Allow","Action":"sns:Publish","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}`), "aws"); err == nil {
		t.Error("a condition was evaluated")
	}
	guides := policyOf(`{"Effect":"Allow","Action":"sns:Publish","Resource":"*"}`)
	if got, err := BeyondSMS(guides, "aws", guides, PublishPolicy("aws")); err != nil || len(got) > 0 {
		t.Errorf("the guide's beside ours, which denies topics: %q, %v", got, err)
	}
	if _, err := BeyondSMS("{", "aws"); err == nil {
		t.Error("what is no policy allows nothing")
	}
}

func TestPoliciesDecideTogether(t *testing.T) {
	const (
		allow = `{"Statement":{"Effect":"Allow","Action":"sns:Publish","Resource":"*"}}`
		deny  = `{"Statement":{"Effect":"Deny","Action":"sns:*","Resource":"*"}}`
		other = `{"Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}`
	)
	for _, c := range []struct {
		documents []string
		want      bool
	}{{nil, false}, {[]string{allow}, true}, {[]string{other, allow}, true}, {[]string{allow, deny}, false}, {[]string{deny, allow}, false}, {[]string{other}, false}} {
		if got, err := AllowTogether(c.documents, "sns:Publish", "+15005550006"); err != nil || got != c.want {
			t.Errorf("%v: %t, %v", c.documents, got, err)
		}
	}
}
