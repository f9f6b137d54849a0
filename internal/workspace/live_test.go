package workspace

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	tfjson "github.com/hashicorp/terraform-json"
)

func managed(kind string, attributes map[string]any) *tfjson.StateResource {
	return &tfjson.StateResource{Mode: tfjson.ManagedResourceMode, Type: kind, AttributeValues: attributes}
}

func stateOf(resources ...*tfjson.StateResource) *tfjson.State {
	return &tfjson.State{Values: &tfjson.StateValues{RootModule: &tfjson.StateModule{
		ChildModules: []*tfjson.StateModule{{Resources: resources}},
	}}}
}

// TestLiveOf is what the checks compare a tenant with: the wrong sender would
// make a working one look broken.
func TestLiveOf(t *testing.T) {
	user := managed("auth0sns_iam_user", map[string]any{"name": "sms", "policy_name": "publish"})
	old := managed("auth0sns_credentials", map[string]any{"sender_id": "old", "hook_id": "old", "access_key_id": "AKIAOLD", "iam_user": "sms", "region": "eu-west-1"})
	fresh := managed("auth0sns_credentials", map[string]any{"sender_id": "new", "action_id": "new", "access_key_id": "AKIANEW", "iam_user": "sms", "region": "eu-west-1"})
	action := managed("auth0sns_action", map[string]any{"id": "new", "trigger": "custom-phone-provider"})
	phone := managed("auth0sns_phone_provider", map[string]any{"id": "pro_1", "action_id": "new"})
	factor := func(sender string, on bool) *tfjson.StateResource {
		return managed("auth0sns_sms_factor", map[string]any{"sender_id": sender, "enabled": on})
	}
	deposed := factor("old", true)
	deposed.DeposedKey = "abc"
	hook := Live{Path: "hook", SenderID: "old", AccessKeyID: "AKIAOLD", IAMUser: "sms", PolicyName: "publish", Region: "eu-west-1", Enabled: true}
	unified := Live{Path: PathUnified, SenderID: "new", AccessKeyID: "AKIANEW", IAMUser: "sms", PolicyName: "publish", Region: "eu-west-1", Enabled: true}
	bound := unified
	bound.Path, bound.Enabled = PathAction, false
	for name, test := range map[string]struct {
		state *tfjson.State
		want  Live
	}{
		"nothing was applied":      {&tfjson.State{}, Live{}},
		"no state":                 {nil, Live{}},
		"hook":                     {stateOf(user, old, factor("old", true)), hook},
		"unified":                  {stateOf(user, action, fresh, phone, factor("pro_1", true)), unified},
		"action, factor off":       {stateOf(user, fresh, factor("new", false)), bound},
		"in the middle of a move":  {stateOf(user, old, action, fresh, phone, factor("pro_1", true), deposed), unified},
		"before the factor turned": {stateOf(user, old, action, fresh, phone, factor("old", true)), hook},
		"the user alone":           {stateOf(user), Live{IAMUser: "sms", PolicyName: "publish"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, LiveOf(test.state)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
