package provider

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/sender"
)

// smsModel holds the options of the sender code, the same for every resource
// that carries it.
type smsModel struct {
	Client              types.String `tfsdk:"client"`
	SMSType             types.String `tfsdk:"sms_type"`
	SenderID            types.String `tfsdk:"sender_id"`
	OriginationNumber   types.String `tfsdk:"origination_number"`
	MaxPriceUSD         types.String `tfsdk:"max_price_usd"`
	EntityID            types.String `tfsdk:"entity_id"`
	TemplateID          types.String `tfsdk:"template_id"`
	AllowedCountryCodes types.Set    `tfsdk:"allowed_country_codes"`
	FallbackRegions     types.List   `tfsdk:"fallback_regions"`
	Texts               types.List   `tfsdk:"texts"`
	Timeout             types.String `tfsdk:"timeout"`
}

// textModel is one of the sender's own texts.
type textModel struct {
	ClientID            types.String `tfsdk:"client_id"`
	Language            types.String `tfsdk:"language"`
	EnrollmentMessage   types.String `tfsdk:"enrollment_message"`
	VerificationMessage types.String `tfsdk:"verification_message"`
}

func textTypes() types.ObjectType {
	return types.ObjectType{AttrTypes: map[string]attr.Type{
		"client_id": types.StringType, "language": types.StringType,
		"enrollment_message": types.StringType, "verification_message": types.StringType,
	}}
}

func smsAttribute(defaultClient sender.Client) schema.SingleNestedAttribute {
	return schema.SingleNestedAttribute{
		MarkdownDescription: "Options of the sender code. Every one of them is optional; leave the block out for the defaults.",
		Optional:            true,
		Attributes: map[string]schema.Attribute{
			"client": schema.StringAttribute{
				MarkdownDescription: fmt.Sprintf("How the code calls SNS: `%s` (the npm package of Auth0's guide, %s) or `%s` (Node's own modules, no package, starts several times faster). Default `%s`.",
					sender.AWSSDK, "out of support since 2025-09-08", sender.Builtin, defaultClient),
				Optional: true,
			},
			"sms_type": schema.StringAttribute{
				MarkdownDescription: "SNS message type: `Transactional` (default, delivered with priority) or `Promotional`.",
				Optional:            true,
			},
			"sender_id": schema.StringAttribute{
				MarkdownDescription: "Sender ID shown on the phone where the country supports it: 3 to 11 letters, digits or hyphens, at least one letter.",
				Optional:            true,
			},
			"origination_number": schema.StringAttribute{
				MarkdownDescription: "Number of the AWS account that the message comes from.",
				Optional:            true,
			},
			"max_price_usd": schema.StringAttribute{
				MarkdownDescription: "Highest price of one message in USD, e.g. `0.10`. SNS does not send a message that would cost more.",
				Optional:            true,
			},
			"entity_id": schema.StringAttribute{
				MarkdownDescription: "Entity ID, required for India (DLT).",
				Optional:            true,
			},
			"template_id": schema.StringAttribute{
				MarkdownDescription: "Template ID, required for India (DLT).",
				Optional:            true,
			},
			"allowed_country_codes": schema.SetAttribute{
				MarkdownDescription: "Calling codes that may receive messages, e.g. `+49`. A number elsewhere is refused before AWS is called, which is the cheapest defence against SMS pumping. Default: all.",
				Optional:            true,
				ElementType:         types.StringType,
			},
			"fallback_regions": schema.ListAttribute{
				MarkdownDescription: "Regions tried in this order when SNS says that it did not take the message. Never after a dropped connection or a timeout: a code is not sent twice.",
				Optional:            true,
				ElementType:         types.StringType,
			},
			"texts": schema.ListNestedAttribute{
				MarkdownDescription: "Texts for some applications or languages, in the place of the tenant's. The first one that fits is sent; where none does, the tenant's own text is.",
				Optional:            true,
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"client_id": schema.StringAttribute{
						MarkdownDescription: "Client id of the application that people log in to. Default: any.",
						Optional:            true,
					},
					"language": schema.StringAttribute{
						MarkdownDescription: "Language such as `de` or `pt-BR`; `pt` fits `pt-BR` too. Default: any.",
						Optional:            true,
					},
					"enrollment_message": schema.StringAttribute{
						MarkdownDescription: "Text when a phone is enrolled, with `{{code}}` and no other placeholder.",
						Optional:            true,
					},
					"verification_message": schema.StringAttribute{
						MarkdownDescription: "Text of a code at a login, with `{{code}}` and no other placeholder. On the Unified Phone Experience also that of passwordless.",
						Optional:            true,
					},
				}},
			},
			"timeout": schema.StringAttribute{
				MarkdownDescription: "Limit of one request to SNS, `1s` to `8s`. Default `5s`; all attempts together have 8 seconds.",
				Optional:            true,
			},
		},
	}
}

