package config

import (
	"errors"
	"maps"
	"os"
	"testing"
)

// TestForEnvironment keeps staging from being set up with half of production's
// credentials: one variable of an environment's own takes the whole side.
func TestForEnvironment(t *testing.T) {
	shell := []string{
		"PATH=/bin", "AUTH0_DOMAIN=production", "AUTH0_CLIENT_SECRET=production", "AWS_PROFILE=production", "AWS_REGION=us-east-1",
		"STAGING_AUTH0_DOMAIN=staging", "EU_STAGING_AWS_PROFILE=eu", "STAGING_OTHER=1", "=C:=C:\\",
	}
	rest := map[string]string{"PATH": "/bin", "STAGING_AUTH0_DOMAIN": "staging", "EU_STAGING_AWS_PROFILE": "eu", "STAGING_OTHER": "1"}
	for environment, want := range map[string]map[string]string{
		"":           {"AUTH0_DOMAIN": "production", "AUTH0_CLIENT_SECRET": "production", "AWS_PROFILE": "production", "AWS_REGION": "us-east-1"},
		"production": {"AUTH0_DOMAIN": "production", "AUTH0_CLIENT_SECRET": "production", "AWS_PROFILE": "production", "AWS_REGION": "us-east-1"},
		"staging":    {"AUTH0_DOMAIN": "staging", "AWS_PROFILE": "production", "AWS_REGION": "us-east-1"},
		"eu-staging": {"AUTH0_DOMAIN": "production", "AUTH0_CLIENT_SECRET": "production", "AWS_PROFILE": "eu"},
	} {
		maps.Copy(want, rest)
		if got := forEnvironment(shell, environment); !maps.Equal(got, want) {
			t.Errorf("%q sees %v, want %v", environment, got, want)
		}
	}
}

// TestVariablesOf keeps a person from setting what does not count: the names to
// set are those that the environment's clients read.
func TestVariablesOf(t *testing.T) {
	for name, test := range map[string]struct {
		environment string
		shell       []string
		want, own   string
	}{
		"no environment":          {"", []string{"STAGING_AUTH0_DOMAIN=x"}, "AUTH0_CLIENT_ID", ""},
		"nothing of its own":      {"staging", []string{"STAGING_AWS_REGION=x", "AUTH0_DOMAIN=x", "EU_STAGING_AUTH0_DOMAIN=x"}, "AUTH0_CLIENT_ID", ""},
		"of its own":              {"staging", []string{"STAGING_AUTH0_DOMAIN=x"}, "STAGING_AUTH0_CLIENT_ID", "STAGING_AUTH0_DOMAIN"},
		"one with a value before": {"eu-staging", []string{"EU_STAGING_AUTH0_DOMAIN=x", "EU_STAGING_AUTH0_CLIENT_ID="}, "EU_STAGING_AUTH0_CLIENT_ID", "EU_STAGING_AUTH0_DOMAIN"},
		"one without a value":     {"staging", []string{"STAGING_AUTH0_CLIENT_ID="}, "STAGING_AUTH0_CLIENT_ID", "STAGING_AUTH0_CLIENT_ID"},
	} {
		names, own := variablesOf(test.shell, test.environment, EnvClientID)
		if len(names) != 1 || names[0] != test.want || own != test.own {
			t.Errorf("%s: %v because of %q, want %s because of %q", name, names, own, test.want, test.own)
		}
	}
}

// TestWithAWS keeps the SDK, which reads the process alone, from completing one
// environment's credentials with another's, and gives everything back.
func TestWithAWS(t *testing.T) {
	t.Setenv("AWS_PROFILE", "production")
	t.Setenv("AWS_REGION", "us-east-1")
	t.Setenv("AWS_ROLE_ARN", "")
	before := os.Environ()
	failed := errors.New("no such profile")
	err := WithAWS(map[string]string{"AWS_REGION": "eu-central-1", "AWS_CONFIG_FILE": "staging", "AUTH0_DOMAIN": "staging"}, func() error {
		got := awsVariables(forEnvironment(os.Environ(), ""))
		if want := map[string]string{"AWS_REGION": "eu-central-1", "AWS_CONFIG_FILE": "staging"}; !maps.Equal(got, want) {
			t.Errorf("the SDK sees %v, want %v", got, want)
		}
		return failed
	})
	if !errors.Is(err, failed) {
		t.Errorf("the failure is lost: %v", err)
	}
	if got := forEnvironment(os.Environ(), ""); !maps.Equal(got, forEnvironment(before, "")) {
		t.Errorf("the process was left with %v", got)
	}
}
