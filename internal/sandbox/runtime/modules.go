package runtime

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/rogpeppe/go-internal/lockedfile"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/sender"
)

var (
	packageName  = regexp.MustCompile(`^(@[a-z0-9][a-z0-9._~-]*/)?[a-z0-9][a-z0-9._~-]*$`)
	exactVersion = regexp.MustCompile(`^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$`)
)

// Modules returns a directory whose node_modules holds deps (npm package to exact version), and installs them there
// when they are not yet. The set that rendered senders declare comes from its lockfile, every other one is resolved by
// npm; install scripts are never run. Several processes may share cacheDir. No deps, no directory: "".
func Modules(ctx context.Context, cacheDir string, deps map[string]string) (string, error) {
	if len(deps) == 0 {
		return "", nil
	}
	for _, name := range slices.Sorted(maps.Keys(deps)) {
		if !packageName.MatchString(name) {
			return "", fmt.Errorf("dependency %q: not an npm package name", name)
		}
		if !exactVersion.MatchString(deps[name]) {
			return "", fmt.Errorf("dependency %q: the sandbox installs exact versions only, like 1.2.3, got %q", name, deps[name])
		}
	}
	if cacheDir == "" {
		return "", errors.New("there is no directory to install npm packages in")
	}
	files, command, err := recipe(deps)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cacheDir, "npm-"+fingerprint(files))
	if installed(dir) {
		return dir, nil
	}
	if err := os.MkdirAll(cacheDir, 0o750); err != nil {
		return "", fmt.Errorf("npm cache: %w", err)
	}
	unlock, err := lock(ctx, dir+".lock")
	if err != nil {
		return "", fmt.Errorf("npm cache: %w", err)
	}
	defer unlock()
	if installed(dir) { // By the one we waited for.
		return dir, nil
	}
	return dir, install(ctx, dir, files, command)
}

// recipe returns the files npm works from, and the npm command.
func recipe(deps map[string]string) (files map[string][]byte, command string, err error) {
	manifest, err := fs.ReadFile(sender.Lockfile(), "package.json")
	if err != nil {
		return nil, "", err
	}
	var pinned struct {
		Dependencies map[string]string `json:"dependencies"`
	}
	if err := json.Unmarshal(manifest, &pinned); err != nil {
		return nil, "", fmt.Errorf("package.json of the sender: %w", err)
	}
	if maps.Equal(pinned.Dependencies, deps) {
		lockfile, err := fs.ReadFile(sender.Lockfile(), "package-lock.json")
		return map[string][]byte{"package.json": manifest, "package-lock.json": lockfile}, "ci", err
	}
	manifest, err = json.Marshal(map[string]any{"private": true, "dependencies": deps})
	return map[string][]byte{"package.json": manifest}, "install", err
}

func fingerprint(files map[string][]byte) string {
	sum := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(sum, "%s %d\n%s", name, len(files[name]), files[name])
	}
	return hex.EncodeToString(sum.Sum(nil))[:16]
}

func installed(dir string) bool {
	_, err := os.Stat(dir)
	return err == nil
}

// install makes dir in one step: it works in a directory beside it that is renamed at the end.
func install(ctx context.Context, dir string, files map[string][]byte, command string) error {
	npm, err := lookPath("npm")
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp(filepath.Dir(dir), "installing-")
	if err != nil {
		return fmt.Errorf("npm cache: %w", err)
	}
	defer func() { _ = os.RemoveAll(work) }()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(work, name), content, 0o600); err != nil {
			return fmt.Errorf("npm cache: %w", err)
		}
	}
	//nolint:gosec // The program is npm from PATH, the command one of two literals.
	cmd := exec.CommandContext(ctx, npm, command, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
	cmd.Dir = work
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm %s: %w: %s", command, errors.Join(err, ctx.Err()), bytes.TrimSpace(output))
	}
	if err := os.Rename(work, dir); err != nil {
		return fmt.Errorf("npm cache: %w", err)
	}
	return nil
}

// lock takes the lock file that processes share. When ctx ends first, the lock is given back as soon as it is got.
func lock(ctx context.Context, path string) (unlock func(), err error) {
	type result struct {
		unlock func()
		err    error
	}
	got := make(chan result, 1)
	go func() {
		unlock, err := lockedfile.MutexAt(path).Lock()
		if err == nil && ctx.Err() != nil {
			unlock()
			err = ctx.Err()
		}
		got <- result{unlock, err}
	}()
	select {
	case r := <-got:
		return r.unlock, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// lookPath finds a program, or says how to get it.
func lookPath(program string) (string, error) {
	path, err := exec.LookPath(program)
	if err != nil {
		return "", fmt.Errorf("%s is needed to run deployed code in the sandbox: install Node.js 18 or newer, which brings it (https://nodejs.org): %w", program, err)
	}
	return path, nil
}
