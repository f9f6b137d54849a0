package runtime_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/auth0"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/runtime"
)

// need stops a test that has no program to run with; in CI that is a failure.
func need(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is not on PATH: nothing shows that deployed code runs", program)
	}
	t.Skipf("SKIPPED: %s is not on PATH (https://nodejs.org, 18 or newer): nothing here shows that deployed code runs", program)
}

// npmCache is kept between runs: aws-sdk alone is 100 MB.
func npmCache(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../../../.cache/npm")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// sns records what reached it and answers as SNS does.
type sns struct {
	mu       sync.Mutex
	requests []snsRequest
}

type snsRequest struct {
	host, authorization string
	form                url.Values
}

func (s *sns) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	form, _ := url.ParseQuery(string(body))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, snsRequest{r.Host, r.Header.Get("Authorization"), form})
	w.Header().Set("Content-Type", "text/xml")
	_, _ = io.WriteString(w, `<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>m-1</MessageId></PublishResult></PublishResponse>`)
}

func (s *sns) only(t *testing.T) snsRequest {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.requests) != 1 {
		t.Fatalf("%d requests reached the account, want 1", len(s.requests))
	}
	return s.requests[0]
}

func start(t *testing.T) (*runtime.Node, *sns) {
	t.Helper()
	need(t, "node")
	account := &sns{}
	node, err := runtime.New(t.Context(), runtime.Config{CacheDir: npmCache(t), AWS: account})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := node.Close(); err != nil {
			t.Error(err)
		}
	})
	return node, account
}

func hook(script string) auth0.Job {
	return auth0.Job{
		Kind: "hook", Script: script, Recipient: "+15005550001", Text: "Your code is 123456",
		Context: map[string]any{"webtask": map[string]any{"secrets": map[string]string{
			"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "not-a-real-secret", "AWS_REGION": "eu-west-1",
		}}},
	}
}

const viaHTTPS = `
const https = require('https');
module.exports = function (recipient, text, context, cb) {
  const body = new URLSearchParams({ Action: 'Publish', PhoneNumber: recipient, Message: text }).toString();
  const host = 'sns.' + context.webtask.secrets.AWS_REGION + '.amazonaws.com';
  https.request({ host, method: 'POST', headers: { 'content-length': body.length } }, (res) => {
    let xml = '';
    res.on('data', (chunk) => { xml += chunk; });
    res.on('end', () => cb(null, { MessageID: /<MessageId>(.*)<\/MessageId>/.exec(xml)[1] }));
  }).on('error', cb).end(body);
};`

const viaFetch = `
module.exports = (recipient, text, context, cb) => {
  fetch('https://sns.eu-west-1.amazonaws.com/', {
    method: 'POST', body: new URLSearchParams({ Action: 'Publish', PhoneNumber: recipient, Message: text }),
  }).then((res) => res.text()).then((xml) => cb(null, { MessageID: /<MessageId>(.*)<\/MessageId>/.exec(xml)[1] }), cb);
};`

const viaSDK = `
const AWS = require('aws-sdk');
module.exports = (recipient, text, context, cb) => {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION } = context.webtask.secrets;
  new AWS.SNS({ accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY, region: AWS_REGION, maxRetries: 0 })
    .publish({ PhoneNumber: recipient, Message: text }, (err, data) => (err ? cb(err) : cb(null, { MessageID: data.MessageId })));
};`

func TestEveryClientReachesTheEmulatedAccount(t *testing.T) {
	tests := map[string]struct {
		script       string
		dependencies map[string]string
	}{
		"https":   {viaHTTPS, nil},
		"fetch":   {viaFetch, nil},
		"aws-sdk": {viaSDK, map[string]string{"aws-sdk": "2.1693.0"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			node, account := start(t)
			if test.dependencies != nil {
				need(t, "npm")
			}
			job := hook(test.script)
			job.Dependencies = test.dependencies
			result, err := node.Run(t.Context(), job)
			if err != nil {
				t.Fatal(err)
			}
			if result.Error != nil || string(result.Response) != `{"MessageID":"m-1"}` || result.Duration <= 0 {
				t.Errorf("result = %+v (error %+v), want the message id: a hook with this client cannot be tried", result, result.Error)
			}
			request := account.only(t)
			if request.host != "sns.eu-west-1.amazonaws.com" {
				t.Errorf("host = %q, want the one the code asked for: its signature covers it", request.host)
			}
			if got := request.form; got.Get("Action") != "Publish" || got.Get("PhoneNumber") != "+15005550001" || got.Get("Message") != "Your code is 123456" {
				t.Errorf("form = %v, want the message as the hook was given it", got)
			}
		})
	}
}

