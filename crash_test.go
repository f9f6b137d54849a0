//go:build unix

package main_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/acctest"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/control"
)

// TestAccNoSecretInACrash ends the provider, and Terraform, while the provider
// holds a secret key that it was about to hand over. What a crash leaves is
// what people attach to bug reports.
func TestAccNoSecretInACrash(t *testing.T) {
	needAcc(t)
	const first, rotation, action = "POST /api/v2/hooks/{id}/secrets", "PATCH /api/v2/hooks/{id}/secrets", "PATCH /api/v2/actions/actions/{id}"
	for name, c := range map[string]struct {
		operation string // the request that is held while the signal comes
		victim    func(processes) int
		signal    syscall.Signal
		level     string // TF_LOG
	}{
		"provider, SIGQUIT, first delivery":       {first, provider, syscall.SIGQUIT, "TRACE"},
		"provider, SIGABRT, rotation":             {rotation, provider, syscall.SIGABRT, "JSON"},
		"provider, SIGABRT, secrets of an Action": {action, provider, syscall.SIGABRT, "TRACE"},
		"provider, SIGSEGV, before the delivery":  {"sts:GetCallerIdentity", provider, syscall.SIGSEGV, "DEBUG"},
		"Terraform, SIGQUIT, first delivery":      {first, terraform, syscall.SIGQUIT, "TRACE"},
		"Terraform, SIGABRT, before the delivery": {"sts:GetCallerIdentity", terraform, syscall.SIGABRT, ""},
	} {
		t.Run(name, func(t *testing.T) {
			env := acctest.New(t, realTime)
			wrapper := crashing(t)
			configuration := scenario(t)
			if c.operation == action {
				configuration = acctest.Config(t, "scenarios/action/main.tf")
			}
			tf := acctest.NewTerraform(t, wrapper.path, configuration, env.Variables)
			minted := 2 // the operator's, and the one that the crash finds
			if c.operation == rotation {
				tf.Must(t, "apply", "-auto-approve")
				minted++
			}
			tf.Set("TF_LOG", c.level)
			// The provider's first question to STS is who the operator is.
			fault := control.Fault{ID: "hold", Operation: c.operation, Effect: control.HoldBefore}
			if c.operation == "sts:GetCallerIdentity" {
				fault.Skip = 2
			}
			if _, err := env.World.Kernel.Faults.Add(fault); err != nil {
				t.Fatal(err)
			}
			apply := tf.Start(t, "apply", "-auto-approve", "-var=rotation=crash")
			awaitHeld(t, env, "hold")
			ids := wrapper.running(t)
			if err := syscall.Kill(c.victim(ids), c.signal); err != nil {
				t.Fatal(err)
			}
			out := apply.Wait(t)
			_ = syscall.Kill(ids.provider, syscall.SIGKILL) // It outlives a Terraform that crashed.
			if out.Code == 0 {
				t.Fatalf("the apply survived the crash:\n%s", out.Stdout)
			}
			requireTrace(t, tf, c.victim(ids) == ids.provider)
			for _, dir := range []string{tf.Root, filepath.Dir(wrapper.path)} {
				requireNoCore(t, dir)
			}
			requireNoSecrets(t, tf, env, minted, nil)
		})
	}
}

// processes are the ids of a provider and of the Terraform that started it.
type processes struct{ provider, terraform int }

func provider(p processes) int  { return p.provider }
func terraform(p processes) int { return p.terraform }

// wrapper stands for the provider's binary: it notes the process ids and then
// becomes the provider, with the fullest crash that Go and the system offer.
type wrapper struct{ path, notes string }

