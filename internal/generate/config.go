package generate

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/handover"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/lazyregexp"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sender"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/textwrap"
)

// Addresses of the resources, in the order in which they depend on each other.
const (
	addressIAMUser       = "auth0sns_iam_user.sms"
	addressHook          = "auth0sns_hook.sms"
	addressAction        = "auth0sns_action.sms"
	addressCredentials   = "auth0sns_credentials.sms" //nolint:gosec // An address, no credentials.
	addressPhoneProvider = "auth0sns_phone_provider.sms"
	addressFactor        = "auth0sns_sms_factor.sms"
	addressMFAPolicy     = "auth0sns_mfa_policy.sms"
)

// defaultRuntime is that of an auth0sns_action.
const defaultRuntime = "node22"

// Names of the files.
const (
	mainFile = "main.tf"
	codeFile = "sender.js"
)

// File is one file of the configuration.
type File struct {
	Name    string // "main.tf"
	Content []byte
}

// Import is one import block.
type Import struct {
	To string `json:"to"`
	ID string `json:"id"`
}

// Imports are the objects that the configuration takes over.
func (s *Setup) Imports() []Import {
	user := s.User.Name
	if s.PolicyName != defaultPolicyName {
		user += "/" + s.PolicyName
	}
	imports := []Import{{addressIAMUser, user}, {s.senderAddress(), s.SenderID()}}
	if s.AccessKeyID != "" {
		imports = append(imports, Import{addressCredentials, strings.Join([]string{s.User.Name, s.AccessKeyID, s.SenderID(), s.Region}, "/")})
	}
	if s.PhoneProvider != nil {
		imports = append(imports, Import{addressPhoneProvider, s.PhoneProvider.ID})
	}
	if s.Factor != nil {
		imports = append(imports, Import{addressFactor, "sms"})
	}
	if s.MFAPolicy != "" {
		imports = append(imports, Import{addressMFAPolicy, "mfa-policy"})
	}
	return imports
}

// Files are main.tf and, where the sender's code is not this project's, the code
// byte for byte.
func (s *Setup) Files() []File {
	file := hclwrite.NewEmptyFile()
	c := config{Setup: s, body: file.Body()}
	c.comment(fmt.Sprintf("Written by auth0sns generate from tenant %s and AWS account %s. It is yours to edit.", s.Domain, s.AccountID),
		"After the first apply the import blocks can go. Credentials come from the environment.")
	c.header()
	for _, i := range s.Imports() {
		c.resource(i)
	}
	files := []File{{mainFile, hclwrite.Format(file.Bytes())}}
	if code := s.code(); !code.ours {
		files = append(files, File{codeFile, []byte(code.script)})
	}
	return files
}

// senderCode is what runs at Auth0.
type senderCode struct {
	script       string
	dependencies map[string]string
	// ours tells that the provider renders the script from options.
	ours    bool
	options sender.Options
	// rendered is what the provider makes of the options.
	rendered sender.Code
}

func (s *Setup) code() senderCode {
	var code senderCode
	trigger := sender.Hook
	switch {
	case s.Hook != nil:
		code.script, code.dependencies = s.Hook.Script, s.Hook.Dependencies
	case s.Action.Deployed != nil:
		trigger = sender.Trigger(s.Action.Trigger.ID)
		code.script, code.dependencies = s.Action.Deployed.Code, s.Action.Deployed.Dependencies
	default:
		trigger = sender.Trigger(s.Action.Trigger.ID)
		code.script, code.dependencies = s.Action.Code, s.Action.Dependencies
	}
	code.options, code.ours = sender.Parse(trigger, code.script)
	// A set has no order: the provider renders the codes sorted.
	slices.Sort(code.options.AllowedCountryCodes)
	if code.ours {
		code.rendered, _ = sender.Render(trigger, code.options) // Its script was parsed.
	}
	return code
}

// config writes one file.
type config struct {
	*Setup
	body *hclwrite.Body
}

// commentWidth is where the lines of a comment end.
const commentWidth = 78

func (c config) comment(sentences ...string) {
	var tokens hclwrite.Tokens
	for _, text := range sentences {
		for _, line := range textwrap.Lines(text, commentWidth) {
			tokens = append(tokens, &hclwrite.Token{Type: hclsyntax.TokenComment, Bytes: []byte("# " + line + "\n")})
		}
	}
	c.body.AppendUnstructuredTokens(tokens)
}

// release is a version of which a configuration may ask for the minor one.
var release = lazyregexp.New(`^v?(\d+\.\d+)\.\d+$`)

