package review

// Rule is one kind of finding.
type Rule struct {
	ID    string // stable: scripts and code scanning know findings by it
	Title string // what it finds
}

// Rules are all kinds of findings, by what they are about: what people get, who
// may send, what runs, where it belongs, and what a plan does not show.
func Rules() []Rule {
	return []Rule{
		{"factor-off", "The SMS factor is switched off"},
		{"factor-destroyed", "The SMS factor is destroyed"},
		{"provider-not-custom", "The factor's provider is no longer Custom"},
		{"message-types", "SMS is no longer among the message types"},
		{"message-without-code", "A text has no {{code}}"},
		{"message-changed", "A text changes"},
		{"policy-off", "The MFA policy asks fewer people"},
		{"policy-destroyed", "The MFA policy is destroyed"},
		{"policy-on", "The MFA policy asks more people"},
		{"sender-destroyed", "What sends the codes is destroyed"},
		{"sender-off", "What sends the codes is switched off"},
		{"sender-replaced", "What sends the codes is replaced"},
		{"sender-moved", "Another hook or Action takes over"},
		{"sender-changed", "The factor is led to another sender"},
		{"create-before-destroy-missing", "What is live is destroyed before its replacement is there"},
		{"unified-changed", "The tenant goes to the Unified Phone Experience, or back"},
		{"provider-taken-over", "Another phone provider may lose its place"},
		{"force-destroy", "The guard of what is live is taken away"},
		{"key-replaced", "The access key is replaced outside its rotation"},
		{"region-changed", "Codes are sent from another region"},
		{"rotation-off", "The key is never rotated any more"},
		{"policy-widened", "The user that sends may do more than send SMS"},
		{"boundary-removed", "The user's permissions boundary is removed"},
		{"boundary-changed", "The user's permissions boundary changes"},
		{"code-changed", "The code that sends changes"},
		{"own-code", "Own code takes the place of the sender"},
		{"dependencies-added", "npm packages are added or change"},
		{"runtime-changed", "The version of Node changes"},
		{"secrets-changed", "Secrets of the sender change"},
		{"countries-widened", "More countries may get messages"},
		{"countries-narrowed", "Fewer countries get codes"},
		{"max-price-removed", "The limit on the price of a message is removed"},
		{"max-price-raised", "A message may cost more"},
		{"max-price-lowered", "A message may cost less"},
		{"spend-limit-lifted", "The monthly spend limit is raised or removed"},
		{"spend-limit-lowered", "The monthly spend limit is lowered"},
		{"promotional", "Codes are sent as promotional messages"},
		{"sender-name-changed", "Messages come from another name or number"},
		{"competing", "Two resources manage the same thing"},
		{"wrong-tenant", "The plan is of another tenant than the environment"},
		{"wrong-account", "The plan is of another AWS account than the environment"},
		{"tenant-not-pinned", "No domain in the configuration"},
		{"account-not-pinned", "No allowed_account_ids in the configuration"},
		{"several-tenants", "One plan changes several tenants"},
		{"several-accounts", "One plan speaks of several AWS accounts"},
		{"forgotten", "Terraform forgets something"},
		{"imported", "Something is imported"},
		{"not-known-yet", "A value is known only after the apply"},
		{"plan-incomplete", "The plan does not show everything"},
	}
}
