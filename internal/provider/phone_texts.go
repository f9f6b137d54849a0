package provider

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
)

// Types of phone templates that MFA uses.
const (
	templateEnroll = "otp_enroll"
	templateVerify = "otp_verify"
)

// placeholder matches {{code}}, {{ tenant.friendly_name | escape }} and the like:
// its name, and the filters of Liquid.
var placeholder = regexp.MustCompile(`{{\s*([^{}|\s][^{}|]*?)\s*(\|[^{}]*)?}}`)

// sameMeaning are placeholders of the one path by their name in the other.
func sameMeaning(unified bool) map[string]string {
	if unified {
		return map[string]string{"tenant.friendly_name": "friendly_name"}
	}
	return map[string]string{"friendly_name": "tenant.friendly_name"}
}

// textFor spells a text for the path that it takes, so that one text does for
// every path.
func textFor(unified bool, text string) string {
	names := sameMeaning(unified)
	return placeholder.ReplaceAllStringFunc(text, func(found string) string {
		parts := placeholder.FindStringSubmatch(found)
		if name, ok := names[parts[1]]; ok {
			return "{{" + name + parts[2] + "}}"
		}
		return found
	})
}

// textsFor spells both texts for a path.
func textsFor(unified bool, t auth0api.Templates) auth0api.Templates {
	return auth0api.Templates{EnrollmentMessage: textFor(unified, t.EnrollmentMessage), VerificationMessage: textFor(unified, t.VerificationMessage)}
}

// validTemplate refuses a text that would send no code, and braces that Auth0
// would not understand.
func validTemplate(text string) error {
	// A placeholder leaves {} behind, so that {{{code}}} does not pass for one.
	rest := placeholder.ReplaceAllString(text, "{}")
	switch {
	case !slices.Contains(placeholdersOf(text), "code"):
		return errors.New("must contain {{code}}, or the message carries no code")
	case strings.Contains(rest, "{{") || strings.Contains(rest, "}}"):
		return errors.New("has braces that are no placeholder such as {{code}}")
	}
	return nil
}

// placeholdersOf are the names in a text.
func placeholdersOf(text string) []string {
	var names []string
	for _, found := range placeholder.FindAllStringSubmatch(text, -1) {
		names = append(names, found[1])
	}
	return names
}

// strangers are placeholders of a text that are not known of the path that it
// takes: Auth0 would leave a gap.
// https://auth0.com/docs/customize/phone-messages/customize-phone-templates
// https://auth0.com/docs/secure/multi-factor-authentication/customize-mfa/customize-sms-or-voice-messages
func strangers(unified bool, text string) []string {
	return slices.DeleteFunc(placeholdersOf(textFor(unified, text)), func(name string) bool {
		if unified {
			return name == "code" || name == "friendly_name" || name == "pause" || strings.HasPrefix(name, "user.")
		}
		return name == "code" || name == "tenant.friendly_name"
	})
}

// unifiedTexts are the tenant's own texts of MFA on the Unified Phone
// Experience, "" where it has Auth0's.
func (c *clients) unifiedTexts(ctx context.Context) (*auth0api.Templates, error) {
	templates, err := c.auth0.PhoneTemplates(ctx)
	if err != nil {
		return nil, err
	}
	return &auth0api.Templates{
		EnrollmentMessage:   ownTemplate(templates, templateEnroll).Text,
		VerificationMessage: ownTemplate(templates, templateVerify).Text,
	}, nil
}

// ownTemplate is the tenant's own of a type; zero where it has Auth0's.
func ownTemplate(templates []auth0api.PhoneTemplate, kind string) auth0api.PhoneTemplate {
	i := slices.IndexFunc(templates, func(t auth0api.PhoneTemplate) bool { return t.Type == kind && t.ID != "" })
	if i < 0 {
		return auth0api.PhoneTemplate{}
	}
	return templates[i]
}

// setUnifiedTexts writes both texts, or gives Auth0's own back for "".
func (c *clients) setUnifiedTexts(ctx context.Context, texts auth0api.Templates) error {
	templates, err := c.auth0.PhoneTemplates(ctx)
	if err != nil {
		return err
	}
	if err := c.setUnifiedText(ctx, ownTemplate(templates, templateEnroll), templateEnroll, texts.EnrollmentMessage); err != nil {
		return err
	}
	return c.setUnifiedText(ctx, ownTemplate(templates, templateVerify), templateVerify, texts.VerificationMessage)
}

// setUnifiedText leaves a text that is read out as it is, since SNS has no voice,
// unless it is the same: then it goes along.
func (c *clients) setUnifiedText(ctx context.Context, own auth0api.PhoneTemplate, kind, text string) error {
	var err error
	switch {
	case own.Text == text:
	case text == "":
		if err = c.auth0.DeletePhoneTemplate(ctx, own.ID); auth0api.IsNotFound(err) {
			err = nil
		}
	case own.ID == "":
		_, err = c.auth0.CreatePhoneTemplate(ctx, auth0api.PhoneTemplate{Type: kind, Text: text, Voice: text})
	default:
		patch := auth0api.PhoneTemplatePatch{Text: &text}
		switch own.Voice {
		case "":
		case own.Text:
			patch.Voice = &text
		default:
			patch.Voice = &own.Voice
		}
		_, err = c.auth0.UpdatePhoneTemplate(ctx, own.ID, patch)
	}
	return err
}