func TestWhatTheCodeDoesIsReported(t *testing.T) {
	tests := map[string]struct {
		script string
		want   auth0.RunError
	}{
		"callback with an Error":    {`module.exports = (r, t, c, cb) => cb(Object.assign(new TypeError('no'), { code: 'Throttling' }))`, auth0.RunError{Name: "TypeError", Message: "no", Code: "Throttling"}},
		"callback with a string":    {`module.exports = (r, t, c, cb) => cb('no')`, auth0.RunError{Name: "Error", Message: "no"}},
		"throws":                    {`module.exports = () => { throw new RangeError('bad') }`, auth0.RunError{Name: "RangeError", Message: "bad"}},
		"throws while loading":      {`throw new Error('early')`, auth0.RunError{Name: "Error", Message: "early"}},
		"throws later":              {`module.exports = () => setTimeout(() => { throw new Error('late') }, 5)`, auth0.RunError{Name: "Error", Message: "late"}},
		"rejects":                   {`module.exports = async () => { throw new Error('rejected') }`, auth0.RunError{Name: "Error", Message: "rejected"}},
		"no JavaScript":             {`module.exports = (`, auth0.RunError{Name: "SyntaxError", Message: "Unexpected end of input"}},
		"exports no function":       {`exports.hook = () => {}`, auth0.RunError{Name: "TypeError", Message: "module.exports to a function"}},
		"calls back twice":          {`module.exports = (r, t, c, cb) => { cb(null, {}); cb(null, {}) }`, auth0.RunError{Name: "DoubleCallback", Message: "more than once"}},
		"calls back twice, later":   {`module.exports = (r, t, c, cb) => { cb(null, {}); setTimeout(cb, 20) }`, auth0.RunError{Name: "DoubleCallback", Message: "more than once"}},
		"never calls back, ends":    {`module.exports = () => {}`, auth0.RunError{Name: "NoCallback", Message: "never called its callback"}},
		"never calls back, runs on": {`module.exports = () => setInterval(() => {}, 1000)`, auth0.RunError{Name: "TimeoutError", Message: "did not call its callback within 1s", Code: "ETIMEDOUT"}},
		"blocks":                    {`module.exports = () => { for (;;); }`, auth0.RunError{Name: "TimeoutError", Message: "did not call its callback within 1s", Code: "ETIMEDOUT"}},
		"exits":                     {`module.exports = () => process.exit(3)`, auth0.RunError{Name: "ProcessExit", Message: "exit status 3"}},
		"undeclared package":        {`require('aws-sdk')`, auth0.RunError{Name: "Error", Message: "Cannot find module 'aws-sdk'", Code: "MODULE_NOT_FOUND"}},
		"file":                      {`require('./network.js')`, auth0.RunError{Name: "Error", Message: "Cannot find module './network.js'", Code: "MODULE_NOT_FOUND"}},
		"foreign host over https":   {`module.exports = (r, t, c, cb) => require('https').get('https://example.com', cb).on('error', cb)`, auth0.RunError{Name: "Error", Message: "example.com:443 refused: only *.amazonaws.com", Code: "ECONNREFUSED"}},
		"foreign host over fetch":   {`module.exports = (r, t, c, cb) => fetch('https://example.com').then(() => cb(), cb)`, auth0.RunError{Name: "TypeError", Message: "example.com:443 refused: only *.amazonaws.com"}},
		"foreign host over http":    {`module.exports = (r, t, c, cb) => require('http').get('http://example.com', cb).on('error', cb)`, auth0.RunError{Name: "Error", Message: "example.com:80 refused", Code: "ECONNREFUSED"}},
		"lookalike of AWS":          {`module.exports = (r, t, c, cb) => require('https').get('https://sns.amazonaws.com.example.com', cb).on('error', cb)`, auth0.RunError{Name: "Error", Message: "sns.amazonaws.com.example.com:443 refused", Code: "ECONNREFUSED"}},
		"IP address":                {`module.exports = (r, t, c, cb) => require('net').connect(80, '192.0.2.1').on('error', cb)`, auth0.RunError{Name: "Error", Message: "192.0.2.1:80 refused", Code: "ECONNREFUSED"}},
		"Unix socket":               {`module.exports = (r, t, c, cb) => require('net').connect('/var/run/docker.sock').on('error', cb)`, auth0.RunError{Name: "Error", Message: "/var/run/docker.sock refused", Code: "ECONNREFUSED"}},
		"UDP":                       {`module.exports = () => require('dgram').createSocket('udp4').send('x', 53, '192.0.2.1')`, auth0.RunError{Name: "Error", Message: "a UDP address refused", Code: "ECONNREFUSED"}},
		"response that is not JSON": {`module.exports = (r, t, c, cb) => { const o = {}; o.o = o; cb(null, o) }`, auth0.RunError{Name: "TypeError", Message: "circular structure"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			node, account := start(t)
			job := hook(test.script)
			if test.want.Name == "TimeoutError" {
				job.Timeout = time.Second
			}
			result, err := node.Run(t.Context(), job)
			if err != nil {
				t.Fatal(err)
			}
			got := result.Error
			if got == nil || got.Name != test.want.Name || got.Code != test.want.Code || !strings.Contains(got.Message, test.want.Message) {
				t.Errorf("error = %+v, want %+v: the tenant's log would tell the wrong story", got, test.want)
			}
			if result.Duration > 10*time.Second {
				t.Errorf("took %v: the time-out does not end the run", result.Duration)
			}
			if len(account.requests) != 0 {
				t.Errorf("%d requests reached the account, want none", len(account.requests))
			}
		})
	}
}

