// Command floor is the cheapest provider that could do the job: five resources
// that manage nothing, with the same SDKs linked and their clients built the
// way a real provider builds them. What auth0sns costs above it is its own doing.
package main

import (
	"context"
	"log"

	"github.com/auth0/go-auth0/v2/management/core"
	guardian "github.com/auth0/go-auth0/v2/management/guardian/client"
	hooks "github.com/auth0/go-auth0/v2/management/hooks/client"
	"github.com/auth0/go-auth0/v2/management/option"
	"github.com/auth0/go-auth0/v2/management/tenants/settings"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
)

func main() {
	err := providerserver.Serve(context.Background(), func() provider.Provider { return floor{} },
		providerserver.ServeOpts{Address: "registry.terraform.io/auth0sns/floor"})
	if err != nil {
		log.Fatal(err)
	}
}

type floor struct{}

func (floor) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "floor"
}

func (floor) Schema(context.Context, provider.SchemaRequest, *provider.SchemaResponse) {}

// Configure builds the clients and drops them: there is nothing to ask of them.
func (floor) Configure(ctx context.Context, _ provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	aws, err := config.LoadDefaultConfig(ctx, config.WithRegion("eu-west-1"))
	if err != nil {
		resp.Diagnostics.AddError("No AWS configuration", err.Error())
		return
	}
	auth0 := core.NewRequestOptions(option.WithBaseURL("https://floor.invalid/api/v2"), option.WithToken("none"))
	hooks.NewClient(auth0)
	guardian.NewClient(auth0)
	settings.NewClient(auth0)
	iam.NewFromConfig(aws)
	sts.NewFromConfig(aws)
}

func (floor) DataSources(context.Context) []func() datasource.DataSource { return nil }

func (floor) Resources(context.Context) []func() resource.Resource {
	var all []func() resource.Resource
	for _, name := range []string{"one", "two", "three", "four", "five"} {
		all = append(all, func() resource.Resource { return empty{name} })
	}
	return all
}

// empty is a resource that lives in the state alone.
type empty struct{ name string }

func (e empty) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = "floor_" + e.name
}

func (empty) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{Attributes: map[string]schema.Attribute{
		"name": schema.StringAttribute{Required: true},
	}}
}

func (empty) Create(_ context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	resp.State.Raw = req.Plan.Raw
}

func (empty) Read(context.Context, resource.ReadRequest, *resource.ReadResponse) {}

func (empty) Update(_ context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	resp.State.Raw = req.Plan.Raw
}

func (empty) Delete(context.Context, resource.DeleteRequest, *resource.DeleteResponse) {}
