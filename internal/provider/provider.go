// Package provider is Terraform's face of auth0sns: schemas, plan logic and
// state. What a resource means for Auth0 and AWS is in the packages below it.
package provider

import (
	"context"
	"fmt"
	"net/http"

	"github.com/hashicorp/terraform-plugin-framework-validators/setvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/config"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/handover"
)

// Address is the provider's address in the public registry.
const Address = "registry.terraform.io/auth0sns/auth0sns"

const name = "auth0sns"

// Options are what differs between a release and a test.
type Options struct {
	// Version of the binary, e.g. "0.1.0"; part of the User-Agent.
	Version string
	// Lookup reads the environment; nil reads none.
	Lookup config.Lookup
	// Clock is the time that rotations and rate limits wait by; nil is real
	// time.
	Clock handover.Clock
}

// New returns the provider.
func New(options Options) provider.Provider {
	if options.Lookup == nil {
		options.Lookup = func(string) string { return "" }
	}
	if options.Clock == nil {
		options.Clock = realClock{}
	}
	return &auth0snsProvider{options: options}
}

// Factory returns what a plugin server makes a provider with.
func Factory(version string) func() provider.Provider {
	return func() provider.Provider {
		return New(Options{Version: version, Lookup: config.Environment()})
	}
}

type auth0snsProvider struct{ options Options }

type providerModel struct {
	Auth0 *auth0Model `tfsdk:"auth0"`
	AWS   *awsModel   `tfsdk:"aws"`
}

type auth0Model struct {
	Domain                    types.String `tfsdk:"domain"`
	ClientID                  types.String `tfsdk:"client_id"`
	ClientSecret              types.String `tfsdk:"client_secret"`
	APIToken                  types.String `tfsdk:"api_token"`
	ClientAssertionPrivateKey types.String `tfsdk:"client_assertion_private_key"`
	ClientAssertionSigningAlg types.String `tfsdk:"client_assertion_signing_alg"`
}

type awsModel struct {
	Region            types.String `tfsdk:"region"`
	Profile           types.String `tfsdk:"profile"`
	AssumeRoleARN     types.String `tfsdk:"assume_role_arn"`
	AllowedAccountIDs types.Set    `tfsdk:"allowed_account_ids"`
	EndpointURL       types.String `tfsdk:"endpoint_url"`
}

func (p *auth0snsProvider) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = name
	resp.Version = p.options.Version
}

