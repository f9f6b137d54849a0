package checks

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/handover"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sender"
)

// Sender is the code that sends, or would if the factor asked it: a hook or an
// Action, or neither where the tenant has none.
type Sender struct {
	ID     string
	Hook   *auth0api.Hook
	Action *auth0api.Action
}

// Name is what the Dashboard shows; "" where there is no sender.
func (x Sender) Name() string {
	switch {
	case x.Hook != nil:
		return x.Hook.Name
	case x.Action != nil:
		return x.Action.Name
	default:
		return ""
	}
}

func (x Sender) String() string { return fmt.Sprintf("%s %q", describe(x.ID), x.Name()) }

func (x Sender) exists() bool { return x.Hook != nil || x.Action != nil }

// dashboard is where a person finds it.
func (x Sender) dashboard() string {
	switch {
	case x.Hook != nil:
		return "Auth0 Dashboard → Auth Pipeline → Hooks → " + x.Hook.Name
	case x.Action != nil && x.Action.Trigger.ID == delivery.TriggerCustomPhoneProvider:
		return "Auth0 Dashboard → Branding → Phone Provider"
	default:
		return "Auth0 Dashboard → Actions → Library → " + x.Name()
	}
}

// Sender is the one that the state names, or else the one that the tenant asks.
// One that the state names and that is gone has its ID alone. It is an error
// where it cannot be told.
func (s *Subject) Sender(ctx context.Context) (Sender, error) {
	t, err := s.Tenant(ctx)
	if err != nil {
		return Sender{}, err
	}
	id, err := s.senderID(ctx, t)
	switch {
	case err != nil || id == "":
		return Sender{}, err
	case delivery.IsActionID(id):
		return s.actionSender(ctx, id)
	}
	hooks, err := s.api().Hooks(ctx, delivery.TriggerHook)
	if err != nil && auth0api.KindOf(err) != auth0api.FeatureDisabled {
		return Sender{}, err
	}
	for _, h := range hooks {
		if h.ID == id {
			return Sender{ID: id, Hook: &h}, nil
		}
	}
	return Sender{ID: id}, nil
}

func (s *Subject) actionSender(ctx context.Context, id string) (Sender, error) {
	action, err := s.api().Action(ctx, id)
	if auth0api.IsNotFound(err) {
		return Sender{ID: id}, nil
	}
	return Sender{ID: id, Action: &action}, err
}

func (s *Subject) senderID(ctx context.Context, t delivery.Tenant) (string, error) {
	if id := s.Expect.SenderID; id != "" && !delivery.IsPhoneProviderID(id) {
		return id, nil
	}
	if len(t.Senders) > 0 {
		return t.Senders[0], nil
	}
	if t.Path == delivery.PathUnified {
		actions, err := s.api().Actions(ctx, delivery.TriggerCustomPhoneProvider)
		if err != nil || len(actions) == 0 {
			return "", err
		}
		return actions[0].ID, nil // which is not deployed
	}
	return "", s.pathKnown(ctx, t)
}

const putRight = "terraform plan shows it; terraform apply puts it right."

// ofSender answers for a check that needs a sender where there is none.
func (s *Subject) ofSender(x Sender) (Verdict, bool) {
	switch {
	case x.ID == "":
		return fail("Set one up: "+s.bootstrap()+".", "The tenant has no enabled Send Phone Message hook, and no Action that it would ask."), true
	case !x.exists():
		return fail(putRight, "%s, which the state names, does not exist on the tenant.", describe(x.ID)), true
	default:
		return Verdict{}, false
	}
}

func checkDeployed(ctx context.Context, s *Subject) (Verdict, error) {
	x, err := s.Sender(ctx)
	if err != nil {
		return Verdict{}, err
	}
	if v, none := s.ofSender(x); none {
		return v, nil
	}
	t, err := s.Tenant(ctx)
	if err != nil {
		return Verdict{}, err
	}
	if want := s.Expect.Path; want != "" && t.Path != delivery.PathNone && t.Path != want {
		return fail("Apply the configuration; terraform plan shows the move.", "The configuration sends on the path %s, and the tenant %s.", want, pathInWords(t)), nil
	}
	if x.Hook != nil {
		return hookDeployed(x), nil
	}
	return s.actionDeployed(ctx, t, x)
}

func hookDeployed(x Sender) Verdict {
	if !x.Hook.Enabled {
		return fail("Enable it: "+x.dashboard()+", or terraform apply.", "%s is disabled.", x)
	}
	return pass("%s is enabled. Whether Auth0 still runs it, only a login tells.", x)
}

