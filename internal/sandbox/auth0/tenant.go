// Package auth0 emulates one Auth0 tenant: its token endpoint, the part of the
// Management API that SMS multi-factor authentication needs, and the moment in a
// login when a code has to be sent.
//
// A Tenant is an http.Handler. What it answers follows recorded traffic of the
// real API first, Auth0's OpenAPI document second and its articles third; where
// nobody could look, the behaviour is a field of Switches with its default
// written next to it.
package auth0

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Config makes a Tenant. Name, BaseURL and Now are needed; without a Runner
// every challenge that would run code fails.
type Config struct {
	// Name is the tenant's name, e.g. "staging"; also its first friendly_name.
	Name string
	// BaseURL is the tenant's own address without a trailing slash, e.g.
	// "http://127.0.0.1:1234". It is a function because a server knows its port
	// only after it listens.
	BaseURL func() string
	// Now is the tenant's clock: token expiry, rate limit, log dates and the
	// Date header follow it.
	Now func() time.Time
	// Runner runs deployed code for challenges.
	Runner Runner
	// RateLimit is the Management API's token bucket; the zero value is no limit.
	RateLimit RateLimit
}

// Runner runs the code a tenant has deployed. An error means that the code could
// not be run at all; what the code itself did is in the Result.
type Runner interface {
	Run(ctx context.Context, job Job) (Result, error)
}

// Kinds of deployed code.
const (
	KindHook   = "hook"
	KindAction = "action"
)

// Job is one execution of deployed code.
type Job struct {
	// Kind is KindHook or KindAction.
	Kind string
	// Script is the deployed source, byte for byte.
	Script string
	// Dependencies maps npm package to version.
	Dependencies map[string]string
	// Secrets are the values that Context and Event hold too.
	Secrets map[string]string
	// Recipient is the phone number, Text the rendered message. Both are empty
	// for an Action that is no SMS sender.
	Recipient, Text string
	// Context is a hook's third argument as Auth0 passes it, secrets included.
	Context map[string]any
	// Handler is the function that an Action exports for its trigger, e.g.
	// "onExecuteSendPhoneMessage".
	Handler string
	// Event is an Action's first argument as Auth0 passes it, secrets included.
	Event map[string]any
	// Timeout bounds the execution.
	Timeout time.Duration
}

// Result is what deployed code did. Error and Verdict nil mean that it reported
// success.
type Result struct {
	Error *RunError
	// Verdict is what an Action of custom-phone-provider said of the message.
	Verdict  *Verdict
	Response json.RawMessage
	Logs     []string
	Duration time.Duration
}

// RunError is the failure that deployed code reported: an Error's name, message
// and code, or the runtime's own verdict such as a time-out.
type RunError struct {
	Name, Message, Code string
}

// Verdict is a call of api.notification, the last one of a run.
// https://auth0.com/docs/customize/phone-messages/configure-phone-messaging-providers/configure-a-custom-phone-provider/action-triggers-custom-phone-provider-api-object
type Verdict struct {
	// Outcome is VerdictRetry or VerdictDrop.
	Outcome string `json:"outcome"`
	// Reason ends in the tenant log.
	Reason string `json:"reason"`
}

// Outcomes of a Verdict.
const (
	VerdictRetry = "retry" // failed, and may work later
	VerdictDrop  = "drop"  // failed for good
)

// Credentials authenticate a machine-to-machine application.
type Credentials struct {
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
}

// HooksMode says how far a tenant's hooks have been taken away. No body of a
// refused hook call was ever recorded: the texts are documented or those of the
// same platform team elsewhere.
type HooksMode string

const (
	// HooksAvailable is a tenant before 2024-11-18. Default.
	HooksAvailable HooksMode = "available"
	// HooksReadOnly refuses creation and any change but enabling, disabling,
	// secrets and deletion: every tenant from 2024-11-18 on.
	HooksReadOnly HooksMode = "read_only"
	// HooksDisabled answers 403 to every call and runs no hook: tenants made
	// after 2023-10-16.
	HooksDisabled HooksMode = "disabled"
	// HooksGone answers 404 to every call and runs no hook: after the end of
	// life on 2026-11-18.
	HooksGone HooksMode = "gone"
)

