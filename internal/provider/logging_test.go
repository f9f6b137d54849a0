package provider_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/terraform-plugin-log/tflogtest"
	"github.com/hashicorp/terraform-plugin-log/tfsdklogtest"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/acctest"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/auth0"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/control"
)

// keyring is a runner that remembers the secrets of the code it was to run:
// the only place outside Auth0 and AWS that ever sees a minted key.
type keyring struct {
	mu      sync.Mutex
	secrets []string
}

func (k *keyring) Run(_ context.Context, job auth0.Job) (auth0.Result, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.secrets = append(k.secrets, job.Secrets["AWS_SECRET_ACCESS_KEY"])
	return auth0.Result{}, nil
}

var jwt = regexp.MustCompile(`eyJ[\w-]+\.[\w-]+`)

// requireNoSecrets searches a log for secrets, as they are and quoted.
func requireNoSecrets(t *testing.T, log string, secrets map[string]string) {
	t.Helper()
	for name, secret := range secrets {
		if secret == "" {
			t.Errorf("the test does not know the %s", name)
			continue
		}
		for _, form := range []string{secret, strings.Trim(fmt.Sprintf("%q", secret), `"`)} {
			if i := strings.Index(log, form); i >= 0 {
				t.Errorf("the %s is in the log, after …%s", name, log[max(0, i-200):i])
			}
		}
	}
	if token := jwt.FindString(log); token != "" {
		t.Errorf("a token is in the log: %.20s…", token)
	}
}

// TestAccLogsHoldNoSecret runs the whole life of a key, with what goes wrong on
// the way, at TF_LOG=TRACE. A log is what people paste into an issue.
func TestAccLogsHoldNoSecret(t *testing.T) {
	methods := map[string]func(t *testing.T, env *acctest.Env) map[string]string{
		"client secret": func(_ *testing.T, env *acctest.Env) map[string]string {
			return map[string]string{"client secret": env.Variables["AUTH0_CLIENT_SECRET"]}
		},
		"api token": func(_ *testing.T, env *acctest.Env) map[string]string {
			token := env.Tenant.Token()
			env.Variables["AUTH0_API_TOKEN"] = token
			return map[string]string{"API token": token}
		},
		"private key": func(t *testing.T, env *acctest.Env) map[string]string {
			t.Helper()
			s := newSigner(t, "")
			public, err := x509.MarshalPKIXPublicKey(&s.key.PublicKey)
			if err != nil {
				t.Fatal(err)
			}
			if err := env.Tenant.SetClientPublicKey(env.Tenant.Client().ClientID, string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))); err != nil {
				t.Fatal(err)
			}
			env.Variables["AUTH0_CLIENT_ASSERTION_PRIVATE_KEY"] = s.pem()
			lines := strings.Split(s.pem(), "\n")
			return map[string]string{"private key": s.pem(), "middle of the private key": lines[len(lines)/2]}
		},
	}
	for name, arrange := range methods {
		t.Run(name, func(t *testing.T) {
			var minted keyring
			env := acctest.New(t, func(o *sandbox.Options) { o.Runner = &minted })
			secrets := arrange(t, env)
			secrets["operator's secret key"] = env.Variables["AWS_SECRET_ACCESS_KEY"]
			logs := t.TempDir()
			t.Setenv("TF_LOG", "TRACE")
			t.Setenv("TF_LOG_PATH", filepath.Join(logs, "terraform.log"))
			t.Setenv("TF_ACC_LOG_PATH", filepath.Join(logs, "provider.log"))
			w := newWorkspace(t, env, acctest.Config(t, "scenarios/hook/main.tf"))

			w.must("apply")
			env.Challenge(t)
			// A rotation whose delivery is answered in the middle of nowhere.
			addFault(t, env, control.Fault{ID: "cut", Operation: "PATCH /api/v2/hooks/{id}/secrets", Times: 1, Effect: control.Truncate})
			addFault(t, env, control.Fault{ID: "lost", Operation: "iam:CreateAccessKey", Times: 1, Effect: control.DropAfter})
			w.run("apply", "-var=rotation=2")
			w.must("apply", "-var=rotation=2")
			env.Challenge(t)
			env.Tenant.RevokeTokens()
			w.run("plan")
			env.Variables["AUTH0_API_TOKEN"] = replaced(env.Variables["AUTH0_API_TOKEN"], env.Tenant.Token())
			w.must("destroy", "-var=rotation=2")

			requireEqual(t, "keys that were minted and used", len(minted.secrets), 2)
			for i, secret := range minted.secrets {
				secrets[fmt.Sprintf("minted key %d", i+1)] = secret
			}
			for _, file := range []string{"provider.log", "terraform.log"} {
				log, err := os.ReadFile(filepath.Join(logs, file))
				if err != nil {
					t.Fatal(err)
				}
				requireNoSecrets(t, string(log), secrets)
				for _, line := range loggedLines(file) {
					if !strings.Contains(string(log), line) {
						t.Errorf("%s lacks %q: it is not the log that people get", file, line)
					}
				}
			}
		})
	}
}

// loggedLines show that a log was written, and at level TRACE.
func loggedLines(file string) []string {
	if file == "terraform.log" {
		return []string{"[TRACE] vertex"}
	}
	return []string{"[DEBUG] auth0sns: request", "path=/api/v2/hooks", "deliver the key to the sender", "[TRACE] sdk.framework: Calling provider defined Resource Delete"}
}

// replaced keeps a setting that is not used unused.
func replaced(old, with string) string {
	if old == "" {
		return ""
	}
	return with
}

// TestLogsMaskWhatComesBack has a secret come back in texts that the provider
// does not write itself: a path that somebody configured, an answer that is
// broken.
func TestLogsMaskWhatComesBack(t *testing.T) {
	const secret, token = "s3cret-of-the-client", "eyJhbGciOiJub25lIn0.eyJ4IjoxfQ.x"
	var log bytes.Buffer
	ctx := tfsdklogtest.RootLogger(tflogtest.RootLogger(t.Context(), &log), &log)
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/oauth/token" {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"access_token":%q,"expires_in":60,"token_type":"Bearer"}`, token)
			return
		}
		answerWith(t, w, "HTTP/1.1 "+secret+"/"+strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")+"\r\n\r\n")
	}))
	defer broken.Close()

	p := newProtocol(t, nil)
	requireNoDiagnostics(t, p.configure(ctx, t, object{"auth0": object{"domain": broken.URL, "client_id": "id", "client_secret": secret}}))
	p.read(ctx, t, "auth0sns_hook", object{"id": secret})
	diagnostics := p.read(ctx, t, "auth0sns_hook", object{"id": "h1"})
	if len(diagnostics) != 1 || !strings.Contains(diagnostics[0].Detail, "malformed HTTP") {
		t.Fatalf("diagnostics: %v", diagnostics)
	}
	requireWords(t, log.String(), `"path":"/api/v2/hooks/***"`, `"error":"`)
	requireNoSecrets(t, log.String()+diagnostics[0].Detail, map[string]string{"client secret": secret, "access token": token})
}

// answerWith writes an answer that need not be HTTP.
func answerWith(t *testing.T, w http.ResponseWriter, text string) {
	t.Helper()
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		t.Error(err)
		return
	}
	defer func() { _ = conn.Close() }()
	_, _ = conn.Write([]byte(text))
}
