package cli

import (
	"cmp"
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/workspace"
)

// What became of a file.
const (
	fileCreated = "created"
	fileUpdated = "updated"
	fileKept    = "kept" // a person edited it, and it stays as it is
)

// fileResult is one file of the configuration that is not as it should be.
type fileResult struct {
	Path   string `json:"path"`
	Result string `json:"result"` // created, updated or kept
}

// write writes the configuration and then, since it is made from that, the
// pipeline.
func (b *bootstrap) write(ctx context.Context) error {
	b.out.progress("\nFiles")
	changes, err := b.files.Render(b.flags.environment, b.settings, b.imports)
	if err != nil {
		return err
	}
	if err := errors.Join(b.refuseForeign(changes), b.refuseUnproved(changes)); err != nil {
		return err
	}
	stages, err := b.stages()
	if err != nil {
		return err
	}
	if err := b.put(ctx, changes); err != nil {
		return err
	}
	if b.flags.ci != "" {
		if changes, err = b.files.Pipeline(b.flags.ci, stages); err != nil {
			return err
		}
		if err := b.put(ctx, changes); err != nil {
			return err
		}
	}
	if len(b.result.Files) == 0 {
		b.out.progress("  up to date")
	}
	return nil
}

// refuseForeign keeps a new environment out of a folder that holds a configuration
// of somebody else's, such as generate's: half of each is none.
func (b *bootstrap) refuseForeign(changes []workspace.Change) error {
	for _, change := range changes {
		path := filepath.ToSlash(change.Path)
		if b.isNew && change.Edited && strings.HasSuffix(path, ".tf") && strings.Contains(path, "environments/"+b.flags.environment+"/") {
			return refuse("%s is there already, and is not of auth0sns bootstrap. Nothing was done. Take another --env or --dir, or go on with that configuration by terraform itself", change.Path)
		}
	}
	return nil
}

// refuseUnproved keeps --from from writing another module than the one that was
// applied there, as a newer version of this program would.
func (b *bootstrap) refuseUnproved(changes []workspace.Change) error {
	for _, change := range changes {
		if b.flags.from == "" || change.Before == nil || change.Edited || !strings.Contains(filepath.ToSlash(change.Path), "modules/sms_mfa/") {
			continue
		}
		if !b.flags.force {
			return refuse("this version of auth0sns writes another %s than %s was applied with, and it would reach %s unproved. Nothing was done. Run auth0sns bootstrap --env %s first; --force goes on all the same",
				change.Path, b.from.Name, b.flags.environment, b.from.Name)
		}
		b.out.progress("  --force: going on, although %s was applied with another %s", b.from.Name, change.Path)
	}
	return nil
}

// put shows what changes and writes it. What a person edited stays, unless the
// person says otherwise.
func (b *bootstrap) put(ctx context.Context, changes []workspace.Change) error {
	var wanted []workspace.Change
	for _, change := range changes {
		result, err := b.decide(ctx, change)
		if err != nil {
			return err
		}
		b.result.Files = append(b.result.Files, fileResult{change.Path, result})
		if result != fileKept {
			wanted = append(wanted, change)
		}
	}
	return b.files.Write(wanted)
}

// stages are the environments of the pipeline, in the order in which a change
// reaches them: production last. What a pipeline cannot be made of is refused
// while nothing is written yet.
func (b *bootstrap) stages() ([]string, error) {
	if b.flags.ci == "" {
		return nil, nil
	}
	others, err := b.others()
	if err != nil {
		return nil, err
	}
	names := []string{b.flags.environment}
	for _, other := range others {
		if other.Settings.Backend.Kind == "local" {
			return nil, refuse("--ci %s: the state of %s is a file on one machine, which a pipeline cannot reach. Nothing was done. Move that state first: auth0sns bootstrap --env %s --backend … says how", b.flags.ci, other.Name, other.Name)
		}
		names = append(names, other.Name)
	}
	isProduction := func(name string) int { return strings.Count(name, "prod") }
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(isProduction(a), isProduction(b)), cmp.Compare(a, b))
	})
	if isProduction(names[0]) > 0 && !b.flags.force {
		return nil, refuse("%s would be the pipeline's first environment, which is applied on every merge without approval. Nothing was done. Set up one before it, such as staging; --force goes on all the same", names[0])
	}
	return names, nil
}

// decide shows a change of a file and tells what is to become of it.
func (b *bootstrap) decide(ctx context.Context, change workspace.Change) (string, error) {
	if change.Before == nil {
		b.out.progress("  %s  new", change.Path)
		return fileCreated, nil
	}
	diff := indent(change.Diff(), "    ")
	if !change.Edited {
		b.out.progress("  %s  changes\n%s", change.Path, diff)
		return fileUpdated, nil
	}
	if b.terminal == nil {
		b.out.progress("  %s  edited by hand, and kept. What this version would write:\n%s\n  To get it, delete the file and run the same command again, or say yes to it on a terminal.", change.Path, diff)
		return fileKept, nil
	}
	b.out.progress("  %s  edited by hand. What this version would write:\n%s", change.Path, diff)
	overwrite, err := b.terminal.confirm(ctx, change.Path+" was edited by hand. Overwrite it, as shown?")
	if err != nil || overwrite {
		return fileUpdated, err
	}
	b.out.progress("  %s stays as it is.", change.Path)
	return fileKept, nil
}

func indent(text, by string) string {
	return by + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n"+by)
}

// untouched is what is said where a plan is not applied: the truth about the
// files too, which the next plan, of whoever makes it, is made from.
func (b *bootstrap) untouched() string {
	const nothing = "Neither tenant nor account was changed"
	if b.isNew {
		return nothing + "; the files stay, and the same command goes on from here"
	}
	var written []string
	for _, f := range b.result.Files {
		if f.Result != fileKept {
			written = append(written, f.Path)
		}
	}
	if len(written) == 0 {
		return nothing
	}
	return nothing + ", but this run has written what was asked for to " + strings.Join(written, ", ") + ": put that back (git checkout), or apply it"
}

// filesChanged tells whether this run wrote any file.
func (b *bootstrap) filesChanged() bool {
	return slices.ContainsFunc(b.result.Files, func(f fileResult) bool { return f.Result != fileKept })
}
