package checks

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sender"
)

// Policies by their names in Terraform. Auth0 says never with an empty list.
const (
	policyAll   = "all-applications"
	policyNever = "never"
)

const (
	factorPlace   = "Auth0 Dashboard → Security → Multi-factor Auth → Phone Message"
	providerPlace = "Auth0 Dashboard → Branding → Phone Provider"
)

// senderFirst keeps the remedy of a check from turning MFA on where nobody sends:
// people would be asked for codes that cannot come.
func senderFirst(look func(context.Context, *Subject) (Verdict, error)) func(context.Context, *Subject) (Verdict, error) {
	return func(ctx context.Context, s *Subject) (Verdict, error) {
		v, err := look(ctx, s)
		if err != nil || v.Result == Pass {
			return v, err
		}
		if x, err := s.Sender(ctx); err == nil && !x.exists() {
			v.Remedy = "Not before there is a sender: " + s.bootstrap() + " sets up both."
		}
		return v, nil
	}
}

func checkFactor(ctx context.Context, s *Subject) (Verdict, error) {
	factors, err := s.api().Factors(ctx)
	if err != nil {
		return Verdict{}, err
	}
	if !factors[delivery.FactorSMS] {
		return fail("Switch it on: "+factorPlace+", or terraform apply.", "The SMS factor is off: nobody is asked for a code by SMS."), nil
	}
	unified, err := delivery.Unified(ctx, s.api())
	if err != nil {
		return Verdict{}, err
	}
	if unified {
		return s.checkProvider(ctx)
	}
	selected, err := s.api().SelectedProvider(ctx)
	switch {
	case err != nil:
		return Verdict{}, err
	case selected != delivery.ProviderCustom:
		return fail("Choose Custom: "+factorPlace+", or terraform apply.", "The SMS factor is on, and its delivery provider is %q, not Custom (%s).", selected, delivery.ProviderCustom), nil
	default:
		return pass("The factor is on, with the delivery provider Custom."), nil
	}
}

func (s *Subject) checkProvider(ctx context.Context) (Verdict, error) {
	providers, err := s.api().PhoneProviders(ctx)
	if err != nil {
		return Verdict{}, err
	}
	if len(providers) == 0 {
		return fail("Set it up: "+providerPlace+" → Custom, or terraform apply.", "The tenant has the Unified Phone Experience and no phone provider: nobody gets a code, and people are asked for it all the same."), nil
	}
	switch p := providers[0]; {
	case p.Name != delivery.PhoneProviderCustom:
		return fail("Choose Custom: "+providerPlace+", or terraform apply with take_over = true.", "The phone provider is %q, not custom: no message goes through SNS.", p.Name), nil
	case p.Disabled:
		return fail("Enable it: "+providerPlace+", or terraform apply.", "The phone provider custom (%s) is disabled: nobody gets a code, and people are asked for it all the same.", p.ID), nil
	case !slices.Contains(p.DeliveryMethods, "text"):
		return fail("Add text: "+providerPlace+" → Delivery methods, or terraform apply.", "The phone provider custom (%s) does not deliver text.", p.ID), nil
	default:
		return pass("The factor is on, with the phone provider custom (%s).", p.ID), nil
	}
}

func checkMessageTypes(ctx context.Context, s *Subject) (Verdict, error) {
	types, err := s.api().MessageTypes(ctx)
	switch {
	case err != nil:
		return Verdict{}, err
	case !slices.Contains(types, "sms"):
		return fail("Add SMS: "+factorPlace+", or terraform apply.", "The message types are %q: no code goes by SMS.", types), nil
	case slices.Contains(types, "voice"):
		return fail("Take voice away: "+factorPlace+", or terraform apply.", "Voice is on as well, and Amazon SNS makes no calls: who asks for one gets no code."), nil
	default:
		return pass("Codes go by SMS alone."), nil
	}
}

func checkTexts(ctx context.Context, s *Subject) (Verdict, error) {
	unified, err := delivery.Unified(ctx, s.api())
	if err != nil {
		return Verdict{}, err
	}
	own := map[string]string{}
	if unified {
		err = s.unifiedTexts(ctx, own)
	} else {
		err = s.legacyTexts(ctx, own)
	}
	if err != nil {
		return Verdict{}, err
	}
	var without []string
	for name, text := range own {
		if !sender.HasCode(text) {
			without = append(without, fmt.Sprintf("%s (%q)", name, text))
		}
	}
	slices.Sort(without)
	if len(without) > 0 {
		return fail("Put {{code}} into it: enrollment_message and verification_message of auth0sns_sms_factor.", "There is no {{code}} in %s: nobody can log in with that message.", strings.Join(without, " and ")), nil
	}
	if len(own) == 0 {
		return pass("The texts are Auth0's own."), nil
	}
	return pass("Each of the tenant's own texts has {{code}}."), nil
}

func (s *Subject) legacyTexts(ctx context.Context, own map[string]string) error {
	texts, err := s.api().Templates(ctx)
	if err == nil && texts != nil {
		own["the enrollment message"], own["the verification message"] = texts.EnrollmentMessage, texts.VerificationMessage
	}
	return err
}

// unifiedTexts are those of MFA that are customised and in force: that a disabled
// one counts as none is inferred.
func (s *Subject) unifiedTexts(ctx context.Context, own map[string]string) error {
	templates, err := s.api().PhoneTemplates(ctx)
	for _, t := range templates {
		if t.ID != "" && !t.Disabled && (t.Type == "otp_enroll" || t.Type == "otp_verify") {
			own["the phone template "+t.Type] = t.Text
		}
	}
	return err
}

func checkPolicy(ctx context.Context, s *Subject) (Verdict, error) {
	policies, err := s.api().Policies(ctx)
	if err != nil {
		return Verdict{}, err
	}
	policy, want := policyOf(policies), s.Expect.MFAPolicy
	switch {
	case want != "" && policy != want:
		return fail("terraform apply, or Auth0 Dashboard → Security → Multi-factor Auth → Require Multi-factor Auth.", "The policy is %s, and the configuration has %s.", policy, want), nil
	case policy == policyNever && want == "":
		return fail("Set auth0sns_mfa_policy, or Auth0 Dashboard → Security → Multi-factor Auth → Require Multi-factor Auth.",
			"The policy is never: people are asked for a code only where an Action or an application asks for MFA."), nil
	case policy == policyNever:
		return pass("The policy is never, as configured: Actions and applications ask for MFA."), nil
	default:
		return pass("The policy is %s.", policy), nil
	}
}

// MFAPolicy is when the tenant asks for MFA: all-applications, confidence-score,
// or never.
func (s *Subject) MFAPolicy(ctx context.Context) (string, error) {
	policies, err := s.api().Policies(ctx)
	return policyOf(policies), err
}

func policyOf(policies []string) string {
	if len(policies) == 0 {
		return policyNever
	}
	return strings.Join(policies, ", ")
}

// FactorOn tells whether the SMS factor is on.
func (s *Subject) FactorOn(ctx context.Context) (bool, error) {
	factors, err := s.api().Factors(ctx)
	return factors[delivery.FactorSMS], err
}
