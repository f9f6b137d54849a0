package review

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aymanbagabas/go-udiff"
	tfjson "github.com/hashicorp/terraform-json"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/sender"
)

// senderTakenAway finds that what sends the codes, or the key that it sends with,
// is destroyed or replaced while people depend on it.
func senderTakenAway(c change) []Finding {
	what := map[string]string{
		typeHook: "hook", typeAction: "Action", typePhoneProvider: "phone provider", typeCredentials: "access key",
	}[c.Type]
	detail := "The apply refuses while people get their codes through it."
	switch {
	case c.plan.takesFactorAway():
		detail = "The factor goes first in the same plan, so the apply does not refuse."
	case c.before("force_destroy").is(true):
		detail = "force_destroy is set, so the apply does not refuse."
	}
	switch {
	case c.replaced() && c.Change.Actions.CreateBeforeDestroy() && c.plan.live():
		return []Finding{c.finding("sender-replaced", Medium, "Codes come from a new %s from this apply on; the old one goes afterwards.", what).
			because("%s Codes keep coming if the new one works: look at it on another environment first.", whyReplaced(c))}
	case !c.destroyed() || isOff(c):
		return nil
	case !c.plan.live():
		return []Finding{c.finding("sender-destroyed", Low, "The %s is destroyed; the SMS factor is off, so nobody gets codes through it.", what)}
	case c.plan.moves():
		return []Finding{c.finding("sender-moved", Medium, "Codes come from another sender from this apply on; this %s goes.", what).
			because("%s Unless the factor has create_before_destroy, Terraform destroys the old one first, which a plan does not show. %s", detail, wayOfThings)}
	default:
		return []Finding{c.finding("sender-destroyed", Critical, "Nobody gets a code by SMS any more: the %s that sends them is destroyed.", what).
			because("%s %s", detail, moveInstead)}
	}
}

// isOff tells whether nobody can be getting codes through what was there.
func isOff(c change) bool {
	return c.before("enabled").is(false) || c.before("disabled").is(true) || c.Type == typeAction && c.before("bound").is(false)
}

// senderSwitched finds a hook that goes off.
func senderSwitched(c change) []Finding {
	off := c.existed() && c.remains() && !c.before("enabled").is(false) && c.after("enabled").is(false)
	return one(off && c.plan.live(), c.finding("sender-off", Critical, "Nobody gets a code by SMS any more: the hook that sends them is switched off."))
}

// phoneProviderSwitched finds a phone provider that goes off or offers no SMS.
func phoneProviderSwitched(c change) []Finding {
	if !c.remains() {
		return nil
	}
	methods := c.after("delivery_methods")
	return slices.Concat(
		one(c.existed() && !c.before("disabled").is(true) && c.after("disabled").is(true), c.finding("sender-off", Critical,
			"Nobody gets a code by SMS any more: the phone provider is switched off.").
			because("Passwordless and every other phone message of the tenant go through it too.")),
		one(!methods.unknown && !methods.isNull() && !slices.Contains(methods.texts(), "text"), c.finding("message-types", Critical,
			"Nobody gets a code by SMS: the phone provider does not deliver text.").
			because("delivery_methods: %s → %s.", c.before("delivery_methods"), methods)),
		one(c.after("take_over").is(true) && !c.before("take_over").is(true), c.finding("provider-taken-over", Medium,
			"Another phone provider of the tenant, such as Twilio, may lose its place, and cannot be given back.").
			because("take_over is set. Auth0 never shows the credentials of the provider that was there.")),
		one(c.existed() && c.differs("action_id"), c.finding("sender-changed", Medium, "From this apply on codes come from another Action.").
			because("action_id: %s → %s.", c.before("action_id"), c.after("action_id"))),
	)
}

// unifiedSwitched finds that the tenant goes to the Unified Phone Experience, or
// back. Whether it is there before a first set-up no plan tells.
func unifiedSwitched(c change) []Finding {
	was, will := c.before("unified_phone_experience"), c.after("unified_phone_experience")
	if !c.differs("unified_phone_experience") {
		return nil
	}
	if !c.existed() && c.plan.isFirst() {
		return one(will.is(true), c.finding("unified-changed", Info, "Every phone message of the tenant takes another way, passwordless logins too, unless the tenant is on the Unified Phone Experience already.").
			because("unified_phone_experience is true. A plan does not show whether the tenant's setting phone_consolidated_experience is."))
	}
	if c.destroyed() {
		will = c.before("prior", "unified_phone_experience")
		if was.isNull() || was.raw == will.raw {
			return nil
		}
	}
	if will.isNull() {
		return nil // The setting is not touched any more.
	}
	return []Finding{c.unified(was, will)}
}