// SecondEnabledHook says what enabling a hook does while another one of the same
// trigger is enabled. That only one may be is documented, the effect is not.
type SecondEnabledHook string

const (
	// SecondHookConflict refuses with 409. Default.
	SecondHookConflict SecondEnabledHook = "conflict"
	// SecondHookSwitchOver enables the new hook and disables the old one.
	SecondHookSwitchOver SecondEnabledHook = "switch_over"
	// SecondHookDisableNew accepts the call and leaves the new hook disabled.
	SecondHookDisableNew SecondEnabledHook = "disable_new"
)

// PhoneBinding says what custom-phone-provider needs a binding for. Auth0's
// article on the Management API has no such step, the one on Terraform has, and
// a recorded tenant had one: https://auth0.com/docs/customize/phone-messages.
type PhoneBinding string

const (
	// PhoneBindingUnneeded runs the tenant's one deployed Action. Default.
	PhoneBindingUnneeded PhoneBinding = "unneeded"
	// PhoneBindingByProvider runs it only while it is bound, and the provider
	// binds it when it becomes custom.
	PhoneBindingByProvider PhoneBinding = "by_provider"
	// PhoneBindingByHand runs it only while it is bound, and nothing binds it.
	PhoneBindingByHand PhoneBinding = "by_hand"
)

// Switches are the behaviours that depend on a tenant's age or plan, and those
// that nobody could record. Every default is the zero value or named here.
type Switches struct {
	// HooksMode defaults to HooksAvailable.
	HooksMode HooksMode `json:"hooks_mode"`
	// SecondEnabledHook defaults to SecondHookConflict.
	SecondEnabledHook SecondEnabledHook `json:"second_enabled_hook"`
	// HookSecretsReadOnly refuses POST and PATCH of hook secrets too while
	// HooksMode is HooksReadOnly. Articles say that secrets could still be
	// changed, the OpenAPI document has a 403 for it. Default false.
	HookSecretsReadOnly bool `json:"hook_secrets_read_only"`
	// PreferHook lets an enabled hook send although an Action is bound to
	// send-phone-message. That Actions go first is inferred. Default false.
	PreferHook bool `json:"prefer_hook"`
	// BuildTime is how long the build of an Action's draft takes from now on,
	// DeployTime how long it takes until a deployed version is the one that runs.
	// Recorded were 0.1 s to 3 s and 0.1 s, told of are 45 s. Default 2 s and 1 s.
	BuildTime  Duration `json:"build_time"`
	DeployTime Duration `json:"deploy_time"`
	// BuildFails lets every build that begins from now on fail. Default false.
	BuildFails bool `json:"build_fails"`
	// DuplicateActionNames lets two Actions have the same name. That Auth0
	// refuses it is inferred: bindings can name an Action. Default false.
	DuplicateActionNames bool `json:"duplicate_action_names"`
	// AllowLastFactorOff lets the last enabled factor be disabled while an MFA
	// policy is set. Users report that Auth0 refuses it. Default false.
	AllowLastFactorOff bool `json:"allow_last_factor_off"`
	// UnifiedPhoneLocked refuses phone_consolidated_experience=false, as is
	// inferred for tenants born with the unified experience. Default false.
	UnifiedPhoneLocked bool `json:"unified_phone_locked"`
	// LegacyPhoneGone is a tenant without the migration flag
	// legacy_mfa_phone_provider, which no API token can set: the legacy endpoints
	// are refused and messages take the unified path, whatever
	// phone_consolidated_experience says. That the latter follows is inferred.
	// Default false.
	LegacyPhoneGone bool `json:"legacy_phone_gone"`
	// PhoneBinding defaults to PhoneBindingUnneeded.
	PhoneBinding PhoneBinding `json:"phone_binding"`
	// PhoneActionMissingCode is the errorCode of a custom phone provider for which
	// no Action is deployed. Auth0's article has the code of the email provider,
	// custom_email_provider_deployed_action_not_found; the default is the same
	// with "phone".
	PhoneActionMissingCode string `json:"phone_action_missing_code"`
	// TemplatesWithoutProvider lets phone templates be customised before there is
	// a phone provider. It is documented as refused, and was recorded to work on
	// a tenant that seems to have had none. Default false.
	TemplatesWithoutProvider bool `json:"templates_without_provider"`
	// RetryInterval is the time from one attempt at a message to the next, after
	// api.notification.retry: up to five "over the next minutes", says the
	// article. Default 1 min.
	RetryInterval Duration `json:"retry_interval"`
	// LogDelay is how long an entry takes until GET /logs shows it. Default 0 s.
	LogDelay Duration `json:"log_delay"`
	// ConfidenceScore is the Adaptive MFA entitlement, without which the policy
	// "confidence-score" is refused. Default false.
	ConfidenceScore bool `json:"confidence_score"`
	// NoPrivateKeyJWT is a plan without Private Key JWT, which Auth0's article says
	// is for Enterprise customers. What the refusal says is inferred. Default false.
	NoPrivateKeyJWT bool `json:"no_private_key_jwt"`
	// TokenLifetimeSeconds of access tokens from now on. Default 86400.
	TokenLifetimeSeconds int `json:"token_lifetime_seconds"`
}

