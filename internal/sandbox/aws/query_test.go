package aws_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/aws"
)

// request is a hand-made call, to be bent before and after it is signed.
type request struct {
	form          string
	service       string
	skew          time.Duration
	before, after func(*http.Request)
}

const whoamiForm = "Action=GetCallerIdentity&Version=2011-06-15"

func (w *world) signed(t *testing.T, in request) *http.Request {
	t.Helper()
	if in.service == "" {
		in.service = "sts"
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url, strings.NewReader(in.form))
	ok(t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	if in.before != nil {
		in.before(r)
	}
	hash := sha256.Sum256([]byte(in.form))
	operator := w.Operator()
	ok(t, v4.NewSigner().SignHTTP(t.Context(), awssdk.Credentials{AccessKeyID: operator.AccessKeyID, SecretAccessKey: operator.SecretAccessKey},
		r, hex.EncodeToString(hash[:]), in.service, "eu-west-1", time.Now().Add(in.skew)))
	if in.after != nil {
		in.after(r)
	}
	return r
}

type wireAnswer struct {
	status             int
	text               string
	code, message, kin string
}

func send(t *testing.T, r *http.Request) wireAnswer {
	t.Helper()
	res, err := http.DefaultClient.Do(r)
	ok(t, err)
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	ok(t, err)
	if !regexp.MustCompile(`<RequestId>[0-9a-f-]{36}</RequestId>`).Match(body) {
		t.Fatalf("every answer has a RequestId, this has none: %s", body)
	}
	var parsed struct {
		Error struct{ Type, Code, Message string }
	}
	ok(t, xml.Unmarshal(body, &parsed))
	return wireAnswer{res.StatusCode, string(body), parsed.Error.Code, parsed.Error.Message, parsed.Error.Type}
}

func TestRequestsThatAreNotSignedRightAreRefused(t *testing.T) {
	t.Parallel()
	w := start(t, aws.Config{})
	body := func(text string) func(*http.Request) {
		return func(r *http.Request) {
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
		}
	}
	for what, c := range map[string]struct {
		request
		status int
		code   string
		text   string
	}{
		"a tampered body":   {request{form: whoamiForm, after: body(whoamiForm + "&")}, 403, "SignatureDoesNotMatch", "The request signature we calculated"},
		"a tampered header": {request{form: whoamiForm, after: func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }}, 403, "SignatureDoesNotMatch", "calculated"},
		"another host":      {request{form: whoamiForm, after: func(r *http.Request) { r.Host = "sts.amazonaws.com" }}, 403, "SignatureDoesNotMatch", "calculated"},
		"a wrong content hash": {request{form: whoamiForm, before: func(r *http.Request) {
			r.Header.Set("X-Amz-Content-Sha256", strings.Repeat("0", 64))
		}}, 403, "SignatureDoesNotMatch", "x-amz-content-sha256"},
		"a clock 16 minutes slow": {request{form: whoamiForm, skew: -16 * time.Minute}, 403, "SignatureDoesNotMatch", "Signature expired: "},
		"a clock 16 minutes fast": {request{form: whoamiForm, skew: 16 * time.Minute}, 403, "SignatureDoesNotMatch", "Signature not yet current: "},
		"another service":         {request{form: whoamiForm, service: "sns"}, 403, "SignatureDoesNotMatch", "Credential should be scoped to correct service: 'sts'"},
		"another day": {request{form: whoamiForm, after: func(r *http.Request) {
			header := r.Header.Get("Authorization")
			r.Header.Set("Authorization", regexp.MustCompile(`/\d{8}/`).ReplaceAllString(header, "/20150830/"))
		}}, 403, "SignatureDoesNotMatch", "Date in Credential scope does not match"},
		"no signature":       {request{form: whoamiForm, after: func(r *http.Request) { r.Header.Del("Authorization") }}, 403, "MissingAuthenticationToken", "Request is missing Authentication Token"},
		"a broken signature": {request{form: whoamiForm, after: func(r *http.Request) { r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=a") }}, 403, "IncompleteSignature", ""},
		"no date":            {request{form: whoamiForm, after: func(r *http.Request) { r.Header.Del("X-Amz-Date") }}, 403, "IncompleteSignature", "X-Amz-Date"},
		"the host unsigned": {request{form: whoamiForm, after: func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "host;", "", 1))
		}}, 403, "SignatureDoesNotMatch", "'host' must be a 'SignedHeader'"},
		"no action":         {request{form: "Version=2011-06-15"}, 400, "MissingAction", ""},
		"no version":        {request{form: "Action=GetCallerIdentity"}, 400, "InvalidAction", "Could not find operation GetCallerIdentity for version NO_VERSION_SPECIFIED"},
		"an unknown action": {request{form: "Action=ListQueues&Version=2012-11-05", service: "sqs"}, 400, "InvalidAction", "Could not find operation ListQueues"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			got := send(t, w.signed(t, c.request))
			equal(t, "status", got.status, c.status)
			equal(t, "code", got.code, c.code)
			equal(t, "type", got.kin, "Sender")
			if !strings.Contains(got.message, c.text) {
				t.Fatalf("want a message with %q, got %q", c.text, got.message)
			}
		})
	}
}