// unified is the finding on the tenant's flag.
func (c change) unified(was, will value) Finding {
	return c.finding("unified-changed", High, "Every phone message of the tenant takes another way, passwordless logins too.").
		because("The Unified Phone Experience (phone_consolidated_experience): %s → %s. On tenants that began with it Auth0 does not switch it off.", was, will)
}

// forced finds that the guard of what is live is taken away.
func forced(c change) []Finding {
	return one(c.remains() && c.after("force_destroy").is(true) && !c.before("force_destroy").is(true), c.finding("force-destroy", High,
		"What sends people's codes loses its guard: force_destroy lets an apply take it away while it is live.").
		because("Set it only in the change that takes the sender away, and back afterwards."))
}

// code is what a sender runs, as far as a plan shows it.
type code struct {
	script    value  // own code, or that rendered from the options
	isOwn     bool   // the configuration's own
	sha       string // "" where it is not known
	isVisible bool
}

// codeOf takes own code as it is, and renders that of the sender. The digest in
// the plan says whether this version renders the same as the one that runs.
func codeOf(c change, side func(...string) value) code {
	own, sha := side("code"), side("code_sha256")
	trigger := sender.Trigger(side("trigger").text())
	if c.Type == typeHook {
		own, sha, trigger = side("script"), side("script_sha256"), sender.Hook
	}
	result := code{script: own, isOwn: own.text() != "" || own.unknown, sha: sha.text(), isVisible: own.text() != "" && !own.sensitive}
	if result.isOwn {
		return result
	}
	rendered, err := sender.Render(trigger, optionsOf(side))
	if err == nil && rendered.SHA256 == result.sha && !side("sms").sensitive {
		result.script, result.isVisible = value{raw: rendered.Script}, true
	}
	return result
}

// optionsOf reads the sender's options. What it gets wrong shows in the digest.
func optionsOf(side func(...string) value) sender.Options {
	option := func(name string) string { return side("sms", name).text() }
	timeout, _ := time.ParseDuration(option("timeout"))
	options := sender.Options{
		Client:              sender.Client(option("client")),
		SMSType:             option("sms_type"),
		SenderID:            option("sender_id"),
		OriginationNumber:   option("origination_number"),
		MaxPriceUSD:         option("max_price_usd"),
		EntityID:            option("entity_id"),
		TemplateID:          option("template_id"),
		AllowedCountryCodes: side("sms", "allowed_country_codes").texts(),
		Timeout:             timeout,
	}
	regions, _ := side("sms", "fallback_regions").raw.([]any)
	for _, region := range regions {
		options.FallbackRegions = append(options.FallbackRegions, fmt.Sprint(region))
	}
	texts, _ := side("sms", "texts").raw.([]any)
	for _, t := range texts {
		field := func(name string) string { return value{raw: at(t, []string{name})}.text() }
		options.Texts = append(options.Texts, sender.Text{
			ClientID: field("client_id"), Language: field("language"),
			EnrollmentMessage: field("enrollment_message"), VerificationMessage: field("verification_message"),
		})
	}
	return options
}

// senderCode finds that other code runs, on another Node, with other packages.
func senderCode(c change) []Finding {
	if !c.remains() {
		return nil
	}
	var findings []Finding
	if c.existed() {
		findings = append(findings, codeChanged(c, codeOf(c, c.before), codeOf(c, c.after))...)
		findings = append(findings, one(c.differs("runtime"), c.finding("runtime-changed", Medium, "The code that sends people's codes runs on another version of Node.").
			because("runtime: %s → %s.", c.before("runtime"), c.after("runtime")))...)
	}
	return append(findings, packages(c)...)
}

