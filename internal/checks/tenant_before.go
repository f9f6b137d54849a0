package checks

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
)

// Scopes are those of the Management API that an apply of the generated
// configuration and the checks need on a path, sorted.
func Scopes(path delivery.Path) []string {
	scopes := []string{
		"read:guardian_factors", "update:guardian_factors", "read:mfa_policies", "update:mfa_policies",
		"read:tenant_settings", "read:logs",
	}
	switch path {
	case delivery.PathHook:
		scopes = append(scopes, "read:hooks", "create:hooks", "update:hooks", "delete:hooks", "read:actions")
	case delivery.PathAction:
		scopes = append(scopes, "read:actions", "create:actions", "update:actions", "delete:actions", "read:hooks")
	default:
		scopes = append(scopes, "read:actions", "create:actions", "update:actions", "delete:actions",
			"read:phone_providers", "create:phone_providers", "update:phone_providers", "delete:phone_providers",
			"read:phone_templates", "create:phone_templates", "update:phone_templates", "delete:phone_templates",
			"update:tenant_settings")
	}
	slices.Sort(scopes)
	return scopes
}

// target is the path that is to be sent on: the configuration's, or else the
// newest, which works on every tenant.
func (s *Subject) target() delivery.Path { return cmp.Or(s.Expect.Path, delivery.PathUnified) }

// checkReachable asks for a token and, since a token that was given may be
// another tenant's, for one thing with it. That the client may not read it is an
// answer, too.
func checkReachable(ctx context.Context, s *Subject) (Verdict, error) {
	_, _, err := s.api().GrantedScopes(ctx)
	if err == nil {
		_, err = s.api().TenantSettings(ctx)
	}
	switch auth0api.KindOf(err) {
	case auth0api.Unauthorized, auth0api.Token, auth0api.Transport, auth0api.Server, auth0api.TooManyRequests, auth0api.Unknown, auth0api.NotFound:
	default:
		err = nil
	}
	if err != nil {
		cause, remedy := explain(err)
		return fail(remedy, "%s", cause), nil
	}
	return pass("%s answers, and takes the client's token.", s.Auth0.Domain()), nil
}

func checkScopes(ctx context.Context, s *Subject) (Verdict, error) {
	granted, known, err := s.api().GrantedScopes(ctx)
	if err != nil {
		return Verdict{}, err
	}
	if !known {
		return unknown("Compare the client's grant with the list: Auth0 Dashboard → Applications → APIs → Auth0 Management API → Machine to Machine Applications.",
			"Auth0 does not say which scopes it granted. Needed are %s.", strings.Join(Scopes(s.target()), " ")), nil
	}
	t, err := s.Tenant(ctx)
	if err != nil {
		return Verdict{}, err
	}
	setUp, look := Scopes(s.target()), []string{}
	switch {
	case s.Expect.SenderID != "" && t.Path != delivery.PathNone:
		setUp = append(setUp, Scopes(t.Path)...) // What a move replaces is read and taken away.
	case t.Path != delivery.PathUnified:
		look = append(look, "read:actions", "read:hooks") // Who sends there, the checks want to know.
	}
	lacks := func(scopes []string) []string {
		return slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(scopes))), func(scope string) bool { return slices.Contains(granted, scope) })
	}
	missing, unseen := lacks(setUp), lacks(look)
	grant := "Grant " + strings.Join(lacks(slices.Concat(setUp, look)), " ") + ": Auth0 Dashboard → Applications → APIs → Auth0 Management API → Machine to Machine Applications → the client → permissions. A token made before has to be renewed."
	switch {
	case len(missing) > 0:
		return fail(grant, "The client lacks %s.", strings.Join(missing, ", ")), nil
	case len(unseen) > 0:
		return unknown(grant, "It has all that the path %s needs. Checks that need these will be unknown: %s.", s.target(), strings.Join(unseen, ", ")), nil
	default:
		return pass("It has all that the path %s needs.", s.target()), nil
	}
}

func checkPath(ctx context.Context, s *Subject) (Verdict, error) {
	t, err := s.Tenant(ctx)
	if err != nil {
		return Verdict{}, err
	}
	if err := s.pathKnown(ctx, t); err != nil {
		return Verdict{}, err
	}
	move := strings.Join(delivery.Move(t, s.target()), " ")
	switch possible, sure := delivery.CanMove(t, s.target()); {
	case !possible:
		return fail("Choose the path unified: --path unified.", "The tenant %s. %s", pathInWords(t), move), nil
	case !sure:
		return unknown("Stay on the path unified, or find out on a staging tenant of the same age.", "The tenant %s. %s", pathInWords(t), move), nil
	default:
		return pass("The tenant %s. %s", pathInWords(t), move), nil
	}
}

