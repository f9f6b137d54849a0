// Package generate writes the Terraform configuration of a sender that is there
// already: made by hand, or by another provider. It reads a tenant and an
// account, and changes neither. What it writes matches what it read, so that a
// plan imports and does nothing else; where that cannot be, it says why.
package generate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	tfjson "github.com/hashicorp/terraform-json"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/handover"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/lazyregexp"
)

// Auth0 is the part of the Management API that is read.
type Auth0 interface {
	delivery.DetectAPI
	Hook(ctx context.Context, id string) (auth0api.Hook, error)
	HookSecretNames(ctx context.Context, id string) ([]string, error)
	Action(ctx context.Context, id string) (auth0api.Action, error)
	MessageTypes(ctx context.Context) ([]string, error)
	Templates(ctx context.Context) (*auth0api.Templates, error)
	PhoneTemplates(ctx context.Context) ([]auth0api.PhoneTemplate, error)
	Policies(ctx context.Context) ([]string, error)
	Domain() string
}

// Options are what a person knows better than the tenant and the account.
type Options struct {
	// Version is that of this program; the configuration asks for its minor
	// version. A build that is no release, such as "0.0.0-dev", asks for none.
	Version string
	// IAMUser names the user whose key the sender holds; "" is searched for.
	IAMUser string
	// AccessKeyID names the key, where the user has two.
	AccessKeyID string
	// Region is what the sender's secret AWS_REGION says.
	Region string
	// Hook takes over the Send Phone Message hook, whoever sends now.
	Hook bool
	// State is what another configuration manages, from terraform show -json;
	// nil where nobody gave it.
	State *tfjson.State
}

// Setup is what was found, as far as a configuration can have it.
type Setup struct {
	Domain, AccountID, Region string

	// Path is that of the sender, which is exactly one of Hook and Action.
	Path   delivery.Path
	Hook   *auth0api.Hook
	Action *auth0api.Action

	User awsapi.User
	// PolicyName is the inline policy that becomes the sender's.
	PolicyName string
	// AccessKeyID is the key that the sender is taken to hold; "" where it
	// cannot be told, and then there is no auth0sns_credentials.
	AccessKeyID string

	// PhoneProvider, Factor and MFAPolicy are nil and "" where they are not part
	// of the configuration; Remarks say why.
	PhoneProvider *auth0api.PhoneProvider
	// UnifiedPhoneExperience is the tenant's setting, of use with PhoneProvider.
	UnifiedPhoneExperience bool
	Factor                 *Factor
	MFAPolicy              string

	Remarks []Remark

	version string
}

// Factor is the SMS factor. The texts are "" where they stay out of the
// configuration.
type Factor struct {
	Enabled                                bool
	EnrollmentMessage, VerificationMessage string
}

// Kind says what a remark means for the first plan.
type Kind string

// The kinds of remarks.
const (
	// Change is what the first plan changes, beside the imports.
	Change Kind = "change"
	// Unproven is what was taken for true and nobody can look up.
	Unproven Kind = "unproven"
	// LeftOut is what is there and does not become part of the configuration.
	LeftOut Kind = "left out"
)

// Remark is what a person has to know about one resource.
type Remark struct {
	Kind    Kind   `json:"kind"`
	Address string `json:"address"` // "auth0sns_iam_user.sms"
	Text    string `json:"text"`    // whole sentences
}

// Of returns the remarks of a kind.
func (s *Setup) Of(kind Kind) []Remark {
	return slices.DeleteFunc(slices.Clone(s.Remarks), func(r Remark) bool { return r.Kind != kind })
}

// SenderID is the id of the hook or Action.
func (s *Setup) SenderID() string {
	if s.Hook != nil {
		return s.Hook.ID
	}
	return s.Action.ID
}

