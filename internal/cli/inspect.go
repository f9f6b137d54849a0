package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	tfjson "github.com/hashicorp/terraform-json"
	"github.com/spf13/cobra"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/checks"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sender"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/workspace"
)

// inspectFlags say what a command looks at.
type inspectFlags struct {
	env, dir, iamUser, region string
	json                      bool
}

func (f *inspectFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.env, "env", "", "the environment whose files pin tenant, account and region, and say what is expected of them")
	cmd.Flags().StringVar(&f.dir, "dir", ".", "the folder that holds environments/")
	cmd.Flags().StringVar(&f.iamUser, "iam-user", "", "the sender's IAM user (default: the environment's, else "+workspace.DefaultIAMUser+")")
	cmd.Flags().StringVar(&f.region, "region", "", "where SNS sends from (default: the environment's, then AWS_REGION)")
	cmd.Flags().BoolVar(&f.json, "json", false, "print the result as one JSON document")
}

// States of Terraform's state, as far as a command that only looks knows it.
const (
	stateRead       = "read"
	stateNotApplied = "not applied"
)

// inspection is one tenant and one account with what is expected of them.
type inspection struct {
	target
	subject *checks.Subject
	inspected
}

// inspected is which tenant and account were looked at, the head of a result.
type inspected struct {
	Environment string `json:"environment,omitempty"`
	Tenant      string `json:"tenant"`
	AWSAccount  string `json:"aws_account"` // "" where AWS did not tell
	AWSCaller   string `json:"aws_caller,omitempty"`
	AWSRegion   string `json:"aws_region"`
	// State is "read", "not applied", or why Terraform's state could not be read;
	// "" without an environment.
	State string `json:"state,omitempty"`
}

// inspect connects and prints to which tenant and account. Only a wrong one ends
// it here: what cannot be reached is for the checks to say. mayBeNew lets the
// files of the environment be missing.
func inspect(ctx context.Context, version string, flags inspectFlags, out output, mayBeNew bool) (*inspection, error) {
	environment, err := readEnvironment(flags, mayBeNew)
	if err != nil {
		return nil, err
	}
	settings := environment.Settings
	t, err := connect(ctx, version, pins{
		Environment: flags.env, Domain: settings.Domain, AccountID: settings.AccountID, Region: cmp.Or(flags.region, settings.Region),
	})
	if err != nil {
		return nil, err
	}
	i := &inspection{target: t, inspected: inspected{Environment: flags.env, Tenant: t.auth0.Domain(), AWSRegion: t.aws.Region()}}
	if err := i.identifyAccount(ctx, out); err != nil {
		return nil, err
	}
	state := i.readState(ctx, environment, out)
	i.subject = &checks.Subject{Auth0: t.auth0, AWS: accountAPI{t.aws, t}, Now: time.Now, Expect: expectation(settings, workspace.LiveOf(state))}
	i.subject.Expect.IAMUser = cmp.Or(flags.iamUser, i.subject.Expect.IAMUser)
	i.subject.Expect.Region = t.aws.Region()
	i.subject.Expect.Environment, i.subject.Expect.NeverApplied = flags.env, i.State == stateNotApplied
	return i, nil
}

func readEnvironment(flags inspectFlags, mayBeNew bool) (workspace.Environment, error) {
	if flags.env == "" {
		return workspace.Environment{}, nil
	}
	if err := workspace.ValidateName(flags.env); err != nil {
		return workspace.Environment{}, usageError(err)
	}
	environment, err := workspace.Open(flags.dir).Read(flags.env)
	switch {
	case errors.Is(err, fs.ErrNotExist) && mayBeNew:
		return workspace.Environment{}, nil
	case errors.Is(err, fs.ErrNotExist):
		return workspace.Environment{}, usageError(fmt.Errorf("--env %s: %w. %s. auth0sns bootstrap --env %[1]s makes it; --dir names another folder; what auth0sns generate wrote is looked at without --env",
			flags.env, err, thereAre(flags.dir)))
	default:
		return environment, err
	}
}

// thereAre names the environments of a folder.
func thereAre(dir string) string {
	names, err := workspace.Open(dir).Environments()
	if err != nil || len(names) == 0 {
		return "There is none in this folder"
	}
	return "There is " + strings.Join(names, ", ")
}

// identifyAccount prints what is looked at, and refuses a wrong account.
func (i *inspection) identifyAccount(ctx context.Context, out output) error {
	identity, err := i.identify(ctx)
	account := fmt.Sprintf("%s (%s)", identity.AccountID, identity.ARN)
	switch {
	case err != nil && (isWrongAccount(err) || ctx.Err() != nil):
		return err
	case err != nil:
		account = "unknown: " + err.Error()
	default:
		i.AWSAccount, i.AWSCaller = identity.AccountID, identity.ARN
	}
	p := page{out.stderr}
	if i.Environment != "" {
		p.line("Environment  %s", i.Environment)
	}
	p.line("Tenant       %s", i.Tenant)
	p.hanging("AWS account  ", account)
	p.line("Region       %s", cmp.Or(i.AWSRegion, "not set"))
	return nil
}

// readState finds out what was applied. Where it cannot, what would be compared
// with it is unknown.
func (i *inspection) readState(ctx context.Context, environment workspace.Environment, out output) *tfjson.State {
	if environment.Dir == "" {
		return nil
	}
	out.progress("State        terraform show in %s", environment.Dir)
	state, err := appliedState(ctx, environment)
	switch {
	case err != nil:
		i.State = err.Error()
		page{out.stderr}.paragraph("  ", "The state could not be read, so what is expected of it is unknown. Has terraform init run there? "+err.Error())
	case workspace.LiveOf(state) == workspace.Live{}:
		i.State = stateNotApplied
		out.progress("  %s was never applied: auth0sns bootstrap --env %[1]s", environment.Name)
	default:
		i.State = stateRead
	}
	return state
}

// expectation is what the files and the state of an environment say, the zero
// value of both where there is none.
func expectation(settings workspace.Settings, live workspace.Live) checks.Expect {
	expect := checks.Expect{
		Path:        delivery.Path(settings.Path),
		IAMUser:     cmp.Or(live.IAMUser, settings.IAMUser, workspace.DefaultIAMUser),
		PolicyName:  live.PolicyName,
		SenderID:    live.SenderID,
		AccessKeyID: live.AccessKeyID,
		CodeSHA256:  live.CodeSHA256,
		Region:      settings.Region,
		MFAPolicy:   settings.MFAPolicy,
	}
	if settings.Domain != "" { // else there are no files
		expect.SMS = &sender.Options{
			SenderID: settings.SMS.SenderID, OriginationNumber: settings.SMS.OriginationNumber, MaxPriceUSD: settings.SMS.MaxPriceUSD,
			EntityID: settings.SMS.EntityID, TemplateID: settings.SMS.TemplateID,
			AllowedCountryCodes: settings.SMS.AllowedCountryCodes, FallbackRegions: settings.SMS.FallbackRegions,
		}
	}
	expect.RotationDue, _ = time.Parse(time.RFC3339, live.RotationDue) // zero for "" and for what is no time
	return expect
}
