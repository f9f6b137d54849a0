package provider

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
)

func TestIAMUserModelUser(t *testing.T) {
	model := iamUserModel{
		Name: types.StringValue("sms"), Path: types.StringValue("/auth0/"), PermissionsBoundary: types.StringNull(),
		Tags: mapValue(map[string]string{"Team": "Identity"}), PolicyName: types.StringValue("publish"),
	}
	want := awsapi.User{Name: "sms", Path: "/auth0/", Tags: map[string]string{"Team": "Identity"}}
	if diff := cmp.Diff(want, model.user()); diff != "" {
		t.Errorf("user to create (-want +got):\n%s", diff)
	}
}

func TestIAMUserModelRead(t *testing.T) {
	user := awsapi.User{
		Name: "sms", Path: "/auth0/", ARN: "arn:aws:iam::123456789012:user/auth0/sms", UniqueID: "AIDA1",
		Tags: map[string]string{"Team": "Identity"}, PermissionsBoundary: "arn:aws:iam::aws:policy/AmazonSNSFullAccess",
	}
	var m iamUserModel
	m.read(user, "{}")
	want := iamUserModel{
		Name: types.StringValue(user.Name), Path: types.StringValue(user.Path), ARN: types.StringValue(user.ARN), UniqueID: types.StringValue(user.UniqueID),
		Tags: mapValue(user.Tags), PermissionsBoundary: types.StringValue(user.PermissionsBoundary), PolicyJSON: types.StringValue("{}"),
	}
	if diff := cmp.Diff(want, m); diff != "" {
		t.Errorf("model (-want +got):\n%s", diff)
	}
}

// TestIAMUserModelReadTags proves that tags made by hand are shown, and that a
// user without any does not turn an absent map into an empty one, a diff
// without end.
func TestIAMUserModelReadTags(t *testing.T) {
	null, empty := types.MapNull(types.StringType), mapValue(nil)
	some := mapValue(map[string]string{"a": "b"})
	for name, tt := range map[string]struct {
		before types.Map
		tags   map[string]string
		want   types.Map
	}{
		"none, none configured": {null, nil, null},
		"none, some configured": {some, nil, empty},
		"some, none configured": {null, map[string]string{"a": "b"}, some},
		"some, some configured": {empty, map[string]string{"a": "b"}, some},
	} {
		m := iamUserModel{Tags: tt.before}
		m.read(awsapi.User{Tags: tt.tags}, "")
		if !m.Tags.Equal(tt.want) {
			t.Errorf("%s: %s", name, m.Tags)
		}
	}
}

// TestIAMUserModelReadPolicy proves that a policy written otherwise is no
// change, and one that means something else, or is gone, is.
func TestIAMUserModelReadPolicy(t *testing.T) {
	ours := awsapi.PublishPolicy("aws")
	const same = `{"Version":"2012-10-17","Statement":[` +
		`{"Sid":"DenyTopicsAndEndpoints","Effect":"Deny","Action":["sns:publish"],"Resource":["arn:aws:sns:*:*:*"]},` +
		`{"Sid":"PublishSMS","Effect":"Allow","Action":"sns:Publish","Resource":"*"}]}`
	const wider = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	for name, tt := range map[string]struct {
		before types.String
		policy string
		want   types.String
	}{
		"as it was":      {types.StringValue(ours), ours, types.StringValue(ours)},
		"in other words": {types.StringValue(ours), same, types.StringValue(ours)},
		"edited":         {types.StringValue(ours), wider, types.StringValue(wider)},
		"deleted":        {types.StringValue(ours), "", types.StringNull()},
		"imported":       {types.StringNull(), same, types.StringValue(same)},
		"never there":    {types.StringNull(), "", types.StringNull()},
	} {
		m := iamUserModel{PolicyJSON: tt.before}
		m.read(awsapi.User{}, tt.policy)
		if !m.PolicyJSON.Equal(tt.want) {
			t.Errorf("%s: policy_json is %s", name, m.PolicyJSON)
		}
	}
}

func TestTagChanges(t *testing.T) {
	for name, tt := range map[string]struct {
		from, to, set map[string]string
		remove        []string
	}{
		"nothing":      {map[string]string{"a": "1"}, map[string]string{"a": "1"}, map[string]string{}, nil},
		"added":        {map[string]string{}, map[string]string{"a": "1"}, map[string]string{"a": "1"}, nil},
		"changed":      {map[string]string{"a": "1", "b": "2"}, map[string]string{"a": "9", "b": "2"}, map[string]string{"a": "9"}, nil},
		"emptied":      {map[string]string{"a": "1"}, map[string]string{"a": ""}, map[string]string{"a": ""}, nil},
		"removed":      {map[string]string{"a": "1", "b": "2"}, map[string]string{}, map[string]string{}, []string{"a", "b"}},
		"another case": {map[string]string{"A": "1"}, map[string]string{"a": "1"}, map[string]string{"a": "1"}, []string{"A"}},
	} {
		set, remove := tagChanges(tt.from, tt.to)
		slices.Sort(remove)
		if diff := cmp.Diff(tt.set, set) + cmp.Diff(tt.remove, remove); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestPartitionOfARN(t *testing.T) {
	for arn, want := range map[string]string{
		"arn:aws:iam::123456789012:user/a": "aws", "arn:aws-cn:iam::123456789012:user/a": "aws-cn", "arn:aws": "", "": "",
	} {
		if got := partitionOfARN(arn); got != want {
			t.Errorf("partition of %q is %q: the Deny would name the wrong ARNs", arn, got)
		}
	}
}
