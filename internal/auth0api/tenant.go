package auth0api

import (
	"context"
	"net/http"

	"github.com/auth0/go-auth0/v2/management"
)

// tenantFields keeps a whole login page's HTML off the wire.
const tenantFields = "friendly_name,phone_consolidated_experience,sandbox_version"

// TenantSettings are the few settings of a tenant that matter to phone
// messages.
type TenantSettings struct {
	FriendlyName string
	// PhoneConsolidatedExperience is the Unified Phone Experience. Older
	// tenants have no such setting, which means false.
	PhoneConsolidatedExperience bool
	// SandboxVersion is the Node.js major version in which hooks run.
	SandboxVersion string
}

// TenantSettings reads the tenant's settings.
func (c *Client) TenantSettings(ctx context.Context) (TenantSettings, error) {
	return call(ctx, exchange{operation: "read tenant settings"}, func(ctx context.Context) (TenantSettings, error) {
		answer, err := c.settings.Get(ctx, &management.GetTenantSettingsRequestParameters{
			Fields:        management.String(tenantFields),
			IncludeFields: management.Bool(true),
		})
		return TenantSettings{
			FriendlyName:                answer.GetFriendlyName(),
			PhoneConsolidatedExperience: answer.GetPhoneConsolidatedExperience(),
			SandboxVersion:              answer.GetSandboxVersion(),
		}, err
	})
}

// SetPhoneConsolidatedExperience turns the Unified Phone Experience on or off.
// Nothing else is sent, as Auth0 keeps the settings that are left out, and
// nothing is read of the answer, which is all of them. Where Auth0 refuses to
// turn it off, for a tenant that never was without, is not known.
func (c *Client) SetPhoneConsolidatedExperience(ctx context.Context, on bool) error {
	return run(ctx, exchange{operation: "set the Unified Phone Experience"}, func(ctx context.Context) error {
		return c.send(ctx, http.MethodPatch, "/tenants/settings", map[string]bool{"phone_consolidated_experience": on}, nil)
	})
}