func TestSuccessNeedsNoResponse(t *testing.T) {
	node, _ := start(t)
	for script, response := range map[string]string{
		`module.exports = (r, t, c, cb) => cb()`:         "",
		`module.exports = (r, t, c, cb) => cb(null, {})`: "{}",
	} {
		result, err := node.Run(t.Context(), hook(script))
		if err != nil || result.Error != nil || string(result.Response) != response {
			t.Errorf("%s: result = %+v, error %v, want success with response %q", script, result, err, response)
		}
	}
}

func TestOutputIsKeptAndCut(t *testing.T) {
	node, _ := start(t)
	result, err := node.Run(t.Context(), hook(`module.exports = (r, t, c, cb) => { console.log('one'); console.error('two'); cb(null, {}) }`))
	if err != nil || strings.Join(result.Logs, "|") != "one|two" {
		t.Errorf("logs = %q, error %v, want both lines in order", result.Logs, err)
	}
	result, err = node.Run(t.Context(), hook(`module.exports = (r, t, c, cb) => { for (let i = 0; i < 5000; i++) console.log('x'.repeat(99)); cb(null, {}) }`))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(strings.Join(result.Logs, "\n")); n > 70_000 || !strings.Contains(result.Logs[len(result.Logs)-1], "cut after 64 KiB") {
		t.Errorf("kept %d bytes of logs, the last line %q, want 64 KiB and a line that says so", n, result.Logs[len(result.Logs)-1])
	}
}

