package awsapi

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// always answers every request alike.
type always struct {
	status int
	body   string
}

func (a always) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: a.status, Header: http.Header{"Content-Type": {"text/xml"}},
		Body: io.NopCloser(strings.NewReader(a.body)), ContentLength: int64(len(a.body)), Request: req,
	}, nil
}

// fuzzedClient speaks to an AWS that answers every request alike, and repeats
// nothing: the SDK waits in real time.
func fuzzedClient(t *testing.T, answer always) *Client {
	t.Helper()
	c := newClient(t, Config{Region: "us-east-1", HTTPClient: &http.Client{Transport: answer}})
	once := func(o *iam.Options) { o.Retryer = aws.NopRetryer{} }
	c.iam = newIAMCalls(iam.NewFromConfig(c.settings, once))
	c.iam.CreateAccessKey = atOnce(c.iam.CreateAccessKey, once)
	return c
}

// atOnce overrules the retryer that the caller names.
func atOnce[I, O any](do call[I, O], option func(*iam.Options)) call[I, O] {
	return func(ctx context.Context, in *I, options ...func(*iam.Options)) (*O, error) {
		return do(ctx, in, append(options, option)...)
	}
}

// FuzzAccessKeyAnswer: the one answer that holds a secret key.
func FuzzAccessKeyAnswer(f *testing.F) {
	created := result("CreateAccessKey", keyXML).body
	f.Add(0, created)
	f.Add(0, strings.Replace(created, "<SecretAccessKey>", "<SecretAccessKey></SecretAccessKey><SecretAccessKey>", 1))
	f.Add(0, strings.Replace(created, "<CreateDate>", "<CreateDate>yesterday ", 1))
	f.Add(0, strings.Replace(created, "<AccessKeyId>"+testKeyID, "<AccessKeyId>", 1))
	f.Add(0, created[:len(created)/2])
	f.Add(0, "<html>"+testSecret)
	f.Add(209, failure(409, "LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2").body)
	f.Add(300, created)
	f.Fuzz(func(t *testing.T, status int, body string) {
		answer := always{anyStatus(status), body}
		key, err := fuzzedClient(t, answer).CreateAccessKey(t.Context(), "sender")
		if err == nil {
			if key.ID == "" || key.Secret.Reveal() == "" {
				t.Errorf("%q was taken for a key: a sender would get half of it", body)
			}
			return
		}
		failed := requireError(t, err)
		if strings.Contains(body, testSecret) && strings.Contains(err.Error(), testSecret) {
			t.Errorf("shows the secret key: %v", err)
		}
		if answer.status < 300 && !failed.Ambiguous() {
			t.Errorf("HTTP %d %q: %v: a key was made, and nobody looks for it", answer.status, body, err)
		}
		if key.ID != "" || key.Secret.Reveal() != "" {
			t.Error("a key beside an error")
		}
	})
}

// FuzzErrorAnswer: what AWS, or a proxy, says to a change that it refuses.
func FuzzErrorAnswer(f *testing.F) {
	for _, code := range []string{"NoSuchEntity", "AccessDenied", "Throttling", "InvalidClientTokenId", "ServiceFailure", "", "UnknownError"} {
		f.Add(204, failure(0, code, "User: "+callerARN+" is not authorized to perform: iam:UpdateAccessKey on resource: user sender").body)
	}
	f.Add(304, "")
	f.Add(303, "<html><body>502 Bad Gateway</body></html>")
	f.Add(200, `{"__type":"ThrottlingException","message":"Rate exceeded"}`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		answer := always{anyStatus(status), body}
		err := fuzzedClient(t, answer).SetAccessKeyActive(t.Context(), "sender", testKeyID, false)
		if answer.status >= 300 && err == nil {
			t.Fatalf("HTTP %d was taken for success: the old key would be believed inactive", answer.status)
		}
		if err == nil {
			return
		}
		failed := requireError(t, err)
		if failed.StatusCode != answer.status {
			t.Errorf("HTTP %d is told as %d", answer.status, failed.StatusCode)
		}
		if failed.Kind == NotFound && failed.Code != "NoSuchEntity" {
			t.Errorf("%q reads as \"the key is gone\"", body)
		}
		if answer.status >= http.StatusInternalServerError && failed.Code == "" && !failed.Ambiguous() {
			t.Errorf("HTTP %d: the change may have been made, and is told as refused: %v", answer.status, err)
		}
		if failed.Kind == AccessDenied && failed.MissingAction == "" {
			t.Errorf("the person is not told which action to allow: %v", err)
		}
	})
}

// anyStatus maps a number to a final HTTP status.
func anyStatus(n int) int { return 200 + max(n, -(n+1))%400 }

func requireError(t *testing.T, err error) *Error {
	t.Helper()
	var failed *Error
	if !errors.As(err, &failed) || failed.Error() == "" {
		t.Fatalf("a person is told %T: %v", err, err)
	}
	return failed
}
