package review

import (
	"fmt"
	"slices"
	"strings"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
)

// statusRotationDue is what auth0sns_credentials says when its key has reached
// rotate_after; statusDelivered, when nothing is to be done.
const (
	statusRotationDue = "rotation due"
	statusDelivered   = "delivered"
)

// keyReplaced finds a new key that is not the yearly routine of rotate_after.
func keyReplaced(c change) []Finding {
	if !c.updated() || !c.after("access_key_id").unknown {
		return nil
	}
	var causes []string
	for _, attribute := range []string{"keepers", "region", "iam_user"} {
		if c.differs(attribute) {
			causes = append(causes, fmt.Sprintf("%s: %s → %s", attribute, c.before(attribute), c.after(attribute)))
		}
	}
	if status := c.before("status"); status.text() != statusDelivered && !status.is(statusRotationDue) {
		causes = append(causes, fmt.Sprintf("status: %s", status))
	}
	if len(causes) == 0 && c.before("status").is(statusRotationDue) {
		return nil
	}
	if len(causes) == 0 {
		causes = []string{"the plan names no cause"}
	}
	findings := []Finding{c.finding("key-replaced", Medium, "The key that sends people's codes is replaced, outside its rotation.").
		because("The cause: %s. Codes keep being sent: the new key is delivered before the old one goes. A user that is renamed in the same plan keeps its key.", strings.Join(causes, "; "))}
	return append(findings, one(c.differs("region"), c.finding("region-changed", Medium, "Codes are sent from another AWS region.").
		because("region: %s → %s. Sender IDs, numbers, the SMS sandbox and the spend limit are each region's own.", c.before("region"), c.after("region")))...)
}

// rotationOff finds keys that would be used for ever.
func rotationOff(c change) []Finding {
	return one(c.existed() && c.remains() && !c.before("rotate_after").isNull() && c.after("rotate_after").isNull(), c.finding("rotation-off", Medium,
		"The key that sends people's codes is never rotated any more.").
		because("rotate_after: %s → %s.", c.before("rotate_after"), c.after("rotate_after")))
}

// userTakenAway finds that the user goes whose key sends.
func userTakenAway(c change) []Finding {
	return one(c.destroyed() && c.plan.live() && !c.plan.moves(), c.finding("sender-destroyed", Critical,
		"Nobody gets a code by SMS any more: the IAM user that sends them is destroyed.").
		because("The apply refuses while the user has access keys; the plan takes these away first. %s", moveInstead))
}

// userPolicy finds that the user may do more than send SMS.
func userPolicy(c change) []Finding {
	if !c.existed() || !c.remains() {
		return nil
	}
	was, will := c.before("permissions_boundary"), c.after("permissions_boundary")
	return slices.Concat(
		one(c.differs("policy_json") && !c.after("policy_json").unknown && !mayOnlySendSMS(c.after("policy_json").text()), c.widened("policy_json", c.before("policy_json").text(), c.after("policy_json"))),
		one(!was.isNull() && will.isNull(), c.finding("boundary-removed", High, "Nothing bounds any more what the user that sends may do.").
			because("permissions_boundary: %s → %s.", was, will)),
		one(!was.isNull() && !will.isNull() && c.differs("permissions_boundary"), c.finding("boundary-changed", Medium, "Something else bounds what the user that sends may do.").
			because("permissions_boundary: %s → %s. It has to allow sns:Publish, or nobody gets a code.", was, will)),
	)
}

// widened is the finding on a policy.
func (c change) widened(attribute, was string, will value) Finding {
	f := c.finding("policy-widened", High, "Whoever gets hold of the key that sends can do more at AWS than send an SMS.").
		because("%s allows more than sns:Publish to phone numbers.", attribute)
	if !will.sensitive {
		f.Diff = diffOf(was, will.text())
	}
	return f
}

// mayOnlySendSMS compares a policy with the one that this provider writes, in
// every partition of AWS.
func mayOnlySendSMS(document string) bool {
	return slices.ContainsFunc([]string{"aws", "aws-cn", "aws-us-gov"}, func(partition string) bool {
		return awsapi.PoliciesEqual(document, awsapi.PublishPolicy(partition))
	})
}

// The resources of hashicorp/aws that give a user more.

// sends tells whether a user of hashicorp/aws is the one that sends: by name, or
// by what the configuration refers to. Known is false where the plan leaves it open.
func (c change) sends(attribute string) (is, known bool) {
	users := c.plan.of(typeUser)
	for _, user := range append(c.after(attribute).texts(), c.after(attribute).text()) {
		if slices.ContainsFunc(users, func(u change) bool {
			return user != "" && (u.before("name").is(user) || u.after("name").is(user))
		}) {
			return true, true
		}
	}
	if slices.ContainsFunc(c.references(attribute), func(r string) bool { return strings.HasPrefix(r, typeUser+".") }) {
		return true, true
	}
	return false, !c.after(attribute).unknown
}