func codeChanged(c change, was, will code) []Finding {
	if will.script.unknown || c.after("sms").unknown {
		return nil // hiddenValues tells.
	}
	if was.sha == will.sha && was.sha != "" {
		return nil
	}
	f := c.finding("code-changed", Medium, "The code that sends people's codes changes.")
	if will.isOwn && !was.isOwn {
		f = c.finding("own-code", High, "The code that sends people's codes is no longer this provider's, but your own.")
	}
	f.Detail = fmt.Sprintf("SHA-256 %s → %s.", orUnknown(was.sha), orUnknown(will.sha))
	if was.isVisible && will.isVisible {
		f.Diff = diffOfCode(was, will)
		return []Finding{f}
	}
	f.Detail += " The plan does not show all of the code: it was edited by hand, is sensitive, or is the sender of another version of the provider."
	if sms := c.differs("sms"); sms && !c.before("sms").sensitive && !c.after("sms").sensitive {
		f.Detail += fmt.Sprintf(" sms: %s → %s.", c.before("sms"), c.after("sms"))
	}
	return []Finding{f}
}

// diffOfCode leaves this provider's sender out where own code takes its place, or
// the reverse: what nobody knows yet is the own code.
func diffOfCode(was, will code) string {
	before, after := was.script.text(), will.script.text()
	if was.isOwn != will.isOwn && will.isOwn {
		before = ""
	} else if was.isOwn != will.isOwn {
		after = ""
	}
	return udiff.Unified("before", "after", before, after)
}

func orUnknown(sha string) string {
	if sha == "" {
		return "(not known)"
	}
	return sha
}

// packages finds npm packages that come to the code. Those that the sender needs
// come with its client.
func packages(c change) []Finding {
	if !c.existed() || !c.differs("dependencies") {
		return nil
	}
	if c.after("dependencies").unknown {
		return []Finding{c.notKnown("dependencies", "which npm packages the code loads")}
	}
	was, _ := c.before("dependencies").raw.(map[string]any)
	will, _ := c.after("dependencies").raw.(map[string]any)
	var changed []string
	for _, name := range slices.Sorted(maps.Keys(will)) {
		if old, ok := was[name]; !ok || old != will[name] {
			changed = append(changed, fmt.Sprintf("%s %v", name, will[name]))
		}
	}
	return one(len(changed) > 0, c.finding("dependencies-added", Medium, "Code of others runs beside people's codes: npm packages are added or change.").
		because("Now %s. Auth0 installs them when it builds the code; pin exact versions.", strings.Join(changed, ", ")))
}

// senderOptions finds who loses codes and who pays, in the options of the sender.
func senderOptions(c change) []Finding {
	if !c.remains() {
		return nil
	}
	findings := optionTexts(c)
	own := codeOf(c, c.before).isOwn || codeOf(c, c.after).isOwn
	if !c.existed() || own || c.after("sms").unknown {
		return findings
	}
	findings = append(findings, countries(c)...)
	findings = append(findings, maxPrice(c)...)
	promotional := c.after("sms", "sms_type").is("Promotional") && !c.before("sms", "sms_type").is("Promotional")
	findings = append(findings, one(promotional, c.finding("promotional", High, "Codes may come late or not at all: SNS sends them as promotional messages."))...)
	for _, name := range []string{"sender_id", "origination_number", "entity_id", "template_id"} {
		findings = append(findings, one(c.differs("sms", name), c.finding("sender-name-changed", Low,
			"Messages come from another name or number, which some countries have to know beforehand.").
			because("sms.%s: %s → %s.", name, c.before("sms", name), c.after("sms", name)))...)
	}
	return findings
}

// optionTexts looks at the texts for some applications and languages.
func optionTexts(c change) []Finding {
	texts, _ := c.after("sms", "texts").raw.([]any)
	var findings []Finding
	for i := range texts {
		for _, attribute := range []string{"enrollment_message", "verification_message"} {
			findings = append(findings, messageText(c, "sms", "texts", fmt.Sprint(i), attribute)...)
		}
	}
	return findings
}