// pathKnown is why the path could not be told, and who may send on it.
func (s *Subject) pathKnown(ctx context.Context, t delivery.Tenant) error {
	if _, err := delivery.Unified(ctx, s.api()); err != nil {
		return err
	}
	if t.Path == delivery.PathUnified {
		_, err := s.api().Actions(ctx, delivery.TriggerCustomPhoneProvider)
		return err
	}
	if _, err := s.api().Bindings(ctx, delivery.TriggerSendPhoneMessage); err != nil {
		return err
	}
	_, err := s.api().Hooks(ctx, delivery.TriggerHook)
	if auth0api.KindOf(err) == auth0api.FeatureDisabled {
		return nil // a tenant without hooks
	}
	return err
}

func pathInWords(t delivery.Tenant) string {
	switch t.Path {
	case delivery.PathUnified:
		return "has the Unified Phone Experience (path unified)"
	case delivery.PathAction:
		return "has the legacy phone provider and an Action bound to send-phone-message (path action); newest is unified"
	case delivery.PathHook:
		return "has the legacy phone provider and a Send Phone Message hook (path hook); newest is unified"
	default:
		return "has the legacy phone provider and no sender of its own; newest is unified"
	}
}

func checkEndOfLife(ctx context.Context, s *Subject) (Verdict, error) {
	t, err := s.Tenant(ctx)
	if err != nil {
		return Verdict{}, err
	}
	if t.Path == delivery.PathHook {
		return fail("Move to an Action: auth0sns bootstrap, or the guide hooks-to-actions.",
			"A Send Phone Message hook sends. Auth0 made hooks read-only on 2024-11-18 and ended them on 2026-11-18; it may run this one no more, and gives no word when it stops."), nil
	}
	if err := s.pathKnown(ctx, t); err != nil {
		return Verdict{}, err
	}
	return pass("The tenant %s. This version knows of no end of that.", pathInWords(t)), nil
}

// checkFree finds what the plan of a first apply would refuse to take over, or
// would push aside. Where the state has a sender, the plan itself tells.
func checkFree(ctx context.Context, s *Subject) (Verdict, error) {
	if s.Expect.SenderID != "" {
		return pass("It was applied already: the state has the sender %s.", s.Expect.SenderID), nil
	}
	var o obstacles
	for _, look := range []func(context.Context, *Subject) error{o.addUnified, o.addLegacy, o.addPolicy, o.addFactor} {
		if err := look(ctx, s); err != nil {
			return Verdict{}, err
		}
	}
	if len(o.causes) == 0 {
		return pass("No sender, provider or factor is there that a first apply would refuse to take over."), nil
	}
	return fail(strings.Join(slices.Compact(o.remedies), " ")+" auth0sns bootstrap and auth0sns generate write import blocks.",
		"In the way of a first apply: %s.", strings.Join(o.causes, "; ")), nil
}

type obstacles struct{ causes, remedies []string }

func (o *obstacles) add(remedy, format string, args ...any) {
	o.causes = append(o.causes, fmt.Sprintf(format, args...))
	o.remedies = append(o.remedies, remedy)
}

// addUnified finds the two things of which a tenant has one.
func (o *obstacles) addUnified(ctx context.Context, s *Subject) error {
	if s.target() != delivery.PathUnified {
		return nil
	}
	actions, err := s.api().Actions(ctx, delivery.TriggerCustomPhoneProvider)
	if err != nil {
		return err
	}
	for _, a := range actions {
		o.add(importBlock("auth0sns_action", a.ID), "Action %q (%s) has the trigger custom-phone-provider, of which a tenant has one", a.Name, a.ID)
	}
	providers, err := s.api().PhoneProviders(ctx)
	for _, p := range providers {
		if p.Name == delivery.PhoneProviderCustom {
			o.add(importBlock("auth0sns_phone_provider", p.ID), "phone provider %s (custom) is there", p.ID)
		} else {
			o.add("Set take_over = true on the auth0sns_phone_provider if "+p.Name+" is to lose its place; keep its credentials, which Auth0 never shows.",
				"phone provider %s (%s) is there, and a tenant has one", p.ID, p.Name)
		}
	}
	return err
}

