package checks

import (
	"context"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
)

// Auth0 is the part of the Management API that the checks read.
type Auth0 interface {
	delivery.DetectAPI
	Domain() string
	GrantedScopes(ctx context.Context) (scopes []string, known bool, err error)
	Action(ctx context.Context, id string) (auth0api.Action, error)
	HookSecretNames(ctx context.Context, id string) ([]string, error)
	MessageTypes(ctx context.Context) ([]string, error)
	Templates(ctx context.Context) (*auth0api.Templates, error)
	PhoneTemplates(ctx context.Context) ([]auth0api.PhoneTemplate, error)
	Policies(ctx context.Context) ([]string, error)
	Logs(ctx context.Context, query string, limit int) ([]auth0api.LogEntry, error)
}

func tenantChecks() []Check {
	return []Check{
		{reachableAuth0, "Auth0 gives this client a token for the tenant", Always, checkReachable},
		{"auth0-scopes", "The client has every scope that an apply and these checks need", Before, checkScopes},
		{"tenant-path", "The tenant can send on the path that is asked for", Before, checkPath},
		{"path-end-of-life", "Auth0 has not ended the path", Always, checkEndOfLife},
		{"tenant-free", "Nothing on the tenant is in the way of the first apply", Before, checkFree},
		{"other-senders", "Nobody else sends beside the sender", Always, checkOtherSenders},
		{"sender-deployed", "The hook is enabled, or the Action deployed and asked", After, checkDeployed},
		{"sender-code", "The code that runs is this version's, or a person's own", After, checkCode},
		{"secrets-present", "The sender has the three AWS secrets", After, checkSecretsPresent},
		{"secrets-untouched", "Nobody has written the secrets since the key was handed over", After, checkSecretsUntouched},
		{"factor-custom", "The SMS factor is on and sends through the tenant's own code", After, senderFirst(checkFactor)},
		{"message-types", "Codes go by SMS, and not by voice", After, senderFirst(checkMessageTypes)},
		{"texts", "Each text of a message has the code in it", After, checkTexts},
		{"mfa-policy", "The tenant asks for MFA", After, senderFirst(checkPolicy)},
		{"recent-failures", "No message failed lately through the sender's fault", After, checkFailures},
		{"phone-format", "Every number that Auth0 gave the sender was one it can send to", After, checkPhoneFormat},
	}
}

// reads is an Auth0 that asks for each thing that several checks need once.
type reads struct {
	Auth0
	settings  once[auth0api.TenantSettings]
	factors   once[map[string]bool]
	selected  once[string]
	providers once[[]auth0api.PhoneProvider]
	bindings  keyed[[]auth0api.Binding]
	hooks     keyed[[]auth0api.Hook]
	actions   keyed[[]auth0api.Action]
	action    keyed[auth0api.Action]
	failures  once[[]auth0api.LogEntry]
	sent      once[[]auth0api.LogEntry]
}

// api is the tenant, of which each thing is read once.
func (s *Subject) api() *reads {
	s.reads.Auth0 = s.Auth0
	return &s.reads
}

func (r *reads) TenantSettings(ctx context.Context) (auth0api.TenantSettings, error) {
	return r.settings.get(func() (auth0api.TenantSettings, error) { return r.Auth0.TenantSettings(ctx) })
}

func (r *reads) Factors(ctx context.Context) (map[string]bool, error) {
	return r.factors.get(func() (map[string]bool, error) { return r.Auth0.Factors(ctx) })
}

func (r *reads) SelectedProvider(ctx context.Context) (string, error) {
	return r.selected.get(func() (string, error) { return r.Auth0.SelectedProvider(ctx) })
}

func (r *reads) PhoneProviders(ctx context.Context) ([]auth0api.PhoneProvider, error) {
	return r.providers.get(func() ([]auth0api.PhoneProvider, error) { return r.Auth0.PhoneProviders(ctx) })
}

func (r *reads) Bindings(ctx context.Context, trigger string) ([]auth0api.Binding, error) {
	return r.bindings.get(trigger, func() ([]auth0api.Binding, error) { return r.Auth0.Bindings(ctx, trigger) })
}

func (r *reads) Hooks(ctx context.Context, trigger string) ([]auth0api.Hook, error) {
	return r.hooks.get(trigger, func() ([]auth0api.Hook, error) { return r.Auth0.Hooks(ctx, trigger) })
}

func (r *reads) Actions(ctx context.Context, trigger string) ([]auth0api.Action, error) {
	return r.actions.get(trigger, func() ([]auth0api.Action, error) { return r.Auth0.Actions(ctx, trigger) })
}

func (r *reads) Action(ctx context.Context, id string) (auth0api.Action, error) {
	return r.action.get(id, func() (auth0api.Action, error) { return r.Auth0.Action(ctx, id) })
}

// keyed is a [once] for each key.
type keyed[T any] map[string]*once[T]

func (k *keyed[T]) get(key string, ask func() (T, error)) (T, error) {
	if *k == nil {
		*k = keyed[T]{}
	}
	if (*k)[key] == nil {
		(*k)[key] = &once[T]{}
	}
	return (*k)[key].get(ask)
}
