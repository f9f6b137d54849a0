package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/workspace"
)

// settingFlag is a flag that sets one text of the settings.
type settingFlag struct {
	flag, usage string
	of          func(*workspace.Settings) *string
}

// settingFlags are the flags in the order of the help.
func settingFlags() []settingFlag {
	return []settingFlag{
		{"path", "unified or action (default: what the files say, else unified)", func(s *workspace.Settings) *string { return &s.Path }},
		{"region", "AWS region that SNS sends from (default: what the files say, else AWS_REGION)", func(s *workspace.Settings) *string { return &s.Region }},
		{"iam-user", "name of the IAM user that sends (default auth0-mfa-sms)", func(s *workspace.Settings) *string { return &s.IAMUser }},
		{"sender-name", `name of the Action (default "Amazon SNS")`, func(s *workspace.Settings) *string { return &s.SenderName }},
		{"mfa-policy", "when MFA is asked for: all-applications (default), confidence-score or never", func(s *workspace.Settings) *string { return &s.MFAPolicy }},
		{"rotate-after", `age at which an apply rotates the access key (default "90d")`, func(s *workspace.Settings) *string { return &s.RotateAfter }},
		{"enrollment-message", "text of the first message, with {{code}}", func(s *workspace.Settings) *string { return &s.EnrollmentMessage }},
		{"verification-message", "text of the others, with {{code}}", func(s *workspace.Settings) *string { return &s.VerificationMessage }},
		{"sender-id", "name that phones show as the sender, where the country allows it", func(s *workspace.Settings) *string { return &s.SMS.SenderID }},
		{"origination-number", "number that messages come from", func(s *workspace.Settings) *string { return &s.SMS.OriginationNumber }},
		{"max-price-usd", `most that one message may cost, "0.20"`, func(s *workspace.Settings) *string { return &s.SMS.MaxPriceUSD }},
		{"entity-id", "entity id of the registration in India", func(s *workspace.Settings) *string { return &s.SMS.EntityID }},
		{"template-id", "template id of the registration in India", func(s *workspace.Settings) *string { return &s.SMS.TemplateID }},
		{"backend", "where Terraform's state is: " + strings.Join(workspace.BackendKinds(), ", ") + " (default local)", func(s *workspace.Settings) *string { return &s.Backend.Kind }},
	}
}

// overlay lets the flags that were given win over files and --from.
func (b *bootstrap) overlay() error {
	for _, s := range settingFlags() {
		if b.flags.changed(s.flag) {
			*s.of(&b.settings) = *s.of(&b.flags.given)
		}
	}
	if b.flags.changed("allowed-country-codes") {
		b.settings.SMS.AllowedCountryCodes = b.flags.given.SMS.AllowedCountryCodes
	}
	if b.flags.changed("fallback-regions") {
		b.settings.SMS.FallbackRegions = b.flags.given.SMS.FallbackRegions
	}
	if b.flags.changed("backend") && b.flags.given.Backend.Kind != b.known.Settings.Backend.Kind {
		b.settings.Backend.Settings = nil // those of another kind
	}
	for _, setting := range b.flags.backendConfig {
		if err := b.setBackend(setting); err != nil {
			return err
		}
	}
	return nil
}

func (b *bootstrap) setBackend(setting string) error {
	name, value, ok := strings.Cut(setting, "=")
	if !ok || name == "" {
		return usageError(fmt.Errorf("--backend-config %q: want name=value, for example bucket=my-state", setting))
	}
	settings := map[string]string{name: value}
	for k, v := range b.settings.Backend.Settings {
		if k != name {
			settings[k] = v
		}
	}
	b.settings.Backend.Settings = settings
	return nil
}

// callingCodes is "+1,+44", or nothing for all countries.
var callingCodes = regexp.MustCompile(`^(\+[1-9][0-9]{0,6}( *, *\+[1-9][0-9]{0,6})*)?$`)

// askForSettings asks what a person should decide once and flags have left open.
// What is not asked has a default that the files show.
func (b *bootstrap) askForSettings(ctx context.Context) error {
	b.settings.MFAPolicy = cmp.Or(b.settings.MFAPolicy, workspace.DefaultMFAPolicy)
	b.settings.Backend.Kind = cmp.Or(b.settings.Backend.Kind, "local")
	var codes string
	var questions []question
	open := func(flag string, q question) {
		if !b.flags.changed(flag) {
			questions = append(questions, q)
		}
	}
	open("allowed-country-codes", question{
		title: "Countries", help: "Calling codes that messages may go to, as in +1,+44. Nothing means all: numbers abroad are what fraud uses.",
		value: &codes, check: isCallingCodes,
	})
	open("mfa-policy", question{
		title: "MFA policy", help: "Whether everybody who logs in is asked for a second factor. confidence-score needs Adaptive MFA.",
		options: workspace.MFAPolicies(), value: &b.settings.MFAPolicy,
	})
	open("backend", question{
		title: "Backend", help: "Where Terraform keeps its state. A team needs one that all can reach; local is a file here.",
		options: workspace.BackendKinds(), value: &b.settings.Backend.Kind,
	})
	if err := b.terminal.ask(ctx, questions...); err != nil {
		return err
	}
	if codes != "" {
		b.settings.SMS.AllowedCountryCodes = strings.FieldsFunc(codes, func(r rune) bool { return r == ',' || r == ' ' })
	}
	return b.askForBackend(ctx)
}

func isCallingCodes(answer string) error {
	if !callingCodes.MatchString(answer) {
		return errors.New("want calling codes with their plus, as in +1,+44")
	}
	return nil
}

// askForBackend asks for what the backend of that kind cannot do without. Where
// in it the state lies has a default for each environment.
func (b *bootstrap) askForBackend(ctx context.Context) error {
	needed, _ := workspace.BackendSettings(b.settings.Backend.Kind)
	missing := slices.DeleteFunc(slices.Clone(needed), func(name string) bool {
		return isPlace(name) || b.settings.Backend.Settings[name] != ""
	})
	answers := make([]string, len(missing))
	questions := make([]question, len(missing))
	for i, name := range missing {
		questions[i] = question{title: "Backend " + b.settings.Backend.Kind + ": " + name, value: &answers[i], check: required}
	}
	if err := b.terminal.ask(ctx, questions...); err != nil {
		return err
	}
	for i, name := range missing {
		if err := b.setBackend(name + "=" + answers[i]); err != nil {
			return err
		}
	}
	return nil
}

// isPlace tells whether a setting of a backend is where in it a state lies.
func isPlace(name string) bool { return slices.Contains([]string{"key", "prefix", "workspace"}, name) }

// validate refuses settings that Terraform would refuse later and less clearly.
func (b *bootstrap) validate() error {
	if err := b.settings.Validate(); err != nil {
		return usageError(fmt.Errorf("the settings of environment %s cannot be written:\n%w", b.flags.environment, err))
	}
	if err := b.settings.Backend.Validate(); err != nil {
		return usageError(fmt.Errorf("%w\nGive what is missing as --backend-config NAME=VALUE", err))
	}
	if b.flags.ci != "" && slices.Contains([]string{"", "local"}, b.settings.Backend.Kind) {
		return usageError(fmt.Errorf("--ci %s needs a state that a pipeline can reach: choose a --backend other than local", b.flags.ci))
	}
	return nil
}
