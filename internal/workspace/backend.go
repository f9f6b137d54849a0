package workspace

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
)

// Backend is where the state is. Each kind locks it.
type Backend struct {
	// Kind is one of [BackendKinds]; empty means local.
	Kind string
	// Settings are those of Terraform's backend of that kind, such as bucket,
	// key and region; of remote: organization, workspace, hostname. Never a
	// credential: those come from the environment.
	Settings map[string]string
}

const (
	backendLocal  = "local"
	backendS3     = "s3"
	backendGCS    = "gcs"
	backendAzure  = "azurerm"
	backendRemote = "remote"
)

// backend is what is known of one kind of Terraform's backends.
type backend struct {
	note     string // what locks the state
	required []string
	optional []string
	fixed    map[string]cty.Value
	// place is the setting that tells the states of two environments apart.
	place string
}

// backends have no setting that is a credential.
// https://developer.hashicorp.com/terraform/language/backend
func backends() map[string]backend {
	return map[string]backend{
		backendLocal: {note: "The state is a file on this machine, locked while Terraform runs. For a team choose a shared backend."},
		backendS3: {
			note:     "The state is locked by an object beside it, <key>.tflock.",
			required: []string{"bucket", "key", "region"},
			optional: []string{"kms_key_id", "profile"},
			fixed:    map[string]cty.Value{"encrypt": cty.True, "use_lockfile": cty.True},
			place:    "key",
		},
		backendGCS: {
			note:     "Cloud Storage locks the state by itself.",
			required: []string{"bucket", "prefix"},
			optional: []string{"impersonate_service_account", "kms_encryption_key"},
			place:    "prefix",
		},
		backendAzure: {
			note:     "Blob Storage locks the state by a lease.",
			required: []string{"storage_account_name", "container_name", "key"},
			optional: []string{"resource_group_name", "subscription_id", "tenant_id"},
			fixed:    map[string]cty.Value{"use_azuread_auth": cty.True},
			place:    "key",
		},
		backendRemote: {
			note:     "HCP Terraform keeps and locks the state. Choose local execution for the workspace: credentials come from where Terraform runs.",
			required: []string{"organization", "workspace"},
			optional: []string{"hostname"},
			place:    "workspace",
		},
	}
}

// BackendKinds are the kinds of backend: all of them lock the state.
func BackendKinds() []string { return slices.Sorted(maps.Keys(backends())) }

// BackendSettings are the names of the settings that a kind of backend needs,
// and of those that it may have.
func BackendSettings(kind string) (required, optional []string) {
	known := backends()[kind]
	return known.required, known.optional
}

// withDefaults gives an environment a place of its own where none is named.
func (b Backend) withDefaults(environment string) Backend {
	b.Kind = cmp.Or(b.Kind, backendLocal)
	place := backends()[b.Kind].place
	if place == "" || b.Settings[place] != "" {
		return b
	}
	b.Settings = maps.Clone(b.Settings)
	if b.Settings == nil {
		b.Settings = map[string]string{}
	}
	switch place {
	case "key":
		b.Settings[place] = "sms-mfa/" + environment + ".tfstate"
	case "prefix":
		b.Settings[place] = "sms-mfa/" + environment
	default:
		b.Settings[place] = "sms-mfa-" + environment
	}
	return b
}