// addLegacy finds who would send beside the new sender: of Actions Auth0 runs all
// that are bound, and nobody has documented what it does with a hook beside one.
func (o *obstacles) addLegacy(ctx context.Context, s *Subject) error {
	t, err := s.Tenant(ctx)
	if err != nil || s.target() == delivery.PathUnified || t.Path == delivery.PathUnified {
		return err
	}
	for _, id := range t.Senders {
		o.add("Unbind the Action (Auth0 Dashboard → Actions → Triggers → send-phone-message), disable the hook, or import what is to send on.",
			"%s sends now, and would send beside the new sender: people get a code from each", describe(id))
	}
	return s.pathKnown(ctx, t)
}

func (o *obstacles) addPolicy(ctx context.Context, s *Subject) error {
	policies, err := s.api().Policies(ctx)
	if found := policyOf(policies); err == nil && found != policyNever && found != cmp.Or(s.Expect.MFAPolicy, policyAll) {
		o.add(importBlock("auth0sns_mfa_policy", "mfa-policy"), "the MFA policy is %s", found)
	}
	return err
}

// addFactor finds a factor that is on and sends through somebody else.
func (o *obstacles) addFactor(ctx context.Context, s *Subject) error {
	t, err := s.Tenant(ctx)
	if err != nil {
		return err
	}
	if _, err := s.api().Factors(ctx); err != nil {
		return err
	}
	legacy := t.Path != delivery.PathUnified
	if t.FactorOn && (legacy && t.SelectedProvider != delivery.ProviderCustom || !legacy && t.Live == "") {
		o.add(importBlock("auth0sns_sms_factor", delivery.FactorSMS), "the SMS factor is on, and sends through %s", senderNow(t))
	}
	return nil
}

func senderNow(t delivery.Tenant) string {
	switch {
	case t.Path != delivery.PathUnified:
		return cmp.Or(t.SelectedProvider, "nobody knows whom")
	case t.PhoneProvider != nil && t.PhoneProvider.Disabled:
		return "a phone provider that is disabled"
	case t.PhoneProvider != nil && t.PhoneProvider.Name != delivery.PhoneProviderCustom:
		return t.PhoneProvider.Name
	default:
		return "nobody"
	}
}

// importBlock says what an import block has: as one line it is no HCL.
func importBlock(resource, id string) string {
	return fmt.Sprintf("Import it: to = module.sms_mfa.%s.sms, id = %q.", resource, id)
}

// checkOtherSenders finds what would send beside the sender, or instead of it.
func checkOtherSenders(ctx context.Context, s *Subject) (Verdict, error) {
	t, err := s.Tenant(ctx)
	if err != nil {
		return Verdict{}, err
	}
	if len(t.Senders) > 1 {
		var names []string
		for _, id := range t.Senders {
			names = append(names, describe(id))
		}
		if t.Path == delivery.PathUnified {
			return fail("Leave one Action with the trigger custom-phone-provider and delete the others. The Dashboard hides them: auth0 api get actions/actions -q triggerId=custom-phone-provider.",
				"%s have the trigger custom-phone-provider, and nobody can tell which the phone provider asks.", strings.Join(names, " and ")), nil
		}
		return fail("Leave one: unbind the others (Auth0 Dashboard → Actions → Triggers → send-phone-message), and disable a hook that is left.",
			"%s are there for each message: people may get a code twice, or one that the other sender says it has not sent.", strings.Join(names, " and ")), nil
	}
	want := s.Expect.SenderID
	if len(t.Senders) == 1 && want != "" && !delivery.IsPhoneProviderID(want) && t.Senders[0] != want {
		return fail("Find out who set it up. Then plan again: terraform plan shows what is to be put right.",
			"%s is asked to send, and the state has %s.", describe(t.Senders[0]), describe(want)), nil
	}
	if err := s.pathKnown(ctx, t); err != nil {
		return Verdict{}, err
	}
	if len(t.Senders) == 0 {
		return pass("No code of the tenant's own sends."), nil
	}
	return pass("%s is the only one.", describe(t.Senders[0])), nil
}

func describe(id string) string {
	if delivery.IsActionID(id) {
		return "Action " + id
	}
	return "Hook " + id
}