func TestSecretsAreInNoArgumentAndNoEnvironment(t *testing.T) {
	t.Setenv("AUTH0SNS_TEST_MARKER", "inherited")
	node, _ := start(t)
	result, err := node.Run(t.Context(), hook(`module.exports = (r, t, c, cb) => cb(null, { argv: process.argv, env: process.env })`))
	if err != nil || result.Error != nil {
		t.Fatalf("result = %+v, error %v", result, err)
	}
	for _, secret := range []string{"not-a-real-secret", "AUTH0SNS_TEST_MARKER", "inherited", "PATH="} {
		if strings.Contains(string(result.Response), secret) {
			t.Errorf("%q is among arguments and environment, which every process of this user can read: %s", secret, result.Response)
		}
	}
}

func TestCancelEndsTheRun(t *testing.T) {
	node, _ := start(t)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	begin := time.Now()
	_, err := node.Run(ctx, hook(`module.exports = () => setInterval(() => {}, 1000)`))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error = %v, want the context's: an interrupted challenge is no failure of the hook", err)
	}
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("took %v to end: Ctrl-C would seem to hang", took)
	}
}

func action(script string) auth0.Job {
	return auth0.Job{
		Kind: auth0.KindAction, Handler: "onExecuteSendPhoneMessage", Script: script,
		Event: map[string]any{
			"message_options": map[string]any{"recipient": "+15005550001", "text": "Your code is 123456"},
			"secrets":         map[string]string{"AWS_SECRET_ACCESS_KEY": "not-a-real-secret", "AWS_REGION": "eu-west-1"},
		},
	}
}

func TestAnActionSendsAMessage(t *testing.T) {
	scripts := map[string]struct {
		script       string
		dependencies map[string]string
	}{
		"fetch": {`exports.onExecuteSendPhoneMessage = async (event, api) => {
			const { recipient, text } = event.message_options;
			const body = new URLSearchParams({ Action: 'Publish', PhoneNumber: recipient, Message: text });
			const res = await fetch('https://sns.' + event.secrets.AWS_REGION + '.amazonaws.com/', { method: 'POST', body });
			console.log(res.status, Object.keys(api).join());
		};`, nil},
		"aws-sdk": {`const AWS = require('aws-sdk');
		module.exports = { onExecuteSendPhoneMessage: async (event) => {
			const { recipient, text } = event.message_options;
			const credentials = new AWS.Credentials('AKIAIOSFODNN7EXAMPLE', event.secrets.AWS_SECRET_ACCESS_KEY);
			const sns = new AWS.SNS({ region: event.secrets.AWS_REGION, credentials, maxRetries: 0 });
			await sns.publish({ PhoneNumber: recipient, Message: text }).promise();
			console.log(200, 'cache');
		} };`, map[string]string{"aws-sdk": "2.1693.0"}},
	}
	for name, test := range scripts {
		t.Run(name, func(t *testing.T) {
			node, account := start(t)
			if test.dependencies != nil {
				need(t, "npm")
			}
			job := action(test.script)
			job.Dependencies = test.dependencies
			result, err := node.Run(t.Context(), job)
			if err != nil || result.Error != nil || result.Duration <= 0 {
				t.Fatalf("result = %+v (error %+v), %v: an Action with this client cannot be tried", result, result.Error, err)
			}
			if len(result.Logs) == 0 || result.Logs[len(result.Logs)-1] != "200 cache" {
				t.Errorf("logs = %q, want the answer's status and an api that holds nothing but the cache", result.Logs)
			}
			request := account.only(t)
			if got := request.form; request.host != "sns.eu-west-1.amazonaws.com" || got.Get("PhoneNumber") != "+15005550001" || got.Get("Message") != "Your code is 123456" {
				t.Errorf("request to %s with %v, want the message as the event has it", request.host, got)
			}
		})
	}
}

