//go:build unix

package provider_test

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/acctest"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/aws"
)

// motoAccountID is the account of the environment that moto stands in for.
const motoAccountID = "111122223333"

// motoConfig is the main scenario with a client and options that show on the wire.
func motoConfig(t *testing.T, client string) string {
	t.Helper()
	const hook = `name = "Amazon SNS"`
	options := `
  sms = {
    client        = "` + client + `"
    sender_id     = "EXAMPLE"
    max_price_usd = "0.25"
  }`
	scenario := acctest.Config(t, "scenarios/hook/main.tf")
	if strings.Count(scenario, hook) != 1 {
		t.Fatalf("the scenario has no hook with %s any more", hook)
	}
	return strings.Replace(scenario, hook, hook+options, 1)
}

// TestAccMoto is the whole guide on an AWS that is not our own emulator: if it
// fails, what works on the sandbox may not work on AWS.
func TestAccMoto(t *testing.T) {
	if os.Getenv(resource.EnvTfAcc) == "" {
		t.Skipf("set %s=1 to run Terraform", resource.EnvTfAcc)
	}
	for _, client := range []string{"aws-sdk", "builtin"} {
		t.Run(client, func(t *testing.T) { testMoto(t, client) })
	}
}

func testMoto(t *testing.T, client string) {
	moto := acctest.StartMoto(t, motoAccountID)
	env := acctest.New(t, acctest.WithNode(t), acctest.WithAWS(moto))
	moto.Use(t, env)
	scenario := motoConfig(t, client)
	var first string
	env.Test(t,
		resource.TestStep{
			Config: scenario,
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction("auth0sns_iam_user.sms", plancheck.ResourceActionCreate),
				plancheck.ExpectResourceAction("auth0sns_credentials.sms", plancheck.ResourceActionCreate),
			}},
			Check: func(s *terraform.State) error {
				first = motoKeyID(s)
				requireMotoSMS(t, env, moto, first)
				return nil
			},
		},
		resource.TestStep{
			Config:          scenario,
			ConfigVariables: config.Variables{"rotation": config.StringVariable("2")},
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction("auth0sns_credentials.sms", plancheck.ResourceActionUpdate),
				plancheck.ExpectResourceAction("auth0sns_hook.sms", plancheck.ResourceActionNoop),
			}},
			Check: func(s *terraform.State) error {
				second := motoKeyID(s)
				if second == first {
					t.Error("the rotation kept the key")
				}
				requireMotoSMS(t, env, moto, second)
				requirePublishOnly(t, env, moto.Key(t, second))
				old := awsRequest{service: "sns", form: url.Values{"Action": {"Publish"}, "PhoneNumber": {"+15005550001"}, "Message": {"hi"}}}
				if status, code := old.send(t, env, moto.Key(t, first)); code != "InvalidClientTokenId" {
					t.Errorf("the key that was rotated away still gets %d %s: a leaked one would work for ever", status, code)
				}
				return nil
			},
		},
	)
	users := awsRequest{service: "iam", form: url.Values{"Action": {"ListUsers"}}}
	status, body := users.sendRaw(t, env, moto.Operator)
	if left := userNames.FindAllString(body, -1); status != http.StatusOK || len(left) != 1 {
		t.Errorf("after destroy the account has the users %v, want the operator alone", left)
	}
}

var userNames = regexp.MustCompile(`<UserName>[^<]*`)

func motoKeyID(s *terraform.State) string {
	return s.RootModule().Resources["auth0sns_credentials.sms"].Primary.Attributes["access_key_id"]
}

// requireMotoSMS plays a login and wants that moto took exactly one message, as
// configured and signed with this key.
func requireMotoSMS(t *testing.T, env *acctest.Env, moto *acctest.Moto, keyID string) {
	t.Helper()
	before := len(moto.Calls("sns", "Publish"))
	challenge := env.Challenge(t)
	calls := moto.Calls("sns", "Publish")[before:]
	if len(calls) != 1 {
		t.Fatalf("moto got %d messages for one code, want 1", len(calls))
	}
	sms := calls[0]
	if sms.Status != http.StatusOK || sms.MessageID == "" {
		t.Fatalf("moto did not take the message: %d %s", sms.Status, sms.Code)
	}
	requireEqual(t, "the key that the hook signs with", sms.AccessKeyID, keyID)
	requireEqual(t, "text on the phone", sms.Form.Get("Message"), challenge.Text)
	requireEqual(t, "phone number", sms.Form.Get("PhoneNumber"), "+15005550001")
	requireEqual(t, "message attributes", messageAttributes(sms.Form), map[string]string{
		"AWS.SNS.SMS.SMSType":  "String Transactional",
		"AWS.SNS.SMS.SenderID": "String EXAMPLE",
		"AWS.SNS.SMS.MaxPrice": "Number 0.25",
	})
}