func crashing(t *testing.T) wrapper {
	t.Helper()
	dir := t.TempDir()
	w := wrapper{path: filepath.Join(dir, "provider"), notes: filepath.Join(dir, "pids")}
	script := fmt.Sprintf("#!/bin/sh\nulimit -c unlimited\necho $$ $PPID >>'%s'\nGOTRACEBACK=crash exec '%s' \"$@\"\n", w.notes, binary(t))
	if err := os.WriteFile(w.path, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return w
}

// running are the processes that were started last.
func (w wrapper) running(t *testing.T) processes {
	t.Helper()
	notes, err := os.ReadFile(w.notes)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(notes)), "\n")
	provider, terraform, _ := strings.Cut(lines[len(lines)-1], " ")
	var p processes
	if p.provider, err = strconv.Atoi(provider); err == nil {
		p.terraform, err = strconv.Atoi(terraform)
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func awaitHeld(t *testing.T, env *acctest.Env, id string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := env.World.Kernel.Faults.AwaitHeld(ctx, id); err != nil {
		t.Fatal(err)
	}
}

// requireTrace proves that there was a crash to search, of a provider that was
// in the middle of a hand-over.
func requireTrace(t *testing.T, tf *acctest.Terraform, ofProvider bool) {
	t.Helper()
	wanted := "goroutine "
	if ofProvider {
		wanted = "terraform-provider-auth0sns/internal/handover."
	}
	written, err := filepath.Glob(filepath.Join(tf.Root, "logs", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range written {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(data, []byte(wanted)) {
			return
		}
	}
	t.Errorf("no stack trace with %q was written: the search would miss it", wanted)
}

// requireNoCore looks below a directory for the file that a kernel.core_pattern
// of "core" or "core.%p" writes to where the process runs.
func requireNoCore(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if name := filepath.Base(path); name == "core" || strings.HasPrefix(name, "core.") {
			t.Errorf("the crash left the provider's memory in %s", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestAccNoSecretAtAnyLogLevel mints a key at each setting of Terraform's logs,
// and has Auth0 repeat it in its refusal. TRACE, with a hook, is in
// TestAccNoSecretLeavesMemory.
func TestAccNoSecretAtAnyLogLevel(t *testing.T) {
	needAcc(t)
	for path, settings := range map[string][]map[string]string{
		"hook": {
			{"TF_LOG": "JSON"},
			{"TF_LOG": "DEBUG"},
			{"TF_LOG": "INFO"},
			{"TF_LOG": "WARN"},
			{"TF_LOG": "ERROR"},
			// Each part has a level of its own too.
			{"TF_LOG": "", "TF_LOG_PROVIDER": "TRACE", "TF_LOG_PROVIDER_AUTH0SNS": "TRACE", "TF_LOG_CORE": "OFF"},
			{"TF_LOG": "", "TF_LOG_PROVIDER": "ERROR", "TF_LOG_SDK": "TRACE", "TF_LOG_SDK_PROTO": "TRACE", "TF_LOG_SDK_FRAMEWORK": "TRACE", "TF_LOG_CORE": "TRACE"},
		},
		"action": {{"TF_LOG": "TRACE"}},
	} {
		t.Run(path, func(t *testing.T) {
			env := acctest.New(t, realTime)
			tenant := startTenantProxy(t, env.TenantURL)
			tenant.echoes.Store(true)
			env.Variables["AUTH0_DOMAIN"] = tenant.address
			tf := acctest.NewTerraform(t, binary(t), acctest.Config(t, "scenarios/"+path+"/main.tf"), env.Variables)
			for i, setting := range settings {
				for name, value := range setting {
					tf.Set(name, value)
				}
				log := filepath.Join(tf.Root, "logs", fmt.Sprintf("level-%d.log", i))
				tf.Set("TF_LOG_PATH", log)
				refused := tf.Run(t, "apply", "-auto-approve")
				if refused.Code != 1 || !strings.Contains(refused.Stderr, "400") {
					t.Errorf("%v: exit %d, want the refusal of the delivery:\n%s", setting, refused.Code, refused.Stderr)
				}
				if info, err := os.Stat(log); err != nil || info.Size() == 0 {
					t.Errorf("%v: nothing was logged: the search would miss it: %v", setting, err)
				}
			}
			// The operator's, and one for each refused delivery.
			requireNoSecrets(t, tf, env, 1+len(settings), tenant.issued())
		})
	}
}
