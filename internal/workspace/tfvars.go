package workspace

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// setting is one setting as a line of terraform.tfvars.
type setting struct {
	name string
	text *string   // one of the two
	list *[]string // a list, of which set tells that order means nothing
	set  bool
	// lead is the comment above it in a new file.
	lead string
}

// settings are those of terraform.tfvars in the order of a new file.
func (s *Settings) settings() []setting {
	return []setting{
		{name: "auth0_domain", text: &s.Domain, lead: "Whom it is for. Any other tenant or account is refused."},
		{name: "aws_account_id", text: &s.AccountID},
		{name: "aws_region", text: &s.Region},
		{name: "iam_user", text: &s.IAMUser, lead: "How it sends. variables.tf describes these and more."},
		{name: "sender_name", text: &s.SenderName},
		{name: "rotate_after", text: &s.RotateAfter},
		{name: "mfa_policy", text: &s.MFAPolicy},
		{name: "enrollment_message", text: &s.EnrollmentMessage},
		{name: "verification_message", text: &s.VerificationMessage},
		{name: "sms_sender_id", text: &s.SMS.SenderID},
		{name: "sms_origination_number", text: &s.SMS.OriginationNumber},
		{name: "sms_max_price_usd", text: &s.SMS.MaxPriceUSD},
		{name: "sms_entity_id", text: &s.SMS.EntityID},
		{name: "sms_template_id", text: &s.SMS.TemplateID},
		{name: "sms_allowed_country_codes", list: &s.SMS.AllowedCountryCodes, set: true},
		{name: "sms_fallback_regions", list: &s.SMS.FallbackRegions},
	}
}

func (s setting) empty() bool {
	if s.list != nil {
		return len(*s.list) == 0
	}
	return *s.text == ""
}

func (s setting) value() cty.Value {
	if s.list == nil {
		return cty.StringVal(*s.text)
	}
	var elements []cty.Value
	for _, element := range *s.list {
		elements = append(elements, cty.StringVal(element))
	}
	return cty.ListVal(elements)
}

// take reads a value; null leaves the setting empty.
func (s setting) take(value cty.Value) error {
	if value.IsNull() {
		return nil
	}
	if s.list == nil {
		text, err := convert.Convert(value, cty.String)
		if err != nil {
			return err
		}
		*s.text = text.AsString()
		return nil
	}
	list, err := convert.Convert(value, cty.List(cty.String))
	if err != nil {
		return err
	}
	for _, element := range list.AsValueSlice() {
		if element.IsNull() {
			return errors.New("null is no element of a list here")
		}
		*s.list = append(*s.list, element.AsString())
	}
	return nil
}

// same tells whether both say the same.
func (s setting) same(other setting) bool {
	switch {
	case s.list == nil:
		return *s.text == *other.text
	case s.set:
		return slices.Equal(slices.Sorted(slices.Values(*s.list)), slices.Sorted(slices.Values(*other.list)))
	default:
		return slices.Equal(*s.list, *other.list)
	}
}

// parseSettings reads a terraform.tfvars.
func parseSettings(path string, source []byte) (Settings, error) {
	var s Settings
	file, diags := hclsyntax.ParseConfig(unixLines(source), path, hcl.InitialPos)
	if diags.HasErrors() {
		return s, fmt.Errorf("%w", diags)
	}
	attributes, diags := file.Body.JustAttributes()
	if diags.HasErrors() {
		return s, fmt.Errorf("%w", diags)
	}
	for _, setting := range s.settings() {
		attribute, ok := attributes[setting.name]
		if !ok {
			continue
		}
		value, diags := attribute.Expr.Value(nil)
		if diags.HasErrors() {
			return s, fmt.Errorf("%w", diags)
		}
		if err := setting.take(value); err != nil {
			return s, fmt.Errorf("%s: %s: %w", attribute.Range, setting.name, err)
		}
	}
	return s, nil
}

// editSettings puts the settings into a terraform.tfvars and leaves everything
// else in it as it is: comments, order, layout, other variables.
func editSettings(path string, source []byte, wanted Settings) ([]byte, error) {
	if source == nil {
		return newSettings(wanted), nil
	}
	text := unixLines(source)
	now, err := parseSettings(path, text)
	if err != nil {
		return nil, err
	}
	file, diags := hclwrite.ParseConfig(text, path, hcl.InitialPos)
	if diags.HasErrors() {
		return nil, fmt.Errorf("%w", diags)
	}
	if len(text) > 0 && !bytes.HasSuffix(text, []byte("\n")) {
		// What is appended would be part of a comment in the last line.
		file.Body().AppendNewline()
	}
	before := now.settings()
	for i, setting := range wanted.settings() {
		switch {
		case setting.same(before[i]):
		case setting.empty():
			file.Body().RemoveAttribute(setting.name)
		default:
			file.Body().SetAttributeValue(setting.name, setting.value())
		}
	}
	edited := file.Bytes()
	if bytes.Equal(hclwrite.Format(text), text) {
		edited = hclwrite.Format(edited)
	}
	return likeLines(edited, source), nil
}

// newSettings is a first terraform.tfvars.
func newSettings(s Settings) []byte {
	file := hclwrite.NewEmptyFile()
	body := file.Body()
	comment(body, "Yours to edit. auth0sns bootstrap reads it back, and changes the values that it is asked to change.")
	for _, setting := range s.settings() {
		if setting.lead != "" {
			body.AppendNewline()
			comment(body, setting.lead)
		}
		if !setting.empty() {
			body.SetAttributeValue(setting.name, setting.value())
		}
	}
	return hclwrite.Format(file.Bytes())
}