var attributeName = regexp.MustCompile(`^(MessageAttributes\.entry\.\d+)\.Name$`)

// messageAttributes are type and value by name, as the query protocol has them.
func messageAttributes(form url.Values) map[string]string {
	attributes := map[string]string{}
	for field, name := range form {
		if entry := attributeName.FindStringSubmatch(field); entry != nil {
			attributes[name[0]] = form.Get(entry[1]+".Value.DataType") + " " + form.Get(entry[1]+".Value.StringValue")
		}
	}
	return attributes
}

// requirePublishOnly proves, with an implementation that we did not write, what
// somebody who steals the key can do.
func requirePublishOnly(t *testing.T, env *acctest.Env, key aws.Credentials) {
	t.Helper()
	topic := "arn:aws:sns:us-east-1:" + motoAccountID + ":codes"
	tests := []struct {
		awsRequest
		allowed bool
	}{
		{awsRequest{"sns", url.Values{"Action": {"Publish"}, "PhoneNumber": {"+15005550001"}, "Message": {"hi"}}}, true},
		{awsRequest{"sts", url.Values{"Action": {"GetCallerIdentity"}}}, true},
		{awsRequest{"sns", url.Values{"Action": {"CreateTopic"}, "Name": {"codes"}}}, false},
		{awsRequest{"sns", url.Values{"Action": {"Subscribe"}, "TopicArn": {topic}, "Protocol": {"sms"}, "Endpoint": {"+15005550001"}}}, false},
		{awsRequest{"sns", url.Values{"Action": {"SetSMSAttributes"}, "attributes.entry.1.key": {"MonthlySpendLimit"}, "attributes.entry.1.value": {"1000"}}}, false},
		{awsRequest{"sns", url.Values{"Action": {"GetSMSAttributes"}}}, false},
		{awsRequest{"sns", url.Values{"Action": {"OptInPhoneNumber"}, "phoneNumber": {"+15005550001"}}}, false},
		{awsRequest{"sns", url.Values{"Action": {"ListPhoneNumbersOptedOut"}}}, false},
		{awsRequest{"iam", url.Values{"Action": {"CreateUser"}, "UserName": {"another"}}}, false},
		{awsRequest{"iam", url.Values{"Action": {"ListUsers"}}}, false},
		{awsRequest{"iam", url.Values{"Action": {"CreateAccessKey"}}}, false},
		{awsRequest{"iam", url.Values{"Action": {"CreateAccessKey"}, "UserName": {"operator"}}}, false},
		{awsRequest{"iam", url.Values{"Action": {"PutUserPolicy"}, "UserName": {"auth0-mfa-sms"}, "PolicyName": {"more"}, "PolicyDocument": {`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`}}}, false},
		{awsRequest{"iam", url.Values{"Action": {"GetUserPolicy"}, "UserName": {"auth0-mfa-sms"}, "PolicyName": {"sns-publish"}}}, false},
		{awsRequest{"s3", nil}, false},
		{awsRequest{"sqs", url.Values{"Action": {"ListQueues"}}}, false},
	}
	for _, test := range tests {
		status, code := test.send(t, env, key)
		switch {
		case test.allowed && status != http.StatusOK:
			t.Errorf("%s is refused with %d %s: no code would be sent", test.awsRequest, status, code)
		case !test.allowed && (status != http.StatusForbidden || !refusedByPolicy(code)):
			t.Errorf("%s gets %d %q, want a refusal by policy: a stolen key could do it", test.awsRequest, status, code)
		}
	}
}

func refusedByPolicy(code string) bool { return code == "AccessDenied" || code == "AuthorizationError" }

