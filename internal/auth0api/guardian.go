package auth0api

import (
	"context"

	"github.com/auth0/go-auth0/v2/management"
)

// Factors returns which MFA factors are on, by name. Phone is called "sms".
func (c *Client) Factors(ctx context.Context) (map[string]bool, error) {
	return call(ctx, exchange{operation: "read MFA factors"}, func(ctx context.Context) (map[string]bool, error) {
		list, err := c.guardian.Factors.List(ctx)
		if err != nil {
			return nil, err
		}
		factors := make(map[string]bool, len(list))
		for _, factor := range list {
			factors[string(factor.GetName())] = factor.GetEnabled()
		}
		return factors, nil
	})
}

// SetFactor turns a factor on or off. Auth0 refuses to turn off the last one
// while a policy asks for MFA.
func (c *Client) SetFactor(ctx context.Context, name string, enabled bool) error {
	return run(ctx, exchange{operation: "set MFA factor " + name}, func(ctx context.Context) error {
		_, err := c.guardian.Factors.Set(ctx, management.GuardianFactorNameEnum(name).Ptr(),
			&management.SetGuardianFactorRequestContent{Enabled: enabled})
		return err
	})
}

// SelectedProvider returns who sends phone messages: auth0, twilio or
// phone-message-hook. LegacyPhone on a tenant with the Unified Phone Experience.
func (c *Client) SelectedProvider(ctx context.Context) (string, error) {
	return call(ctx, exchange{operation: "read the selected phone provider"}, func(ctx context.Context) (string, error) {
		answer, err := c.guardian.Factors.Phone.GetSelectedProvider(ctx)
		return string(answer.GetProvider()), err
	})
}

// SetSelectedProvider chooses who sends phone messages.
func (c *Client) SetSelectedProvider(ctx context.Context, provider string) error {
	return run(ctx, exchange{operation: "select the phone provider"}, func(ctx context.Context) error {
		_, err := c.guardian.Factors.Phone.SetProvider(ctx, &management.SetGuardianFactorsProviderPhoneRequestContent{
			Provider: management.GuardianFactorsProviderSmsProviderEnum(provider),
		})
		return err
	})
}

// MessageTypes returns how codes may reach a phone: sms, voice, both or none.
func (c *Client) MessageTypes(ctx context.Context) ([]string, error) {
	return call(ctx, exchange{operation: "read phone message types"}, func(ctx context.Context) ([]string, error) {
		answer, err := c.guardian.Factors.Phone.GetMessageTypes(ctx)
		return convert[string](answer.GetMessageTypes()), err
	})
}

// SetMessageTypes replaces the message types. The factor sms has to be on.
func (c *Client) SetMessageTypes(ctx context.Context, types []string) error {
	return run(ctx, exchange{operation: "set phone message types"}, func(ctx context.Context) error {
		_, err := c.guardian.Factors.Phone.SetMessageTypes(ctx, &management.SetGuardianFactorPhoneMessageTypesRequestContent{
			MessageTypes: convert[management.GuardianFactorPhoneFactorMessageTypeEnum](types),
		})
		return err
	})
}

// Templates are the texts of a phone message, in Liquid.
type Templates struct{ EnrollmentMessage, VerificationMessage string }

// Templates returns the texts, nil if the tenant has never set any (204) and so
// uses Auth0's own.
func (c *Client) Templates(ctx context.Context) (*Templates, error) {
	return call(ctx, exchange{operation: "read phone templates"}, func(ctx context.Context) (*Templates, error) {
		answer, err := c.guardian.Factors.Phone.GetTemplates(ctx)
		if err != nil || answer == nil {
			return nil, err
		}
		return &Templates{
			EnrollmentMessage:   answer.GetEnrollmentMessage(),
			VerificationMessage: answer.GetVerificationMessage(),
		}, nil
	})
}

// SetTemplates replaces both texts; Auth0 takes no single one.
func (c *Client) SetTemplates(ctx context.Context, templates Templates) error {
	return run(ctx, exchange{operation: "set phone templates"}, func(ctx context.Context) error {
		_, err := c.guardian.Factors.Phone.SetTemplates(ctx, &management.SetGuardianFactorPhoneTemplatesRequestContent{
			EnrollmentMessage:   templates.EnrollmentMessage,
			VerificationMessage: templates.VerificationMessage,
		})
		return err
	})
}

// Policies returns when MFA is asked for: all-applications or
// confidence-score; none means never.
func (c *Client) Policies(ctx context.Context) ([]string, error) {
	return call(ctx, exchange{operation: "read MFA policies"}, func(ctx context.Context) ([]string, error) {
		policies, err := c.guardian.Policies.List(ctx)
		return convert[string](policies), err
	})
}

// SetPolicies replaces the policies; none means never.
func (c *Client) SetPolicies(ctx context.Context, policies []string) error {
	return run(ctx, exchange{operation: "set MFA policies"}, func(ctx context.Context) error {
		_, err := c.guardian.Policies.Set(ctx, convert[management.MfaPolicyEnum](policies))
		return err
	})
}

// convert changes the string type and never returns nil: Auth0 takes [] for
// "none" and refuses null.
func convert[To, From ~string](from []From) []To {
	to := make([]To, 0, len(from))
	for _, value := range from {
		to = append(to, To(value))
	}
	return to
}