func TestRequestsThatAreSignedRightAreAnswered(t *testing.T) {
	t.Parallel()
	w := start(t, aws.Config{})
	hash := sha256.Sum256([]byte(whoamiForm))
	for what, in := range map[string]request{
		"plain":                       {form: whoamiForm},
		"a clock 14 minutes slow":     {form: whoamiForm, skew: -14 * time.Minute},
		"a right x-amz-content-sha":   {form: whoamiForm, before: func(r *http.Request) { r.Header.Set("X-Amz-Content-Sha256", hex.EncodeToString(hash[:])) }},
		"raw * ( ) ! ~ in the body":   {form: whoamiForm + "&Unused=()*!~"},
		"a signed header with spaces": {form: whoamiForm, before: func(r *http.Request) { r.Header.Set("X-Amz-Note", "a   b") }},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			got := send(t, w.signed(t, in))
			if got.status != http.StatusOK || !strings.Contains(got.text, "<Arn>arn:aws:iam::111122223333:user/operator</Arn>") {
				t.Fatalf("a client that signs right was refused: %d %s", got.status, got.text)
			}
		})
	}
}

func TestAnswersHaveTheShapeOfAWS(t *testing.T) {
	t.Parallel()
	w := start(t, aws.Config{})
	for form, want := range map[string]string{
		whoamiForm: `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>`,
		"Action=TagUser&Version=2010-05-08&UserName=operator":        `<TagUserResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><ResponseMetadata><RequestId>`,
		"Action=ListUserTags&Version=2010-05-08&UserName=operator":   `<ListUserTagsResult><Tags></Tags><IsTruncated>false</IsTruncated></ListUserTagsResult>`,
		"Action=GetSMSAttributes&Version=2010-03-31":                 `<GetSMSAttributesResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><GetSMSAttributesResult><attributes><entry><key>MonthlySpendLimit</key><value>1</value></entry></attributes>`,
		"Action=ListPhoneNumbersOptedOut&Version=2010-03-31":         `<phoneNumbers></phoneNumbers>`,
		"Action=GetUser&Version=2010-05-08&UserName=nobody":          `<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type><Code>NoSuchEntity</Code><Message>The user with name nobody cannot be found.</Message></Error><RequestId>`,
		"Action=Publish&Version=2010-03-31&PhoneNumber=1&Message=hi": `<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type><Code>InvalidParameter</Code>`,
	} {
		service := map[string]string{"2011-06-15": "sts", "2010-05-08": "iam", "2010-03-31": "sns"}[regexp.MustCompile(`\d{4}-\d\d-\d\d`).FindString(form)]
		got := send(t, w.signed(t, request{form: form, service: service}))
		if !strings.Contains(got.text, want) {
			t.Errorf("a client that reads AWS's XML would not read this answer to %s:\n%s", form, got.text)
		}
	}
}

func TestOperationAndPrincipalNameARequest(t *testing.T) {
	t.Parallel()
	w := start(t, aws.Config{})
	for form, want := range map[string]string{
		"Action=CreateAccessKey&Version=2010-05-08": "iam:CreateAccessKey",
		whoamiForm:                             "sts:GetCallerIdentity",
		"Action=ListQueues&Version=2012-11-05": "sqs:ListQueues",
		"":                                     "POST /",
	} {
		r := w.signed(t, request{form: form, service: "sqs"})
		r.URL = &url.URL{Path: "/"}
		equal(t, "operation", w.Operation(r, []byte(form)), want)
		equal(t, "principal", w.Principal(r), w.Operator().AccessKeyID)
		r.Header.Del("Authorization")
		equal(t, "principal of an unsigned request", w.Principal(r), "")
	}
}