func (p *auth0snsProvider) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	auth0 := path.MatchRoot("auth0")
	resp.Schema = schema.Schema{
		MarkdownDescription: "Makes Amazon SNS the SMS sender of an Auth0 tenant's multi-factor authentication. " +
			"One provider speaks to both sides, so the AWS secret key is handed over in memory and is in no configuration, plan, state or log.",
		Attributes: map[string]schema.Attribute{
			"auth0": schema.SingleNestedAttribute{
				MarkdownDescription: "How to reach the Auth0 tenant. Everything can come from the environment instead.",
				Optional:            true,
				Attributes: map[string]schema.Attribute{
					"domain": schema.StringAttribute{
						MarkdownDescription: "Domain of the tenant, e.g. `tenant.eu.auth0.com`, not a custom domain. Environment: `AUTH0_DOMAIN`. `http://` is accepted for loopback addresses only.",
						Optional:            true,
						Validators:          []validator.String{check(func(s string) error { _, err := config.NormalizeDomain(s); return err })},
					},
					"client_id": schema.StringAttribute{
						MarkdownDescription: "Client ID of a machine-to-machine application that is authorized for the Management API. Environment: `AUTH0_CLIENT_ID`.",
						Optional:            true,
					},
					"client_secret": schema.StringAttribute{
						MarkdownDescription: "Client secret of that application. Environment: `AUTH0_CLIENT_SECRET`.",
						Optional:            true,
						Sensitive:           true,
						Validators: []validator.String{stringvalidator.ConflictsWith(
							auth0.AtName("api_token"), auth0.AtName("client_assertion_private_key"))},
					},
					"api_token": schema.StringAttribute{
						MarkdownDescription: "A Management API token, instead of a client. It is not renewed when it expires. Environment: `AUTH0_API_TOKEN`.",
						Optional:            true,
						Sensitive:           true,
						Validators:          []validator.String{stringvalidator.ConflictsWith(auth0.AtName("client_assertion_private_key"))},
					},
					"client_assertion_private_key": schema.StringAttribute{
						MarkdownDescription: "Private key (PEM) of the application, for private-key JWT instead of a secret. Environment: `AUTH0_CLIENT_ASSERTION_PRIVATE_KEY`.",
						Optional:            true,
						Sensitive:           true,
					},
					"client_assertion_signing_alg": schema.StringAttribute{
						MarkdownDescription: "Algorithm of the client assertion: `RS256` (default), `RS384` or `PS256`. Environment: `AUTH0_CLIENT_ASSERTION_SIGNING_ALG`.",
						Optional:            true,
						Validators:          []validator.String{stringvalidator.OneOf(config.SigningAlgs()...)},
					},
				},
			},
			"aws": schema.SingleNestedAttribute{
				MarkdownDescription: "How to reach the AWS account. Credentials come from the AWS default chain (environment, shared files, SSO, container or instance role) and are never part of the configuration.",
				Optional:            true,
				Attributes: map[string]schema.Attribute{
					"region": schema.StringAttribute{
						MarkdownDescription: "Region of SNS, and the default of `auth0sns_credentials.region`. Environment: `AWS_REGION`.",
						Optional:            true,
						Validators:          []validator.String{regionName()},
					},
					"profile": schema.StringAttribute{
						MarkdownDescription: "Profile of the shared AWS configuration. Environment: `AWS_PROFILE`.",
						Optional:            true,
					},
					"assume_role_arn": schema.StringAttribute{
						MarkdownDescription: "ARN of a role to assume with the credentials of the chain.",
						Optional:            true,
					},
					"allowed_account_ids": schema.SetAttribute{
						MarkdownDescription: "The only AWS accounts this configuration may touch. Any other account is refused in plan, before anything is read as missing.",
						Optional:            true,
						ElementType:         types.StringType,
						Validators: []validator.Set{
							// An empty list would read as "none" and allow all.
							setvalidator.SizeAtLeast(1),
							setvalidator.ValueStringsAre(stringvalidator.RegexMatches(accountIDPattern, "must be the 12 digits of an AWS account")),
						},
					},
					"endpoint_url": schema.StringAttribute{
						MarkdownDescription: "Address of IAM and STS, for emulators. Environment: `AWS_ENDPOINT_URL_IAM`, `AWS_ENDPOINT_URL_STS`, `AWS_ENDPOINT_URL`.",
						Optional:            true,
						Validators:          []validator.String{endpointURL()},
					},
				},
			},
		},
	}
}

// Configure builds the clients. It makes no request: a plan that needs nothing
// from one side never asks it.
func (p *auth0snsProvider) Configure(ctx context.Context, req provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	var model providerModel
	resp.Diagnostics.Append(p.settings(ctx, req, &model)...)
	if resp.Diagnostics.HasError() {
		return
	}
	c := &clients{clock: p.options.Clock}
	resp.ResourceData = c
	resp.DataSourceData = c
	if model.Auth0.known() {
		resp.Diagnostics.Append(c.configureAuth0(model.Auth0, p.options, req.TerraformVersion)...)
	}
	if model.AWS.known() {
		resp.Diagnostics.Append(c.configureAWS(ctx, model.AWS, p.options, req.TerraformVersion)...)
	}
}

// settings decodes the configuration. A block that is unknown as a whole counts
// as a block of unknown values.
func (p *auth0snsProvider) settings(ctx context.Context, req provider.ConfigureRequest, model *providerModel) diag.Diagnostics {
	var diags diag.Diagnostics
	var auth0, aws types.Object
	diags.Append(req.Config.GetAttribute(ctx, path.Root("auth0"), &auth0)...)
	diags.Append(req.Config.GetAttribute(ctx, path.Root("aws"), &aws)...)
	model.Auth0, model.AWS = &auth0Model{}, &awsModel{}
	if auth0.IsUnknown() {
		model.Auth0.Domain = types.StringUnknown()
	} else if !auth0.IsNull() {
		diags.Append(auth0.As(ctx, model.Auth0, objectOptions)...)
	}
	if aws.IsUnknown() {
		model.AWS.Region = types.StringUnknown()
	} else if !aws.IsNull() {
		diags.Append(aws.As(ctx, model.AWS, objectOptions)...)
	}
	return diags
}