// readSMS decodes the block; nil stands for one that is absent or not known yet.
func readSMS(ctx context.Context, block types.Object) (*smsModel, diag.Diagnostics) {
	if block.IsNull() || block.IsUnknown() {
		return nil, nil
	}
	var m smsModel
	diags := block.As(ctx, &m, objectOptions)
	return &m, diags
}

// writeSMS is the reverse of readSMS and options: a block with what differs from
// the defaults, null where nothing does.
func writeSMS(ctx context.Context, o sender.Options, block map[string]attr.Type) (types.Object, diag.Diagnostics) {
	if reflect.DeepEqual(o, sender.Options{}) {
		return types.ObjectNull(block), nil
	}
	codes, diags := types.SetValueFrom(ctx, types.StringType, o.AllowedCountryCodes)
	regions, listDiags := types.ListValueFrom(ctx, types.StringType, o.FallbackRegions)
	diags.Append(listDiags...)
	var models []textModel
	for _, t := range o.Texts {
		models = append(models, textModel{optionalString(t.ClientID), optionalString(t.Language), optionalString(t.EnrollmentMessage), optionalString(t.VerificationMessage)})
	}
	texts, listDiags := types.ListValueFrom(ctx, textTypes(), models)
	if diags.Append(listDiags...); diags.HasError() {
		return types.ObjectNull(block), diags
	}
	m := smsModel{
		Client:              optionalString(string(o.Client)),
		SMSType:             optionalString(o.SMSType),
		SenderID:            optionalString(o.SenderID),
		OriginationNumber:   optionalString(o.OriginationNumber),
		MaxPriceUSD:         optionalString(o.MaxPriceUSD),
		EntityID:            optionalString(o.EntityID),
		TemplateID:          optionalString(o.TemplateID),
		AllowedCountryCodes: codes,
		FallbackRegions:     regions,
		Texts:               texts,
	}
	if o.Timeout != 0 {
		m.Timeout = types.StringValue(o.Timeout.String())
	}
	return types.ObjectValueFrom(ctx, block, m)
}

// known tells whether every option is known, so that the code can be rendered.
func (m *smsModel) known() bool {
	if m == nil {
		return true
	}
	for _, s := range []types.String{m.Client, m.SMSType, m.SenderID, m.OriginationNumber, m.MaxPriceUSD, m.EntityID, m.TemplateID, m.Timeout} {
		if s.IsUnknown() {
			return false
		}
	}
	return knownElements(m.AllowedCountryCodes.Elements(), m.AllowedCountryCodes.IsUnknown()) &&
		knownElements(m.FallbackRegions.Elements(), m.FallbackRegions.IsUnknown()) &&
		knownElements(m.Texts.Elements(), m.Texts.IsUnknown()) &&
		!slices.ContainsFunc(m.texts(), textModel.unknown)
}

func (m *smsModel) texts() []textModel {
	var texts []textModel
	for _, element := range m.Texts.Elements() {
		object, _ := element.(types.Object)
		text := func(name string) types.String {
			if object.IsUnknown() {
				return types.StringUnknown()
			}
			s, _ := object.Attributes()[name].(types.String)
			return s
		}
		texts = append(texts, textModel{text("client_id"), text("language"), text("enrollment_message"), text("verification_message")})
	}
	return texts
}

func (t textModel) unknown() bool {
	return t.ClientID.IsUnknown() || t.Language.IsUnknown() || t.EnrollmentMessage.IsUnknown() || t.VerificationMessage.IsUnknown()
}

// text is the sender's. What is not known yet neither makes a text invalid nor
// hides another one: the i-th stands for an application that no other is for.
func (t textModel) text(i int) sender.Text {
	message := func(s types.String) string {
		if s.IsUnknown() {
			return "{{code}}"
		}
		return s.ValueString()
	}
	text := sender.Text{
		ClientID: t.ClientID.ValueString(), Language: t.Language.ValueString(),
		EnrollmentMessage: message(t.EnrollmentMessage), VerificationMessage: message(t.VerificationMessage),
	}
	if t.unknown() {
		text.ClientID = fmt.Sprintf("(unknown-%d)", i)
	}
	return text
}

