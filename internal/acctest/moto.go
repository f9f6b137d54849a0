//go:build unix

package acctest

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/aws"
)

// Moto is moto_server, an implementation of AWS that is not ours. It verifies
// signatures and evaluates identity policies by action, not by resource. As an
// http.Handler it is a proxy in front of it, which records every call and puts
// right where moto is known to differ from AWS:
//
//   - refusals have AWS's shape, and SNS's their own code, AuthorizationError;
//   - a key that is Inactive is refused;
//   - a user that has access keys cannot be deleted.
type Moto struct {
	// Operator may do everything.
	Operator aws.Credentials

	target *url.URL

	mu    sync.Mutex
	calls []MotoCall
	keys  map[string]motoKey
}

// MotoCall is one request that came to moto, or to the proxy in its place.
type MotoCall struct {
	Service, Action string // "sns", "Publish"; Action is empty outside the query protocol.
	Form            url.Values
	AccessKeyID     string
	Status          int
	Code            string // AWS's error code, "" for an answer that is none
	MessageID       string // of SNS
}

// motoKey is what the proxy has to know of a key.
type motoKey struct {
	aws.Credentials
	user              string
	inactive, deleted bool
}

// StartMoto starts a moto_server that ends with the test.
func StartMoto(t testing.TB, accountID string) *Moto {
	t.Helper()
	path, err := exec.LookPath("moto_server")
	NeedTool(t, err == nil, "moto_server", "pip install 'moto[server]==5.2.1'")
	// An empty directory: a version manager may look there for the Python to use.
	server := StartProcess(t, t.TempDir(), append(os.Environ(), "MOTO_ACCOUNT_ID="+accountID), path, "-H", "127.0.0.1", "-p", "0")
	target, err := url.Parse(server.Await(t, `Running on (http://127\.0\.0\.1:\d+)`)[1])
	if err != nil {
		t.Fatal(err)
	}
	m := &Moto{target: target, keys: map[string]motoKey{}}
	if err := m.bootstrap(t.Context()); err != nil {
		t.Fatalf("moto: %v", err)
	}
	return m
}