func (s *Subject) actionDeployed(ctx context.Context, t delivery.Tenant, x Sender) (Verdict, error) {
	a := x.Action
	switch {
	case a.Status == delivery.StatusFailed:
		return fail("Look at its build, mostly an npm package that is not there: "+x.dashboard()+". What was deployed before still runs.", "The build of %s failed.", x), nil
	case a.Deployed == nil:
		return fail("Deploy it: "+x.dashboard()+" → Deploy, or terraform apply.", "%s was never deployed, so it does not run.", x), nil
	case !delivery.IsDeployed(*a):
		return fail("Deploy or undo the changes: "+x.dashboard()+", or terraform apply.", "%s has changes that are not deployed: what runs is an older version.", x), nil
	case (t.Path == delivery.PathUnified) != (a.Trigger.ID == delivery.TriggerCustomPhoneProvider):
		return fail("Move it: auth0sns bootstrap --path unified, or turn the tenant back.",
			"%s has the trigger %s, which is never asked: the tenant %s.", x, a.Trigger.ID, pathInWords(t)), nil
	}
	if t.Path == delivery.PathUnified {
		return s.askedByProvider(ctx, x)
	}
	bound, err := s.isBound(ctx, x)
	switch {
	case err != nil:
		return Verdict{}, err
	case !bound:
		return fail("Bind it: Auth0 Dashboard → Actions → Triggers → send-phone-message, or terraform apply.", "%s is deployed and not bound, so it is not asked.", x), nil
	default:
		return pass("%s is deployed and bound to send-phone-message.", x), nil
	}
}

func (s *Subject) isBound(ctx context.Context, x Sender) (bool, error) {
	return delivery.IsBound(ctx, s.api(), x.Action.Trigger.ID, x.ID)
}

// askedByProvider leaves one that is not bound open: a how-to of Auth0 binds it,
// and another does not.
func (s *Subject) askedByProvider(ctx context.Context, x Sender) (Verdict, error) {
	providers, err := s.api().PhoneProviders(ctx)
	if err != nil {
		return Verdict{}, err
	}
	if !slices.ContainsFunc(providers, func(p auth0api.PhoneProvider) bool { return p.Name == delivery.PhoneProviderCustom }) {
		return fail("Auth0 Dashboard → Branding → Phone Provider → Custom, or terraform apply.", "%s is deployed, and no phone provider \"custom\" asks it.", x), nil
	}
	bound, err := s.isBound(ctx, x)
	switch {
	case err != nil:
		return Verdict{}, err
	case !bound:
		return unknown("terraform apply binds it. Or see by a message: auth0sns send-test.",
			"%s is deployed, and not bound to custom-phone-provider. Whether the phone provider asks it all the same, Auth0's pages do not agree.", x), nil
	default:
		return pass("%s is deployed and bound, and the phone provider asks it.", x), nil
	}
}

// ownHeader begins every script that a version of this project has rendered.
const ownHeader = "Managed by Terraform (auth0sns)"

func checkCode(ctx context.Context, s *Subject) (Verdict, error) {
	x, err := s.Sender(ctx)
	if err != nil {
		return Verdict{}, err
	}
	if v, none := s.ofSender(x); none {
		return v, nil
	}
	trigger, code := x.code()
	if code == "" {
		return unknown("Deploy it first, see sender-deployed.", "Nothing is deployed yet."), nil
	}
	if want := s.Expect.CodeSHA256; want != "" && sender.SHA256(code) != want {
		return fail(putRight, "The code that runs is not the one that was applied: somebody changed it at Auth0."), nil
	}
	options, ok := sender.Parse(trigger, code)
	switch {
	case !ok && strings.Contains(code, ownHeader):
		return unknown("terraform plan shows what differs; terraform apply gives it the code of this version.",
			"The code that runs is not as this version renders it: it was edited, or another version wrote it."), nil
	case !ok:
		return pass("The code is a person's own. Whether it works, only a login tells: see recent-failures."), nil
	}
	if want := s.Expect.SMS; want != nil && !sameSet(want.AllowedCountryCodes, options.AllowedCountryCodes) {
		return fail(putRight, "The code that runs allows %s, and the configuration %s.", countries(options.AllowedCountryCodes), countries(want.AllowedCountryCodes)), nil
	}
	if lacks := missingPackages(trigger, options, x); len(lacks) > 0 {
		return fail(putRight, "The code that runs is as this version renders it, and the npm packages that it loads are not all there: %s.", strings.Join(lacks, ", ")), nil
	}
	return pass("The code that runs is as this version renders it; it sends to %s.", countries(options.AllowedCountryCodes)), nil
}

// missingPackages are those that the code loads and the sender does not have, in
// whatever version.
func missingPackages(trigger sender.Trigger, options sender.Options, x Sender) []string {
	has := map[string]string{}
	switch {
	case x.Hook != nil:
		has = x.Hook.Dependencies
	case x.Action != nil && x.Action.Deployed != nil:
		has = x.Action.Deployed.Dependencies
	}
	rendered, _ := sender.Render(trigger, options) // It was parsed, and so renders.
	return slices.DeleteFunc(slices.Sorted(maps.Keys(rendered.Dependencies)), func(name string) bool { return has[name] != "" })
}

