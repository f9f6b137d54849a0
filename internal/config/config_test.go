package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func lookup(variables map[string]string) Lookup {
	return func(name string) string { return variables[name] }
}

func TestDomainIsTakenAsPeopleWriteIt(t *testing.T) {
	for written, want := range map[string]string{
		"tenant.eu.auth0.com":          "tenant.eu.auth0.com",
		"https://tenant.eu.auth0.com/": "tenant.eu.auth0.com",
		"https://Tenant.EU.auth0.com":  "tenant.eu.auth0.com",
		" tenant.eu.auth0.com\n":       "tenant.eu.auth0.com",
		"login.example.com":            "login.example.com",
		"login.xn--e1afmkfd.xn--p1ai":  "login.xn--e1afmkfd.xn--p1ai",
		"http://127.0.0.1:34567":       "http://127.0.0.1:34567",
		"http://127.0.0.1:34567/":      "http://127.0.0.1:34567",
		"http://127.1.2.3:80":          "http://127.1.2.3:80",
		"http://localhost:3000":        "http://localhost:3000",
		"http://[::1]:3000":            "http://[::1]:3000",
	} {
		if got, err := NormalizeDomain(written); err != nil || got != want {
			t.Errorf("%q became %q, %v; want %q", written, got, err, want)
		}
	}
}

func TestDomainThatWouldReachSomebodyElseIsRefused(t *testing.T) {
	const loopback, bare = "loopback addresses only", "is not a domain"
	for written, reason := range map[string]string{
		"":                               bare,
		"tenant":                         bare,
		"tenant.eu.auth0.com/api/v2/":    bare,
		"tenant.eu.auth0.com:443":        bare,
		"tenant..auth0.com":              bare,
		"-tenant.auth0.com":              bare,
		"ten ant.auth0.com":              bare,
		"user@tenant.auth0.com":          bare,
		"tenant.auth0.com?x=1":           bare,
		"https://":                       bare,
		"https://127.0.0.1:34567":        bare,
		"127.0.0.1":                      bare,
		"ftp://tenant.auth0.com":         bare,
		"https://https://t.auth0.com":    bare,
		"http://tenant.eu.auth0.com":     loopback,
		"http://10.0.0.1:80":             loopback,
		"http://0.0.0.0:80":              loopback,
		"http://127.0.0.1.example.com":   loopback,
		"http://localhost.example.com":   loopback,
		"http://127.0.0.1@evil.example/": loopback,
		"http://user:pw@127.0.0.1:80":    loopback,
		"http://127.0.0.1:80/path":       loopback,
		"http://127.0.0.1:80?x":          loopback,
		"http://127.0.0.1:x":             loopback,
		"http:///":                       loopback,
	} {
		if got, err := NormalizeDomain(written); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%q became %q, %v; want an error that says %q", written, got, err, reason)
		}
	}
}

// TestEveryProblemNamesSettingAndVariable is for a person who has never seen
// the provider: the message has to say what to set, and where.
func TestEveryProblemNamesSettingAndVariable(t *testing.T) {
	const domain = "tenant.auth0.com"
	for name, test := range map[string]struct {
		settings Auth0
		setting  string
		says     []string
	}{
		"no domain":  {Auth0{APIToken: "t"}, "domain", []string{"auth0.domain", EnvDomain}},
		"bad domain": {Auth0{Domain: "tenant", APIToken: "t"}, "domain", []string{"auth0.domain", EnvDomain, `"tenant"`}},
		"no credential": {Auth0{Domain: domain}, "client_secret", []string{
			"auth0.client_id", EnvClientID, "auth0.client_secret", EnvClientSecret,
			"auth0.client_assertion_private_key", EnvPrivateKey, "auth0.api_token", EnvAPIToken,
		}},
		"client without credential": {Auth0{Domain: domain, ClientID: "c"}, "client_secret", []string{"auth0.client_secret", EnvClientSecret}},
		"secret without client":     {Auth0{Domain: domain, ClientSecret: "s"}, "client_id", []string{"auth0.client_id", EnvClientID}},
		"key without client":        {Auth0{Domain: domain, ClientAssertionPrivateKey: "k"}, "client_id", []string{"auth0.client_id", EnvClientID}},
		"bad algorithm": {
			Auth0{Domain: domain, ClientID: "c", ClientAssertionPrivateKey: "k", ClientAssertionSigningAlg: "HS256"},
			"client_assertion_signing_alg",
			[]string{"auth0.client_assertion_signing_alg", EnvSigningAlg, "RS256, RS384, PS256", `"HS256"`},
		},
	} {
		problems := test.settings.Validate()
		if len(problems) != 1 || problems[0].Setting != test.setting {
			t.Errorf("%s: problems %+v, want one of %s", name, problems, test.setting)
			continue
		}
		for _, words := range test.says {
			if !strings.Contains(problems[0].Message, words) {
				t.Errorf("%s: the message lacks %q: %s", name, words, problems[0].Message)
			}
		}
	}
	if problems := (Auth0{}).Validate(); len(problems) != 2 {
		t.Errorf("with nothing set, %d problems are told at once, want 2: domain and credential", len(problems))
	}
}

func TestValidSettingsHaveNoProblem(t *testing.T) {
	for name, settings := range map[string]Auth0{
		"secret": {Domain: "tenant.auth0.com", ClientID: "c", ClientSecret: "s"},
		"key":    {Domain: "tenant.auth0.com", ClientID: "c", ClientAssertionPrivateKey: "k", ClientAssertionSigningAlg: "PS256"},
		"token":  {Domain: "http://127.0.0.1:1", APIToken: "t"},
	} {
		if problems := settings.Validate(); len(problems) > 0 {
			t.Errorf("%s: %+v", name, problems)
		}
	}
}

func TestEnvironmentFillsOnlyWhatIsOpen(t *testing.T) {
	full := map[string]string{
		EnvDomain: "env.auth0.com", EnvClientID: "env-client", EnvClientSecret: "env-secret",
		EnvAPIToken: "env-token", EnvPrivateKey: "env-key", EnvSigningAlg: "RS384",
	}
	written := Auth0{Domain: "hcl.auth0.com", ClientID: "hcl-client", ClientSecret: "hcl-secret"}
	if diff := cmp.Diff(written, written.WithEnvironment(lookup(full))); diff != "" {
		t.Errorf("the environment changed a complete configuration (-written +used):\n%s", diff)
	}
	if got := (Auth0{}).WithEnvironment(lookup(nil)); got != (Auth0{}) {
		t.Errorf("settings out of nowhere: %+v", got)
	}
	key := Auth0{ClientAssertionPrivateKey: "hcl-key"}.WithEnvironment(lookup(map[string]string{EnvClientID: "env-client"}))
	if key.ClientAssertionSigningAlg != DefaultSigningAlg {
		t.Errorf("algorithm %q, want the default", key.ClientAssertionSigningAlg)
	}
}

func TestStartedByTerraform(t *testing.T) {
	if StartedByTerraform(lookup(nil)) {
		t.Error("a person at a terminal would get the plugin protocol")
	}
	if !StartedByTerraform(lookup(map[string]string{"TF_PLUGIN_MAGIC_COOKIE": "x"})) {
		t.Error("Terraform would get the command line tool")
	}
	t.Setenv("TF_PLUGIN_MAGIC_COOKIE", "x")
	if !StartedByTerraform(Environment()) {
		t.Error("Environment does not read this process's variables")
	}
}