const everything = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`

// bootstrap makes the operator while nothing is enforced, then enforces.
func (m *Moto) bootstrap(ctx context.Context) error {
	iam := func(action string, parameters ...string) ([]byte, error) {
		form := url.Values{"Action": {action}, "Version": {"2010-05-08"}, "UserName": {"operator"}}
		for i := 0; i < len(parameters); i += 2 {
			form.Set(parameters[i], parameters[i+1])
		}
		return m.post(ctx, "/", "application/x-www-form-urlencoded", form.Encode())
	}
	if _, err := iam("CreateUser"); err != nil {
		return err
	}
	if _, err := iam("PutUserPolicy", "PolicyName", "everything", "PolicyDocument", everything); err != nil {
		return err
	}
	answer, err := iam("CreateAccessKey")
	if err != nil {
		return err
	}
	key, err := mintedKey(answer)
	if err != nil {
		return err
	}
	m.Operator = key.Credentials
	// With the content type of a form moto would lose the body.
	_, err = m.post(ctx, "/moto-api/reset-auth", "text/plain", "0")
	return err
}

// post sends a request that is not signed, only labelled with its service.
func (m *Moto) post(ctx context.Context, path, contentType, body string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.target.JoinPath(path).String(), strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=bootstrap/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", path, resp.Status, answer)
	}
	return answer, err
}

// Use makes the operator the one whose credentials the environment holds.
func (m *Moto) Use(t testing.TB, env *Env) {
	t.Helper()
	env.Variables["AWS_ACCESS_KEY_ID"] = m.Operator.AccessKeyID
	env.Variables["AWS_SECRET_ACCESS_KEY"] = m.Operator.SecretAccessKey
	env.Export(t)
}

// Calls returns the calls of a service with an action, oldest first; an empty
// action stands for all.
func (m *Moto) Calls(service, action string) []MotoCall {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(m.calls), func(c MotoCall) bool {
		return c.Service != service || action != "" && c.Action != action
	})
}

// Key returns the credentials of a key that was minted through the proxy, even
// if it was deleted since.
func (m *Moto) Key(t testing.TB, id string) aws.Credentials {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	key, ok := m.keys[id]
	if !ok {
		t.Fatalf("key %s was not minted through the proxy", id)
	}
	return key.Credentials
}

// ServeHTTP answers one request and records it.
func (m *Moto) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	call := newMotoCall(r, body)
	status, answer := m.refusal(call)
	if answer == nil {
		if status, answer, err = m.forward(r, body); err != nil {
			http.Error(w, "moto: "+err.Error(), http.StatusBadGateway)
			return
		}
		answer = normalized(call.Service, answer)
	}
	m.record(call, status, answer)
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(status)
	_, _ = w.Write(answer)
}

var credentialScope = regexp.MustCompile(`Credential=([^/]+)/[^/]+/[^/]+/([^/]+)/`)

func newMotoCall(r *http.Request, body []byte) MotoCall {
	var call MotoCall
	if scope := credentialScope.FindStringSubmatch(r.Header.Get("Authorization")); scope != nil {
		call.AccessKeyID, call.Service = scope[1], scope[2]
	}
	// What is no form has no action.
	call.Form, _ = url.ParseQuery(string(body))
	call.Action = call.Form.Get("Action")
	return call
}

// forward sends a request on with the Host it came with, over which moto
// computes the signature.
func (m *Moto) forward(r *http.Request, body []byte) (status int, answer []byte, err error) {
	out := r.Clone(r.Context())
	out.URL.Scheme, out.URL.Host, out.RequestURI = m.target.Scheme, m.target.Host, ""
	out.Body, out.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	resp, err := http.DefaultTransport.RoundTrip(out)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(resp.Body)
	return resp.StatusCode, answer, err
}

// refusal is AWS's answer where moto would not refuse; nil otherwise. The
// signature was not verified here.
func (m *Moto) refusal(call MotoCall) (int, []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.keys[call.AccessKeyID].inactive {
		return http.StatusForbidden, refusalXML("InvalidClientTokenId", "The security token included in the request is invalid.")
	}
	if call.Service == "iam" && call.Action == "DeleteUser" {
		for _, key := range m.keys {
			if key.user == call.Form.Get("UserName") && !key.deleted {
				return http.StatusConflict, refusalXML("DeleteConflict", "Cannot delete entity, must delete access keys first.")
			}
		}
	}
	return 0, nil
}

func refusalXML(code, message string) []byte {
	return fmt.Appendf(nil, "<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>0</RequestId></ErrorResponse>", code, message)
}

// normalized gives a refusal the shape and the code that AWS's has.
func normalized(service string, answer []byte) []byte {
	text := strings.NewReplacer("<Errors>", "", "</Errors>", "").Replace(string(answer))
	if service == "sns" {
		text = strings.Replace(text, "<Code>AccessDenied</Code>", "<Code>AuthorizationError</Code>", 1)
	}
	return []byte(text)
}

var (
	errorCode = regexp.MustCompile(`<Code>([^<]+)</Code>`)
	messageID = regexp.MustCompile(`<MessageId>([^<]+)</MessageId>`)
)

func (m *Moto) record(call MotoCall, status int, answer []byte) {
	call.Status, call.Code, call.MessageID = status, group(errorCode, answer), group(messageID, answer)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls = append(m.calls, call)
	if call.Service == "iam" && status == http.StatusOK {
		m.follow(call, answer)
	}
}

func group(pattern *regexp.Regexp, text []byte) string {
	if match := pattern.FindSubmatch(text); match != nil {
		return string(match[1])
	}
	return ""
}

// follow keeps up with what became of keys.
func (m *Moto) follow(call MotoCall, answer []byte) {
	id := call.Form.Get("AccessKeyId")
	key := m.keys[id]
	switch call.Action {
	case "CreateAccessKey":
		minted, err := mintedKey(answer)
		if err != nil {
			return
		}
		id, key = minted.AccessKeyID, minted
	case "UpdateAccessKey":
		key.inactive = call.Form.Get("Status") == "Inactive"
	case "DeleteAccessKey":
		key.deleted = true
	default:
		return
	}
	m.keys[id] = key
}

// mintedKey reads the answer of CreateAccessKey.
func mintedKey(answer []byte) (motoKey, error) {
	var created struct {
		AccessKey struct {
			UserName        string
			AccessKeyID     string `xml:"AccessKeyId"`
			SecretAccessKey string
		} `xml:"CreateAccessKeyResult>AccessKey"`
	}
	if err := xml.Unmarshal(answer, &created); err != nil {
		return motoKey{}, fmt.Errorf("CreateAccessKey: %w", err)
	}
	key := created.AccessKey
	return motoKey{
		Credentials: aws.Credentials{AccessKeyID: key.AccessKeyID, SecretAccessKey: key.SecretAccessKey},
		user:        key.UserName,
	}, nil
}
