package workspace

import (
	"embed"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/lazyregexp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
)

// moduleAddress is the module in a root module, as main.tf of environment names it.
const moduleAddress = "module.sms_mfa"

// texts are the files that are the same for everybody: module/<path> and
// module/common together are the module, environment is a root module.
//
//go:embed module environment
var texts embed.FS

// Render returns what has to change in the files so that an environment has
// these settings: in the module, in the environment's folder, and nothing where
// all is as it should be. Without imports the file imports.tf stays as it is, and
// of those that are given one that the settings would rename is left out;
// so does backend.tf where the backend is the one that it names. It writes
// nothing. An error is a [ConflictError] where the settings do not go with what
// is there, and otherwise says what is wrong with them.
func (w *Workspace) Render(name string, s Settings, imports []Import) ([]Change, error) {
	if err := ValidateName(name); err != nil {
		return nil, err
	}
	s = s.withDefaults()
	if err := s.Validate(); err != nil {
		return nil, err
	}
	s.Backend = s.Backend.withDefaults(name)
	if err := w.refuseConflicts(name, s); err != nil {
		return nil, err
	}
	module, err := w.renderModule(s.Path)
	if err != nil {
		return nil, err
	}
	environment, err := w.renderEnvironment(name, s, imports)
	return slices.Concat(module, environment), err
}

// refuseConflicts refuses two environments that would take turns at changing one
// tenant, one IAM user, one state or one module.
func (w *Workspace) refuseConflicts(name string, s Settings) error {
	if err := refuseOtherValues(w.path(environmentPlace(name))); err != nil {
		return err
	}
	names, err := w.Environments()
	if err != nil {
		return err
	}
	for _, other := range names {
		if other == name {
			continue
		}
		e, err := w.Read(other)
		if err != nil {
			return err
		}
		switch {
		case e.Settings.Domain == s.Domain:
			return ConflictError{fmt.Sprintf("environment %s is for the tenant %s already: %s needs another one", other, s.Domain, name)}
		case e.Settings.AccountID == s.AccountID && e.Settings.IAMUser == s.IAMUser:
			return ConflictError{fmt.Sprintf("environment %s has the IAM user %s of the account %s already: %s needs another user, or another account", other, s.IAMUser, s.AccountID, name)}
		case e.Settings.Path != "" && e.Settings.Path != s.Path:
			advice := fmt.Sprintf("Move %s first, or keep %s in a folder of its own (--dir)", other, name)
			if slices.Contains(names, name) {
				advice = fmt.Sprintf("To move %s alone, copy modules and environments/%s, with its state where that is a file, to a folder of its own (--dir)", name, name)
			}
			return ConflictError{fmt.Sprintf("the module of this folder is for the path %s, and environment %s has it: %s cannot be for %s. %s", e.Settings.Path, other, name, s.Path, advice)}
		case e.Settings.Backend.sharesState(s.Backend):
			return ConflictError{fmt.Sprintf("environment %s keeps its state there already: %s needs another %s", other, name, backends()[s.Backend.Kind].place)}
		}
	}
	return nil
}

func (w *Workspace) renderModule(way string) ([]Change, error) {
	var changes []Change
	for _, file := range []string{way + "/main.tf", "common/variables.tf", "common/outputs.tf", "common/versions.tf"} {
		text, err := texts.ReadFile("module/" + file)
		if err != nil {
			return nil, err
		}
		if changes, err = w.appendChange(changes, withHeader(text), modulePlace(path.Base(file))...); err != nil {
			return nil, err
		}
	}
	return changes, nil
}

func (w *Workspace) renderEnvironment(name string, s Settings, imports []Import) ([]Change, error) {
	files := map[string][]byte{}
	for file, source := range map[string]string{mainFile: mainFile, "variables.tf": "variables.tf", ".gitignore": "gitignore"} {
		text, err := texts.ReadFile("environment/" + source)
		if err != nil {
			return nil, err
		}
		files[file] = text
	}
	files[mainFile] = slices.Concat(renderRequirements(w.Version), []byte("\n"), files[mainFile])
	own, err := w.ownImports(name, s, imports)
	if err != nil {
		return nil, err
	}
	if len(imports) > 0 {
		text, err := renderImports(own)
		if err != nil {
			return nil, err
		}
		files[importsFile] = text
	}
	now, err := backendOf(w.path(environmentPlace(name)))
	if err != nil {
		return nil, err
	}
	known, err := read(w.path(environmentPlace(name, backendFile)))
	if err != nil {
		return nil, err
	}
	if known == nil || !now.equal(s.Backend) {
		if err := s.Backend.Validate(); err != nil {
			return nil, err
		}
		if known != nil {
			if err := w.refuseMovedState(name, s.Backend); err != nil {
				return nil, err
			}
		}
		files[backendFile] = s.Backend.render()
	}
	var changes []Change
	for _, file := range []string{mainFile, backendFile, importsFile, "variables.tf", ".gitignore"} {
		if text, ok := files[file]; ok {
			if changes, err = w.appendChange(changes, withHeader(text), environmentPlace(name, file)...); err != nil {
				return nil, err
			}
		}
	}
	return w.appendSettings(changes, name, s)
}

