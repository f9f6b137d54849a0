package cli

import (
	"cmp"
	"context"
	"fmt"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/config"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/workspace"
)

// signIn makes the clients of both sides and shows whose they are, before
// anything else happens.
func (b *bootstrap) signIn(ctx context.Context) error {
	region, err := b.region(ctx)
	if err != nil {
		return err
	}
	if err := b.askForCredentials(ctx); err != nil {
		return err
	}
	others, err := b.others()
	if err != nil {
		return err
	}
	if err := b.refuseTenant(others); err != nil {
		return err
	}
	pinned := pins{Environment: b.flags.environment, Domain: b.known.Settings.Domain, AccountID: b.known.Settings.AccountID, Region: region}
	if err := b.createClient(ctx, pinned); err != nil {
		return err
	}
	b.target, err = connectWith(ctx, b.version, b.variables, pinned)
	if err != nil {
		return err
	}
	identity, err := b.target.identify(ctx)
	if err != nil {
		return err
	}
	b.result.Tenant, b.result.AccountID, b.result.Region, b.result.Caller = b.target.auth0.Domain(), identity.AccountID, region, identity.ARN
	b.out.progress("%s\n  Auth0 tenant  %s\n  AWS account   %s, as %s\n  AWS region    %s",
		b.flags.environment, b.result.Tenant, identity.AccountID, identity.ARN, region)
	b.settings = b.known.Settings
	b.settings.Domain, b.settings.AccountID, b.settings.Region = b.result.Tenant, identity.AccountID, region
	return b.refuseAccount(others)
}

// others are the other environments of the workspace.
func (b *bootstrap) others() ([]workspace.Environment, error) {
	names, err := b.files.Environments()
	if err != nil {
		return nil, err
	}
	var others []workspace.Environment
	for _, name := range names {
		if name == b.flags.environment {
			continue
		}
		other, err := b.files.Read(name)
		if err != nil {
			return nil, err
		}
		others = append(others, other)
	}
	return others, nil
}

// refuseTenant keeps one environment from being set up on another one's tenant.
func (b *bootstrap) refuseTenant(others []workspace.Environment) error {
	domain := cmp.Or(b.known.Settings.Domain, b.variables[config.EnvDomain])
	for _, other := range others {
		if domain != "" && other.Settings.Domain != "" && sameDomain(domain, other.Settings.Domain) {
			return refuse("%s is the tenant of environment %s. Nothing was done. Set the credentials of %s: %sAUTH0_DOMAIN and the others",
				domain, other.Name, b.flags.environment, config.EnvironmentPrefix(b.flags.environment))
		}
	}
	return nil
}

// refuseAccount does the same for the account, which two may be meant to share.
func (b *bootstrap) refuseAccount(others []workspace.Environment) error {
	for _, other := range others {
		if b.settings.AccountID != other.Settings.AccountID || b.settings.AccountID == b.known.Settings.AccountID {
			continue // Of what the files pin somebody has decided it.
		}
		if !b.flags.force {
			return refuse("%s is the AWS account of environment %s. Nothing was done. Set the credentials of %s or, if both are meant to share the account, add --force and another --iam-user",
				b.settings.AccountID, other.Name, b.flags.environment)
		}
		b.out.progress("--force: environment %s has the same AWS account.", other.Name)
	}
	return nil
}

// region is needed before AWS can be asked anything.
func (b *bootstrap) region(ctx context.Context) (string, error) {
	region := cmp.Or(b.flags.given.Region, b.known.Settings.Region, b.variables["AWS_REGION"], b.variables["AWS_DEFAULT_REGION"])
	if region != "" {
		return region, b.takesSMS(region)
	}
	if b.terminal == nil {
		return "", usageError(fmt.Errorf("the AWS region that SNS sends from is missing: give it with --region or %sAWS_REGION, for example eu-central-1", config.EnvironmentPrefix(b.flags.environment)))
	}
	err := b.terminal.ask(ctx, question{title: "AWS region", help: "SNS sends from it: one that supports SMS, near the people who log in.", value: &region, check: b.takesSMS})
	return region, err
}

