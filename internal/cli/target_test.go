package cli

import (
	"strings"
	"testing"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/acctest"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
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
