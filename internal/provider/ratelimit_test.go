package provider_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/acctest"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/handover"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/auth0"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/control"
)

// skewed is the clock of a machine that is off: it runs like the world's and
// shows another time.
type skewed struct {
	handover.Clock
	by time.Duration
}

func (c skewed) Now() time.Time { return c.Clock.Now().Add(c.by) }

// hideRateLimit puts a proxy before the tenant that takes the x-ratelimit headers
// away, as some do. The token is made beforehand: one is good for one audience.
func hideRateLimit(t *testing.T, env *acctest.Env) {
	t.Helper()
	tenant, err := url.Parse(env.TenantURL)
	succeeds(t, err)
	proxy := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(tenant) },
		ModifyResponse: func(r *http.Response) error {
			for name := range r.Header {
				if strings.HasPrefix(name, "X-Ratelimit-") {
					r.Header.Del(name)
				}
			}
			return nil
		},
	})
	t.Cleanup(proxy.Close)
	env.Variables["AUTH0_DOMAIN"] = proxy.URL
	env.Variables["AUTH0_API_TOKEN"] = env.Tenant.Token()
}

// speaksOfLimits is not met by a port with these digits in it.
var speaksOfLimits = regexp.MustCompile(`\b429\b|Too Many`)

// refusals counts the answers 429.
func refusals(requests []control.Entry) int {
	n := 0
	for _, r := range requests {
		if r.Status == http.StatusTooManyRequests {
			n++
		}
	}
	return n
}

// TestAccFreeTenant: 2 requests a second and a burst of 2 are what Auth0 gives a
// free tenant, the kind on which people try this out. Whoever sees a 429 there
// does not come back.
func TestAccFreeTenant(t *testing.T) {
	for _, path := range chaosPaths() {
		t.Run(path, func(t *testing.T) { onFreeTenant(t, path) })
	}
}

func onFreeTenant(t *testing.T, path string) {
	t.Helper()
	scenario := acctest.Config(t, "scenarios/"+path+"/main.tf")
	updated := addToScenario(t, path, "  sms = { allowed_country_codes = [\"+49\"] }\n", "  enrollment_message   = \"{{code}}\"\n  verification_message = \"{{code}}\"\n")
	for name, test := range map[string]struct {
		skew   time.Duration // of the machine that runs Terraform
		hidden bool          // no x-ratelimit headers
	}{
		"with headers":                      {},
		"with headers, 5 minutes ahead":     {skew: 5 * time.Minute},
		"with headers, 5 minutes behind":    {skew: -5 * time.Minute},
		"without headers":                   {hidden: true},
		"without headers, 5 minutes behind": {hidden: true, skew: -5 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			env := acctest.New(t, func(o *sandbox.Options) { o.RateLimit = auth0.RateLimit{Burst: 2, PerSecond: 2} })
			before := env.State()
			env.Clock = skewed{env.Clock, test.skew}
			if test.hidden {
				hideRateLimit(t, env)
			}
			w := newWorkspace(t, env, scenario)
			perform := func(command string, args ...string) {
				t.Helper()
				begin := env.Clock.Now()
				o := w.must(command, args...)
				if said := o.text("error") + o.text("warning"); speaksOfLimits.MatchString(said) {
					t.Errorf("%s %s speaks of the rate limit:\n%s", command, args, said)
				}
				refused, took := refusals(o.requests), env.Clock.Now().Sub(begin)
				t.Logf("%s %s: %d requests, %d refused, %s", command, args, len(o.requests), refused, took.Round(time.Second))
				// Each of the two processes of an apply may find the bucket as the one
				// before left it. Without headers, a refusal is how to learn of the limit.
				most := 2
				if test.hidden {
					most = len(o.requests) / 2
				}
				if refused > most {
					t.Errorf("%s %s ran into the limit %d times with %d requests, want at most %d", command, args, refused, len(o.requests), most)
				}
				// Twice what the limit itself takes, and the waits of a rotation.
				if limit := time.Duration(len(o.requests))*time.Second + handover.InFlight + 10*time.Second; took > limit {
					t.Errorf("%s %s took %s for %d requests", command, args, took, len(o.requests))
				}
			}
			perform("apply")
			env.Challenge(t)
			perform("apply", "-var=rotation=2")
			w.write(updated)
			perform("apply", "-var=rotation=2")
			perform("plan", "-var=rotation=2")
			perform("destroy", "-var=rotation=2")
			// Message texts stay, and the warning says so.
			after := env.State()
			after.Tenant.Templates = before.Tenant.Templates
			requireEqual(t, "what destroy left behind", before.Diff(after), "")
		})
	}
}
