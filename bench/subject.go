package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// The two binaries built here, by provider type and by column.
const (
	floor = "floor"
	ours  = "auth0sns"
)

// builtVersion is any version that the configurations' constraints accept.
const builtVersion = "0.1.0"

// subject is one configuration to apply, with the providers it needs.
type subject struct {
	name string
	dir  string   // a Terraform working directory, initialised
	env  []string // of every Terraform command in it
	size int64    // bytes of its provider binaries
	runs []run
}

// prepare builds our binary and the floor's as a release is built, puts them
// into a filesystem mirror, and initialises a directory for each subject.
func prepare(ctx context.Context, work, peers string) ([]*subject, error) {
	mirror := filepath.Join(work, "mirror")
	for name, pkg := range map[string]string{floor: "./bench/floor", ours: "."} {
		if err := build(ctx, pkg, filepath.Join(work, name), filepath.Join(mirror, pluginPath(name))); err != nil {
			return nil, err
		}
	}
	methods := fmt.Sprintf("filesystem_mirror {\n path = %q\n include = [\"auth0sns/*\"]\n}\n", mirror)
	subjects := []*subject{
		{name: "Terraform alone", dir: "bench/alone"},
		{name: floor, dir: "bench/floor"},
		{name: ours, dir: "examples/scenarios/hook"},
	}
	if peers != "" {
		methods += fmt.Sprintf("filesystem_mirror {\n path = %q\n include = [\"hashicorp/*\", \"auth0/*\"]\n}\n", peers)
		subjects = append(subjects, &subject{name: "aws + auth0", dir: "bench/peers"})
	}
	rc := filepath.Join(work, "terraform.rc")
	if err := os.WriteFile(rc, []byte("provider_installation {\n"+methods+"}\n"), 0o600); err != nil {
		return nil, err
	}
	for _, s := range subjects {
		if err := s.init(ctx, filepath.Join(work, "dir-"+filepath.Base(s.dir)), rc); err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return subjects, nil
}

func build(ctx context.Context, pkg, binary, plugin string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w -X main.version="+builtVersion, "-o", binary, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if err := quiet(cmd); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(plugin), 0o700); err != nil {
		return err
	}
	return os.Link(binary, plugin)
}

func pluginPath(name string) string {
	return filepath.Join("registry.terraform.io", "auth0sns", name, builtVersion,
		runtime.GOOS+"_"+runtime.GOARCH, "terraform-provider-"+name+"_v"+builtVersion)
}

// init copies the configuration to dir, so that no state is left in the
// repository, and has Terraform select its providers there.
func (s *subject) init(ctx context.Context, dir, rc string) error {
	files, err := filepath.Glob(filepath.Join(s.dir, "*.tf"))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(file)), content, 0o600); err != nil {
			return err
		}
	}
	s.dir = dir
	s.env = append(environment(), "TF_CLI_CONFIG_FILE="+rc, "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1")
	if err := quiet(s.terraform(ctx, nil, "init")); err != nil {
		return err
	}
	plugins, err := filepath.Glob(filepath.Join(dir, ".terraform/providers/*/*/*/*/*/terraform-provider-*"))
	if err != nil {
		return err
	}
	for _, plugin := range plugins {
		info, err := os.Stat(plugin)
		if err != nil {
			return err
		}
		s.size += info.Size()
	}
	return nil
}

// environment is this process's without what would steer Terraform, a provider or the AWS SDK.
func environment() []string {
	var env []string
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "TF_") && !strings.HasPrefix(entry, "AWS_") && !strings.HasPrefix(entry, "AUTH0_") {
			env = append(env, entry)
		}
	}
	return env
}

func (s *subject) terraform(ctx context.Context, env []string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "terraform", append(args, "-input=false", "-no-color")...)
	cmd.Dir = s.dir
	cmd.Env = append(s.env, env...)
	return cmd
}

// quiet runs cmd and shows what it printed only when it failed.
func quiet(cmd *exec.Cmd) error {
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	return nil
}
