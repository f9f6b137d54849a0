package review

import (
	"fmt"
	"slices"
	"strings"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/sender"
)

// Values that Auth0 has for the factor and the policy.
const (
	providerCustom = "phone-message-hook" // what the Dashboard calls Custom
	policyAll      = "all-applications"
	policyRisk     = "confidence-score"
	policyNever    = "never"
)

// wayOfThings is said of everything that plain Terraform does in the wrong order.
const wayOfThings = "Set lifecycle { create_before_destroy = true } on auth0sns_sms_factor: everything that it refers to is then made first and destroyed last."

// gap finds what is destroyed before its replacement is there.
func gap(c change) []Finding {
	if !c.replaced() || !c.Change.Actions.DestroyBeforeCreate() || !c.plan.live() {
		return nil
	}
	if c.Type == typePolicy {
		return []Finding{c.finding("create-before-destroy-missing", High,
			"While this is applied nobody is asked for a second factor: the MFA policy is destroyed before its replacement is there.").
			because("An apply that stops in between leaves it so. %s", whyReplaced(c))}
	}
	return []Finding{c.finding("create-before-destroy-missing", Critical,
		"While this is applied nobody gets a code by SMS: the plan destroys what is live before its replacement is there.").
		because("An apply that stops in between leaves it so; where the provider sees that people depend on it, it refuses. %s %s", whyReplaced(c), wayOfThings)}
}

// whyReplaced names what Terraform gives as the cause.
func whyReplaced(c change) string {
	var paths []string
	for _, path := range c.Change.ReplacePaths {
		if steps, ok := path.([]any); ok {
			paths = append(paths, dotted(steps))
		}
	}
	switch {
	case len(paths) > 0:
		return "The cause is a change of " + strings.Join(paths, ", ") + "."
	case c.ActionReason != "":
		return "Terraform's reason is " + string(c.ActionReason) + "."
	default:
		return "The plan names no cause."
	}
}

func dotted(steps []any) string {
	names := make([]string, len(steps))
	for i, step := range steps {
		names[i] = fmt.Sprint(step)
	}
	return strings.Join(names, ".")
}

// factorTakenAway finds that people lose SMS as a factor with the block.
func factorTakenAway(c change) []Finding {
	if !c.destroyed() {
		return nil
	}
	const id = "factor-destroyed"
	switch onDestroy := c.before("on_destroy"); {
	case c.before("enabled").is(false):
		return []Finding{c.finding(id, Low, "The SMS factor, which is off, leaves Terraform.")}
	case succeeded(c):
		return []Finding{c.finding(id, High, "Codes by SMS may stop while this is applied: one block of the factor is destroyed, and another is made.").
			because("Which of the two comes first no plan shows. %s", moveInstead)}
	case onDestroy.is("leave"):
		return []Finding{c.finding(id, Medium, "The SMS factor stays on, and Terraform does not look after it any more.").
			because("Its on_destroy is \"leave\". What sends the codes cannot be destroyed while it is on.")}
	case onDestroy.is("restore") && c.before("prior", "enabled").is(true):
		return []Finding{c.finding(id, Critical, "Codes by SMS go through another provider again, if it still works: destroying the factor gives back what was there before.").
			because("on_destroy is \"restore\", and before Terraform the factor was on with provider %s. Nobody has looked whether that still sends.", c.before("prior", "selected_provider"))}
	default:
		return []Finding{c.finding(id, Critical, "Nobody gets a code by SMS any more: destroying this block switches the SMS factor off.").
			because("People who have no other factor cannot log in where one is asked for. %s", moveInstead)}
	}
}

const moveInstead = "If the block was only renamed or moved, a moved block keeps it."

// succeeded tells whether another block of the type takes over. A tenant has one
// of each.
func succeeded(c change) bool {
	return slices.ContainsFunc(c.plan.of(c.Type), func(other change) bool {
		return other.Address != c.Address && other.created() && !other.after("enabled").is(false)
	})
}

