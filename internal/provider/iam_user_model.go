package provider

import (
	"maps"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/handover"
)

type iamUserModel struct {
	Name                types.String `tfsdk:"name"`
	Path                types.String `tfsdk:"path"`
	PermissionsBoundary types.String `tfsdk:"permissions_boundary"`
	Tags                types.Map    `tfsdk:"tags"`
	PolicyName          types.String `tfsdk:"policy_name"`
	ARN                 types.String `tfsdk:"arn"`
	UniqueID            types.String `tfsdk:"unique_id"`
	PolicyJSON          types.String `tfsdk:"policy_json"`
}

// user is the IAM user that the model describes.
func (m iamUserModel) user() awsapi.User {
	return awsapi.User{
		Name:                m.Name.ValueString(),
		Path:                m.Path.ValueString(),
		PermissionsBoundary: m.PermissionsBoundary.ValueString(),
		Tags:                stringMap(m.Tags),
	}
}

// read takes over what AWS says. A policy that means the same as the one in
// the model keeps the model's wording; "" stands for a policy that is missing.
func (m *iamUserModel) read(u awsapi.User, policy string) {
	m.Name = types.StringValue(u.Name)
	m.Path = types.StringValue(u.Path)
	m.ARN = types.StringValue(u.ARN)
	m.UniqueID = types.StringValue(u.UniqueID)
	m.PermissionsBoundary = optionalString(u.PermissionsBoundary)
	if tags := withoutOwnTags(u.Tags); len(tags) > 0 || !m.Tags.IsNull() {
		m.Tags = mapValue(tags)
	}
	if m.PolicyJSON.IsNull() || !awsapi.PoliciesEqual(m.PolicyJSON.ValueString(), policy) {
		m.PolicyJSON = optionalString(policy)
	}
}

// withoutOwnTags leaves out what this provider keeps in tags for itself.
func withoutOwnTags(tags map[string]string) map[string]string {
	tags = maps.Clone(tags)
	maps.DeleteFunc(tags, func(k, _ string) bool { return strings.HasPrefix(k, handover.TagPrefix) })
	return tags
}

// tagChanges tells which tags to write and which keys to remove on the way from
// one map to another.
func tagChanges(from, to map[string]string) (set map[string]string, remove []string) {
	set = maps.Clone(to)
	maps.DeleteFunc(set, func(k, v string) bool { old, ok := from[k]; return ok && old == v })
	for k := range from {
		if _, ok := to[k]; !ok {
			remove = append(remove, k)
		}
	}
	return set, remove
}
