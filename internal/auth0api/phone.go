package auth0api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/auth0/go-auth0/v2/management"
)

const (
	phoneProvidersPath = "/branding/phone/providers"
	phoneTemplatesPath = "/branding/phone/templates"

	// deliveryText is how a phone provider calls what guardian calls sms.
	deliveryText = "text"
	// syntaxLiquid is the only language of phone templates.
	syntaxLiquid = "liquid"
)

// PhoneProvider is who sends the phone messages of a tenant with the Unified
// Phone Experience. A tenant has one at most.
// https://auth0.com/docs/customize/phone-messages/configure-phone-messaging-providers
type PhoneProvider struct {
	ID string
	// Name is "custom" for the tenant's Action of trigger custom-phone-provider,
	// "twilio" for Auth0's own integration, or one that came later.
	Name            string
	Disabled        bool
	DeliveryMethods []string // text, voice
}

// UnmarshalJSON reads a provider as the API gives it. Credentials, which it
// never shows, are null or missing.
func (p *PhoneProvider) UnmarshalJSON(data []byte) error {
	var provider struct {
		ID            string `json:"id"`
		Name          string `json:"name"`
		Disabled      bool   `json:"disabled"`
		Configuration struct {
			DeliveryMethods []string `json:"delivery_methods"`
		} `json:"configuration"`
	}
	if err := json.Unmarshal(data, &provider); err != nil {
		return err
	}
	*p = PhoneProvider{ID: provider.ID, Name: provider.Name, Disabled: provider.Disabled, DeliveryMethods: provider.Configuration.DeliveryMethods}
	return nil
}

// PhoneProviderPatch changes what is not nil. DeliveryMethods take the place of
// the whole configuration, a new Name that of the credentials as well: what
// Twilio's were, Auth0 does not show and cannot give back.
type PhoneProviderPatch struct {
	Name            *string
	Disabled        *bool
	DeliveryMethods *[]string
}

// phoneProviderRequest is a provider as the API takes it.
type phoneProviderRequest struct {
	Name          *string             `json:"name,omitempty"`
	Disabled      *bool               `json:"disabled,omitempty"`
	Configuration *phoneConfiguration `json:"configuration,omitempty"`
	// Credentials are empty for "custom"; Auth0 refuses a new provider without.
	Credentials *struct{} `json:"credentials,omitempty"`
}

type phoneConfiguration struct {
	DeliveryMethods []string `json:"delivery_methods"`
}

func (p PhoneProviderPatch) request() phoneProviderRequest {
	request := phoneProviderRequest{Name: p.Name, Disabled: p.Disabled}
	if p.Name != nil {
		request.Credentials = &struct{}{}
	}
	if p.DeliveryMethods != nil {
		request.Configuration = &phoneConfiguration{convert[string](*p.DeliveryMethods)}
	}
	return request
}

// PhoneProviders returns the tenant's phone provider, or an empty list.
func (c *Client) PhoneProviders(ctx context.Context) ([]PhoneProvider, error) {
	return call(ctx, exchange{operation: "read the phone provider"}, func(ctx context.Context) ([]PhoneProvider, error) {
		var answer struct {
			Providers []PhoneProvider `json:"providers"`
		}
		err := c.send(ctx, http.MethodGet, phoneProvidersPath, nil, &answer)
		return answer.Providers, err
	})
}

// PhoneProvider reads the phone provider of an id.
func (c *Client) PhoneProvider(ctx context.Context, id string) (PhoneProvider, error) {
	return c.phoneProvider(ctx, "read the phone provider", http.MethodGet, phoneProviderPath(id), nil)
}

// CreatePhoneProvider creates a "custom" provider; its ID is ignored. NotDeployed
// where the tenant has no Action that could send, Conflict where it has a
// provider.
func (c *Client) CreatePhoneProvider(ctx context.Context, provider PhoneProvider) (PhoneProvider, error) {
	request := PhoneProviderPatch{Name: &provider.Name, Disabled: &provider.Disabled, DeliveryMethods: &provider.DeliveryMethods}.request()
	return c.phoneProvider(ctx, "create the phone provider", http.MethodPost, phoneProvidersPath, request)
}

// UpdatePhoneProvider changes a provider and returns the whole of it. A Twilio
// provider becomes a custom one in place, with the same id
// (recordings/go-auth0-v1__TestBrandingManager_UpdatePhoneProvider.json).
func (c *Client) UpdatePhoneProvider(ctx context.Context, id string, patch PhoneProviderPatch) (PhoneProvider, error) {
	return c.phoneProvider(ctx, "update the phone provider", http.MethodPatch, phoneProviderPath(id), patch.request())
}

// DeletePhoneProvider deletes a provider. One that does not exist is NotFound.
func (c *Client) DeletePhoneProvider(ctx context.Context, id string) error {
	return run(ctx, exchange{operation: "delete the phone provider"}, func(ctx context.Context) error {
		return c.send(ctx, http.MethodDelete, phoneProviderPath(id), nil, nil)
	})
}