// countries compares the allow-lists: each entry is the beginning of numbers,
// and an empty list allows all.
func countries(c change) []Finding {
	path := []string{"sms", "allowed_country_codes"}
	was, will := c.before(path...), c.after(path...)
	if !c.differs(path...) {
		return nil
	}
	allowed := fmt.Sprintf("allowed_country_codes: %s → %s.", was, will)
	lost, added := uncovered(was.texts(), will.texts()), uncovered(will.texts(), was.texts())
	switch {
	case len(will.texts()) == 0 && len(was.texts()) == 0:
		return nil
	case len(will.texts()) == 0:
		return []Finding{c.finding("countries-widened", High, "Messages can be sent to every country, at our cost: the list of allowed countries is gone.").
			because("%s It is the cheapest defence against SMS pumping.", allowed)}
	case len(was.texts()) == 0:
		return []Finding{c.finding("countries-narrowed", High, "People whose number begins otherwise than with %s get no code any more.", strings.Join(will.texts(), ", ")).
			because("%s Before, every country was allowed.", allowed)}
	}
	return slices.Concat(
		one(len(lost) > 0, c.finding("countries-narrowed", High, "People whose number begins with %s get no code any more.", strings.Join(lost, ", ")).because("%s", allowed)),
		one(len(added) > 0, c.finding("countries-widened", Medium, "Messages can be sent to numbers that begin with %s, at our cost.", strings.Join(added, ", ")).because("%s", allowed)))
}

// uncovered are the beginnings in list of which no beginning is in by.
func uncovered(list, by []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(code string) bool {
		return slices.ContainsFunc(by, func(b string) bool { return strings.HasPrefix(code, b) })
	})
}

func maxPrice(c change) []Finding {
	path := []string{"sms", "max_price_usd"}
	if !c.differs(path...) {
		return nil
	}
	was, wasSet := c.before(path...).number()
	will, willSet := c.after(path...).number()
	detail := fmt.Sprintf("max_price_usd: %s → %s.", c.before(path...), c.after(path...))
	switch {
	case wasSet && !willSet:
		return []Finding{c.finding("max-price-removed", High, "One message may cost any price: the limit is gone.").because("%s", detail)}
	case wasSet && will > was:
		return []Finding{c.finding("max-price-raised", Medium, "One message may cost more.").because("%s", detail)}
	case willSet:
		return []Finding{c.finding("max-price-lowered", Medium, "People in countries where a message costs more get no code, and nobody is told: SNS drops it.").because("%s", detail)}
	default:
		return nil
	}
}

// forgotten finds what Terraform stops to look after.
func forgotten(c change) []Finding {
	return one(c.has(tfjson.ActionForget), c.finding("forgotten", Medium,
		"Terraform forgets this: it stays as it is, and nobody rotates, repairs or takes it back.").
		because("A removed block with destroy = false. If it is to be managed elsewhere, import it there in the same change."))
}

// imported tells what comes under Terraform's care.
func imported(c change) []Finding {
	importing := c.Change.Importing
	if importing == nil {
		return nil
	}
	return []Finding{c.finding("imported", Info, "What was set up outside this state comes under its care.").because("Its id is %q. Changes that the plan makes to it are findings of their own.", importing.ID)}
}

// hiddenValues finds what the plan leaves open and a rule would have looked at.
func hiddenValues(c change) []Finding {
	if !c.remains() {
		return nil
	}
	hides := map[string][][2]string{
		typeFactor: {{"enabled", "whether people get codes by SMS"}, {"message_types", "whether people are offered SMS"}},
		typePolicy: {{"policy", "whether anybody is asked for a second factor"}},
		typeHook:   {{"enabled", "whether the hook sends"}, {"script", "what code sends"}, {"sms", "who may get messages, and at what price"}},
		typeAction: {{"code", "what code sends"}, {"sms", "who may get messages, and at what price"}, {"runtime", "what the code runs on"}},
		typePhoneProvider: {
			{"disabled", "whether people get codes by SMS"}, {"unified_phone_experience", "which way every phone message takes"}, {"delivery_methods", "whether people are offered SMS"},
		},
	}[c.Type]
	var findings []Finding
	for _, h := range hides {
		findings = append(findings, one(c.after(h[0]).unknown, c.notKnown(h[0], h[1]))...)
	}
	return findings
}

// notKnown is what nobody can review yet.
func (c change) notKnown(attribute, what string) Finding {
	return c.finding("not-known-yet", Medium, "Nobody can tell from this plan %s.", what).
		because("%s is known only after the apply has begun. Apply what it depends on first, and plan again.", attribute)
}
