// Package workspace writes, reads and runs the Terraform configuration of SMS
// MFA: one module, and one root module for each environment.
//
//	modules/sms_mfa/          the same text for every environment
//	environments/staging/     main.tf, backend.tf, variables.tf, terraform.tfvars, …
//	environments/production/
//
// It is the only package that knows hclwrite and terraform-exec.
package workspace

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// The layout. Terraform reads the first two names by itself.
const (
	settingsFile = "terraform.tfvars"
	mainFile     = "main.tf"
	backendFile  = "backend.tf"
	importsFile  = "imports.tf"
)

func modulePlace(name string) []string { return []string{"modules", "sms_mfa", name} }

func environmentPlace(environment string, name ...string) []string {
	return append([]string{"environments", environment}, name...)
}

// Workspace is the folder that holds modules/ and environments/. Neither has to
// exist yet.
type Workspace struct {
	// Version is that of this program and provider, "1.4.2". A configuration
	// that is rendered asks for this minor version; for a build without a
	// release, "" or "0.0.0-dev", it names none.
	Version string

	dir string
}

// Open names the folder; it reads nothing.
func Open(dir string) *Workspace { return &Workspace{dir: dir} }

// Environment is what the files of one environment say.
type Environment struct {
	Name     string // "staging"
	Dir      string // of its root module: where Terraform runs
	Settings Settings
	Imports  []Import
}

// Import is one import block.
type Import struct {
	To string // "module.sms_mfa.auth0sns_iam_user.sms"
	ID string
}

func (w *Workspace) path(place []string) string {
	return filepath.Join(append([]string{w.dir}, place...)...)
}

// Environments returns the names of the environments, sorted: of the folders
// that have a terraform.tfvars.
func (w *Workspace) Environments() ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(w.dir, "environments"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var names []string
	for _, entry := range entries {
		if ValidateName(entry.Name()) != nil {
			continue
		}
		if _, err := os.Lstat(w.path(environmentPlace(entry.Name(), settingsFile))); err == nil {
			names = append(names, entry.Name())
		}
	}
	return names, nil
}

// Read returns what the files of an environment say; the error is
// [fs.ErrNotExist] where there is no such environment. Settings that the files
// leave open have their defaults. What is no literal in them is an error: it
// could not be compared before anything changes, and so is a tenant or an account
// that they do not name.
func (w *Workspace) Read(name string) (Environment, error) {
	if err := ValidateName(name); err != nil {
		return Environment{}, err
	}
	e := Environment{Name: name, Dir: w.path(environmentPlace(name))}
	source, err := read(filepath.Join(e.Dir, settingsFile))
	if err == nil && source == nil {
		err = fmt.Errorf("environment %s: %w", name, &fs.PathError{Op: "open", Path: filepath.Join(e.Dir, settingsFile), Err: fs.ErrNotExist})
	}
	if err != nil {
		return Environment{}, err
	}
	if err := refuseOtherValues(e.Dir); err != nil {
		return Environment{}, err
	}
	if e.Settings, err = parseSettings(filepath.Join(e.Dir, settingsFile), source); err != nil {
		return Environment{}, err
	}
	if err := refuseUnpinned(filepath.Join(e.Dir, settingsFile), e.Settings); err != nil {
		return Environment{}, err
	}
	e.Settings = e.Settings.withDefaults()
	if e.Settings.Path, err = w.modulePath(); err != nil {
		return Environment{}, err
	}
	if e.Settings.Backend, err = backendOf(e.Dir); err != nil {
		return Environment{}, err
	}
	e.Imports, err = importsOf(e.Dir)
	return e, err
}

// refuseUnpinned refuses an environment that is there and does not say whom it is
// for, as after a merge that went wrong: whatever tenant and account the shell
// happens to have would be taken for its own, and written down.
func refuseUnpinned(path string, s Settings) error {
	var missing string
	switch {
	case s.Domain == "":
		missing = "auth0_domain"
	case s.AccountID == "":
		missing = "aws_account_id"
	default:
		return nil
	}
	return ConflictError{fmt.Sprintf("%s has no %s, so nobody can tell whether the tenant and the account of this shell are meant. Put it back, as it was", path, missing)}
}

// refuseOtherValues refuses files that Terraform would read beside, and over,
// terraform.tfvars: with them the tenant that is compared would not be the one
// that is changed.
func refuseOtherValues(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, entry := range entries {
		name := strings.TrimSuffix(entry.Name(), ".json")
		if strings.HasSuffix(name, ".auto.tfvars") || name == settingsFile && name != entry.Name() {
			return ConflictError{fmt.Sprintf("Terraform would read %s over %s, which is where auth0sns looks for the tenant and the account. Move its values there",
				filepath.Join(dir, entry.Name()), settingsFile)}
		}
	}
	return err
}

// modulePath tells by its resources which path the module is for; "" where there
// is no module.
func (w *Workspace) modulePath() (string, error) {
	path := w.path(modulePlace(mainFile))
	source, err := read(path)
	if source == nil || err != nil {
		return "", err
	}
	body, err := parse(path, source)
	if err != nil {
		return "", err
	}
	for _, resource := range blocksOf(body, "resource") {
		if resource.Labels[0] == "auth0sns_phone_provider" {
			return PathUnified, nil
		}
	}
	return PathAction, nil
}

func backendOf(dir string) (Backend, error) {
	path := filepath.Join(dir, backendFile)
	source, err := read(path)
	if err != nil {
		return Backend{}, err
	}
	return parseBackend(path, source)
}

func importsOf(dir string) ([]Import, error) {
	path := filepath.Join(dir, importsFile)
	source, err := read(path)
	if err != nil {
		return nil, err
	}
	body, err := parse(path, source)
	if err != nil {
		return nil, err
	}
	var imports []Import
	for _, block := range blocksOf(body, "import") {
		to, id := block.Body.Attributes["to"], textsOf(block.Body)["id"]
		if to != nil && id != "" {
			imports = append(imports, Import{To: string(to.Expr.Range().SliceBytes(unixLines(source))), ID: id})
		}
	}
	return imports, nil
}

// parse reads a file of Terraform; nil is an empty one.
func parse(path string, source []byte) (*hclsyntax.Body, error) {
	file, diags := hclsyntax.ParseConfig(unixLines(source), path, hcl.InitialPos)
	if diags.HasErrors() {
		return nil, fmt.Errorf("%w", diags)
	}
	body, _ := file.Body.(*hclsyntax.Body)
	return body, nil
}

// blocksOf are the blocks of one type.
func blocksOf(body *hclsyntax.Body, kind string) []*hclsyntax.Block {
	return slices.DeleteFunc(slices.Clone(body.Blocks), func(b *hclsyntax.Block) bool { return b.Type != kind })
}

// ConflictError says that a configuration would not go with what is there.
type ConflictError struct{ reason string }

func (e ConflictError) Error() string { return e.reason }