// Validate names the settings that a backend lacks, and those that it cannot
// have. Where the state lies within it may be left open.
func (b Backend) Validate() error {
	kind := cmp.Or(b.Kind, backendLocal)
	known, ok := backends()[kind]
	if !ok {
		return fmt.Errorf("backend: %q is none of %s", kind, strings.Join(BackendKinds(), ", "))
	}
	var problems []error
	for _, name := range known.required {
		if b.Settings[name] == "" && name != known.place {
			problems = append(problems, fmt.Errorf("backend %s: %s is missing", kind, name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b.Settings)) {
		if !slices.Contains(known.required, name) && !slices.Contains(known.optional, name) {
			problems = append(problems, fmt.Errorf("backend %s: %q is no setting of it here: use %s. Credentials come from the environment, locking is always on",
				kind, name, strings.Join(slices.Concat(known.required, known.optional), ", ")))
		}
	}
	return errors.Join(problems...)
}

func (b Backend) equal(other Backend) bool {
	return b.Kind == other.Kind && maps.Equal(b.Settings, other.Settings)
}

// sharesState tells whether two environments would overwrite each other's state.
func (b Backend) sharesState(other Backend) bool {
	if b.Kind != other.Kind || b.Kind == backendLocal {
		return false
	}
	for _, name := range backends()[b.Kind].required {
		if name != "region" && b.Settings[name] != other.Settings[name] {
			return false
		}
	}
	return b.Settings["hostname"] == other.Settings["hostname"]
}

// render is the text of backend.tf.
func (b Backend) render() []byte {
	known := backends()[b.Kind]
	file := hclwrite.NewEmptyFile()
	comment(file.Body(), known.note)
	terraform := file.Body().AppendNewBlock("terraform", nil).Body()
	if b.Kind == backendRemote {
		cloud := terraform.AppendNewBlock("cloud", nil).Body()
		for _, name := range []string{"hostname", "organization"} {
			if value := b.Settings[name]; value != "" {
				cloud.SetAttributeValue(name, cty.StringVal(value))
			}
		}
		cloud.AppendNewline()
		cloud.AppendNewBlock("workspaces", nil).Body().SetAttributeValue("name", cty.StringVal(b.Settings["workspace"]))
		return hclwrite.Format(file.Bytes())
	}
	body := terraform.AppendNewBlock("backend", []string{b.Kind}).Body()
	for _, name := range slices.Concat(known.required, known.optional) {
		if value := b.Settings[name]; value != "" {
			body.SetAttributeValue(name, cty.StringVal(value))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(known.fixed)) {
		body.SetAttributeValue(name, known.fixed[name])
	}
	return hclwrite.Format(file.Bytes())
}

// parseBackend reads a backend.tf, a person's too: what it says beyond the
// settings that are known here is left out. Without a backend it is local.
func parseBackend(path string, source []byte) (Backend, error) {
	body, err := parse(path, source)
	if err != nil {
		return Backend{}, err
	}
	for _, terraform := range blocksOf(body, "terraform") {
		for _, block := range blocksOf(terraform.Body, "backend") {
			return Backend{Kind: block.Labels[0], Settings: textsOf(block.Body)}.known(), nil
		}
		for _, cloud := range blocksOf(terraform.Body, "cloud") {
			settings := textsOf(cloud.Body)
			for _, workspaces := range blocksOf(cloud.Body, "workspaces") {
				settings["workspace"] = textsOf(workspaces.Body)["name"]
			}
			return Backend{Kind: backendRemote, Settings: settings}.known(), nil
		}
	}
	return Backend{Kind: backendLocal}, nil
}

// known leaves out the settings that are not known here.
func (b Backend) known() Backend {
	required, optional := BackendSettings(b.Kind)
	maps.DeleteFunc(b.Settings, func(name, _ string) bool {
		return !slices.Contains(required, name) && !slices.Contains(optional, name)
	})
	if len(b.Settings) == 0 {
		b.Settings = nil
	}
	return b
}

// textsOf are the attributes of a block that are plain strings.
func textsOf(body *hclsyntax.Body) map[string]string {
	texts := map[string]string{}
	for name, attribute := range body.Attributes {
		if value, diags := attribute.Expr.Value(nil); !diags.HasErrors() && value.Type() == cty.String && !value.IsNull() {
			texts[name] = value.AsString()
		}
	}
	return texts
}

// comment writes a comment of one line, as wide as it is.
func comment(body *hclwrite.Body, text string) {
	body.AppendUnstructuredTokens(hclwrite.Tokens{{Type: hclsyntax.TokenComment, Bytes: []byte("# " + text + "\n")}})
}
