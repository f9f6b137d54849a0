package config

import (
	"maps"
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