// DefaultSwitches are the switches of a new tenant.
func DefaultSwitches() Switches {
	return Switches{
		HooksMode:              HooksAvailable,
		SecondEnabledHook:      SecondHookConflict,
		BuildTime:              Duration(2 * time.Second),
		DeployTime:             Duration(time.Second),
		PhoneBinding:           PhoneBindingUnneeded,
		PhoneActionMissingCode: "custom_phone_provider_deployed_action_not_found",
		RetryInterval:          Duration(time.Minute),
		TokenLifetimeSeconds:   86400,
	}
}

func (s Switches) validate() error {
	if !slices.Contains([]HooksMode{HooksAvailable, HooksReadOnly, HooksDisabled, HooksGone}, s.HooksMode) {
		return fmt.Errorf("hooks_mode %q: want available, read_only, disabled or gone", s.HooksMode)
	}
	if !slices.Contains([]SecondEnabledHook{SecondHookConflict, SecondHookSwitchOver, SecondHookDisableNew}, s.SecondEnabledHook) {
		return fmt.Errorf("second_enabled_hook %q: want conflict, switch_over or disable_new", s.SecondEnabledHook)
	}
	if !slices.Contains([]PhoneBinding{PhoneBindingUnneeded, PhoneBindingByProvider, PhoneBindingByHand}, s.PhoneBinding) {
		return fmt.Errorf("phone_binding %q: want unneeded, by_provider or by_hand", s.PhoneBinding)
	}
	if min(s.BuildTime, s.DeployTime, s.RetryInterval, s.LogDelay) < 0 {
		return fmt.Errorf("build_time %s, deploy_time %s, retry_interval %s, log_delay %s: want 0s or more",
			time.Duration(s.BuildTime), time.Duration(s.DeployTime), time.Duration(s.RetryInterval), time.Duration(s.LogDelay))
	}
	if s.TokenLifetimeSeconds <= 0 {
		return fmt.Errorf("token_lifetime_seconds %d: want more than 0", s.TokenLifetimeSeconds)
	}
	return nil
}

// Duration is written as people write it, "2s".
type Duration time.Duration

// MarshalText writes it, e.g. "1.5s".
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads what time.ParseDuration understands.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = Duration(parsed)
	return err
}

// Tenant is one emulated tenant. All methods may be called concurrently.
type Tenant struct {
	config Config
	mux    *http.ServeMux
	scopes []string

	mu      sync.Mutex
	client  Credentials
	clients map[string]*client
	key     []byte // signs access tokens
	limiter bucket
	state   state
}

// state is everything Reset throws away.
type state struct {
	switches     Switches
	clients      []string // ids of those that were made through the API, oldest first
	grants       []*grant
	hooks        []*hook
	actions      []*action
	bindings     map[string][]binding // by trigger id, in the order they run
	executions   []execution
	factors      map[string]bool
	provider     string
	messageTypes []string
	templates    *templates
	twilio       map[string]any
	policies     []string
	settings     map[string]any
	phone        *phoneProvider // null without one
	texts        []*phoneTemplate
	retries      []notification
	outbox       []OutboxMessage
	logs         []logEntry
	assertions   map[string]time.Time
}