// refuseMovedState keeps an environment from forgetting what it has applied: a
// state that moves is copied by Terraform, which asks a person about it.
func (w *Workspace) refuseMovedState(name string, to Backend) error {
	dir := w.path(environmentPlace(name))
	// The first is there once terraform init has succeeded, on any machine of the
	// team; the second is a local state.
	locked, errLock := read(filepath.Join(dir, ".terraform.lock.hcl"))
	state, errState := read(filepath.Join(dir, "terraform.tfstate"))
	if err := errors.Join(errLock, errState); err != nil || locked == nil && state == nil {
		return err
	}
	return ConflictError{fmt.Sprintf("%s was initialized with another backend, and this one would not know what it has applied. Nothing was written. Let Terraform take the state along:\n\n"+
		"1. Write this into %s:\n\n%s\n2. Run terraform -chdir=%s init -migrate-state\n3. Run auth0sns bootstrap --env %s, without --backend",
		name, filepath.Join(dir, backendFile), to.render(), dir, name)}
}

// ownImports leaves out what these settings have no more: a person who sees what
// would be imported and names another user wants one of their own, and an import
// would rename the one that is there. What is in the state needs no import.
func (w *Workspace) ownImports(name string, s Settings, imports []Import) ([]Import, error) {
	path := w.path(environmentPlace(name, settingsFile))
	source, err := read(path)
	if source == nil || err != nil {
		return imports, err
	}
	before, err := parseSettings(path, source)
	if err != nil {
		return nil, err
	}
	before = before.withDefaults()
	return slices.DeleteFunc(slices.Clone(imports), func(i Import) bool {
		switch i.To {
		case moduleAddress + ".auth0sns_iam_user.sms":
			return i.ID != s.IAMUser
		case moduleAddress + ".auth0sns_action.sms": // On the other path a tenant has but one, whatever its name.
			return s.Path == PathAction && before.SenderName != s.SenderName
		default:
			return false
		}
	}), nil
}

// appendSettings appends the change of terraform.tfvars, if there is one.
func (w *Workspace) appendSettings(changes []Change, name string, s Settings) ([]Change, error) {
	place := environmentPlace(name, settingsFile)
	source, err := read(w.path(place))
	if err != nil {
		return nil, err
	}
	after, err := editSettings(w.path(place), source, s)
	if err != nil {
		return nil, err
	}
	before := len(changes)
	changes, err = w.appendChange(changes, after, place...)
	if err == nil && len(changes) > before {
		changes[before].Edited = false
	}
	return changes, err
}

func (w *Workspace) appendChange(changes []Change, after []byte, place ...string) ([]Change, error) {
	c, ok, err := w.change(after, place...)
	if err != nil || !ok {
		return changes, err
	}
	return append(changes, c), nil
}

// releasePattern is the version of a release: main and minor version.
var releasePattern = lazyregexp.New(`^v?([0-9]+\.[0-9]+)\.[0-9]+$`)

// renderRequirements is the terraform block of a root module.
func renderRequirements(version string) []byte {
	provider := map[string]cty.Value{"source": cty.StringVal("auth0sns/auth0sns")}
	if release := releasePattern.FindStringSubmatch(version); release != nil {
		provider["version"] = cty.StringVal("~> " + release[1] + ".0")
	}
	file := hclwrite.NewEmptyFile()
	terraform := file.Body().AppendNewBlock("terraform", nil).Body()
	terraform.SetAttributeValue("required_version", cty.StringVal(">= "+minTerraform))
	terraform.AppendNewBlock("required_providers", nil).Body().SetAttributeValue("auth0sns", cty.ObjectVal(provider))
	return hclwrite.Format(file.Bytes())
}

func renderImports(imports []Import) ([]byte, error) {
	file := hclwrite.NewEmptyFile()
	comment(file.Body(), "What was there before. Applied once, these blocks do nothing more, and may go.")
	for _, i := range imports {
		to, diags := hclsyntax.ParseTraversalAbs([]byte(i.To), i.To, hcl.InitialPos)
		if diags.HasErrors() {
			return nil, fmt.Errorf("%w", diags)
		}
		file.Body().AppendNewline()
		block := file.Body().AppendNewBlock("import", nil).Body()
		block.SetAttributeTraversal("to", to)
		block.SetAttributeValue("id", cty.StringVal(i.ID))
	}
	return hclwrite.Format(file.Bytes()), nil
}