// takesSMS refuses a region that SNS is not known to send SMS from, before it is
// asked anything. Of one that the files have somebody has decided it.
func (b *bootstrap) takesSMS(region string) error {
	switch {
	case !awsapi.ValidRegionName(region):
		return usageError(fmt.Errorf("%q is no AWS region: name one such as eu-central-1", region))
	case awsapi.SMSRegion(region), region == b.known.Settings.Region, b.flags.force:
		return nil
	default:
		return found("sms-region: %s is not among the regions that were known to send SMS when this version was made. Nothing was done. Take another, or, where AWS's list has it by now, add --force: https://docs.aws.amazon.com/sns/latest/dg/sns-supported-regions-countries.html", region)
	}
}

// askForCredentials asks for what the environment lacks. The answers are held in
// memory, for the clients and for Terraform's environment.
func (b *bootstrap) askForCredentials(ctx context.Context) error {
	if b.terminal == nil {
		return nil // Connecting says what is missing.
	}
	var questions []question
	answers := map[string]*string{}
	need := func(variable, title, help string, check func(string) error, secret bool) {
		answers[variable] = new(string)
		questions = append(questions, question{title: title, help: help, secret: secret, value: answers[variable], check: check})
	}
	have := config.Auth0{Domain: b.known.Settings.Domain}.WithEnvironment(config.LookupIn(b.variables))
	if have.Domain == "" {
		need(config.EnvDomain, "Auth0 domain", "As the Dashboard shows it under Settings: tenant.eu.auth0.com.", isDomain, false)
	}
	if !b.flags.client.create && have.APIToken == "" && have.ClientSecret == "" && have.ClientAssertionPrivateKey == "" {
		if have.ClientID == "" {
			need(config.EnvClientID, "Client ID", "Of a machine-to-machine application for the Management API.", required, false)
		}
		need(config.EnvClientSecret, "Client secret", "It stays in memory, and is not shown.", required, true)
	}
	keyed := b.variables["AWS_ACCESS_KEY_ID"] != "" || b.variables["AWS_PROFILE"] != ""
	if !keyed && !b.awsFound(ctx) {
		need("AWS_ACCESS_KEY_ID", "AWS access key ID", "Of whoever sets this up, not of the sender. Or stop here, sign in with the AWS CLI, and come back.", required, false)
		need("AWS_SECRET_ACCESS_KEY", "AWS secret access key", "It stays in memory, and is not shown.", required, true)
	}
	if err := b.terminal.ask(ctx, questions...); err != nil {
		return err
	}
	for variable, answer := range answers {
		b.variables[variable] = *answer
	}
	return nil
}

// createClient makes the application that everything else is done with, once it
// is sure that the account is the right one: an application that is there already
// is in the way of the same command.
func (b *bootstrap) createClient(ctx context.Context, pinned pins) error {
	if !b.flags.client.create {
		return nil
	}
	aws, err := newAWS(ctx, b.version, b.variables, pinned)
	if err == nil {
		_, err = target{aws: aws, pinned: pinned}.identify(ctx)
	}
	if err != nil {
		return err
	}
	client, err := createClient(ctx, b.version, b.out, b.terminal, createClientRequest{
		Flags: b.flags.client, Environment: b.flags.environment, Domain: b.known.Settings.Domain, Dir: b.flags.dir,
		Path: delivery.Path(cmp.Or(b.flags.given.Path, b.known.Settings.Path, workspace.PathUnified)),
		Yes:  b.flags.yes, Variables: config.LookupIn(b.variables),
	})
	if err != nil {
		return err
	}
	client.use(b.variables)
	b.result.Client = &client
	return nil
}

// awsFound tells whether AWS's own chain has credentials of any kind.
func (b *bootstrap) awsFound(ctx context.Context) bool {
	client, err := newAWS(ctx, b.version, b.variables, pins{Region: "us-east-1"})
	if err == nil {
		_, err = client.Identity(ctx)
	}
	return awsapi.KindOf(err) != awsapi.NoCredentials
}

func isDomain(answer string) error {
	_, err := config.NormalizeDomain(answer)
	return err
}