// code is what runs; "" where nothing is deployed, or there is no sender.
func (x Sender) code() (sender.Trigger, string) {
	switch {
	case x.Hook != nil:
		return sender.Hook, x.Hook.Script
	case x.Action != nil && x.Action.Deployed != nil:
		return sender.Trigger(x.Action.Trigger.ID), x.Action.Deployed.Code
	default:
		return "", ""
	}
}

// smsOptions are those of the code that runs. Where that cannot be read, or is of
// another version, they are the configuration's; nil for a person's own code.
func (s *Subject) smsOptions(ctx context.Context) *sender.Options {
	x, err := s.Sender(ctx)
	trigger, code := x.code()
	if err != nil || code == "" {
		return s.Expect.SMS
	}
	options, ok := sender.Parse(trigger, code)
	switch {
	case ok:
		return &options
	case strings.Contains(code, ownHeader):
		return s.Expect.SMS
	default:
		return nil
	}
}

func countries(codes []string) string {
	if len(codes) == 0 {
		return "every country"
	}
	return strings.Join(codes, ", ")
}

func sameSet(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

const rotate = "Rotate the key: change a value of keepers (terraform apply -var rotation=2), or terraform apply where the plan shows a status."

func checkSecretsPresent(ctx context.Context, s *Subject) (Verdict, error) {
	x, err := s.Sender(ctx)
	if err != nil {
		return Verdict{}, err
	}
	if v, none := s.ofSender(x); none {
		return v, nil
	}
	names, err := s.secretNames(ctx, x)
	if err != nil {
		return Verdict{}, err
	}
	missing := slices.DeleteFunc(handover.SecretNames(), func(name string) bool { return slices.Contains(names, name) })
	if len(missing) > 0 {
		return fail("terraform apply mints a new key and hands it over. By hand: "+x.dashboard()+" → Secrets.",
			"What runs lacks %s.", strings.Join(missing, ", ")), nil
	}
	return pass("%s are there. Their values cannot be read.", strings.Join(handover.SecretNames(), ", ")), nil
}

// secretNames are those of what runs: secrets of a draft wait for a deploy.
func (s *Subject) secretNames(ctx context.Context, x Sender) ([]string, error) {
	if x.Hook != nil {
		return s.api().HookSecretNames(ctx, x.ID)
	}
	var names []string
	if x.Action.Deployed != nil {
		for name := range x.Action.Deployed.Secrets {
			names = append(names, name)
		}
	}
	return names, nil
}

// handedOverWithin is more than any hand-over takes from the key's creation to
// the writing of the secrets: the key is waited for, and an Action perhaps built.
const handedOverWithin = 15 * time.Minute

// checkSecretsUntouched goes by times, the only sign of a value that Auth0 gives:
// the secrets are written all at once, moments after the key was made.
func checkSecretsUntouched(ctx context.Context, s *Subject) (Verdict, error) {
	x, err := s.Sender(ctx)
	if err != nil {
		return Verdict{}, err
	}
	if v, none := s.ofSender(x); none {
		return v, nil
	}
	if x.Hook != nil {
		return unknown("Where in doubt, rotate: terraform apply -var rotation=2.", "Auth0 does not tell when the secrets of a hook were written."), nil
	}
	if x.Action.Deployed == nil || !handover.HoldsSecrets(*x.Action) {
		return unknown("See secrets-present.", "The sender does not have all three secrets."), nil
	}
	var written time.Time
	for _, name := range handover.SecretNames() {
		draft, deployed := x.Action.Secrets[name], x.Action.Deployed.Secrets[name]
		switch {
		case !draft.Equal(deployed):
			return fail(rotate, "The draft has another %s than the version that runs: somebody wrote it, or rolled back to an older version.", name), nil
		case !written.IsZero() && written.Sub(draft).Abs() > time.Second:
			return fail(rotate, "The secrets were not written at once: somebody wrote %s apart from the others.", name), nil
		}
		written = draft
	}
	return s.writtenWithTheKey(ctx, written)
}

// writtenWithTheKey compares with the key that the sender is to hold.
func (s *Subject) writtenWithTheKey(ctx context.Context, written time.Time) (Verdict, error) {
	key, missing, err := s.keyOf(ctx)
	if err != nil {
		return Verdict{}, err
	}
	at := minute(written)
	if missing != nil {
		return unknown("See key-active.", "The secrets were written at %s, all at once. There is no key to compare with: %s", at, missing.Cause), nil
	}
	switch age := written.Sub(key.CreatedAt); {
	case age < -time.Second:
		return fail(rotate, "The secrets were written at %s, before key %s was made: the sender has another one.", at, key.ID), nil
	case age > handedOverWithin:
		return unknown(rotate, "The secrets were written at %s, %s after key %s was made: perhaps by somebody else, or the key was imported.", at, age.Round(time.Minute), key.ID), nil
	default:
		return pass("They were written at %s, with key %s.", at, key.ID), nil
	}
}
