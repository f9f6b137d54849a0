package awsapi

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRegionAndPartitionComeFromSettingsThenChain(t *testing.T) {
	tests := map[string]struct {
		config            Config
		env               map[string]string
		region, partition string
	}{
		"settings win":            {Config{Region: "eu-west-1"}, map[string]string{"AWS_REGION": "us-west-2"}, "eu-west-1", "aws"},
		"environment":             {Config{}, map[string]string{"AWS_REGION": "us-gov-west-1"}, "us-gov-west-1", "aws-us-gov"},
		"none":                    {Config{}, nil, "", "aws"},
		"none, role of China":     {Config{AssumeRoleARN: "arn:aws-cn:iam::123456789012:role/x"}, nil, "", "aws-cn"},
		"none, role of us-gov":    {Config{AssumeRoleARN: "arn:aws-us-gov:iam::123456789012:role/x"}, nil, "", "aws-us-gov"},
		"region of China":         {Config{Region: "cn-north-1"}, nil, "cn-north-1", "aws-cn"},
		"profile of the settings": {Config{Profile: "p"}, nil, "ap-south-1", "aws"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Setenv("AWS_CONFIG_FILE", writeFile(t, "[profile p]\nregion = ap-south-1\n"))
			for key, value := range test.env {
				t.Setenv(key, value)
			}
			client := newClient(t, test.config)
			if client.Region() != test.region || client.Partition() != test.partition {
				t.Errorf("region %q, partition %q; want %q, %q: the policy would name the wrong partition",
					client.Region(), client.Partition(), test.region, test.partition)
			}
		})
	}
}

func TestCallsWorkWithoutARegion(t *testing.T) {
	aws := newFake(t, map[string][]reply{"GetCallerIdentity": {callerIs(testAccount, callerARN)}})
	if _, err := newClient(t, Config{EndpointURL: aws.URL}).Identity(t.Context()); err != nil {
		t.Fatalf("a user without a region set cannot use IAM at all: %v", err)
	}
	if signed := aws.last(t).Authorization; !strings.Contains(signed, "/us-east-1/sts/") {
		t.Errorf("signed as %q, want us-east-1", signed)
	}
}

func TestEndpointPrecedence(t *testing.T) {
	identity := map[string][]reply{
		"GetCallerIdentity": {callerIs(testAccount, callerARN)},
		"GetUser":           {result("GetUser", userXML)},
	}
	setting, iamOnly, global := newFake(t, identity), newFake(t, identity), newFake(t, identity)
	tests := map[string]struct {
		config   Config
		env      map[string]string
		iam, sts *fake
	}{
		"the setting beats all": {
			Config{EndpointURL: setting.URL},
			map[string]string{"AWS_ENDPOINT_URL_IAM": iamOnly.URL, "AWS_ENDPOINT_URL": global.URL},
			setting, setting,
		},
		"a service's own beats the global": {
			Config{}, map[string]string{"AWS_ENDPOINT_URL_IAM": iamOnly.URL, "AWS_ENDPOINT_URL": global.URL}, iamOnly, global,
		},
		"the global": {Config{}, map[string]string{"AWS_ENDPOINT_URL": global.URL}, global, global},
		"the setting, though endpoints of the environment are to be ignored": {
			Config{EndpointURL: setting.URL}, map[string]string{"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}, setting, setting,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for key, value := range test.env {
				t.Setenv(key, value)
			}
			client := newClient(t, test.config)
			atIAM := count(test.iam, "GetUser")
			if _, err := client.User(t.Context(), "sender"); err != nil || count(test.iam, "GetUser") != atIAM+1 {
				t.Errorf("GetUser went elsewhere (%v): a test account's change would land in a real one", err)
			}
			atSTS := count(test.sts, "GetCallerIdentity")
			if _, err := client.Identity(t.Context()); err != nil || count(test.sts, "GetCallerIdentity") != atSTS+1 {
				t.Errorf("GetCallerIdentity went elsewhere (%v)", err)
			}
			key := NewAccessKey{AccessKey: AccessKey{ID: testKeyID}, Secret: NewSecret(testSecret)}
			if _, err := client.Accepted(t.Context(), "eu-west-1", key); err != nil || count(test.sts, "GetCallerIdentity") != atSTS+2 {
				t.Errorf("the question whether a key is accepted went elsewhere (%v)", err)
			}
		})
	}
}