// options maps the block to the sender's options, what is not known yet as if
// it were absent. A timeout that is no duration is reported and left at its
// default.
func (m *smsModel) options() (sender.Options, diag.Diagnostics) {
	if m == nil {
		return sender.Options{}, nil
	}
	o := sender.Options{
		Client:              sender.Client(m.Client.ValueString()),
		SMSType:             m.SMSType.ValueString(),
		SenderID:            m.SenderID.ValueString(),
		OriginationNumber:   m.OriginationNumber.ValueString(),
		MaxPriceUSD:         m.MaxPriceUSD.ValueString(),
		EntityID:            m.EntityID.ValueString(),
		TemplateID:          m.TemplateID.ValueString(),
		AllowedCountryCodes: stringSet(m.AllowedCountryCodes),
	}
	for _, region := range m.FallbackRegions.Elements() {
		if s, ok := region.(types.String); ok && !s.IsUnknown() {
			o.FallbackRegions = append(o.FallbackRegions, s.ValueString())
		}
	}
	for i, t := range m.texts() {
		o.Texts = append(o.Texts, t.text(i))
	}
	var diags diag.Diagnostics
	if text := m.Timeout.ValueString(); text != "" {
		timeout, err := time.ParseDuration(text)
		if err != nil || timeout == 0 { // Zero is the sender's default, not what was asked for.
			addSMSError(&diags, sender.FieldError{Field: "timeout", Message: fmt.Sprintf("%q must be a duration between 1s and 8s, such as \"5s\".", text)})
		}
		o.Timeout = timeout
	}
	return o, diags
}

// senderCode returns what a sender is to run: own code, or what is rendered from
// the options. known is false while either is not known yet.
func senderCode(ctx context.Context, trigger sender.Trigger, own types.String, block types.Object) (code sender.Code, known bool, diags diag.Diagnostics) {
	if own.IsUnknown() || block.IsUnknown() {
		return sender.Code{}, false, nil
	}
	if !own.IsNull() {
		script := own.ValueString()
		return sender.Code{Script: script, Dependencies: map[string]string{}, SHA256: sender.SHA256(script)}, true, nil
	}
	sms, diags := readSMS(ctx, block)
	if diags.HasError() || !sms.known() {
		return sender.Code{}, false, diags
	}
	options, diags := sms.options()
	if diags.HasError() {
		return sender.Code{}, true, diags
	}
	code, err := sender.Render(trigger, options)
	var invalid sender.FieldError
	switch {
	case errors.As(err, &invalid):
		addSMSError(&diags, invalid)
	case err != nil:
		diags.AddError("Sender code cannot be rendered", err.Error())
	}
	return code, true, diags
}

// importSenderCode takes over the code of a sender that was not in the state: as
// options where it is ours, else as own code, so that a plan shows the code that
// an apply would replace.
func importSenderCode(ctx context.Context, trigger sender.Trigger, code string, own *types.String, block *types.Object) diag.Diagnostics {
	options, ours := sender.Parse(trigger, code)
	if !ours {
		*own = types.StringValue(code)
		return nil
	}
	var diags diag.Diagnostics
	*block, diags = writeSMS(ctx, options, block.AttributeTypes(ctx))
	return diags
}

// validateSMS reports what is wrong in the sms block of a configuration.
func validateSMS(ctx context.Context, config tfsdk.Config) diag.Diagnostics {
	var block types.Object
	diags := config.GetAttribute(ctx, path.Root("sms"), &block)
	sms, more := readSMS(ctx, block)
	diags.Append(more...)
	diags.Append(sms.validate()...)
	return diags
}

// validate reports each option that the sender cannot work with, at its place.
func (m *smsModel) validate() diag.Diagnostics {
	options, diags := m.options()
	for _, e := range options.Validate() {
		addSMSError(&diags, e)
	}
	return diags
}

func addSMSError(diags *diag.Diagnostics, e sender.FieldError) {
	diags.AddAttributeError(path.Root("sms").AtName(e.Field), "Invalid value", "sms."+e.Error())
}