// TryPhoneProvider asks Auth0 to send a test message to a number, in E.164. That
// it returns without an error says that Auth0 has taken the order: what came of
// it is in the tenant's logs. It is a message that somebody pays for, so it is
// asked for once.
func (c *Client) TryPhoneProvider(ctx context.Context, id, to string) error {
	request := struct {
		To             string `json:"to"`
		DeliveryMethod string `json:"delivery_method"`
	}{to, deliveryText}
	return run(ctx, exchange{operation: "try the phone provider", hide: []string{to}}, func(ctx context.Context) error {
		return c.send(ctx, http.MethodPost, phoneProviderPath(id)+"/try", request, nil)
	})
}

// phoneProvider sends what go-auth0 v2.14 would, but reads the answer itself:
// go-auth0 takes the configuration of every provider for Twilio's.
func (c *Client) phoneProvider(ctx context.Context, operation, method, path string, request any) (PhoneProvider, error) {
	return call(ctx, exchange{operation: operation}, func(ctx context.Context) (provider PhoneProvider, err error) {
		err = c.send(ctx, method, path, request, &provider)
		return provider, err
	})
}

func phoneProviderPath(id string) string { return phoneProvidersPath + "/" + url.PathEscape(id) }

// PhoneTemplate is the text of one kind of phone message on the Unified Phone
// Experience, in Liquid: {{ code }}, {{ friendly_name }}.
// https://auth0.com/docs/customize/phone-messages/customize-phone-templates
type PhoneTemplate struct {
	ID string // "" for Auth0's own text, which was never customised
	// Type is otp_verify or otp_enroll for MFA, and change_password,
	// blocked_account or password_breach.
	Type     string
	Text     string
	Voice    string
	From     string // a number, or a name of up to 16 characters; "" for the provider's
	Disabled bool
}

// PhoneTemplatePatch changes what is not nil. Text and Voice are one object to
// Auth0, and whether it keeps the one that is left out is not known: give both.
// No value may be empty.
type PhoneTemplatePatch struct {
	Text, Voice, From *string
	Disabled          *bool
}

// PhoneTemplates returns the texts of all types: those that were customised, and
// Auth0's own for the rest.
func (c *Client) PhoneTemplates(ctx context.Context) ([]PhoneTemplate, error) {
	return call(ctx, exchange{operation: "list phone templates"}, func(ctx context.Context) ([]PhoneTemplate, error) {
		answer, err := c.templates.List(ctx, &management.ListPhoneTemplatesRequestParameters{})
		if err != nil {
			return nil, err
		}
		var all []PhoneTemplate
		for _, template := range answer.GetTemplates() {
			all = append(all, readPhoneTemplate(template))
		}
		return all, nil
	})
}

// CreatePhoneTemplate customises the text of a type; its ID is ignored. Conflict
// where that is done already.
func (c *Client) CreatePhoneTemplate(ctx context.Context, template PhoneTemplate) (PhoneTemplate, error) {
	return call(ctx, exchange{operation: "create phone template " + template.Type}, func(ctx context.Context) (PhoneTemplate, error) {
		created, err := c.templates.Create(ctx, &management.CreatePhoneTemplateRequestContent{
			Type:     management.PhoneTemplateNotificationTypeEnum(template.Type).Ptr(),
			Disabled: &template.Disabled,
			Content: &management.PhoneTemplateContent{
				Syntax: management.String(syntaxLiquid),
				From:   orNil(template.From),
				Body:   &management.PhoneTemplateBody{Text: orNil(template.Text), Voice: orNil(template.Voice)},
			},
		})
		return readPhoneTemplate(created), err
	})
}

// UpdatePhoneTemplate changes a customised text and returns the whole of it.
func (c *Client) UpdatePhoneTemplate(ctx context.Context, id string, patch PhoneTemplatePatch) (PhoneTemplate, error) {
	request := &management.UpdatePhoneTemplateRequestContent{Disabled: patch.Disabled}
	var content management.PartialPhoneTemplateContent
	if patch.Text != nil || patch.Voice != nil {
		content.Body = &management.PhoneTemplateBody{Text: patch.Text, Voice: patch.Voice}
	}
	// Auth0 refuses an empty object.
	if content.From = patch.From; content.From != nil || content.Body != nil {
		request.Content = &content
	}
	return call(ctx, exchange{operation: "update phone template"}, func(ctx context.Context) (PhoneTemplate, error) {
		updated, err := c.templates.Update(ctx, id, request)
		return readPhoneTemplate(updated), err
	})
}

// DeletePhoneTemplate gives a type Auth0's own text again. A template that does
// not exist is NotFound.
func (c *Client) DeletePhoneTemplate(ctx context.Context, id string) error {
	return run(ctx, exchange{operation: "delete phone template"}, func(ctx context.Context) error {
		return c.templates.Delete(ctx, id)
	})
}

// phoneTemplateContent is what go-auth0's types for a template have in common.
type phoneTemplateContent interface {
	GetID() string
	GetType() management.PhoneTemplateNotificationTypeEnum
	GetDisabled() bool
	GetContent() *management.PhoneTemplateContent
}

func readPhoneTemplate(t phoneTemplateContent) PhoneTemplate {
	content := t.GetContent()
	body := content.GetBody()
	return PhoneTemplate{
		ID: t.GetID(), Type: string(t.GetType()), Disabled: t.GetDisabled(),
		Text: body.GetText(), Voice: body.GetVoice(), From: content.GetFrom(),
	}
}

func orNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
