package provider

import (
	"context"
	"encoding/json"

	"github.com/hashicorp/terraform-plugin-framework/diag"
)

// Keys of the private state. It never holds a secret.
const (
	privatePrior    = "prior"    // what a singleton was before Terraform took it over
	privateLeftKeys = "left"     // what an unfinished operation left behind, see leftKeys
	privateImported = "imported" // credentials came by import: keepers are recorded, not acted on
)

// privateReader, privateWriter and privateState are the framework's private state, whose type
// is internal to it.
type privateReader interface {
	GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
}

type privateWriter interface {
	SetKey(ctx context.Context, key string, value []byte) diag.Diagnostics
}

type privateState interface {
	privateReader
	privateWriter
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
