package provider

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
)

func FuzzCredentialsImportID(f *testing.F) {
	for _, id := range []string{
		"sms/AKIAIOSFODNN7EXAMPLE/01ARZ3NDEKTSV4RRFFQ69G5FAV/us-east-1", "sms/AKIAIOSFODNN7EXAMPLE/910b1053-577f-4d81-a8c8-020e7319a38a/us-gov-west-1",
		"a/b/c/frankfurt", "a//c/us-east-1", "///", "a/b/c/us-east-1/", "arn:aws:iam::123456789012:user/a/b/c/us-east-1", "",
	} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		read, err := parseCredentialsImportID(id)
		if err != nil {
			return
		}
		parts := strings.Split(id, "/")
		if len(parts) != 4 || slices.Contains(parts, "") {
			t.Errorf("%q was taken for four names: %+v", id, read)
		}
		if !awsapi.ValidRegionName(read.region) || strings.Join(parts[:3], "/")+"/"+read.region != id {
			t.Errorf("%q was read as %+v", id, read)
		}
	})
}

func FuzzIAMUserImportID(f *testing.F) {
	for _, id := range []string{"sms", "sms/publish", "a b", "sms/", "/publish", "sms/a/b", "arn:aws:iam::123456789012:user/sms", "a@b.c+d=e,f-g_h"} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		r := newIAMUserResource()
		var schema resource.SchemaResponse
		r.Schema(t.Context(), resource.SchemaRequest{}, &schema)
		importer, ok := r.(resource.ResourceWithImportState)
		if !ok {
			t.Fatal("a user cannot be imported")
		}
		resp := resource.ImportStateResponse{State: tfsdk.State{
			Schema: schema.Schema, Raw: tftypes.NewValue(schema.Schema.Type().TerraformType(t.Context()), nil),
		}}
		importer.ImportState(t.Context(), resource.ImportStateRequest{ID: id}, &resp)
		if resp.Diagnostics.HasError() {
			return
		}
		var user, policy string
		resp.State.GetAttribute(t.Context(), path.Root("name"), &user)
		resp.State.GetAttribute(t.Context(), path.Root("policy_name"), &policy)
		if awsapi.ValidateUserName(user) != nil || awsapi.ValidatePolicyName(policy) != nil {
			t.Errorf("%q is imported as user %q, policy %q, which AWS refuses", id, user, policy)
		}
		if id != user+"/"+policy && (id != user || policy != defaultPolicyName) {
			t.Errorf("%q is imported as user %q, policy %q: another object", id, user, policy)
		}
	})
}

func FuzzRotateAfter(f *testing.F) {
	for _, text := range []string{"90d", "2160h", "1h30m", "0d", "-1d", "32768d", "1e9h", "9223372036854775807ns", "90", "d", "１d", " 90d"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		after, err := parseRotateAfter(text)
		if err != nil {
			if !strings.Contains(err.Error(), "90d") && !strings.Contains(err.Error(), "10 years") {
				t.Errorf("%q: nobody learns what to write: %v", text, err)
			}
			return
		}
		if after < time.Hour || after > 10*365*24*time.Hour {
			t.Errorf("%q is %s: rotated in every apply, or never", text, after)
		}
		// Where the text is a duration of Go, it means the same here.
		if same, err := time.ParseDuration(text); err == nil && same != after {
			t.Errorf("%q is %s here and %s elsewhere", text, after, same)
		}
	})
}