// factorSwitched finds that the factor goes off, or to something that is not the sender.
func factorSwitched(c change) []Finding {
	if !c.existed() || !c.remains() {
		return nil
	}
	was := !c.before("enabled").is(false)
	var findings []Finding
	findings = append(findings, one(was && c.after("enabled").is(false), c.finding("factor-off", Critical,
		"Nobody gets a code by SMS any more: the plan switches the SMS factor off.").
		because("People who have no other factor cannot log in where one is asked for."))...)
	provider := c.after("selected_provider")
	findings = append(findings, one(was && provider.text() != "" && provider.text() != providerCustom && provider.text() != "custom" && c.differs("selected_provider"), c.finding("provider-not-custom", Critical,
		"Codes do not go through Amazon SNS any more: the factor's provider is no longer Custom.").
		because("selected_provider: %s → %s.", c.before("selected_provider"), provider))...)
	types := c.after("message_types")
	findings = append(findings, one(was && c.differs("message_types") && !types.unknown && !slices.Contains(types.texts(), "sms"), c.finding("message-types", Critical,
		"Nobody is offered a code by SMS any more: \"sms\" is not among the message types.").
		because("message_types: %s → %s.", c.before("message_types"), types))...)
	findings = append(findings, one(c.differs("sender_id") && !c.plan.takesSenderAway(), c.finding("sender-changed", Medium,
		"From this apply on codes come from another sender.").
		because("sender_id: %s → %s. The apply looks whether the new one is ready before it sends people there. Unless this factor has create_before_destroy, a sender that goes later is destroyed before the new one is there.", c.before("sender_id"), c.after("sender_id")))...)
	return findings
}

// factorTexts looks at both texts of the factor.
func factorTexts(c change) []Finding {
	var findings []Finding
	for _, attribute := range []string{"enrollment_message", "verification_message"} {
		findings = append(findings, messageText(c, attribute)...)
	}
	return findings
}

// messageText finds a text that carries no code, and tells of one that changes.
func messageText(c change, path ...string) []Finding {
	if !c.remains() || !c.differs(path...) {
		return nil
	}
	text := c.after(path...)
	name := strings.Join(path, ".")
	switch {
	case text.unknown:
		return []Finding{c.notKnown(name, "whether the message carries the code")}
	case text.text() == "":
		return nil
	case !sender.HasCode(text.text()):
		return []Finding{c.finding("message-without-code", Critical, "People get an SMS without a code: the text has no {{code}}.").
			because("%s: %s.", name, text)}
	case c.existed() && !c.before(path...).isNull():
		return []Finding{c.finding("message-changed", Info, "People read another text.").
			because("%s: %s → %s.", name, c.before(path...), text)}
	default:
		return nil
	}
}

// policyTakenAway finds that nobody is asked any more when the block goes.
func policyTakenAway(c change) []Finding {
	if !c.destroyed() {
		return nil
	}
	was, prior := c.before("policy"), c.before("prior")
	if was.is(policyNever) || prior.text() != "" && prior.raw == was.raw {
		return nil
	}
	if succeeded(c) {
		return []Finding{c.finding("policy-destroyed", High, "While this is applied perhaps nobody is asked for a second factor: one block of the policy is destroyed, and another is made.").
			because("Which of the two comes first no plan shows. %s", moveInstead)}
	}
	f := weaker(c, "policy-destroyed", prior.text())
	return []Finding{f.because("Destroy gives back what was there before Terraform: policy %s → %s. %s", was, prior, moveInstead)}
}

// policySwitched finds that fewer people are asked, or all of them at once.
func policySwitched(c change) []Finding {
	if !c.existed() || !c.remains() || !c.differs("policy") {
		return nil
	}
	was, will := c.before("policy"), c.after("policy")
	detail := "policy: " + was.String() + " → " + will.String() + "."
	switch {
	case will.unknown:
		return nil // hiddenValues tells.
	case will.is(policyNever), was.is(policyAll):
		return []Finding{weaker(c, "policy-off", will.text()).because("%s", detail)}
	default:
		return []Finding{c.finding("policy-on", Low, "More people are asked for a second factor from this apply on.").
			because("%s Somebody who has none is asked to enroll at the next login.", detail)}
	}
}

// weaker is the finding for a policy that asks less: "" counts as never.
func weaker(c change, id, policy string) Finding {
	if policy == policyRisk {
		return c.finding(id, High, "A second factor is asked for at risky logins only.")
	}
	return c.finding(id, Critical, "Nobody is asked for a second factor any more: the MFA policy is switched off.")
}
