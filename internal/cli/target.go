package cli

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/config"
)

// pins are the tenant and the account that the files of an environment name.
// Empty means that nothing is pinned.
type pins struct {
	Environment               string // "staging"
	Domain, AccountID, Region string
}

// target is one tenant and one account.
type target struct {
	auth0 *auth0api.Client
	aws   *awsapi.Client
}

// connect makes the clients of the tenant and the account that the pins name, or
// else the environment. Credentials come from the environment alone. It sends
// nothing: [target.identify] is what finds a wrong account out.
func connect(ctx context.Context, version string, pinned pins) (target, error) {
	return connectWith(ctx, version, config.LookupIn(config.ForEnvironment(pinned.Environment)), pinned)
}

// connectWith is connect with credentials that were not all in the environment.
func connectWith(ctx context.Context, version string, variables config.Lookup, pinned pins) (target, error) {
	settings, err := auth0Settings(variables, pinned)
	if err != nil {
		return target{}, err
	}
	userAgent := "auth0sns/" + version
	auth0, err := auth0api.New(auth0api.Config{
		Domain:                    settings.Domain,
		ClientID:                  settings.ClientID,
		ClientSecret:              settings.ClientSecret,
		APIToken:                  settings.APIToken,
		ClientAssertionPrivateKey: settings.ClientAssertionPrivateKey,
		ClientAssertionSigningAlg: settings.ClientAssertionSigningAlg,
		UserAgent:                 userAgent,
	})
	if err != nil {
		return target{}, codedError{exitPermission, err}
	}
	awsConfig := awsSettings(variables, pinned)
	awsConfig.UserAgentProducts = [][2]string{{"auth0sns", version}}
	aws, err := awsapi.New(ctx, awsConfig)
	if err != nil {
		return target{}, err
	}
	return target{auth0, aws}, nil
}

// awsSettings names what the SDK would read from the environment by itself,
// since an environment's own variables have other names there.
func awsSettings(variables config.Lookup, pinned pins) awsapi.Config {
	settings := awsapi.Config{
		Region:      cmp.Or(pinned.Region, variables("AWS_REGION"), variables("AWS_DEFAULT_REGION")),
		EndpointURL: variables("AWS_ENDPOINT_URL"),
	}
	// In the SDK's own order.
	if id := variables("AWS_ACCESS_KEY_ID"); id != "" {
		settings.AccessKeyID = id
		settings.SecretAccessKey = awsapi.NewSecret(variables("AWS_SECRET_ACCESS_KEY"))
		settings.SessionToken = awsapi.NewSecret(variables("AWS_SESSION_TOKEN"))
	} else {
		settings.Profile = variables("AWS_PROFILE")
	}
	if pinned.AccountID != "" {
		settings.AllowedAccountIDs = []string{pinned.AccountID}
	}
	return settings
}

// auth0Settings refuses credentials that are meant for another tenant than the
// pinned one: whoever has production in the shell and names staging means one
// of them, and nobody knows which.
func auth0Settings(lookup config.Lookup, pinned pins) (config.Auth0, error) {
	settings := config.Auth0{}.WithEnvironment(lookup)
	if pinned.Domain != "" {
		if !sameDomain(settings.Domain, pinned.Domain) {
			return settings, refuse("wrong tenant: the files of environment %s name %s, and %s names %s. Nothing was done. Set the credentials of %s, or name the other environment",
				pinned.Environment, pinned.Domain, config.EnvDomain, settings.Domain, pinned.Environment)
		}
		settings.Domain = pinned.Domain
	}
	var problems []string
	for _, p := range settings.Validate() {
		problems = append(problems, p.Message)
	}
	if len(problems) > 0 {
		return settings, codedError{exitPermission, fmt.Errorf("%s", strings.Join(problems, "\n"))}
	}
	settings.Domain, _ = config.NormalizeDomain(settings.Domain) // Validate has seen it.
	return settings, nil
}

// sameDomain tells whether what the environment has is the pinned domain; what
// it leaves open cannot differ.
func sameDomain(got, pinned string) bool {
	if got == "" {
		return true
	}
	a, errA := config.NormalizeDomain(got)
	b, errB := config.NormalizeDomain(pinned)
	return errA == nil && errB == nil && a == b
}

// identify asks AWS who the caller is and refuses an account that is not the
// pinned one. Before anything changes, its answer is shown to the person.
func (t target) identify(ctx context.Context) (awsapi.Identity, error) {
	identity, err := t.aws.Identity(ctx)
	if err != nil {
		return awsapi.Identity{}, err
	}
	return identity, t.aws.CheckAccount(ctx)
}
