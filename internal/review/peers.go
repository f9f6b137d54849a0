package review

import (
	"slices"
	"strings"

	"github.com/aymanbagabas/go-udiff"
)

// The resources of the provider auth0/auth0 for the objects that this one manages.

// triggers are those by which Auth0 asks a sender.
var triggers = []string{"send-phone-message", "custom-phone-provider"}

// competing finds a second resource for an object that one of ours manages: each
// apply undoes the other's.
func competing(c change, what string, ours ...string) []Finding {
	if !c.touched() {
		return nil
	}
	for _, own := range c.plan.of(ours...) {
		if own.remains() {
			return []Finding{c.finding("competing", High, "Two resources set the same thing, and the later apply wins: %s.", what).
				because("%s manages it too. Keep one of them; a removed block with destroy = false takes the other out of Terraform.", own.Address)}
		}
	}
	return nil
}

// guardian looks at auth0_guardian, which owns every factor and the policy.
func guardian(c change) []Finding {
	findings := competing(c, "the tenant's factors and its MFA policy", typeFactor, typePolicy)
	if c.destroyed() {
		return append(findings, c.finding("factor-destroyed", Critical, "Nobody is asked for a second factor any more: destroying auth0_guardian switches every factor off and empties the policy."))
	}
	if !c.existed() || !c.remains() {
		return findings
	}
	phone := func(name string) []string { return []string{"phone", "0", name} }
	was := c.before(phone("enabled")...).is(true)
	provider := c.after(phone("provider")...)
	findings = append(findings, one(was && !c.after(phone("enabled")...).is(true) && !c.after(phone("enabled")...).unknown, c.finding("factor-off", Critical,
		"Nobody gets a code by SMS any more: the plan switches the SMS factor off."))...)
	// Null is what the provider reads of a tenant with the Unified Phone Experience.
	findings = append(findings, one(c.differs(phone("provider")...) && c.before(phone("provider")...).is(providerCustom) && provider.text() != "", c.finding("provider-not-custom", Critical,
		"Codes do not go through Amazon SNS any more: the factor's provider is no longer Custom.").because("phone.provider: %s → %s.", c.before(phone("provider")...), provider))...)
	for _, attribute := range []string{"enrollment_message", "verification_message"} {
		findings = append(findings, messageText(c, "phone", "0", "options", "0", attribute)...)
	}
	if c.differs("policy") && !c.before("policy").is(policyNever) {
		return append(findings, policySwitched(c)...)
	}
	return findings
}

// peerPhoneProvider looks at auth0_phone_provider.
func peerPhoneProvider(c change) []Finding {
	findings := competing(c, "the tenant's phone provider", typePhoneProvider)
	was := c.before("name").is("custom") && !c.before("disabled").is(true)
	return slices.Concat(findings,
		one(was && c.destroyed(), c.finding("sender-destroyed", Critical, "Nobody gets a code by SMS any more: the phone provider that sends them is destroyed.")),
		one(was && c.remains() && c.after("disabled").is(true), c.finding("sender-off", Critical, "Nobody gets a code by SMS any more: the phone provider is switched off.")),
		one(was && c.remains() && c.differs("name"), c.finding("provider-not-custom", Critical, "Codes do not go through Amazon SNS any more: the phone provider is no longer custom.").
			because("name: %s → %s.", c.before("name"), c.after("name"))))
}

// peerTemplate looks at the texts of the Unified Phone Experience. Only those two
// types carry a code at a login.
func peerTemplate(c change) []Finding {
	kind := c.after("type")
	if !c.touched() || !kind.is("otp_verify") && !kind.is("otp_enroll") {
		return nil
	}
	return messageText(c, "content", "0", "body", "0", "text")
}

// asks tells whether one of the values is a trigger by which Auth0 asks a sender.
func asks(values ...value) bool {
	return slices.ContainsFunc(values, func(v value) bool { return slices.Contains(triggers, v.text()) })
}

// peerAction looks at an Action that could send.
func peerAction(c change) []Finding {
	trigger := []string{"supported_triggers", "0", "id"}
	if !asks(c.before(trigger...), c.after(trigger...)) {
		return nil
	}
	findings := competing(c, "which Action sends people's codes", typeAction)
	if c.destroyed() {
		return append(findings, c.finding("sender-destroyed", Critical, "Nobody gets a code by SMS any more, if this Action sends them: it is destroyed."))
	}
	return append(findings, peerCode(c, "code", "dependencies")...)
}

// peerHook looks at a Send Phone Message hook.
func peerHook(c change) []Finding {
	if !asks(c.before("trigger_id"), c.after("trigger_id")) {
		return nil
	}
	findings := competing(c, "which hook or Action sends people's codes", typeHook, typeAction)
	if c.destroyed() {
		return append(findings, c.finding("sender-destroyed", Critical, "Nobody gets a code by SMS any more, if this hook sends them: it is destroyed."))
	}
	off := c.existed() && c.before("enabled").is(true) && c.after("enabled").is(false)
	findings = append(findings, one(off, c.finding("sender-off", Critical, "Nobody gets a code by SMS any more, if this hook sends them: it is switched off."))...)
	return append(findings, peerCode(c, "script", "dependencies")...)
}

// peerCode finds what changes of what runs at Auth0. Secrets are told of by name
// of the attribute alone.
func peerCode(c change, script, dependencies string) []Finding {
	if !c.existed() || !c.remains() {
		return nil
	}
	var findings []Finding
	if c.differs(script) {
		f := c.finding("code-changed", Medium, "The code that sends people's codes changes.")
		was, will := c.before(script), c.after(script)
		switch {
		case will.unknown, was.sensitive, will.sensitive:
			f.Detail = "The plan does not show it."
		default:
			f.Diff = udiff.Unified("before", "after", was.text(), will.text())
		}
		findings = append(findings, f)
	}
	findings = append(findings, one(c.differs(dependencies), c.finding("dependencies-added", Medium, "Code of others runs beside people's codes: npm packages are added or change.").
		because("%s: %s → %s.", dependencies, c.before(dependencies), c.after(dependencies)))...)
	return append(findings, one(c.differs("secrets"), c.finding("secrets-changed", Medium, "What sends people's codes gets other secrets; if they are wrong, nobody gets one.").
		because("Values are not shown. auth0sns_credentials delivers them without anybody seeing them."))...)
}

// peerTrigger looks at what a trigger runs. auth0_trigger_actions sets all of it.
func peerTrigger(c change) []Finding {
	if !asks(c.before("trigger"), c.after("trigger")) {
		return nil
	}
	findings := competing(c, "which Action Auth0 asks to send", typeAction, typeCredentials)
	return append(findings, one(c.destroyed() || c.replaced(), c.finding("sender-off", Critical,
		"Nobody gets a code by SMS any more, if this sends them: Auth0 is no longer told to run the Action."))...)
}

// peerTenant looks at the setting by which every phone message takes another way.
func peerTenant(c change) []Finding {
	const flag = "phone_consolidated_experience"
	if !c.existed() || !c.remains() || !c.differs(flag) {
		return nil
	}
	return []Finding{c.unified(c.before(flag), c.after(flag))}
}

// diffOf is the diff of two texts that are no files.
func diffOf(before, after string) string {
	line := func(s string) string {
		if s == "" {
			return s
		}
		return strings.TrimSuffix(s, "\n") + "\n"
	}
	return udiff.Unified("before", "after", line(before), line(after))
}
