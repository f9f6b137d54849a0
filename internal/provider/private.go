package provider

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
)

// Keys of the private state. It never holds a secret.
const (
	privateOpen     = "open"     // an operation on credentials left something to do, which their record names
	privateWritten  = "written"  // when the secrets of an Action were written
	privateImported = "imported" // credentials came by import: keepers are recorded, not acted on
	privateProvider = "provider" // the id of a phone provider, which the plan of one that replaces it has
	privateTenant   = "tenant"   // the domain of the tenant that the object belongs to
)

// privateReader and privateWriter are the framework's private state, whose type
// is internal to it.
type privateReader interface {
	GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
}

type privateWriter interface {
	SetKey(ctx context.Context, key string, value []byte) diag.Diagnostics
}

// requireTenant binds an object to the tenant it was created or first read at,
// and refuses another: staging's state under production's credentials would
// read as deleted, and what was there before would be given back to the wrong
// tenant.
func (c *clients) requireTenant(ctx context.Context, from privateReader, to privateWriter) diag.Diagnostics {
	var bound string
	known, diags := readPrivate(ctx, from, privateTenant, &bound)
	switch {
	case diags.HasError():
	case !known:
		diags.Append(writePrivate(ctx, to, privateTenant, c.auth0.Domain())...)
	case bound != c.auth0.Domain():
		diags.AddError("Wrong Auth0 tenant", fmt.Sprintf(
			"This object of the state belongs to %s, and the provider is configured for %s. Nothing was changed.\n\n"+
				"Use the settings of %s (auth0.domain, AUTH0_DOMAIN), or another state. If it is the same tenant under a new domain, remove the object from the state (terraform state rm) and import it again.",
			bound, c.auth0.Domain(), bound))
	}
	return diags
}

// readPrivate decodes one key into value and tells whether it was there.
func readPrivate(ctx context.Context, p privateReader, key string, value any) (bool, diag.Diagnostics) {
	data, diags := p.GetKey(ctx, key)
	if diags.HasError() || len(data) == 0 {
		return false, diags
	}
	if err := json.Unmarshal(data, value); err != nil {
		diags.AddError("Private state is damaged", "Key "+key+": "+err.Error())
		return false, diags
	}
	return true, diags
}

// writePrivate stores one key.
func writePrivate(ctx context.Context, p privateWriter, key string, value any) diag.Diagnostics {
	data, err := json.Marshal(value)
	if err != nil {
		return diag.Diagnostics{diag.NewErrorDiagnostic("Private state cannot be written", "Key "+key+": "+err.Error())}
	}
	return p.SetKey(ctx, key, data)
}
