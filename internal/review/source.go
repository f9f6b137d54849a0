package review

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	tfjson "github.com/hashicorp/terraform-json"
	"github.com/zclconf/go-cty/cty"
)

// Source is the configuration of a plan, as its files have it.
type Source struct {
	blocks map[string]block // by configurationAddress
}

type block struct {
	position            Position
	createBeforeDestroy bool
}

// ReadSource reads the files of the root module in dir, and those of modules that
// the plan names by a path below or beside it. Modules of a registry are left out.
func ReadSource(plan *tfjson.Plan, dir string) (Source, error) {
	s := Source{map[string]block{}}
	if plan.Config == nil {
		return s, nil
	}
	return s, s.read(plan.Config.RootModule, "", dir)
}

func (s Source) read(module *tfjson.ConfigModule, path, dir string) error {
	if module == nil {
		return nil
	}
	files, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, file := range files {
		if filepath.Ext(file.Name()) != ".tf" {
			continue
		}
		if err := s.readFile(path, filepath.Join(dir, file.Name())); err != nil {
			return err
		}
	}
	for name, call := range module.ModuleCalls {
		if call == nil || !strings.HasPrefix(call.Source, "./") && !strings.HasPrefix(call.Source, "../") {
			continue
		}
		below := strings.TrimPrefix(path+".module."+name, ".")
		if err := s.read(call.Module, below, filepath.Join(dir, filepath.FromSlash(call.Source))); err != nil {
			return err
		}
	}
	return nil
}

func (s Source) readFile(path, file string) error {
	text, err := os.ReadFile(file) //nolint:gosec // The folder is what the person names.
	if err != nil {
		return err
	}
	parsed, diags := hclsyntax.ParseConfig(text, file, hcl.InitialPos)
	if diags.HasErrors() {
		return fmt.Errorf("configuration: %w", diags)
	}
	body, ok := parsed.Body.(*hclsyntax.Body)
	if !ok {
		return nil
	}
	for _, b := range body.Blocks {
		if b.Type == "resource" && len(b.Labels) == 2 {
			s.blocks[configurationAddress(path, b.Labels[0], b.Labels[1])] = block{
				position:            Position{File: filepath.ToSlash(file), Line: b.DefRange().Start.Line},
				createBeforeDestroy: createsFirst(b.Body),
			}
		}
	}
	return nil
}

// createsFirst tells whether a resource has create_before_destroy.
func createsFirst(body *hclsyntax.Body) bool {
	for _, b := range body.Blocks {
		if attribute := b.Body.Attributes["create_before_destroy"]; b.Type == "lifecycle" && attribute != nil {
			v, diags := attribute.Expr.Value(nil)
			return !diags.HasErrors() && (v.RawEquals(cty.True) || v.RawEquals(cty.StringVal("true")))
		}
	}
	return false
}

// Locate gives findings the positions of their blocks.
func (s Source) Locate(findings []Finding) {
	for i, f := range findings {
		if b, ok := s.blocks[withoutKeys(f.Address)]; ok {
			findings[i].Position = &b.position
		}
	}
}

// Findings finds factors without create_before_destroy, which no plan shows
// before it is too late. A plan that changes nothing of ours is not judged.
func (s Source) Findings(plan *tfjson.Plan) []Finding {
	p := newPlanned(plan)
	if !slices.ContainsFunc(p.changes, func(c change) bool {
		return strings.HasPrefix(c.Type, "auth0sns_") && (c.touched() || c.has(tfjson.ActionDelete))
	}) {
		return nil
	}
	var findings []Finding
	for _, c := range p.of(typeFactor) {
		b, ok := s.blocks[withoutKeys(c.Address)]
		if ok && c.remains() && !b.createBeforeDestroy {
			findings = append(findings, c.finding("create-before-destroy-missing", High, "The next change of the sender destroys what is live before its replacement is there.").because("%s", wayOfThings))
		}
	}
	return findings
}

func withoutKeys(address string) string { return instanceKey.ReplaceAllString(address, "") }

// fileURI is a relative file as SARIF names it.
func fileURI(file string) string { return (&url.URL{Path: file}).EscapedPath() }
