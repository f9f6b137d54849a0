package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/checks"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sender"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/workspace"
)

// preflight asks what can be asked before anything is written, and stops where
// an apply could not succeed. What else is wrong is said; the checks at the end
// come back to it.
func (b *bootstrap) preflight(ctx context.Context) error {
	selected, err := checks.Select(checks.Before)
	if err != nil {
		return err
	}
	// What they would find gets import blocks.
	selected = slices.DeleteFunc(selected, func(c checks.Check) bool { return c.ID == "tenant-free" || c.ID == "iam-user-free" })
	b.out.progress("\nChecks before anything is written")
	subject := b.newSubject(workspace.Live{})
	findings, err := checks.Run(ctx, subject, selected)
	if err != nil {
		return err
	}
	b.showFindings(findings)
	for _, f := range findings {
		if code, stops := stopping(f.ID); stops && f.Result == checks.Fail {
			return codedError{code, fmt.Errorf("%s: %s Nothing was done. %s", f.ID, f.Cause, f.Remedy)}
		}
	}
	b.tenant, err = subject.Tenant(ctx)
	return err
}

// stopping tells whether the failure of a check ends the run, and how.
func stopping(id string) (code int, stops bool) {
	switch id {
	case "auth0-reachable", "auth0-scopes", "aws-reachable", "aws-permissions":
		return exitPermission, true
	case "tenant-path", "sms-region":
		return exitFindings, true
	default:
		return 0, false
	}
}

// showFindings shows what did not pass, and counts the rest.
func (b *bootstrap) showFindings(findings []checks.Finding) {
	open := notPassed(findings)
	page{b.out.stderr}.findings(open)
	b.out.progress("%d of %d passed", len(findings)-len(open), len(findings))
}

// choosePath takes the newest path that works, unless files or flags name one,
// and says what it takes.
func (b *bootstrap) choosePath() error {
	if b.settings.Path == "" {
		b.settings.Path = workspace.PathUnified
	}
	possible, sure := delivery.CanMove(b.tenant, delivery.Path(b.settings.Path))
	b.out.progress("\nPath %s", b.settings.Path)
	for _, line := range delivery.Move(b.tenant, delivery.Path(b.settings.Path)) {
		b.say("  ", line)
	}
	if b.settings.Path == workspace.PathAction && b.tenant.Path == delivery.PathUnified && possible {
		return refuse("tenant %s has the Unified Phone Experience, and the module that auth0sns writes for the path action cannot take it away. Nothing was done. "+
			"Stay with --path unified. How to go back by hand, as far as Auth0 lets a tenant, is in the guide Unified Phone Experience, under The way back", b.settings.Domain)
	}
	if !possible && sure {
		return refuse("tenant %s cannot take the path %s: choose another with --path", b.settings.Domain, b.settings.Path)
	}
	return nil
}

// otherSenderName is the name of the Action where one of the other trigger has the
// default: of a tenant's Actions no two have the same.
const otherSenderName = workspace.DefaultSenderName + " phone provider"

// nameSender gives the Action a name that no Action of another trigger has, such
// as the one that sends until a move to the unified path is done.
func (b *bootstrap) nameSender(ctx context.Context) error {
	name := cmp.Or(b.settings.SenderName, workspace.DefaultSenderName)
	actions, err := b.target.auth0.Actions(ctx, "")
	if err != nil {
		return err
	}
	taken := func(name string) bool {
		return slices.ContainsFunc(actions, func(a auth0api.Action) bool { return a.Name == name && a.Trigger.ID != b.trigger() })
	}
	switch {
	case !taken(name):
		return nil
	case name == workspace.DefaultSenderName && b.settings.Path == workspace.PathUnified && !taken(otherSenderName):
		b.settings.SenderName = otherSenderName
		b.out.progress("  The new Action is named %q: another one of the tenant is %q.", otherSenderName, name)
		return nil
	default:
		return refuse("tenant %s has an Action %q of another trigger, and no two Actions have the same name. Nothing was done. Give the new one another with --sender-name", b.settings.Domain, name)
	}
}