func TestAssumeRole(t *testing.T) {
	const role = "arn:aws:iam::123456789012:role/deployer"
	aws := newFake(t, map[string][]reply{
		"AssumeRole": {result("AssumeRole", `<Credentials><AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>role/secret</SecretAccessKey>`+
			`<SessionToken>token</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>`)},
		"GetUser": {result("GetUser", userXML)},
	})
	client := newClient(t, Config{EndpointURL: aws.URL, AssumeRoleARN: role})
	for range 2 {
		if _, err := client.User(t.Context(), "sender"); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"AssumeRole", "GetUser", "GetUser"}, aws.actions()); diff != "" {
		t.Errorf("the role is to be assumed once (-want +got):\n%s", diff)
	}
	if signed := aws.last(t).Authorization; !strings.Contains(signed, "Credential=ASIAROLE/") {
		t.Errorf("signed %q, not by the role: changes would be made with the operator's own rights", signed)
	}
	if form := aws.requests[0].Form; form.Get("RoleArn") != role || form.Get("RoleSessionName") != "auth0sns" {
		t.Errorf("AssumeRole of %v: CloudTrail would not show who it was", form)
	}
}

func TestAssumeRoleRefusedNamesTheRoleNotTheCall(t *testing.T) {
	aws := newFake(t, map[string][]reply{"AssumeRole": {failure(http.StatusForbidden, "AccessDenied",
		"User: "+callerARN+" is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::1:role/r")}})
	client := newClient(t, Config{EndpointURL: aws.URL, AssumeRoleARN: "arn:aws:iam::123456789012:role/r"})
	_, err := client.CreateAccessKey(t.Context(), "sender")
	e := asError(t, err)
	if e.Operation != "sts:AssumeRole" || e.Kind != AccessDenied || e.MissingAction != "sts:AssumeRole" || e.Ambiguous() {
		t.Errorf("%+v: a reader would look for a missing iam:CreateAccessKey", *e)
	}
	if !strings.HasPrefix(err.Error(), "sts:AssumeRole (to get the credentials for iam:CreateAccessKey): ") {
		t.Errorf("text: %s", err)
	}
}

func TestAssumeRoleWithoutAnAnswerLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	aws := newFake(t, map[string][]reply{"AssumeRole": {{}}})
	client := newClient(t, Config{EndpointURL: aws.URL, AssumeRoleARN: "arn:aws:iam::123456789012:role/r"})
	_, err := client.CreateAccessKey(t.Context(), "sender")
	if e := asError(t, err); e.Kind != Transport || e.Ambiguous() || count(aws, "CreateAccessKey") != 0 {
		t.Errorf("%v: CreateAccessKey was never sent, so there is no stray key to look for", err)
	}
}

func TestUserAgentNamesTheProducts(t *testing.T) {
	aws := newFake(t, map[string][]reply{"GetUser": {result("GetUser", userXML)}})
	client := newClient(t, Config{
		EndpointURL: aws.URL, UserAgentProducts: [][2]string{{"terraform", "1.11.4"}, {"auth0sns", "0.1.0"}},
	})
	if _, err := client.User(t.Context(), "sender"); err != nil {
		t.Fatal(err)
	}
	agent := aws.last(t).UserAgent
	if !strings.Contains(agent, "aws-sdk-go-v2/") || !strings.Contains(agent, "terraform/1.11.4 auth0sns/0.1.0") {
		t.Errorf("User-Agent %q: CloudTrail would not show which tool it was", agent)
	}
}