// Read looks at a tenant and an account.
func Read(ctx context.Context, auth0 Auth0, aws AWS, o Options) (*Setup, error) {
	r := reader{auth0: auth0, aws: aws, options: o, Setup: &Setup{Domain: auth0.Domain(), version: o.Version}}
	for _, step := range []func(context.Context) error{
		r.readAccount, r.readSender, r.readUser, r.readPolicy, r.readKey, r.readPhoneProvider, r.readFactor, r.readMFAPolicy,
	} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return r.Setup, nil
}

type reader struct {
	auth0   Auth0
	aws     AWS
	options Options
	tenant  delivery.Tenant
	*Setup
}

func (r *reader) remark(kind Kind, address, format string, args ...any) {
	r.Remarks = append(r.Remarks, Remark{kind, address, fmt.Sprintf(format, args...)})
}

// readSender finds the hook or Action that sends.
func (r *reader) readSender(ctx context.Context) error {
	var err error
	if r.tenant, err = delivery.Detect(ctx, r.auth0); err != nil {
		return err
	}
	r.Path = r.tenant.Path
	if r.options.Hook {
		r.Path = delivery.PathHook
	}
	switch {
	case r.Path == delivery.PathHook:
		err = r.readHook(ctx)
	case len(r.tenant.Senders) == 0:
		err = r.nothing()
	case r.Path == delivery.PathUnified && len(r.tenant.Senders) > 1:
		err = fmt.Errorf("the tenant has the Actions %s of the trigger %s, and nobody can tell which one sends. Delete those that do not",
			strings.Join(r.tenant.Senders, " and "), delivery.TriggerCustomPhoneProvider)
	default:
		err = r.readAction(ctx, r.tenant.Senders[0])
	}
	if err != nil {
		return err
	}
	if code := r.code(); code.ours && code.rendered.Script != code.script {
		r.remark(Change, r.senderAddress(), "The code names the calling codes in another order than auth0sns does. The plan sorts them, which changes nothing of what it does.")
	}
	return nil
}

// nothing says that there is no sender, and what could not be looked at.
func (r *reader) nothing() error {
	message := "the tenant has no code of its own that sends: no Action that is deployed and bound, and no enabled hook. There is nothing to take over; auth0sns bootstrap makes a sender"
	if len(r.tenant.Unknown) > 0 {
		message += ". It could not be told " + strings.Join(r.tenant.Unknown, "; ")
	}
	return errors.New(message)
}

// readHook takes the enabled hook, or else the only one there is.
func (r *reader) readHook(ctx context.Context) error {
	hooks, err := r.auth0.Hooks(ctx, delivery.TriggerHook)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(hooks, func(h auth0api.Hook) bool { return h.Enabled })
	switch {
	case i >= 0:
	case len(hooks) == 1:
		i = 0
	default:
		return fmt.Errorf("the tenant has %d Send Phone Message hooks, none of them enabled. There is nothing to take over", len(hooks))
	}
	r.Hook = &hooks[i]
	r.remark(Unproven, addressHook, "Auth0 ended hooks on 2026-11-18, and a tenant may list one that it runs no more. This is the first half of a move: the guide hooks-to-actions has the second.")
	if r.tenant.Path != delivery.PathHook {
		r.remark(LeftOut, addressHook, "People do not get their codes through this hook: the tenant's path is %s. What sends there is not part of the configuration.", r.tenant.Path)
	}
	for j, h := range hooks {
		if j != i {
			r.remark(LeftOut, addressHook, "Another Send Phone Message hook, %q (%s), is not enabled and stays as it is.", h.Name, h.ID)
		}
	}
	return nil
}

// triggerVersions are those of which the provider imports an Action.
func triggerVersions() map[string]string {
	return map[string]string{delivery.TriggerSendPhoneMessage: "v2", delivery.TriggerCustomPhoneProvider: "v1"}
}