// trigger is that of the configuration's Action.
func (b *bootstrap) trigger() string {
	if b.settings.Path == workspace.PathAction {
		return delivery.TriggerSendPhoneMessage
	}
	return delivery.TriggerCustomPhoneProvider
}

// existing are import blocks for what a first apply would refuse to overwrite.
// Whether to take it over is decided by the person who reads the plan.
func (b *bootstrap) existing(ctx context.Context) ([]workspace.Import, error) {
	var found []workspace.Import
	add := func(resource, id string) {
		if found == nil {
			b.out.progress("\nThere already, and to be imported")
		}
		found = append(found, workspace.Import{To: modulePrefix + resource + ".sms", ID: id})
		b.out.progress("  %s  %s", resource, id)
	}
	user, err := b.target.aws.User(ctx, b.userName())
	switch {
	case err == nil:
		add("auth0sns_iam_user", user.Name)
	case !awsapi.IsNotFound(err):
		return nil, err
	}
	action, err := b.existingAction(ctx)
	if err != nil {
		return nil, err
	}
	if action.ID != "" {
		if err := b.refuseForeignCode(action); err != nil {
			return nil, err
		}
		add("auth0sns_action", action.ID)
	}
	if p := b.tenant.PhoneProvider; p != nil && b.settings.Path == workspace.PathUnified {
		if p.Name != delivery.PhoneProviderCustom {
			return nil, refuse("tenant %s sends its phone messages through %s (%s), and a tenant has one phone provider. Nothing was done. Keep its credentials, which Auth0 never shows, delete the provider, and run the same command again",
				b.settings.Domain, p.Name, p.ID)
		}
		add("auth0sns_phone_provider", p.ID)
	}
	if b.tenant.FactorOn {
		add("auth0sns_sms_factor", delivery.FactorSMS)
	}
	policies, err := b.target.auth0.Policies(ctx)
	if err == nil && len(policies) > 0 {
		add("auth0sns_mfa_policy", "mfa-policy")
	}
	if b.tenant.Live != "" {
		b.say("  ", "People get their codes from a sender of this tenant already. To keep it with its own settings, stop here and take auth0sns generate, which writes a configuration of what is there.")
	}
	return found, err
}

func (b *bootstrap) userName() string { return cmp.Or(b.settings.IAMUser, workspace.DefaultIAMUser) }

// existingAction is the one that this configuration's Action would collide with:
// of custom-phone-provider a tenant has only one; of the other, names count.
func (b *bootstrap) existingAction(ctx context.Context) (auth0api.Action, error) {
	trigger := b.trigger()
	actions, err := b.target.auth0.Actions(ctx, trigger)
	if err != nil {
		return auth0api.Action{}, err
	}
	name := cmp.Or(b.settings.SenderName, workspace.DefaultSenderName)
	for _, action := range actions {
		if trigger == delivery.TriggerCustomPhoneProvider || action.Name == name {
			return action, nil
		}
	}
	return auth0api.Action{}, nil
}

// refuseForeignCode keeps what sends people's codes right now as it is: its code
// would be replaced, and deployed, before the new code has its key.
func (b *bootstrap) refuseForeignCode(action auth0api.Action) error {
	if action.ID != b.tenant.Live {
		return nil
	}
	if _, ours := sender.Parse(sender.Trigger(action.Trigger.ID), action.Deployed.Code); ours {
		return nil
	}
	if b.flags.force {
		b.out.progress("--force: the code of Action %s, which sends now, is replaced. Codes are lost until the new key is in place.", action.Name)
		return nil
	}
	return refuse("people get their codes from Action %q (%s) now, and its code is not that of auth0sns. It would be replaced before the new code has its key, and codes would be lost for some seconds. Nothing was done. "+
		"auth0sns generate takes it over with the code that it has; --force replaces it all the same", action.Name, action.ID)
}
