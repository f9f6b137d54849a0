package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	auth0  *auth0api.Client
	aws    *awsapi.Client
	pinned pins
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
	return target{auth0, aws, pinned}, err
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
				pinned.Environment, pinned.Domain, nameOf(pinned.Environment, config.EnvDomain), settings.Domain, pinned.Environment)
		}
		settings.Domain = pinned.Domain
	}
	if missing := settings.Missing(); len(missing) > 0 {
		return settings, codedError{exitPermission, missingSettings(pinned.Environment, missing)}
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

// nameOf is the name under which a variable of an environment is read.
func nameOf(environment, plain string) string {
	names, _ := config.VariablesOf(environment, plain)
	return names[0]
}

// missingSettings names what is to be set, as it is to be set.
func missingSettings(environment string, missing []string) error {
	names, own := config.VariablesOf(environment, missing...)
	list := strings.Join(names, ", ")
	switch {
	case environment == "":
		list = "Missing: " + list
	case own != "":
		list = fmt.Sprintf("Missing for %s: %s (plain AUTH0_… do not count while %s is set)", environment, list, own)
	default:
		prefix := config.EnvironmentPrefix(environment)
		list = fmt.Sprintf("Missing for %s: %s (or %s%s, for %s alone)", environment, list, prefix, strings.Join(missing, ", "+prefix), environment)
	}
	if slices.Contains(missing, config.EnvClientSecret) {
		list += fmt.Sprintf(". In the place of the secret a private key (%s) will do, and in that of both a token (%s)",
			nameOf(environment, config.EnvPrivateKey), nameOf(environment, config.EnvAPIToken))
	}
	return errors.New(list)
}

// identify asks AWS who the caller is and refuses an account that is not the
// pinned one. Before anything changes, its answer is shown to the person.
func (t target) identify(ctx context.Context) (awsapi.Identity, error) {
	identity, err := t.aws.Identity(ctx)
	if err != nil {
		return awsapi.Identity{}, t.plainOnesDoNotCount(err)
	}
	err = t.aws.CheckAccount(ctx)
	if wrong := (*awsapi.AccountError)(nil); errors.As(err, &wrong) && t.pinned.Environment != "" {
		return identity, environmentAccountError{wrong, t.pinned.Environment}
	}
	return identity, err
}

// plainOnesDoNotCount says why credentials that are in the shell were not used.
func (t target) plainOnesDoNotCount(err error) error {
	_, own := config.VariablesOf(t.pinned.Environment, "AWS_PROFILE")
	var none *awsapi.Error
	if own == "" || !errors.As(err, &none) || none.Kind != awsapi.NoCredentials {
		return err
	}
	return environmentKeyError{none, own, config.EnvironmentPrefix(t.pinned.Environment)}
}

// environmentKeyError gives the advice of an [awsapi.Error] in an environment's
// own names.
type environmentKeyError struct {
	none        *awsapi.Error
	own, prefix string
}

func (e environmentKeyError) Error() string {
	return strings.TrimSuffix(e.none.Error(), e.none.Hint()) + e.Hint()
}

func (e environmentKeyError) Hint() string {
	return fmt.Sprintf("Set %[1]sAWS_PROFILE, or %[1]sAWS_ACCESS_KEY_ID and %[1]sAWS_SECRET_ACCESS_KEY: plain AWS_… do not count while %[2]s is set.", e.prefix, e.own)
}

func (e environmentKeyError) Unwrap() error { return e.none }

// accountAPI is the account as the checks see it, with errors in an environment's
// own names.
type accountAPI struct {
	*awsapi.Client
	target target
}

func (a accountAPI) Identity(ctx context.Context) (awsapi.Identity, error) {
	identity, err := a.Client.Identity(ctx)
	return identity, a.target.plainOnesDoNotCount(err)
}

// environmentAccountError says of the files what [awsapi.AccountError] says of a
// provider's configuration.
type environmentAccountError struct {
	*awsapi.AccountError
	environment string
}

func (e environmentAccountError) Error() string {
	return fmt.Sprintf("wrong AWS account: the files of environment %s name %s, and these credentials lead to %s (%s). Nothing was done. Set %sAWS_… to credentials of %[2]s, or name the other environment",
		e.environment, strings.Join(e.Allowed, ", "), e.Got, e.ARN, config.EnvironmentPrefix(e.environment))
}

func (e environmentAccountError) Unwrap() error { return e.AccountError }