func TestWhatAnActionDoesIsReported(t *testing.T) {
	export := func(body string) string {
		return "exports.onExecuteSendPhoneMessage = async (event, api) => {" + body + "}"
	}
	tests := map[string]struct {
		script string
		want   *auth0.RunError
	}{
		"returns":                    {export(``), nil},
		"returns something":          {export(`return { error: 'ignored' }`), nil},
		"is not asynchronous":        {`exports.onExecuteSendPhoneMessage = () => {}`, nil},
		"leaves something behind":    {export(`setInterval(() => {}, 1000)`), nil},
		"keeps things in the cache":  {export(`api.cache.set('k', 'v'); if (api.cache.get('k').value !== 'v') throw new Error('lost'); api.cache.delete('k'); if (api.cache.get('k')) throw new Error('kept')`), nil},
		"keeps things for too short": {export(`api.cache.set('k', 'v', { ttl: 0 }); if (api.cache.get('k')) throw new Error('kept')`), nil},
		"rejects":                    {export(`throw Object.assign(new TypeError('no'), { code: 'Throttling' })`), &auth0.RunError{Name: "TypeError", Message: "no", Code: "Throttling"}},
		"throws":                     {`exports.onExecuteSendPhoneMessage = () => { throw new RangeError('bad') }`, &auth0.RunError{Name: "RangeError", Message: "bad"}},
		"throws beside its promise":  {export(`setTimeout(() => { throw new Error('late') }, 5); await new Promise(() => {})`), &auth0.RunError{Name: "Error", Message: "late"}},
		"never settles, ends":        {export(`await new Promise(() => {})`), &auth0.RunError{Name: "NeverSettled", Message: "never settles"}},
		"never settles, runs on":     {export(`setInterval(() => {}, 1000); await new Promise(() => {})`), &auth0.RunError{Name: "TimeoutError", Message: "the action did not settle its promise within 1s", Code: "ETIMEDOUT"}},
		"is a hook":                  {`module.exports = (recipient, text, context, cb) => cb(null, {})`, &auth0.RunError{Name: "TypeError", Message: "must export a function onExecuteSendPhoneMessage"}},
		"undeclared package":         {`require('aws-sdk')`, &auth0.RunError{Name: "Error", Message: "not among the action's dependencies", Code: "MODULE_NOT_FOUND"}},
		"foreign host":               {export(`await fetch('https://example.com')`), &auth0.RunError{Name: "TypeError", Message: "example.com:443 refused: only *.amazonaws.com"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			node, account := start(t)
			job := action(test.script)
			if test.want != nil && test.want.Name == "TimeoutError" {
				job.Timeout = time.Second
			}
			result, err := node.Run(t.Context(), job)
			if err != nil {
				t.Fatal(err)
			}
			got := result.Error
			if test.want == nil {
				if got != nil {
					t.Errorf("error = %+v, want none: Auth0 would take the message for sent", got)
				}
			} else if got == nil || got.Name != test.want.Name || got.Code != test.want.Code || !strings.Contains(got.Message, test.want.Message) {
				t.Errorf("error = %+v, want %+v: the tenant's log would tell the wrong story", got, test.want)
			}
			if len(account.requests) != 0 {
				t.Errorf("%d requests reached the account, want none", len(account.requests))
			}
		})
	}
}

// TestVerdictOfAPhoneProvider fails when a message that the code gave up, or
// wants to be tried again, would count as sent.
func TestVerdictOfAPhoneProvider(t *testing.T) {
	for name, test := range map[string]struct {
		body    string
		verdict *auth0.Verdict
		err     string
	}{
		"none":       {`api.cache.set('k', 'v')`, nil, ""},
		"retry":      {`api.notification.retry('Throttled')`, &auth0.Verdict{Outcome: auth0.VerdictRetry, Reason: "Throttled"}, ""},
		"drop":       {`api.notification.drop(new RangeError('no'))`, &auth0.Verdict{Outcome: auth0.VerdictDrop, Reason: "RangeError: no"}, ""},
		"no reason":  {`api.notification.drop()`, &auth0.Verdict{Outcome: auth0.VerdictDrop}, ""},
		"last wins":  {`api.notification.drop('a'); await null; api.notification.retry('b')`, &auth0.Verdict{Outcome: auth0.VerdictRetry, Reason: "b"}, ""},
		"then throw": {`api.notification.retry('a'); throw new Error('b')`, nil, "b"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			node, _ := start(t)
			job := action("exports.onExecuteCustomPhoneProvider = async (event, api) => {" + test.body + "}")
			job.Handler = "onExecuteCustomPhoneProvider"
			result, err := node.Run(t.Context(), job)
			if err != nil {
				t.Fatal(err)
			}
			if (result.Error != nil || test.err != "") && (result.Error == nil || result.Error.Message != test.err) {
				t.Errorf("error = %+v, want %q", result.Error, test.err)
			}
			if got := result.Verdict; (got == nil) != (test.verdict == nil) || got != nil && *got != *test.verdict {
				t.Errorf("verdict = %+v, want %+v", got, test.verdict)
			}
		})
	}
	node, _ := start(t)
	result, err := node.Run(t.Context(), action("exports.onExecuteSendPhoneMessage = async (event, api) => { api.notification.drop('a') }"))
	if err != nil || result.Error == nil || result.Error.Name != "TypeError" {
		t.Errorf("result = %+v, %v: send-phone-message has no api.notification, code that uses it fails at Auth0", result, err)
	}
}

