package workspace

import tfjson "github.com/hashicorp/terraform-json"

// Live is what a state says of the sender that people get their codes from.
// What it does not say is empty.
type Live struct {
	Path        string // [PathAction], [PathUnified] or "hook"
	SenderID    string // of the Action or hook
	AccessKeyID string // that it was given
	IAMUser     string
	PolicyName  string // of the user's inline policy
	Region      string // of SNS
	CodeSHA256  string // of the code that was applied
	RotationDue string // when the key is to be replaced, RFC 3339; "" where it never is
	Enabled     bool   // whether the SMS factor is on
}

// LiveOf finds it in a state. Of several senders, as in the middle of a move, it
// is the one that the factor refers to.
func LiveOf(state *tfjson.State) Live {
	if state == nil || state.Values == nil {
		return Live{}
	}
	found := map[string][]map[string]any{}
	collect(state.Values.RootModule, found)

	var live Live
	var wanted string
	for _, factor := range found["auth0sns_sms_factor"] {
		wanted = text(factor, "sender_id")
		live.Enabled, _ = factor["enabled"].(bool)
	}
	for _, provider := range found["auth0sns_phone_provider"] {
		if text(provider, "id") == wanted || wanted == "" {
			wanted = text(provider, "action_id")
		}
	}
	credentials := found["auth0sns_credentials"]
	for _, c := range credentials {
		if text(c, "sender_id") == wanted || len(credentials) == 1 {
			live.SenderID = text(c, "sender_id")
			live.AccessKeyID = text(c, "access_key_id")
			live.IAMUser = text(c, "iam_user")
			live.Region = text(c, "region")
			live.RotationDue = text(c, "rotation_due_at")
			live.Path = pathOf(c, found)
			live.CodeSHA256 = codeOf(live.SenderID, found)
		}
	}
	for _, user := range found["auth0sns_iam_user"] {
		if live.IAMUser == "" || text(user, "name") == live.IAMUser {
			live.IAMUser = text(user, "name")
			live.PolicyName = text(user, "policy_name")
		}
	}
	return live
}

// pathOf tells the path of a sender by its kind: of an Action by its trigger.
func pathOf(credentials map[string]any, found map[string][]map[string]any) string {
	if text(credentials, "hook_id") != "" {
		return "hook"
	}
	for _, action := range found["auth0sns_action"] {
		if text(action, "id") == text(credentials, "action_id") && text(action, "trigger") == "custom-phone-provider" {
			return PathUnified
		}
	}
	return PathAction
}

// codeOf is the digest of a sender's code.
func codeOf(id string, found map[string][]map[string]any) string {
	for kind, attribute := range map[string]string{"auth0sns_action": "code_sha256", "auth0sns_hook": "script_sha256"} {
		for _, s := range found[kind] {
			if text(s, "id") == id {
				return text(s, attribute)
			}
		}
	}
	return ""
}

// collect sorts the managed resources of a module, and of those below it, by type.
func collect(module *tfjson.StateModule, found map[string][]map[string]any) {
	if module == nil {
		return
	}
	for _, r := range module.Resources {
		if r.Mode == tfjson.ManagedResourceMode && r.DeposedKey == "" {
			found[r.Type] = append(found[r.Type], r.AttributeValues)
		}
	}
	for _, child := range module.ChildModules {
		collect(child, found)
	}
}

func text(attributes map[string]any, name string) string {
	s, _ := attributes[name].(string)
	return s
}