// TestAccPublishPolicyByResource asks for topics and endpoints, which moto
// cannot judge: it evaluates every SNS call on the resource "*". Two evaluators
// of ours must agree on the policy as it was deployed.
func TestAccPublishPolicyByResource(t *testing.T) {
	env := acctest.New(t)
	tests := map[string]struct {
		parameter, resource string
		allowed             bool
	}{
		"a phone number":             {"PhoneNumber", "+15005550001", true},
		"a number elsewhere":         {"PhoneNumber", "+491701234567", true},
		"a topic":                    {"TopicArn", "arn:aws:sns:us-east-1:111122223333:codes", false},
		"a FIFO topic":               {"TopicArn", "arn:aws:sns:us-east-1:111122223333:codes.fifo", false},
		"a topic as a target":        {"TargetArn", "arn:aws:sns:us-east-1:111122223333:codes", false},
		"a topic elsewhere":          {"TopicArn", "arn:aws:sns:eu-west-1:444455556666:codes", false},
		"a subscription":             {"TargetArn", "arn:aws:sns:us-east-1:111122223333:codes:6b0e71bd-7e97-4d97-80ce-4a0994e55286", false},
		"a mobile push endpoint":     {"TargetArn", "arn:aws:sns:us-east-1:111122223333:endpoint/GCM/app/5e3e9847-3183-3f18-a7e8-671c3a57d4b3", false},
		"a push application":         {"TargetArn", "arn:aws:sns:us-east-1:111122223333:app/GCM/app", false},
		"an endpoint of another one": {"TargetArn", "arn:aws:sns:us-east-1:444455556666:endpoint/APNS/app/5e3e9847", false},
	}
	env.Test(t, resource.TestStep{
		Config: acctest.Config(t, "scenarios/hook/main.tf"),
		ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
			plancheck.ExpectResourceAction("auth0sns_iam_user.sms", plancheck.ResourceActionCreate),
		}},
		Check: func(s *terraform.State) error {
			secrets := env.Account.Secrets()
			key := aws.Credentials{AccessKeyID: motoKeyID(s), SecretAccessKey: secrets[len(secrets)-1]}
			policy := deployedPolicy(t, env, key.AccessKeyID)
			for name, test := range tests {
				got, err := awsapi.Allows(policy, "sns:Publish", test.resource)
				if err != nil || got != test.allowed {
					t.Errorf("%s: the policy allows it: %t, %v; want %t", name, got, err, test.allowed)
				}
				request := awsRequest{"sns", url.Values{"Action": {"Publish"}, test.parameter: {test.resource}, "Message": {"hi"}}}
				status, code := request.send(t, env, key)
				if test.allowed != (status == http.StatusOK) || !test.allowed && !refusedByPolicy(code) {
					t.Errorf("%s: the account answers %d %s, want allowed: %t: a stolen key could post to it, or no code arrives", name, status, code, test.allowed)
				}
			}
			return nil
		},
	})
}

// deployedPolicy is the one inline policy of the user that has the key.
func deployedPolicy(t *testing.T, env *acctest.Env, keyID string) string {
	t.Helper()
	for _, user := range env.Account.Snapshot().Users {
		if len(user.AccessKeys) != 1 || user.AccessKeys[0].ID != keyID {
			continue
		}
		if len(user.Policies) != 1 || len(user.AttachedPolicies) != 0 {
			t.Fatalf("the sending user has %d inline and %d attached policies, want 1 and 0", len(user.Policies), len(user.AttachedPolicies))
		}
		for _, policy := range user.Policies {
			return policy
		}
	}
	t.Fatalf("no user has key %s alone", keyID)
	return ""
}

// awsRequest is a call of the query protocol; without a form it is a GET of the
// root, which for S3 is ListBuckets.
type awsRequest struct {
	service string
	form    url.Values
}

func (r awsRequest) String() string {
	if r.form == nil {
		return r.service + ":ListBuckets"
	}
	return r.service + ":" + r.form.Get("Action")
}

var awsErrorCode = regexp.MustCompile(`<Code>([^<]+)</Code>`)

// send signs the request with key and returns AWS's error code, "" for none.
func (r awsRequest) send(t *testing.T, env *acctest.Env, key aws.Credentials) (status int, code string) {
	t.Helper()
	status, body := r.sendRaw(t, env, key)
	if match := awsErrorCode.FindStringSubmatch(body); match != nil {
		code = match[1]
	}
	return status, code
}

func (r awsRequest) sendRaw(t *testing.T, env *acctest.Env, key aws.Credentials) (status int, body string) {
	t.Helper()
	method, payload := http.MethodGet, ""
	if r.form != nil {
		versions := map[string]string{"iam": "2010-05-08", "sts": "2011-06-15", "sns": "2010-03-31", "sqs": "2012-11-05"}
		r.form.Set("Version", versions[r.service])
		method, payload = http.MethodPost, r.form.Encode()
	}
	req, err := http.NewRequestWithContext(t.Context(), method, env.AccountURL+"/", strings.NewReader(payload))
	if err != nil {
		t.Fatal(err)
	}
	if r.form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	hash := sha256.Sum256([]byte(payload))
	digest := hex.EncodeToString(hash[:])
	req.Header.Set("X-Amz-Content-Sha256", digest)
	credentials := awssdk.Credentials{AccessKeyID: key.AccessKeyID, SecretAccessKey: key.SecretAccessKey}
	if err := v4.NewSigner().SignHTTP(t.Context(), credentials, req, digest, r.service, "us-east-1", time.Now()); err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}