// New returns a tenant with one application, authorised for every scope the
// tenant's routes know, and otherwise untouched: no hook, no factor, no policy.
func New(config Config) *Tenant {
	t := &Tenant{
		config: config,
		key:    randomBytes(32),
		client: Credentials{ClientID: randomText(32, alphanumeric), ClientSecret: randomText(64, alphanumeric)},
	}
	t.clients = map[string]*client{
		t.client.ClientID: {
			id: t.client.ClientID, name: "auth0sns", secret: t.client.ClientSecret,
			appType: "non_interactive", grantTypes: []string{clientCredentials}, authMethod: authMethodPost,
		},
	}
	t.mux, t.scopes = t.router()
	t.Reset()
	return t
}

// Client returns the credentials of the seeded application. They survive Reset.
func (t *Tenant) Client() Credentials { return t.client }

// Reset brings the tenant back to what New made. Credentials and access tokens
// stay valid, so that a client which already runs need not be told.
func (t *Tenant) Reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.limiter = bucket{limit: t.config.RateLimit}
	for _, id := range t.state.clients {
		delete(t.clients, id)
	}
	t.state = state{
		switches:     DefaultSwitches(),
		bindings:     map[string][]binding{},
		factors:      map[string]bool{},
		provider:     "auth0",
		messageTypes: []string{},
		twilio:       map[string]any{},
		policies:     []string{},
		settings:     defaultSettings(t.config.Name),
		assertions:   map[string]time.Time{},
	}
	t.setGrantScopes(t.client.ClientID, t.scopes)
}

// Switches returns the tenant's switches.
func (t *Tenant) Switches() Switches {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.state.switches
}

// SetSwitches replaces all switches; an unknown value changes nothing.
func (t *Tenant) SetSwitches(s Switches) error {
	if err := s.validate(); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.state.switches = s
	return nil
}

// State is what a person may see of a tenant: everything but secret values.
type State struct {
	Name    string        `json:"name"`
	Hooks   []HookState   `json:"hooks"`
	Actions []ActionState `json:"actions"`
	// Bindings are those of each trigger that has any, in the order they run.
	Bindings     map[string][]BindingState `json:"bindings"`
	Factors      []Factor                  `json:"factors"`
	Provider     string                    `json:"selected_provider"`
	MessageTypes []string                  `json:"message_types"`
	Templates    map[string]any            `json:"templates"` // null when never set
	Policies     []string                  `json:"policies"`
	// PhoneProviders has one entry at most, PhoneTemplates one for each type that
	// was customised.
	PhoneProviders []PhoneProviderState `json:"phone_providers"`
	PhoneTemplates []PhoneTemplateState `json:"phone_templates"`
	Settings       map[string]any       `json:"settings"`
	// Clients are the applications that were made through the API.
	Clients      []ClientState `json:"clients"`
	ClientGrants []Grant       `json:"client_grants"`
	Switches     Switches      `json:"switches"`
}

// HookState is a hook with the names of its secrets.
type HookState struct {
	ID           string            `json:"id"`
	Name         string            `json:"name"`
	TriggerID    string            `json:"triggerId"`
	Enabled      bool              `json:"enabled"`
	Script       string            `json:"script"`
	Dependencies map[string]string `json:"dependencies"`
	SecretNames  []string          `json:"secret_names"`
}

// ActionState is an Action: its draft, and the version that runs.
type ActionState struct {
	ID             string `json:"id"`
	Name           string `json:"name"`
	TriggerID      string `json:"trigger_id"`
	TriggerVersion string `json:"trigger_version"`
	// Status is that of the draft's build: pending, building, built or failed.
	Status             string        `json:"status"`
	Draft              ActionContent `json:"draft"`
	Deployed           *ActionDeploy `json:"deployed"` // null before the first deploy
	AllChangesDeployed bool          `json:"all_changes_deployed"`
}

// ActionContent is what a deploy freezes.
type ActionContent struct {
	Code         string            `json:"code"`
	Runtime      string            `json:"runtime"`
	Dependencies map[string]string `json:"dependencies"`
	SecretNames  []string          `json:"secret_names"`
}

// ActionDeploy is a deployed version.
type ActionDeploy struct {
	ActionContent
	Number int `json:"number"`
}

// BindingState is an Action's place in a trigger. It has no id, because Auth0
// gives every binding of a trigger a new one at each write.
type BindingState struct {
	ActionID    string `json:"action_id"`
	DisplayName string `json:"display_name"`
}

