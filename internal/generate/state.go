package generate

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	tfjson "github.com/hashicorp/terraform-json"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/lazyregexp"
)

// HandOver says how another configuration lets go of an object without
// destroying it.
type HandOver struct {
	Address string `json:"address"` // in the other state
	// Removed is the block that takes the place of the resource's. It is "" where
	// Advice says something else, and where the resource has instances, of which
	// a removed block would take all.
	Removed string `json:"removed,omitempty"`
	// Command does the same, at once; "" where Advice says something else.
	Command string `json:"command,omitempty"`
	// Advice is for those that own more than this object.
	Advice string `json:"advice,omitempty"`
}

// ReadState reads what terraform show -json prints of a state.
func ReadState(r io.Reader) (*tfjson.State, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	var state tfjson.State
	if err := state.UnmarshalJSON(data); err != nil {
		return nil, fmt.Errorf("this is not what terraform show -json prints of a state (a state file is not, either): %w", err)
	}
	if state.Values == nil {
		return nil, errors.New("this state is empty: nothing was applied, or it is that of another folder")
	}
	return &state, nil
}

// managed calls visit for each resource of a state.
func managed(state *tfjson.State, visit func(*tfjson.StateResource)) {
	var walk func(*tfjson.StateModule)
	walk = func(module *tfjson.StateModule) {
		if module == nil {
			return
		}
		for _, resource := range module.Resources {
			if resource.Mode == tfjson.ManagedResourceMode {
				visit(resource)
			}
		}
		for _, child := range module.ChildModules {
			walk(child)
		}
	}
	if state != nil && state.Values != nil {
		walk(state.Values.RootModule)
	}
}

// userInState is the user of all access keys in a state, "" where it has none or
// those of several users.
func userInState(state *tfjson.State) string {
	var users []string
	managed(state, func(resource *tfjson.StateResource) {
		if user := attribute(resource, "user"); resource.Type == "aws_iam_access_key" && user != "" {
			users = append(users, user)
		}
	})
	slices.Sort(users)
	if users = slices.Compact(users); len(users) == 1 {
		return users[0]
	}
	return ""
}

// keyInState is the one access key of a user in a state, "" where it has none or
// several.
func keyInState(state *tfjson.State, user string) string {
	var keys []string
	managed(state, func(resource *tfjson.StateResource) {
		if resource.Type == "aws_iam_access_key" && attribute(resource, "user") == user {
			keys = append(keys, attribute(resource, "id"))
		}
	})
	if len(keys) != 1 {
		return ""
	}
	return keys[0]
}

func attribute(resource *tfjson.StateResource, name string) string {
	value, _ := resource.AttributeValues[name].(string)
	return value
}

// HandOvers lists what another state has of this set-up. An object that
// auth0sns manages there already is an error.
func (s *Setup) HandOvers(state *tfjson.State) ([]HandOver, error) {
	var list []HandOver
	var err error
	managed(state, func(resource *tfjson.StateResource) {
		if strings.HasPrefix(resource.Type, "auth0sns_") && s.isOurs(resource) {
			err = errors.Join(err, fmt.Errorf("%s of the state that you gave manages this set-up with auth0sns already", resource.Address))
			return
		}
		advice, has := s.has(resource)
		switch {
		case !has:
		case advice != "":
			list = append(list, HandOver{Address: resource.Address, Advice: advice})
		default:
			list = append(list, letGo(resource.Address))
		}
	})
	return list, err
}

// isOurs tells whether a resource of auth0sns is the sender or its user.
func (s *Setup) isOurs(resource *tfjson.StateResource) bool {
	return attribute(resource, "id") == s.SenderID() ||
		resource.Type == "auth0sns_iam_user" && attribute(resource, "arn") == s.User.ARN
}

// has tells whether a resource of auth0/auth0 or hashicorp/aws is part of the
// set-up. With advice it owns more than that.
// https://registry.terraform.io/providers/auth0/auth0/latest/docs
func (s *Setup) has(resource *tfjson.StateResource) (advice string, has bool) {
	is := func(name, value string) bool { return value != "" && attribute(resource, name) == value }
	switch resource.Type {
	case "auth0_hook", "auth0_action":
		return "", is("id", s.SenderID())
	case "auth0_trigger_action":
		return "", is("action_id", s.SenderID())
	case "auth0_trigger_actions", "auth0_trigger_binding":
		if s.Action == nil || !is("trigger", s.Action.Trigger.ID) {
			return "", false
		}
		return "", true
	case "auth0_phone_provider":
		return "", s.PhoneProvider != nil && is("id", s.PhoneProvider.ID)
	case "auth0_phone_notification_template", "auth0_branding_phone_notification_template":
		return "", s.Path == delivery.PathUnified && s.Factor != nil && s.Factor.VerificationMessage != "" && (is("type", "otp_verify") || is("type", "otp_enroll"))
	case "auth0_guardian":
		return "It owns every factor of the tenant, and its destruction switches all of them off. Keep it for the others: take its block phone out, and add lifecycle { ignore_changes = [phone, policy] }. Where SMS is the only factor: terraform state rm " + quote(resource.Address), s.Factor != nil || s.MFAPolicy != ""
	case "auth0_tenant":
		_, set := resource.AttributeValues["phone_consolidated_experience"].(bool)
		return "It has the setting phone_consolidated_experience, which auth0sns_phone_provider has now. Take it out there.", set && s.PhoneProvider != nil
	case "aws_iam_user":
		return "", is("arn", s.User.ARN) || is("name", s.User.Name) && attribute(resource, "arn") == ""
	case "aws_iam_user_policy":
		return "", is("user", s.User.Name) && is("name", s.PolicyName)
	case "aws_iam_access_key":
		return "", is("id", s.AccessKeyID)
	case "aws_iam_user_policy_attachment":
		return "It stays, and with it what the policy allows. When the plan is applied, the sender needs it no more: destroy it there.", is("user", s.User.Name)
	}
	return "", false
}

// instances are the keys of count and for_each in an address.
var instances = lazyregexp.New(`\[[^\]]*\]`)

func letGo(address string) HandOver {
	h := HandOver{Address: address, Command: "terraform state rm " + quote(address)}
	if !instances.MatchString(address) {
		h.Removed = "removed {\n  from = " + address + "\n\n  lifecycle {\n    destroy = false\n  }\n}\n"
	}
	return h
}

// quote is for a shell: a key of for_each has double quotes.
func quote(address string) string { return "'" + strings.ReplaceAll(address, "'", `'\''`) + "'" }