func (r *reader) readAction(ctx context.Context, id string) error {
	action, err := r.auth0.Action(ctx, id)
	if err != nil {
		return err
	}
	if want := triggerVersions()[action.Trigger.ID]; action.Trigger.Version != want {
		return fmt.Errorf("Action %q (%s) has the trigger %s in version %q, and auth0sns knows %q: it cannot be imported. Make a new one with auth0sns bootstrap", //nolint:staticcheck // Action is a name.
			action.Name, action.ID, action.Trigger.ID, action.Trigger.Version, want)
	}
	r.Action = &action
	if runtime := r.actionRuntime(); !slices.Contains(runtimes(), runtime) {
		r.remark(Change, addressAction, "The Action runs on %s, which auth0sns does not offer. The plan moves it to %s.", runtime, defaultRuntime)
	}
	if action.Deployed != nil && !delivery.IsDeployed(action) {
		r.remark(Change, addressAction, "The Action has a draft that is not deployed. The configuration has what runs, so a plan after the import puts the draft back. Deploy the draft, or discard it, and generate again.")
	}
	if err := r.checkBinding(ctx); err != nil {
		return err
	}
	for _, other := range r.tenant.Senders {
		if other != id {
			r.remark(LeftOut, addressAction, "%s may send too, and stays as it is: with two senders people get two messages for one code.", other)
		}
	}
	return nil
}

// checkBinding tells of what the plan binds: an Action that could send, and that
// its trigger does not run. One of send-phone-message was found by its binding.
func (r *reader) checkBinding(ctx context.Context) error {
	bound, err := delivery.IsBound(ctx, r.auth0, r.Action.Trigger.ID, r.Action.ID)
	if err == nil && !bound && handover.HoldsSecrets(*r.Action) {
		r.remark(Change, addressAction, "The Action is not bound to its trigger. Whether it has to be, Auth0's pages do not agree; the plan binds it, which changes nothing where the phone provider asks it already.")
	}
	return err
}

// runtimes are those that an auth0sns_action may have.
func runtimes() []string { return []string{defaultRuntime, "node18"} }

// actionRuntime is that of the version which runs.
func (s *Setup) actionRuntime() string {
	if s.Action.Deployed == nil {
		return s.Action.Runtime
	}
	return s.Action.Deployed.Runtime
}

// isOthers tells whether people get their codes from somebody else than the
// sender: the factor is then not touched, since it would be turned to it.
func (r *reader) isOthers() (reason string, others bool) {
	switch {
	case r.Path != r.tenant.Path:
		return fmt.Sprintf("the tenant's path is %s", r.tenant.Path), true
	case r.Path == delivery.PathUnified && r.tenant.PhoneProvider == nil:
		return "the tenant has no phone provider", true
	case r.Path == delivery.PathUnified && r.tenant.PhoneProvider.Name != delivery.PhoneProviderCustom:
		return fmt.Sprintf("the tenant's phone provider is %s", r.tenant.PhoneProvider.Name), true
	case r.Path != delivery.PathUnified && r.tenant.SelectedProvider != delivery.ProviderCustom:
		return fmt.Sprintf("the provider that is selected for phone messages is %q and not Custom", r.tenant.SelectedProvider), true
	}
	return "", false
}

func (r *reader) readPhoneProvider(context.Context) error {
	reason, others := r.isOthers()
	if r.Path != delivery.PathUnified {
		return nil
	}
	if others {
		r.remark(LeftOut, addressPhoneProvider, "It is not part of the configuration: %s. auth0sns bootstrap moves a tenant to this sender.", reason)
		return nil
	}
	r.PhoneProvider, r.UnifiedPhoneExperience = r.tenant.PhoneProvider, r.tenant.Flag
	if methods := r.PhoneProvider.DeliveryMethods; !slices.Equal(methods, []string{"text"}) {
		r.remark(Change, addressPhoneProvider, "The delivery methods are %s, and SNS sends text alone. The plan takes the others away: people who have chosen a voice call get none any more.", strings.Join(methods, " and "))
	}
	return nil
}

// What the provider insists on in a text: {{code}}, and no braces that belong to no
// placeholder.
var (
	codePlaceholder = lazyregexp.New(`{{\s*code\s*(\|[^{}]*)?}}`)
	placeholder     = lazyregexp.New(`{{[^{}]*}}`)
)

