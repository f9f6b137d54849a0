package review

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/lazyregexp"
	tfjson "github.com/hashicorp/terraform-json"
)

// Pins are the tenant and the account that an environment names. Empty means
// that nothing is pinned.
type Pins struct {
	Environment string // "staging"
	Domain      string // "example.eu.auth0.com"
	AccountID   string // 12 digits
}

// Against finds what in a plan is of another tenant or account than the pinned
// one. The names come from the configuration of the provider, with its variables,
// and from the ARN of the user; where both are silent, so is this.
func Against(plan *tfjson.Plan, pins Pins) []Finding {
	p := newPlanned(plan)
	wrong := func(id, what, pinned string, found []string) []Finding {
		return one(pinned != "" && len(found) > 0 && !slices.Equal(found, []string{pinned}), Finding{
			ID: id, Severity: Critical,
			Message: fmt.Sprintf("This plan is not of environment %s: it changes another %s.", pins.Environment, what),
			Detail:  fmt.Sprintf("The environment names %s, the plan %s.", pinned, strings.Join(found, ", ")),
		})
	}
	accounts := p.accounts()
	findings := slices.Concat(
		wrong("wrong-tenant", "tenant", host(pins.Domain), p.domains()),
		wrong("wrong-account", "AWS account", pins.AccountID, accounts))
	if pins.Domain != "" && !p.pins("auth0", "domain", domain.MatchString) {
		findings = append(findings, Finding{
			ID: "tenant-not-pinned", Severity: High,
			Message: "Whoever applies this with credentials of another tenant changes that tenant.",
			Detail:  fmt.Sprintf("The provider's configuration has no domain, and the environment names %s.", pins.Domain),
		})
	}
	if pins.AccountID != "" && !p.pins("aws", "allowed_account_ids", accountID.MatchString) {
		findings = append(findings, Finding{
			ID: "account-not-pinned", Severity: High,
			Message: "Whoever applies this with credentials of another AWS account changes that account.",
			Detail:  fmt.Sprintf("The provider's configuration has no allowed_account_ids, and the environment names %s.", pins.AccountID),
		})
	}
	return Sorted(findings)
}

// wholePlan finds what no single resource shows.
func (p *planned) wholePlan() []Finding {
	var findings []Finding
	if domains := p.domains(); len(domains) > 1 {
		findings = append(findings, Finding{
			ID: "several-tenants", Severity: High, Message: "One plan changes several tenants: staging and production are not apart.",
			Detail: "The provider is configured for " + strings.Join(domains, ", ") + ".",
		})
	}
	if accounts := p.accounts(); len(accounts) > 1 {
		findings = append(findings, Finding{
			ID: "several-accounts", Severity: High, Message: "One plan speaks of several AWS accounts: a key of the one may end in the tenant of the other.",
			Detail: "The accounts are " + strings.Join(accounts, ", ") + ".",
		})
	}
	for _, d := range p.DeferredChanges {
		if d == nil || d.ResourceChange == nil || !strings.HasPrefix(d.ResourceChange.Type, "auth0") {
			continue
		}
		findings = append(findings, Finding{
			ID: "plan-incomplete", Severity: Medium, Address: d.ResourceChange.Address, Message: "Nobody can tell from this plan what happens here: Terraform deferred it.",
			Detail: "Terraform's reason is " + d.Reason + ".",
		})
	}
	targeted := p.Complete != nil && !*p.Complete && len(p.DeferredChanges) == 0
	return append(findings, one(targeted, Finding{
		ID: "plan-incomplete", Severity: Medium, Message: "The plan shows a part of what is configured: -target was used, or Terraform stopped.",
		Detail: "What the rest would do nobody can tell. Plan without -target.",
	})...)
}

var (
	accountID = lazyregexp.New(`^[0-9]{12}$`)
	domain    = lazyregexp.New(`^(https?://)?[A-Za-z0-9][A-Za-z0-9.-]*(\.[A-Za-z0-9-]+|:[0-9]+)/?$`)
)

// domains are the tenants that the provider is configured for.
func (p *planned) domains() []string {
	return p.configured("auth0", "domain", func(s string) string {
		if !domain.MatchString(s) {
			return ""
		}
		return host(s)
	})
}