func TestOnlyKnownKindsRun(t *testing.T) {
	node, _ := start(t)
	if _, err := node.Run(t.Context(), auth0.Job{Kind: "rule"}); err == nil || !strings.Contains(err.Error(), `"rule"`) {
		t.Errorf("error = %v, want one that names the kind", err)
	}
}

func TestMissingNodeSaysHowToGetIt(t *testing.T) {
	node, err := runtime.New(t.Context(), runtime.Config{CacheDir: t.TempDir(), AWS: &sns{}})
	if err != nil {
		t.Fatalf("without Node, a sandbox without challenges must still start: %v", err)
	}
	defer func() { _ = node.Close() }()
	t.Setenv("PATH", t.TempDir())
	_, err = node.Run(t.Context(), hook(``))
	if err == nil || !strings.Contains(err.Error(), "node is needed") || !strings.Contains(err.Error(), "https://nodejs.org") {
		t.Errorf("error = %v, want which program is missing and where to get it", err)
	}
}

func TestModules(t *testing.T) {
	need(t, "npm")
	cache := npmCache(t)
	dir, err := runtime.Modules(t.Context(), cache, map[string]string{"aws4": "1.13.2"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "aws4", "package.json")); err != nil {
		t.Errorf("the package is not where Node looks for it: %v", err)
	}
	t.Setenv("PATH", t.TempDir())
	again, err := runtime.Modules(t.Context(), cache, map[string]string{"aws4": "1.13.2"})
	if err != nil || again != dir {
		t.Errorf("second call gave %q, %v, want the cached %q without npm", again, err, dir)
	}
	if dir, err := runtime.Modules(t.Context(), cache, nil); dir != "" || err != nil {
		t.Errorf("no dependencies gave %q, %v, want nothing to be done", dir, err)
	}
	if _, err := runtime.Modules(t.Context(), t.TempDir(), map[string]string{"aws4": "1.13.2"}); err == nil || !strings.Contains(err.Error(), "npm is needed") {
		t.Errorf("error = %v, want that npm is missing", err)
	}
}

func TestModulesRefusesWhatIsNotExact(t *testing.T) {
	for name, version := range map[string]string{
		"aws-sdk":      "2.x",
		"left-pad":     "latest",
		"--evil":       "1.0.0",
		"../elsewhere": "1.0.0",
		"x":            "file:../x",
	} {
		if _, err := runtime.Modules(t.Context(), t.TempDir(), map[string]string{name: version}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s@%s: error = %v, want a refusal that names the package", name, version, err)
		}
	}
}

func TestConcurrentModulesInstallOnce(t *testing.T) {
	need(t, "npm")
	cache := t.TempDir()
	var group sync.WaitGroup
	for range 3 {
		group.Go(func() {
			if _, err := runtime.Modules(t.Context(), cache, map[string]string{"aws4": "1.13.2"}); err != nil {
				t.Errorf("two sandboxes cannot share a cache: %v", err)
			}
		})
	}
	group.Wait()
	left, err := filepath.Glob(filepath.Join(cache, "*"))
	if err != nil || len(left) != 2 {
		t.Errorf("the cache holds %v, want one directory and its lock", left)
	}
}