func TestRequestsAreSignedByTheGivenClock(t *testing.T) {
	aws := newFake(t, map[string][]reply{"GetUser": {result("GetUser", userXML)}})
	client := newClient(t, Config{
		EndpointURL: aws.URL, Now: func() time.Time { return time.Date(2027, 2, 3, 4, 5, 6, 0, time.UTC) },
	})
	if _, err := client.User(t.Context(), "sender"); err != nil {
		t.Fatal(err)
	}
	if date := aws.last(t).Date; date != "20270203T040506Z" {
		t.Errorf("signed at %s: an emulated account whose clock was moved would refuse every call", date)
	}
}

// The refusals, then the answer that would come if the call were made again.
func TestWhatMayBeRepeated(t *testing.T) {
	user, key := result("CreateUser", userXML), result("CreateAccessKey", keyXML)
	createKey := func(ctx context.Context, c *Client) error {
		_, err := c.CreateAccessKey(ctx, "sender")
		return err
	}
	createUser := func(ctx context.Context, c *Client) error {
		_, err := c.CreateUser(ctx, User{Name: "sender"})
		return err
	}
	rename := func(ctx context.Context, c *Client) error { return c.RenameUser(ctx, "sender", "other", "") }
	read := func(ctx context.Context, c *Client) error {
		_, err := c.User(ctx, "sender")
		return err
	}
	remove := func(ctx context.Context, c *Client) error { return c.DeleteAccessKey(ctx, "sender", testKeyID) }
	dropped := reply{}
	broken := failure(http.StatusInternalServerError, "ServiceFailure", "sorry")
	html := reply{http.StatusBadGateway, "<html>Bad Gateway</html>"}
	throttled := failure(http.StatusBadRequest, "Throttling", "Rate exceeded")
	busy := failure(http.StatusTooManyRequests, "Throttled", "Rate exceeded")
	changing := failure(http.StatusConflict, "ConcurrentModification", "another request")
	tests := map[string]struct {
		action    string
		call      func(context.Context, *Client) error
		first     reply
		then      reply
		sent      int
		ambiguous bool // or else it succeeds in the end
	}{
		"CreateAccessKey dropped":     {"CreateAccessKey", createKey, dropped, key, 1, true},
		"CreateAccessKey 500":         {"CreateAccessKey", createKey, broken, key, 1, true},
		"CreateAccessKey 502 HTML":    {"CreateAccessKey", createKey, html, key, 1, true},
		"CreateAccessKey cut off":     {"CreateAccessKey", createKey, reply{200, key.body[:200]}, key, 1, true},
		"CreateAccessKey empty":       {"CreateAccessKey", createKey, reply{200, ""}, key, 1, true},
		"CreateAccessKey throttled":   {"CreateAccessKey", createKey, throttled, key, 2, false},
		"CreateUser dropped":          {"CreateUser", createUser, dropped, user, 1, true},
		"CreateUser 500":              {"CreateUser", createUser, broken, user, 1, true},
		"CreateUser throttled":        {"CreateUser", createUser, busy, user, 2, false},
		"CreateUser other change":     {"CreateUser", createUser, changing, user, 2, false},
		"RenameUser dropped":          {"UpdateUser", rename, dropped, result("UpdateUser", ""), 1, true},
		"GetUser dropped":             {"GetUser", read, dropped, result("GetUser", userXML), 2, false},
		"GetUser 500":                 {"GetUser", read, broken, result("GetUser", userXML), 2, false},
		"GetUser throttled":           {"GetUser", read, throttled, result("GetUser", userXML), 2, false},
		"GetUser Throttled as of SNS": {"GetUser", read, busy, result("GetUser", userXML), 2, false},
		"DeleteAccessKey dropped":     {"DeleteAccessKey", remove, dropped, result("DeleteAccessKey", ""), 2, false},
		"DeleteAccessKey throttled":   {"DeleteAccessKey", remove, busy, result("DeleteAccessKey", ""), 2, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			aws := newFake(t, map[string][]reply{test.action: {test.first, test.then}})
			err := test.call(t.Context(), newClient(t, Config{EndpointURL: aws.URL}))
			if sent := count(aws, test.action); sent != test.sent {
				t.Errorf("sent %d times, want %d: a repeat of what may have happened leaves a stray key or user", sent, test.sent)
			}
			if !test.ambiguous {
				if err != nil {
					t.Errorf("a passing refusal ends the run: %v", err)
				}
				return
			}
			e := asError(t, err)
			if !e.Ambiguous() || !strings.Contains(err.Error(), "may have been made") {
				t.Errorf("not told as ambiguous, so a stray key would stay: %v", err)
			}
		})
	}
}

