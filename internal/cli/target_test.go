package cli

import (
	"strings"
	"testing"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/acctest"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/workspace"
)

// TestAnEnvironmentsAWSIsItsOwn keeps the account of the plain variables, which is
// somebody else's, from being taken for that of an environment that has AWS_
// variables of its own: Terraform, which gets those alone, would look elsewhere.
func TestAnEnvironmentsAWSIsItsOwn(t *testing.T) {
	env := acctest.New(t)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("STAGING_AWS_EC2_METADATA_DISABLED", "true")
	for name, value := range env.Variables {
		t.Setenv(name, value)
		if strings.HasPrefix(name, "AUTH0_") {
			t.Setenv("STAGING_"+name, value)
		}
	}
	plain, err := connect(t.Context(), "1.2.3", pins{Environment: "production"})
	noError(t, err)
	_, err = plain.identify(t.Context())
	noError(t, err)

	t.Setenv("STAGING_AWS_REGION", "eu-central-1")
	staging, err := connect(t.Context(), "1.2.3", pins{Environment: "staging"})
	noError(t, err)
	if identity, err := staging.identify(t.Context()); awsapi.KindOf(err) != awsapi.NoCredentials {
		t.Errorf("staging, which has no credentials, is account %s: %v", identity.AccountID, err)
	} else if !strings.Contains(err.Error(), "Set STAGING_AWS_PROFILE, or STAGING_AWS_ACCESS_KEY_ID and STAGING_AWS_SECRET_ACCESS_KEY: plain AWS_… do not count while STAGING_AWS_EC2_METADATA_DISABLED is set.") {
		t.Errorf("why the shell's credentials were not used is not said: %v", err)
	}
	if region := staging.aws.Region(); region != "eu-central-1" {
		t.Errorf("its region is %q", region)
	}

	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL"} {
		t.Setenv("STAGING_"+name, env.Variables[name])
		t.Setenv(name, "production's")
	}
	staging, err = connect(t.Context(), "1.2.3", pins{Environment: "staging"})
	noError(t, err)
	_, err = staging.identify(t.Context())
	noError(t, err)
}

// TestMissingSettingsAreNamedAsTheyAreRead keeps a person from setting a variable
// that does not count.
func TestMissingSettingsAreNamedAsTheyAreRead(t *testing.T) {
	for _, name := range []string{"AUTH0_DOMAIN", "AUTH0_CLIENT_ID", "AUTH0_CLIENT_SECRET", "AUTH0_API_TOKEN", "AUTH0_CLIENT_ASSERTION_PRIVATE_KEY"} {
		t.Setenv(name, "")
	}
	for name, test := range map[string]struct {
		environment string
		variables   map[string]string
		want        string // the start
	}{
		"no environment":      {"", nil, "Missing: AUTH0_DOMAIN, AUTH0_CLIENT_ID, AUTH0_CLIENT_SECRET. "},
		"the secret alone":    {"", map[string]string{"AUTH0_DOMAIN": "a.eu.auth0.com", "AUTH0_CLIENT_ID": "x"}, "Missing: AUTH0_CLIENT_SECRET. "},
		"the id alone":        {"", map[string]string{"AUTH0_DOMAIN": "a.eu.auth0.com", "AUTH0_CLIENT_SECRET": "x"}, "Missing: AUTH0_CLIENT_ID"},
		"no prefix is in use": {"staging", map[string]string{"AUTH0_DOMAIN": "a.eu.auth0.com"}, "Missing for staging: AUTH0_CLIENT_ID, AUTH0_CLIENT_SECRET (or STAGING_AUTH0_CLIENT_ID, STAGING_AUTH0_CLIENT_SECRET, for staging alone). "},
		"plain do not count": {
			"staging",
			map[string]string{"STAGING_AUTH0_DOMAIN": "a.eu.auth0.com", "AUTH0_CLIENT_ID": "x", "AUTH0_CLIENT_SECRET": "x"},
			"Missing for staging: STAGING_AUTH0_CLIENT_ID, STAGING_AUTH0_CLIENT_SECRET (plain AUTH0_… do not count while STAGING_AUTH0_DOMAIN is set). In the place of the secret a private key (STAGING_AUTH0_CLIENT_ASSERTION_PRIVATE_KEY)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			for name, value := range test.variables {
				t.Setenv(name, value)
			}
			_, err := connect(t.Context(), "1.2.3", pins{Environment: test.environment})
			if exitCodeOf(t.Context(), err) != exitPermission || !strings.HasPrefix(err.Error(), test.want) || strings.Contains(err.Error(), "auth0.") && !strings.Contains(err.Error(), "auth0.com") {
				t.Errorf("got %v\nwant %s…", err, test.want)
			}
		})
	}
}

// TestChecksGiveTheEnvironmentsNames keeps the remedy of a check from naming
// variables that do not count.
func TestChecksGiveTheEnvironmentsNames(t *testing.T) {
	env := acctest.New(t)
	for name, value := range env.Variables {
		t.Setenv(name, value)
	}
	dir := t.TempDir()
	writeEnvironment(t, workspace.Open(dir), "staging", workspace.Settings{Domain: env.TenantURL, AccountID: "111122223333", Region: "us-east-1", Path: workspace.PathUnified})
	t.Setenv("STAGING_AWS_EC2_METADATA_DISABLED", "true")
	code, stdout, _ := execute(t.Context(), "check", "--env", "staging", "--dir", dir, "--only", "aws-reachable,spend-limit", "--json")
	if code != exitFindings || !strings.Contains(stdout, `"remedy": "Set STAGING_AWS_PROFILE, or `) || strings.Contains(stdout, "Set AWS_PROFILE") {
		t.Errorf("exit code %d: %s", code, stdout)
	}
}