func (c config) header() {
	terraform := c.body.AppendNewBlock("terraform", nil).Body()
	terraform.SetAttributeValue("required_version", cty.StringVal(">= 1.11"))
	provider := map[string]cty.Value{"source": cty.StringVal("auth0sns/auth0sns")}
	if match := release.FindStringSubmatch(c.version); match != nil {
		provider["version"] = cty.StringVal("~> " + match[1] + ".0")
	}
	terraform.AppendNewBlock("required_providers", nil).Body().SetAttributeValue("auth0sns", cty.ObjectVal(provider))
	c.body.AppendNewline()
	c.comment("Terraform refuses any other tenant and any other account.")
	settings := c.body.AppendNewBlock("provider", []string{"auth0sns"}).Body()
	settings.SetAttributeValue("auth0", cty.ObjectVal(map[string]cty.Value{"domain": cty.StringVal(c.Domain)}))
	settings.SetAttributeValue("aws", cty.ObjectVal(map[string]cty.Value{
		"region":              cty.StringVal(c.Region),
		"allowed_account_ids": cty.TupleVal([]cty.Value{cty.StringVal(c.AccountID)}),
	}))
}

// resource writes a resource and its import block, with what the plan does to it
// above.
func (c config) resource(i Import) {
	c.body.AppendNewline()
	for _, r := range c.Remarks {
		if r.Address == i.To && r.Kind != LeftOut {
			c.comment(r.Text)
		}
	}
	kind, name, _ := strings.Cut(i.To, ".")
	block := c.body.AppendNewBlock("resource", []string{kind, name}).Body()
	switch i.To {
	case addressIAMUser:
		c.iamUser(block)
	case addressHook:
		c.hook(block)
	case addressAction:
		c.action(block)
	case addressCredentials:
		c.credentials(block)
	case addressPhoneProvider:
		c.phoneProvider(block)
	case addressFactor:
		c.factor(block)
	case addressMFAPolicy:
		c.mfaPolicy(block)
	}
	c.body.AppendNewline()
	importing := c.body.AppendNewBlock("import", nil).Body()
	importing.SetAttributeTraversal("to", reference(i.To))
	importing.SetAttributeValue("id", cty.StringVal(i.ID))
}

func (c config) iamUser(b *hclwrite.Body) {
	text(b, "name", c.User.Name)
	if c.User.Path != "/" {
		text(b, "path", c.User.Path)
	}
	text(b, "permissions_boundary", c.User.PermissionsBoundary)
	if c.PolicyName != defaultPolicyName {
		text(b, "policy_name", c.PolicyName)
	}
	if awsapi.ValidateTags(c.User.Tags) != nil {
		lifecycle(b).SetAttributeRaw("ignore_changes", hclwrite.TokensForTuple([]hclwrite.Tokens{hclwrite.TokensForIdentifier("tags")}))
		return
	}
	tags := maps.Clone(c.User.Tags)
	maps.DeleteFunc(tags, func(key, _ string) bool { return strings.HasPrefix(key, handover.TagPrefix) })
	stringMap(b, "tags", tags)
}

func (c config) hook(b *hclwrite.Body) {
	text(b, "name", c.Hook.Name)
	if !c.Hook.Enabled {
		b.SetAttributeValue("enabled", cty.False)
	}
	c.senderCode(b, "script")
}

func (c config) action(b *hclwrite.Body) {
	text(b, "name", c.Action.Name)
	if c.Action.Trigger.ID != delivery.TriggerSendPhoneMessage {
		text(b, "trigger", c.Action.Trigger.ID)
	}
	if runtime := c.actionRuntime(); runtime != defaultRuntime && slices.Contains(runtimes(), runtime) {
		text(b, "runtime", runtime)
	}
	c.senderCode(b, "code")
}

// senderCode writes the options of our own code, or names the file of another,
// with the packages where they are not the default.
func (c config) senderCode(b *hclwrite.Body, attribute string) {
	code := c.code()
	if !code.ours {
		b.SetAttributeRaw(attribute, hclwrite.TokensForFunctionCall("file", besideThis(codeFile)))
		stringMap(b, "dependencies", code.dependencies)
		return
	}
	if !reflect.DeepEqual(code.options, sender.Options{}) {
		b.SetAttributeValue("sms", cty.ObjectVal(smsOptions(code.options)))
	}
	if !maps.Equal(code.rendered.Dependencies, code.dependencies) {
		b.SetAttributeValue("dependencies", mapValue(code.dependencies))
	}
}

func smsOptions(o sender.Options) map[string]cty.Value {
	values := map[string]cty.Value{}
	for name, value := range map[string]string{
		"client": string(o.Client), "sms_type": o.SMSType, "sender_id": o.SenderID, "origination_number": o.OriginationNumber,
		"max_price_usd": o.MaxPriceUSD, "entity_id": o.EntityID, "template_id": o.TemplateID,
	} {
		if value != "" {
			values[name] = cty.StringVal(value)
		}
	}
	if len(o.AllowedCountryCodes) > 0 {
		values["allowed_country_codes"] = listValue(o.AllowedCountryCodes)
	}
	if len(o.FallbackRegions) > 0 {
		values["fallback_regions"] = listValue(o.FallbackRegions)
	}
	var texts []cty.Value
	for _, t := range o.Texts {
		own := map[string]cty.Value{}
		for name, value := range map[string]string{
			"client_id": t.ClientID, "language": t.Language,
			"enrollment_message": t.EnrollmentMessage, "verification_message": t.VerificationMessage,
		} {
			if value != "" {
				own[name] = cty.StringVal(value)
			}
		}
		texts = append(texts, cty.ObjectVal(own))
	}
	if len(texts) > 0 {
		values["texts"] = cty.TupleVal(texts)
	}
	if o.Timeout != 0 {
		values["timeout"] = cty.StringVal(o.Timeout.String())
	}
	return values
}