func (m *auth0Model) known() bool {
	for _, v := range []types.String{m.Domain, m.ClientID, m.ClientSecret, m.APIToken, m.ClientAssertionPrivateKey, m.ClientAssertionSigningAlg} {
		if v.IsUnknown() {
			return false
		}
	}
	return true
}

func (m *awsModel) known() bool {
	for _, v := range []types.String{m.Region, m.Profile, m.AssumeRoleARN, m.EndpointURL} {
		if v.IsUnknown() {
			return false
		}
	}
	return knownElements(m.AllowedAccountIDs.Elements(), m.AllowedAccountIDs.IsUnknown())
}

func (c *clients) configureAuth0(m *auth0Model, options Options, terraformVersion string) diag.Diagnostics {
	var diags diag.Diagnostics
	settings := config.Auth0{
		Domain:                    m.Domain.ValueString(),
		ClientID:                  m.ClientID.ValueString(),
		ClientSecret:              m.ClientSecret.ValueString(),
		APIToken:                  m.APIToken.ValueString(),
		ClientAssertionPrivateKey: m.ClientAssertionPrivateKey.ValueString(),
		ClientAssertionSigningAlg: m.ClientAssertionSigningAlg.ValueString(),
	}.WithEnvironment(options.Lookup)
	for _, problem := range settings.Validate() {
		diags.AddAttributeError(path.Root("auth0").AtName(problem.Setting), "Auth0 is not configured", problem.Message)
	}
	if diags.HasError() {
		return diags
	}
	// Validate has accepted the domain.
	domain, _ := config.NormalizeDomain(settings.Domain)
	c.secrets = nonEmpty(settings.ClientSecret, settings.APIToken, settings.ClientAssertionPrivateKey)
	client, err := auth0api.New(auth0api.Config{
		Domain:                    domain,
		ClientID:                  settings.ClientID,
		ClientSecret:              settings.ClientSecret,
		APIToken:                  settings.APIToken,
		ClientAssertionPrivateKey: settings.ClientAssertionPrivateKey,
		ClientAssertionSigningAlg: settings.ClientAssertionSigningAlg,
		UserAgent:                 fmt.Sprintf("terraform-provider-%s/%s Terraform/%s", name, options.Version, terraformVersion),
		HTTPClient:                &http.Client{Transport: loggingTransport{next: http.DefaultTransport, secrets: c.secrets}},
		Now:                       options.Clock.Now,
		Sleep:                     options.Clock.Sleep,
	})
	if err != nil {
		// What Validate has not looked at is the form of the key.
		diags.AddAttributeError(path.Root("auth0").AtName("client_assertion_private_key"), "Auth0 is not configured",
			fmt.Sprintf("auth0.client_assertion_private_key or %s: %v.", config.EnvPrivateKey, err))
	}
	c.auth0 = client
	return diags
}

func (c *clients) configureAWS(ctx context.Context, m *awsModel, options Options, terraformVersion string) diag.Diagnostics {
	var diags diag.Diagnostics
	client, err := awsapi.New(ctx, awsapi.Config{
		Region:            m.Region.ValueString(),
		Profile:           m.Profile.ValueString(),
		AssumeRoleARN:     m.AssumeRoleARN.ValueString(),
		EndpointURL:       m.EndpointURL.ValueString(),
		AllowedAccountIDs: stringSet(m.AllowedAccountIDs),
		UserAgentProducts: [][2]string{{"terraform-provider-" + name, options.Version}, {"Terraform", terraformVersion}},
	})
	if err != nil {
		diags.AddAttributeError(path.Root("aws"), "AWS is not configured", err.Error())
		return diags
	}
	if region := client.Region(); region != "" && !awsapi.ValidRegionName(region) {
		diags.AddAttributeError(path.Root("aws").AtName("region"), "AWS is not configured", fmt.Sprintf(
			"aws.region, AWS_REGION or the profile: %q is not the name of an AWS region, such as eu-central-1.", region))
	}
	c.aws = client
	return diags
}

func (p *auth0snsProvider) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{
		newIAMUserResource,
		newHookResource,
		newActionResource,
		newCredentialsResource,
		newPhoneProviderResource,
		newSMSFactorResource,
		newMFAPolicyResource,
	}
}

func (p *auth0snsProvider) DataSources(context.Context) []func() datasource.DataSource { return nil }