// granted is the finding on something that is given to the user that sends, or
// perhaps to it.
func (c change) granted(attribute, message, detail string) []Finding {
	is, known := c.sends(attribute)
	if !c.remains() || !c.touched() || known && !is || len(c.plan.of(typeUser)) == 0 {
		return nil
	}
	severity := High
	if !known {
		severity = Medium
		detail += " Whether the user is the one that sends is known only after the apply has begun."
	}
	return []Finding{c.finding("policy-widened", severity, "%s", message).because("%s", detail)}
}

// touched tells whether the plan does anything to what remains.
func (c change) touched() bool { return c.created() || c.updated() || c.replaced() }

func grantedInline(c change) []Finding {
	document := c.after("policy")
	if document.unknown {
		return c.granted("user", "Nobody can tell from this plan what else the user that sends may do.", "policy is known only after the apply has begun.")
	}
	if mayOnlySendSMS(document.text()) || !c.differs("policy") {
		return nil
	}
	findings := c.granted("user", "Whoever gets hold of the key that sends can do more at AWS than send an SMS.",
		"A further inline policy for the user. The Deny in auth0sns_iam_user keeps topics out of reach, and nothing else.")
	if len(findings) > 0 && !document.sensitive {
		findings[0].Diff = diffOf(c.before("policy").text(), document.text())
	}
	return findings
}

func grantedManaged(c change) []Finding {
	policy := c.after("policy_arn")
	if c.Type == "aws_iam_user_policy_attachments_exclusive" {
		policy = c.after("policy_arns")
	}
	attribute := "user"
	switch c.Type {
	case "aws_iam_policy_attachment":
		attribute = "users"
	case "aws_iam_user_policy_attachments_exclusive":
		attribute = "user_name"
	}
	if !policy.unknown && policy.text() == "" && len(policy.texts()) == 0 {
		return nil
	}
	return c.granted(attribute, "Whoever gets hold of the key that sends can do more at AWS than send an SMS.",
		fmt.Sprintf("A managed policy is attached to the user: %s. It needs none: auth0sns_iam_user has the policy for SMS. AmazonSNSFullAccess lets it read topics, subscriptions and the phone numbers of the SMS sandbox, and change the spend limit.", policy))
}

func grantedGroup(c change) []Finding {
	user, groups := "user", "groups"
	if c.Type == "aws_iam_group_membership" {
		user, groups = "users", "group"
	}
	return c.granted(user, "Whoever gets hold of the key that sends can do more at AWS than send an SMS.",
		fmt.Sprintf("The user comes into %s, and gets what is allowed there: %s.", groups, c.after(groups)))
}

// secondKey finds a key that takes the place that a rotation needs: AWS allows a
// user two.
func secondKey(c change) []Finding {
	is, _ := c.sends("user")
	return one(is && (c.created() || c.replaced()), c.finding("competing", High, "The key that sends cannot be rotated any more, and another key can send at our cost.").
		because("aws_iam_access_key makes a second key for the user, and keeps its secret in the state. auth0sns_credentials has the one that sends."))
}

// exclusivePolicies finds that the policy for SMS is taken off the user.
func exclusivePolicies(c change) []Finding {
	is, _ := c.sends("user_name")
	names := c.after("policy_names")
	if !is || !c.touched() || names.unknown {
		return nil
	}
	var findings []Finding
	for _, user := range c.plan.of(typeUser) {
		policy := user.after("policy_name").text()
		findings = append(findings, one(policy != "" && !slices.Contains(names.texts(), policy), c.finding("competing", Critical,
			"Nobody gets a code by SMS any more: the policy for it is taken off the user that sends.").
			because("policy_names: %s. It lacks %s, which %s manages.", names, policy, user.Address))...)
	}
	return findings
}

// smsPreferences finds what an account spends, and when it stops sending.
func smsPreferences(c change) []Finding {
	const limit = "monthly_spend_limit"
	was, wasSet := c.before(limit).number()
	will, willSet := c.after(limit).number()
	detail := fmt.Sprintf("%s: %s → %s.", limit, c.before(limit), c.after(limit))
	unset := "Without it the account's own applies, 1 USD a month until AWS was asked for more."
	switch {
	case c.after(limit).unknown && c.remains():
		return []Finding{c.notKnown(limit, "how much may be spent on messages in a month")}
	case wasSet && (c.destroyed() || !willSet):
		return []Finding{c.finding("spend-limit-lifted", High, "How much is spent on messages in a month is not set any more; when the account's own limit is reached, nobody gets a code.").because("%s %s", detail, unset)}
	case wasSet && will > was:
		return []Finding{c.finding("spend-limit-lifted", High, "More may be spent on messages in a month, also by somebody who abuses the login.").because("%s", detail)}
	case wasSet && will < was:
		return []Finding{c.finding("spend-limit-lowered", Medium, "Nobody gets a code any more in a month in which less than before is spent.").because("%s", detail)}
	}
	promotional := c.remains() && c.after("default_sms_type").is("Promotional") && c.differs("default_sms_type") && c.existed()
	return one(promotional, c.finding("promotional", High, "Codes may come late or not at all: SNS sends what names no type as promotional messages.").
		because("default_sms_type: %s → %s.", c.before("default_sms_type"), c.after("default_sms_type")))
}