func (c config) credentials(b *hclwrite.Body) {
	b.SetAttributeTraversal("iam_user", reference(addressIAMUser, "name"))
	attribute := "action_id"
	if c.Hook != nil {
		attribute = "hook_id"
	}
	b.SetAttributeTraversal(attribute, reference(c.senderAddress(), "id"))
	text(b, "region", c.Region)
}

// holder refers to the sender after its key, where that is managed.
func (c config) holder() hcl.Traversal {
	if c.AccessKeyID == "" {
		return reference(c.senderAddress(), "id")
	}
	return reference(addressCredentials, "sender_id")
}

func (c config) phoneProvider(b *hclwrite.Body) {
	b.SetAttributeTraversal("action_id", c.holder())
	if c.PhoneProvider.Disabled {
		b.SetAttributeValue("disabled", cty.True)
	}
	b.SetAttributeValue("unified_phone_experience", cty.BoolVal(c.UnifiedPhoneExperience))
}

func (c config) factor(b *hclwrite.Body) {
	asked := c.holder()
	if c.PhoneProvider != nil {
		asked = reference(addressPhoneProvider, "id")
	}
	b.SetAttributeTraversal("sender_id", asked)
	if !c.Factor.Enabled {
		b.SetAttributeValue("enabled", cty.False)
	}
	text(b, "enrollment_message", c.Factor.EnrollmentMessage)
	text(b, "verification_message", c.Factor.VerificationMessage)
	lifecycle(b).SetAttributeValue("create_before_destroy", cty.True)
}

func (c config) mfaPolicy(b *hclwrite.Body) {
	text(b, "policy", c.MFAPolicy)
	if c.Factor != nil {
		b.SetAttributeRaw("depends_on", hclwrite.TokensForTuple([]hclwrite.Tokens{hclwrite.TokensForTraversal(reference(addressFactor))}))
	}
}

func lifecycle(b *hclwrite.Body) *hclwrite.Body {
	b.AppendNewline()
	return b.AppendNewBlock("lifecycle", nil).Body()
}

// text writes an attribute that is not empty.
func text(b *hclwrite.Body, name, value string) {
	if value != "" {
		b.SetAttributeValue(name, cty.StringVal(value))
	}
}

func stringMap(b *hclwrite.Body, name string, values map[string]string) {
	if len(values) > 0 {
		b.SetAttributeValue(name, mapValue(values))
	}
}

func mapValue(values map[string]string) cty.Value {
	if len(values) == 0 {
		return cty.EmptyObjectVal
	}
	object := map[string]cty.Value{}
	for key, value := range values {
		object[key] = cty.StringVal(value)
	}
	return cty.MapVal(object)
}

func listValue(values []string) cty.Value {
	list := make([]cty.Value, len(values))
	for i, value := range values {
		list[i] = cty.StringVal(value)
	}
	return cty.ListVal(list)
}

// reference is type.name, or an attribute of it.
func reference(address string, attributes ...string) hcl.Traversal {
	kind, name, _ := strings.Cut(address, ".")
	traversal := hcl.Traversal{hcl.TraverseRoot{Name: kind}, hcl.TraverseAttr{Name: name}}
	for _, attribute := range attributes {
		traversal = append(traversal, hcl.TraverseAttr{Name: attribute})
	}
	return traversal
}

// besideThis is "${path.module}/name".
func besideThis(name string) hclwrite.Tokens {
	tokens := hclwrite.Tokens{
		{Type: hclsyntax.TokenOQuote, Bytes: []byte(`"`)},
		{Type: hclsyntax.TokenTemplateInterp, Bytes: []byte("${")},
	}
	tokens = append(tokens, hclwrite.TokensForTraversal(hcl.Traversal{hcl.TraverseRoot{Name: "path"}, hcl.TraverseAttr{Name: "module"}})...)
	return append(tokens,
		&hclwrite.Token{Type: hclsyntax.TokenTemplateSeqEnd, Bytes: []byte("}")},
		&hclwrite.Token{Type: hclsyntax.TokenQuotedLit, Bytes: []byte("/" + name)},
		&hclwrite.Token{Type: hclsyntax.TokenCQuote, Bytes: []byte(`"`)})
}
