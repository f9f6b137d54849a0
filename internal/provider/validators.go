package provider

import (
	"context"
	"fmt"
	"net/url"
	"regexp"

	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/config"
)

var accountIDPattern = regexp.MustCompile(`^\d{12}$`)

// check makes a validator of a rule that a lower package owns.
func check(rule func(string) error) validator.String { return stringRule{rule} }

type stringRule struct{ rule func(string) error }

func (stringRule) Description(context.Context) string {
	return "must satisfy the rule of the remote API"
}

func (v stringRule) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (v stringRule) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if err := v.rule(req.ConfigValue.ValueString()); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid value", fmt.Sprintf("%s: %s.", req.Path, err))
	}
}

// regionName refuses what is no region and leaves to AWS which regions exist.
func regionName() validator.String {
	return check(func(s string) error {
		if !awsapi.ValidRegionName(s) {
			return fmt.Errorf("%q is not the name of an AWS region, such as eu-central-1", s)
		}
		return nil
	})
}

func endpointURL() validator.String {
	return check(func(s string) error {
		u, err := url.Parse(s)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return fmt.Errorf("%q is not an http or https URL, such as http://127.0.0.1:4566", s)
		}
		if u.Scheme == "http" && !config.IsLoopback(u.Hostname()) {
			return fmt.Errorf("%q uses http://, which is accepted for loopback addresses only: anywhere else new secret keys would travel in clear", s)
		}
		return nil
	})
}
