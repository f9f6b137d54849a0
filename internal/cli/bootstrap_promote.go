package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"

	tfjson "github.com/hashicorp/terraform-json"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/config"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/workspace"
)

// sentQuery finds the entries of the tenant's log that Auth0 writes for a code
// that was sent by SMS.
const sentQuery = `type:"gd_send_sms"`

// takeOver takes the settings of another environment, but for what each has for
// itself.
func (b *bootstrap) takeOver() error {
	var err error
	b.from, err = b.files.Read(b.flags.from)
	if errors.Is(err, fs.ErrNotExist) {
		return usageError(fmt.Errorf("--from %s: there is no such environment in %s", b.flags.from, b.flags.dir))
	}
	if err != nil {
		return err
	}
	taken := b.from.Settings
	taken.Domain, taken.AccountID, taken.Region = b.settings.Domain, b.settings.AccountID, b.settings.Region
	if taken.AccountID != b.from.Settings.AccountID {
		if number := taken.SMS.OriginationNumber; number != "" && !b.flags.changed("origination-number") {
			b.out.progress("The number %s is of the account of %s, and is not taken over: --origination-number names one of %s.", number, b.flags.from, b.flags.environment)
		}
		taken.SMS.OriginationNumber = b.settings.SMS.OriginationNumber
	}
	taken.Backend = b.known.Settings.Backend
	if b.isNew {
		taken.Backend = elsewhere(b.from.Settings.Backend)
	}
	b.settings = taken
	return nil
}

// prove refuses settings that have not proved themselves: applied as they are,
// and used for a message.
func (b *bootstrap) prove(ctx context.Context) error {
	if b.flags.from == "" {
		return nil
	}
	b.out.progress("\nLooking at %s, whose settings %s takes over", b.from.Name, b.flags.environment)
	doubt := b.doubt(ctx, b.from)
	switch {
	case doubt == nil || ctx.Err() != nil:
		return ctx.Err()
	case b.flags.force:
		b.out.progress("--force: going on, although %v", doubt)
		return nil
	case errors.As(doubt, &unseenError{}):
		return refuse("%s was left as it is: %w\n--force takes the settings over without a look", b.flags.environment, doubt)
	default:
		return refuse("%s is not what %s should become: %w\nNothing was done. Put it right first; --force goes on all the same", b.from.Name, b.flags.environment, doubt)
	}
}

// unseenError says why an environment could not be looked at, and what helps.
type unseenError struct{ error }

func (e unseenError) Unwrap() error { return e.error }

// elsewhere is the same backend without the place in it, which each environment
// has for itself.
func elsewhere(backend workspace.Backend) workspace.Backend {
	settings := maps.Clone(backend.Settings)
	maps.DeleteFunc(settings, func(name, _ string) bool { return isPlace(name) })
	return workspace.Backend{Kind: backend.Kind, Settings: settings}
}

// doubt returns why an environment is no example to follow. That it cannot be
// looked at is a reason too.
func (b *bootstrap) doubt(ctx context.Context, from workspace.Environment) error {
	variables := config.ForEnvironment(from.Name)
	pinned := pins{Environment: from.Name, Domain: from.Settings.Domain, AccountID: from.Settings.AccountID, Region: from.Settings.Region}
	side, err := connectWith(ctx, b.version, variables, pinned)
	if err == nil {
		_, err = side.identify(ctx)
	}
	if err != nil {
		prefix := config.EnvironmentPrefix(from.Name)
		return unseenError{fmt.Errorf("%s cannot be looked at with its own credentials (%sAUTH0_…, %sAWS_…):\n%w", from.Name, prefix, prefix, err)}
	}
	terraform, plan, err := b.planOf(ctx, from.Dir, variables, filepath.Join(b.private, "from.tfplan"), func(workspace.Event) {})
	if err != nil {
		return fmt.Errorf("it cannot be planned: %w", err)
	}
	state, err := terraform.State(ctx)
	if err != nil {
		return fmt.Errorf("its state cannot be read: %w", err)
	}
	live := workspace.LiveOf(state)
	if live.SenderID == "" {
		return fmt.Errorf("it was never applied: auth0sns bootstrap --env %s does it", from.Name)
	}
	if err := unsettled(plan); err != nil {
		return err
	}
	return b.hasSent(ctx, side, from.Name, live)
}

// unsettled tells a plan that would change something apart by why: somebody
// changed what is there, or the configuration is newer than its last apply.
func unsettled(plan *tfjson.Plan) error {
	var pending []string
	for _, change := range plan.ResourceChanges {
		if changes(change) {
			pending = append(pending, change.Address)
		}
	}
	if len(pending) == 0 {
		return nil
	}
	for _, drift := range plan.ResourceDrift {
		if slices.Contains(pending, drift.Address) {
			return fmt.Errorf("it has drifted: %s was changed outside Terraform. terraform plan in its folder shows how", drift.Address)
		}
	}
	return fmt.Errorf("its configuration is newer than its last apply: %s would change", listed(pending))
}

// hasSent wants to see a message of the sender that the state knows, as it was
// deployed last: an entry of the tenant's log, or the use of its key.
func (b *bootstrap) hasSent(ctx context.Context, side target, name string, live workspace.Live) error {
	action, err := side.auth0.Action(ctx, live.SenderID)
	if err != nil {
		return fmt.Errorf("its Action cannot be read: %w", err)
	}
	if action.Deployed == nil {
		return fmt.Errorf("its Action %s is not deployed: auth0sns bootstrap --env %s does it", action.Name, name)
	}
	since := action.Deployed.BuiltAt
	entries, logErr := side.auth0.Logs(ctx, sentQuery, 1)
	if logErr == nil && len(entries) > 0 && entries[0].Date.After(since) {
		return nil
	}
	used, keyErr := side.aws.AccessKeyLastUsed(ctx, live.AccessKeyID)
	if keyErr == nil && used.Service == "sns" && used.At.After(since) {
		return nil
	}
	if err := errors.Join(logErr, keyErr); err != nil {
		return fmt.Errorf("it cannot be told whether it ever sent a message: %w", err)
	}
	return fmt.Errorf("it has never sent a message as it is now: none is newer than the deploy of its Action, %s. Log in there with a second factor by SMS, or run auth0sns send-test --env %s",
		minute(since), name)
}