// PhoneProviderState is the tenant's phone provider of the unified phone
// experience.
type PhoneProviderState struct {
	ID              string         `json:"id"`
	Name            string         `json:"name"`
	Disabled        bool           `json:"disabled"`
	Configuration   map[string]any `json:"configuration"`
	CredentialNames []string       `json:"credential_names"`
}

// PhoneTemplateState is a customised message of the unified phone experience.
type PhoneTemplateState struct {
	ID       string `json:"id"`
	Type     string `json:"type"`
	Disabled bool   `json:"disabled"`
	Text     string `json:"text"`
	Voice    string `json:"voice"`
	From     string `json:"from"`
}

// SenderSecrets returns the secret values that a sender runs with: those of a
// hook, or of the version of an Action that is deployed. It returns nil for an
// unknown id and for an Action that was never deployed. No endpoint shows them;
// tests compare them with what AWS knows.
func (t *Tenant) SenderSecrets(id string) map[string]string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if h, err := t.hook(id); err == nil {
		return maps.Clone(h.secrets)
	}
	a, err := t.action(id)
	if err != nil {
		return nil
	}
	if v := a.deployed(t.config.Now()); v != nil {
		return v.secretValues()
	}
	return nil
}

// Snapshot returns a copy of the tenant's state.
func (t *Tenant) Snapshot() State {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := State{
		Name:         t.config.Name,
		Hooks:        []HookState{},
		Actions:      []ActionState{},
		Bindings:     map[string][]BindingState{},
		Factors:      t.factors(),
		Provider:     t.state.provider,
		MessageTypes: slices.Clone(t.state.messageTypes),
		Policies:     slices.Clone(t.state.policies),
		Settings:     cloneJSON(t.state.settings),
		Clients:      []ClientState{},
		ClientGrants: []Grant{},
		Switches:     t.state.switches,

		PhoneProviders: []PhoneProviderState{},
		PhoneTemplates: []PhoneTemplateState{},
	}
	if t.state.phone != nil {
		s.PhoneProviders = append(s.PhoneProviders, t.state.phone.state())
	}
	for _, template := range t.state.texts {
		s.PhoneTemplates = append(s.PhoneTemplates, template.state())
	}
	if t.state.templates != nil {
		s.Templates = t.state.templates.view()
	}
	for _, h := range t.state.hooks {
		s.Hooks = append(s.Hooks, HookState{
			ID: h.id, Name: h.name, TriggerID: h.triggerID, Enabled: h.enabled, Script: h.script,
			Dependencies: maps.Clone(h.dependencies),
			SecretNames:  slices.Sorted(maps.Keys(h.secrets)),
		})
	}
	for _, a := range t.state.actions {
		s.Actions = append(s.Actions, a.state(t.config.Now()))
	}
	for trigger, bindings := range t.state.bindings {
		for _, b := range bindings {
			s.Bindings[trigger] = append(s.Bindings[trigger], BindingState{ActionID: b.action.id, DisplayName: b.displayName})
		}
	}
	for _, id := range t.state.clients {
		s.Clients = append(s.Clients, t.clients[id].state())
	}
	for _, g := range t.state.grants {
		s.ClientGrants = append(s.ClientGrants, g.view())
	}
	return s
}

// cloneJSON copies a JSON object so deep that neither side sees the other's writes.
func cloneJSON(object map[string]any) map[string]any {
	clone := make(map[string]any, len(object))
	for key, value := range object {
		if nested, ok := value.(map[string]any); ok {
			value = cloneJSON(nested)
		}
		clone[key] = value
	}
	return clone
}

const (
	alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	digits       = "0123456789"
	crockford    = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
)

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails: crypto/rand documents that it aborts the program instead
	return b
}

// newUUID returns a random UUID, version 4, as Actions have.
func newUUID() string {
	b := randomBytes(16)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func randomHex(n int) string { return hex.EncodeToString(randomBytes(n)) }

func randomText(n int, alphabet string) string {
	text := make([]byte, n)
	for i := range text {
		index, err := rand.Int(rand.Reader, big.NewInt(int64(len(alphabet))))
		if err != nil {
			panic(err) // unreachable, see randomBytes
		}
		text[i] = alphabet[index.Int64()]
	}
	return string(text)
}
