package provider_test

import (
	"context"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/provider"
)

const terraformVersion = "1.99.0"

// protocol speaks the plugin protocol to a provider, without Terraform in
// between: some milliseconds for each case of a long table, and a context, and
// so a logger, of the test's own.
type protocol struct {
	server  tfprotov6.ProviderServer
	schemas *tfprotov6.GetProviderSchemaResponse
}

func newProtocol(t *testing.T, variables map[string]string) protocol {
	t.Helper()
	server, err := providerserver.NewProtocol6WithError(provider.New(provider.Options{
		Version: "test",
		Lookup:  func(name string) string { return variables[name] },
		Clock:   hasty{},
	}))()
	if err != nil {
		t.Fatal(err)
	}
	schemas, err := server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	return protocol{server, schemas}
}

// hasty is a clock on which every wait is over at once.
type hasty struct{}

func (hasty) Now() time.Time { return time.Now() }

func (hasty) Sleep(ctx context.Context, _ time.Duration) error { return ctx.Err() }

// object is an HCL object; what it leaves out is null.
type object map[string]any

// configure validates and configures as Terraform does, and returns every
// diagnostic.
func (p protocol) configure(ctx context.Context, t *testing.T, settings object) []*tfprotov6.Diagnostic {
	t.Helper()
	config := encode(t, p.schemas.Provider.ValueType(), settings)
	valid, err := p.server.ValidateProviderConfig(ctx, &tfprotov6.ValidateProviderConfigRequest{Config: config})
	if err != nil {
		t.Fatal(err)
	}
	if len(valid.Diagnostics) > 0 {
		return valid.Diagnostics
	}
	configured, err := p.server.ConfigureProvider(ctx, &tfprotov6.ConfigureProviderRequest{TerraformVersion: terraformVersion, Config: config})
	if err != nil {
		t.Fatal(err)
	}
	return configured.Diagnostics
}

// plan plans a new object, which makes a resource ask what is there.
func (p protocol) plan(ctx context.Context, t *testing.T, resource string, config object) []*tfprotov6.Diagnostic {
	t.Helper()
	typ := p.schemas.ResourceSchemas[resource].ValueType()
	none := encodeValue(t, typ, tftypes.NewValue(typ, nil))
	value := encode(t, typ, config)
	planned, err := p.server.PlanResourceChange(ctx, &tfprotov6.PlanResourceChangeRequest{
		TypeName: resource, PriorState: none, ProposedNewState: value, Config: value,
	})
	if err != nil {
		t.Fatal(err)
	}
	return planned.Diagnostics
}

func encode(t *testing.T, typ tftypes.Type, o object) *tfprotov6.DynamicValue {
	t.Helper()
	return encodeValue(t, typ, valueOf(typ, o))
}

func encodeValue(t *testing.T, typ tftypes.Type, value tftypes.Value) *tfprotov6.DynamicValue {
	t.Helper()
	encoded, err := tfprotov6.NewDynamicValue(typ, value)
	if err != nil {
		t.Fatal(err)
	}
	return &encoded
}

// valueOf gives a Go value the type of the schema.
func valueOf(typ tftypes.Type, v any) tftypes.Value {
	switch v := v.(type) {
	case object:
		attributes := map[string]tftypes.Value{}
		for name, t := range typ.(tftypes.Object).AttributeTypes { //nolint:forcetypeassert // A test that is wrong may panic.
			attributes[name] = valueOf(t, v[name])
		}
		return tftypes.NewValue(typ, attributes)
	case []string:
		elements := []tftypes.Value{}
		for _, e := range v {
			elements = append(elements, tftypes.NewValue(tftypes.String, e))
		}
		return tftypes.NewValue(typ, elements)
	default:
		return tftypes.NewValue(typ, v)
	}
}

// read refreshes an object of which the state holds this.
func (p protocol) read(ctx context.Context, t *testing.T, resource string, state object) []*tfprotov6.Diagnostic {
	t.Helper()
	read, err := p.server.ReadResource(ctx, &tfprotov6.ReadResourceRequest{
		TypeName: resource, CurrentState: encode(t, p.schemas.ResourceSchemas[resource].ValueType(), state),
	})
	if err != nil {
		t.Fatal(err)
	}
	return read.Diagnostics
}