// accounts are those that the provider may touch, and those of the user's ARN.
func (p *planned) accounts() []string {
	accounts := p.configured("aws", "allowed_account_ids", func(s string) string {
		if !accountID.MatchString(s) {
			return ""
		}
		return s
	})
	for _, user := range p.of(typeUser) {
		for _, arn := range []value{user.before("arn"), user.after("arn")} {
			// arn:aws:iam::111122223333:user/name
			if segments := strings.Split(arn.text(), ":"); len(segments) > 4 && accountID.MatchString(segments[4]) {
				accounts = append(accounts, segments[4])
			}
		}
	}
	slices.Sort(accounts)
	return slices.Compact(accounts)
}

// pins tells whether each configuration of the provider has an attribute of a
// block, or may, by an expression that a plan does not resolve.
func (p *planned) pins(block, attribute string, is func(string) bool) bool {
	return !slices.ContainsFunc(p.providers(), func(config *tfjson.ProviderConfig) bool {
		e := config.Expressions[block]
		if e == nil || e.ExpressionData == nil {
			return true
		}
		values := allStrings(at(e.ConstantValue, []string{attribute}))
		return len(values) == 0 && !slices.ContainsFunc(e.References, func(reference string) bool { return p.mayBe(reference, is) })
	})
}

// mayBe tells whether what an expression refers to is such a value, or nothing
// that a plan resolves.
func (p *planned) mayBe(reference string, is func(string) bool) bool {
	name, isVariable := strings.CutPrefix(reference, "var.")
	variable := p.Variables[name]
	return !isVariable || variable == nil || slices.ContainsFunc(allStrings(variable.Value), is)
}

// providers are the configurations of this provider.
func (p *planned) providers() []*tfjson.ProviderConfig {
	var configs []*tfjson.ProviderConfig
	if p.Config == nil {
		return nil
	}
	for _, key := range slices.Sorted(maps.Keys(p.Config.ProviderConfigs)) {
		// A configuration may give the provider another name.
		if config := p.Config.ProviderConfigs[key]; config != nil && (config.Name == "auth0sns" || strings.HasSuffix(config.FullName, "/auth0sns/auth0sns")) {
			configs = append(configs, config)
		}
	}
	return configs
}

// configured are the strings that keep gives of an attribute in the provider's
// configuration: constants under name, and of variables of the root module, which
// a plan does not lead to a name, every one.
func (p *planned) configured(attribute, name string, keep func(string) string) []string {
	var found []string
	for _, config := range p.providers() {
		e := config.Expressions[attribute]
		if e == nil || e.ExpressionData == nil {
			continue
		}
		values := allStrings(at(e.ConstantValue, []string{name}))
		for _, reference := range e.References {
			variable, is := strings.CutPrefix(reference, "var.")
			if v := p.Variables[variable]; is && v != nil && config.ModuleAddress == "" {
				values = append(values, allStrings(v.Value)...)
			}
		}
		for _, s := range values {
			if kept := keep(s); kept != "" {
				found = append(found, kept)
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// allStrings are the strings in a value, at any depth.
func allStrings(v any) []string {
	switch node := v.(type) {
	case string:
		return []string{node}
	case []any:
		var all []string
		for _, e := range node {
			all = append(all, allStrings(e)...)
		}
		return all
	case map[string]any:
		var all []string
		for _, key := range slices.Sorted(maps.Keys(node)) {
			all = append(all, allStrings(node[key])...)
		}
		return all
	default:
		return nil
	}
}

// host is a domain as two of them are compared.
func host(domain string) string {
	domain = strings.ToLower(strings.TrimSuffix(domain, "/"))
	return strings.TrimPrefix(domain, "https://")
}

var instanceKey = lazyregexp.New(`\[(?:"(?:[^"\\]|\\.)*"|[0-9]+)\]`)

// configurationAddress is where in the configuration a resource stands: an
// address without the keys of instances.
func configurationAddress(module, kind, name string) string {
	address := kind + "." + name
	if module != "" {
		address = instanceKey.ReplaceAllString(module, "") + "." + address
	}
	return address
}

// configured are the resources of a module of the configuration and of those
// beneath it, by [configurationAddress].
func configured(module *tfjson.ConfigModule, path string) map[string]*tfjson.ConfigResource {
	resources := map[string]*tfjson.ConfigResource{}
	if module == nil {
		return resources
	}
	for _, r := range module.Resources {
		if r != nil && r.Mode != tfjson.DataResourceMode {
			resources[configurationAddress(path, r.Type, r.Name)] = r
		}
	}
	for name, call := range module.ModuleCalls {
		if call != nil {
			maps.Copy(resources, configured(call.Module, strings.TrimPrefix(path+".module."+name, ".")))
		}
	}
	return resources
}