// isTemplate tells whether an auth0sns_sms_factor may have a text.
func isTemplate(text string) bool {
	rest := placeholder.ReplaceAllString(text, "{}") // {{{code}}} does not pass for one.
	return codePlaceholder.MatchString(text) && !strings.Contains(rest, "{{") && !strings.Contains(rest, "}}")
}

func (r *reader) readFactor(ctx context.Context) error {
	if reason, others := r.isOthers(); others {
		r.remark(LeftOut, addressFactor, "It is not part of the configuration, so that nothing changes who sends: %s.", reason)
		return nil
	}
	messageTypes, err := r.auth0.MessageTypes(ctx)
	if err != nil {
		return err
	}
	r.Factor = &Factor{Enabled: r.tenant.FactorOn}
	switch {
	case slices.Equal(messageTypes, []string{"sms"}):
	case r.tenant.FactorOn:
		r.remark(Change, addressFactor, "The message types are %q, and SNS sends sms alone. The plan takes the others away.", messageTypes)
	default:
		r.remark(Change, addressFactor, "The factor is off. The plan shows other message types than the %q of the tenant, and writes them only when the factor is switched on.", messageTypes)
	}
	texts, err := r.texts(ctx)
	if err != nil {
		return err
	}
	switch {
	case texts == auth0api.Templates{}:
	case !isTemplate(texts.EnrollmentMessage) || !isTemplate(texts.VerificationMessage):
		r.remark(LeftOut, addressFactor, "The texts stay as they are and are not part of the configuration: it has both or neither, and one of them is Auth0's own, has no {{code}}, or has braces that are no placeholder.")
	default:
		r.Factor.EnrollmentMessage, r.Factor.VerificationMessage = texts.EnrollmentMessage, texts.VerificationMessage
	}
	return nil
}

// texts are the tenant's own for MFA, "" where it has Auth0's.
func (r *reader) texts(ctx context.Context) (auth0api.Templates, error) {
	if r.Path != delivery.PathUnified {
		texts, err := r.auth0.Templates(ctx)
		if err != nil || texts == nil {
			return auth0api.Templates{}, err
		}
		return *texts, nil
	}
	templates, err := r.auth0.PhoneTemplates(ctx)
	own := func(kind string) string {
		i := slices.IndexFunc(templates, func(t auth0api.PhoneTemplate) bool { return t.Type == kind && t.ID != "" })
		if i < 0 {
			return ""
		}
		return templates[i].Text
	}
	return auth0api.Templates{EnrollmentMessage: own("otp_enroll"), VerificationMessage: own("otp_verify")}, err
}

func (r *reader) readMFAPolicy(ctx context.Context) error {
	policies, err := r.auth0.Policies(ctx)
	switch {
	case err != nil:
		return err
	case len(policies) == 0:
		r.MFAPolicy = "never"
	case len(policies) == 1:
		r.MFAPolicy = policies[0]
	default:
		r.remark(LeftOut, addressMFAPolicy, "The tenant has the policies %q at once, which auth0sns does not know.", policies)
	}
	return nil
}

// secretNames says which secrets the sender has; ok is false where Auth0 does not
// tell.
func (r *reader) secretNames(ctx context.Context) (names []string, ok bool, err error) {
	if r.Action != nil {
		for name := range r.Action.Secrets {
			names = append(names, name)
		}
		slices.Sort(names)
		return names, true, nil
	}
	names, err = r.auth0.HookSecretNames(ctx, r.Hook.ID)
	if kind := auth0api.KindOf(err); kind == auth0api.MissingScope || kind == auth0api.FeatureDisabled || kind == auth0api.Forbidden {
		return nil, false, nil
	}
	return names, err == nil, err
}

// missingSecrets are those of the three that are not among names.
func missingSecrets(names []string) []string {
	return slices.DeleteFunc(handover.SecretNames(), func(name string) bool { return slices.Contains(names, name) })
}