func TestARefusedConnectionIsNotAmbiguous(t *testing.T) {
	t.Parallel()
	client := newClient(t, Config{EndpointURL: "http://127.0.0.1:1"})
	_, err := client.CreateAccessKey(t.Context(), "sender")
	if e := asError(t, err); e.Kind != Transport || e.Ambiguous() {
		t.Errorf("%v: nothing was sent, so there is no stray key to look for", err)
	}
}

func TestCallsHonourTheContext(t *testing.T) {
	t.Parallel()
	t.Run("between attempts", func(t *testing.T) {
		t.Parallel()
		aws := newFake(t, map[string][]reply{"GetUser": {failure(http.StatusServiceUnavailable, "ServiceUnavailable", "later")}})
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(50*time.Millisecond, cancel)
		_, err := newClient(t, Config{EndpointURL: aws.URL}).User(ctx, "sender")
		if err == nil || ctx.Err() == nil {
			t.Fatalf("an interrupted run went on: %v", err)
		}
	})
	t.Run("before the call", func(t *testing.T) {
		t.Parallel()
		aws := newFake(t, nil)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		client := newClient(t, Config{EndpointURL: aws.URL})
		_, err := client.User(ctx, "sender")
		if !errors.Is(err, context.Canceled) || len(aws.actions()) != 0 {
			t.Errorf("%v after %v: a cancelled run must not be taken for a failure of AWS", err, aws.actions())
		}
		if e := asError(t, err); e.Ambiguous() || !strings.Contains(e.Error(), "interrupted") {
			t.Errorf("%v: a person who pressed Ctrl-C is told to correct something", err)
		}
	})
	t.Run("while credentials are fetched", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{}) // the SDK lets its fetching of credentials go on for others who wait
		slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			cancel()
			<-done
		}))
		t.Cleanup(slow.Close)
		t.Cleanup(func() { close(done) })
		client := newClient(t, Config{EndpointURL: slow.URL, AssumeRoleARN: "arn:aws:iam::123456789012:role/r"})
		_, err := client.CreateAccessKey(ctx, "sender")
		if !errors.Is(err, context.Canceled) || KindOf(err) != Transport {
			t.Errorf("%v: a cancelled run is told as missing credentials", err)
		}
	})
	t.Run("while another asks for the identity", func(t *testing.T) {
		t.Parallel()
		client := newClient(t, Config{})
		client.identity.turn <- struct{}{}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := client.Identity(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("waits although cancelled: %v", err)
		}
	})
}

func TestUnknownProfile(t *testing.T) {
	_, err := New(t.Context(), Config{Profile: "nobody"})
	if e := asError(t, err); e.Kind != NoCredentials || !strings.Contains(err.Error(), "nobody") {
		t.Errorf("%v: the reader is to see which profile is missing", err)
	}
}

func count(f *fake, action string) int {
	n := 0
	for _, seen := range f.actions() {
		if seen == action {
			n++
		}
	}
	return n
}

func asError(t *testing.T, err error) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("no *Error: %v", err)
	}
	return e
}

func writeFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
