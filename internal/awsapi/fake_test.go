package awsapi

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const (
	testAccount = "123456789012"
	testSecret  = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzVerySecret"
	testKeyID   = "AKIAIOSFODNN7EXAMPLE"
	callerARN   = "arn:aws:iam::123456789012:user/operator"
	userARN     = "arn:aws:iam::123456789012:user/auth0/sender"
)

// TestMain takes the machine's AWS settings away from every test.
func TestMain(m *testing.M) {
	os.Exit(runIsolated(m))
}

func runIsolated(m *testing.M) int {
	for _, setting := range os.Environ() {
		if name, _, _ := strings.Cut(setting, "="); strings.HasPrefix(name, "AWS_") {
			_ = os.Unsetenv(name)
		}
	}
	dir, err := os.MkdirTemp("", "awsapi")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	for name, value := range map[string]string{
		"AWS_EC2_METADATA_DISABLED":   "true",
		"AWS_CONFIG_FILE":             filepath.Join(dir, "config"),
		"AWS_SHARED_CREDENTIALS_FILE": filepath.Join(dir, "credentials"),
		"AWS_ACCESS_KEY_ID":           "AKIACHAINCHAINCHAIN0",
		"AWS_SECRET_ACCESS_KEY":       "chain/secret/of/the/operator",
	} {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	return m.Run()
}

// request is what a fake saw of one call.
type request struct {
	Action, Authorization, UserAgent, Date string
	Form                                   url.Values
}

// reply is one answer; status 0 drops the connection without one.
type reply struct {
	status int
	body   string
}

// fake is an endpoint of AWS's query protocol. It takes the replies to an
// action in turn and repeats the last.
type fake struct {
	URL string

	mu       sync.Mutex
	replies  map[string][]reply
	requests []request
}

func newFake(t *testing.T, replies map[string][]reply) *fake {
	t.Helper()
	f := &fake{replies: replies}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	f.URL = server.URL
	return f
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answer := f.answer(r)
	if answer.status == 0 {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "text/xml")
	w.Header().Set("x-amzn-RequestId", "request-1")
	w.WriteHeader(answer.status)
	_, _ = fmt.Fprint(w, answer.body)
}

func (f *fake) answer(r *http.Request) reply {
	f.mu.Lock()
	defer f.mu.Unlock()
	action := r.PostForm.Get("Action")
	f.requests = append(f.requests, request{
		action, r.Header.Get("Authorization"), r.UserAgent(), r.Header.Get("X-Amz-Date"), r.PostForm,
	})
	left := f.replies[action]
	if len(left) == 0 {
		return failure(http.StatusBadRequest, "InvalidAction", "the fake knows no "+action)
	}
	if len(left) > 1 {
		f.replies[action] = left[1:]
	}
	return left[0]
}

// actions lists the calls seen so far.
func (f *fake) actions() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	actions := make([]string, len(f.requests))
	for i, r := range f.requests {
		actions[i] = r.Action
	}
	return actions
}

func (f *fake) last(t *testing.T) request {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.requests) == 0 {
		t.Fatal("no request arrived")
	}
	return f.requests[len(f.requests)-1]
}

// result answers an action with the content of its Result element.
func result(action, content string) reply {
	return reply{http.StatusOK, fmt.Sprintf(
		`<%[1]sResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><%[1]sResult>%[2]s</%[1]sResult>`+
			`<ResponseMetadata><RequestId>request-1</RequestId></ResponseMetadata></%[1]sResponse>`, action, content)}
}

func failure(status int, code, message string) reply {
	return reply{status, fmt.Sprintf(
		`<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error>`+
			`<RequestId>request-1</RequestId></ErrorResponse>`, code, message)}
}

func callerIs(account, arn string) reply {
	return result("GetCallerIdentity", fmt.Sprintf(
		"<Arn>%s</Arn><UserId>AIDAOPERATOR</UserId><Account>%s</Account>", arn, account))
}

const userXML = `<User><Path>/auth0/</Path><UserName>sender</UserName><UserId>AIDASENDER</UserId>` +
	`<Arn>` + userARN + `</Arn><CreateDate>2026-11-23T10:00:00Z</CreateDate>` +
	`<Tags><member><Key>team</Key><Value>identity</Value></member></Tags>` +
	`<PermissionsBoundary><PermissionsBoundaryType>Policy</PermissionsBoundaryType>` +
	`<PermissionsBoundaryArn>arn:aws:iam::123456789012:policy/bound</PermissionsBoundaryArn></PermissionsBoundary></User>`

const keyXML = `<AccessKey><UserName>sender</UserName><AccessKeyId>` + testKeyID + `</AccessKeyId>` +
	`<Status>Active</Status><SecretAccessKey>` + testSecret + `</SecretAccessKey>` +
	`<CreateDate>2026-11-23T10:00:00Z</CreateDate></AccessKey>`

func newClient(t *testing.T, c Config) *Client {
	t.Helper()
	client, err := New(t.Context(), c)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	return client
}
