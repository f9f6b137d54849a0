package cli

import (
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
	return connectWith(ctx, version, config.ForEnvironment(pinned.Environment), pinned)
}

// connectWith is connect with credentials that were not all in the environment.
func connectWith(ctx context.Context, version string, variables map[string]string, pinned pins) (target, error) {
	auth0, err := newAuth0(version, config.LookupIn(variables), pinned)
	if err != nil {
		return target{}, err
	}
	aws, err := newAWS(ctx, version, variables, pinned)
	return target{auth0, aws}, err
}

func newAuth0(version string, variables config.Lookup, pinned pins) (*auth0api.Client, error) {
	settings, err := auth0Settings(variables, pinned)
	if err != nil {
		return nil, err
	}
	client, err := auth0api.New(auth0api.Config{
		Domain:                    settings.Domain,
		ClientID:                  settings.ClientID,
		ClientSecret:              settings.ClientSecret,
		APIToken:                  settings.APIToken,
		ClientAssertionPrivateKey: settings.ClientAssertionPrivateKey,
		ClientAssertionSigningAlg: settings.ClientAssertionSigningAlg,
		UserAgent:                 "auth0sns/" + version,
	})
	if err != nil {
		return nil, codedError{exitPermission, err}
	}
	return client, nil
}

// newAWS leaves everything but the account to AWS's own chain, as Terraform's
// provider does with the same variables: both are to find the same account.
func newAWS(ctx context.Context, version string, variables map[string]string, pinned pins) (client *awsapi.Client, err error) {
	settings := awsapi.Config{Region: pinned.Region, UserAgentProducts: [][2]string{{"auth0sns", version}}}
	if pinned.AccountID != "" {
		settings.AllowedAccountIDs = []string{pinned.AccountID}
	}
	err = config.WithAWS(variables, func() (err error) {
		client, err = awsapi.New(ctx, settings)
		return err
	})
	return client, err
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
