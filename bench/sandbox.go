package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// sandbox is a running `auth0sns sandbox`, of which one tenant and one account are used.
type sandbox struct {
	cmd     *exec.Cmd
	front   *httptest.Server // HTTPS before the tenant
	control string           // address of the control API
	env     []string         // what leads a provider to tenant and account
	seen    int64            // last journal entry that was counted
}

// description is the part used here of what the sandbox prints.
type description struct {
	ControlURL string `json:"control_url"`
	Instances  []struct {
		Auth0 struct {
			Domain string `json:"domain"`
		} `json:"auth0"`
		Env map[string]string `json:"env"`
	} `json:"instances"`
}

// startSandbox starts one where a new access key works at once: how long AWS
// takes would be the same for every subject that waits for it.
func startSandbox(ctx context.Context, binary, cache string) (*sandbox, error) {
	cmd := exec.CommandContext(ctx, binary, "sandbox", "--json", "--instances", "bench", "--key-delay", "0s", "--cache-dir", cache)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	box := &sandbox{cmd: cmd}
	var world description
	if err := json.NewDecoder(stdout).Decode(&world); err != nil {
		box.stop()
		return nil, fmt.Errorf("the sandbox did not describe itself: %w\n%s", err, &stderr)
	}
	instance := world.Instances[0]
	box.control = world.ControlURL
	for name, value := range instance.Env {
		box.env = append(box.env, name+"="+value)
	}
	if err := box.serveTLS(instance.Auth0.Domain, filepath.Join(filepath.Dir(binary), "front.pem")); err != nil {
		box.stop()
		return nil, err
	}
	return box, nil
}

// serveTLS puts HTTPS before the tenant for the Auth0 provider, which speaks nothing else.
func (b *sandbox) serveTLS(tenant, roots string) error {
	target, err := url.Parse(tenant)
	if err != nil {
		return err
	}
	b.front = httptest.NewTLSServer(httputil.NewSingleHostReverseProxy(target))
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: b.front.Certificate().Raw})
	b.env = append(b.env,
		"SSL_CERT_FILE="+roots,
		"TF_VAR_auth0_domain_tls="+b.front.Listener.Addr().String(),
		"TF_VAR_auth0_audience="+tenant+"/api/v2/")
	return os.WriteFile(roots, certificate, 0o600)
}

func (b *sandbox) stop() {
	if b.front != nil {
		b.front.Close()
	}
	_ = b.cmd.Process.Signal(os.Interrupt)
	_ = b.cmd.Wait()
}

// reset empties tenant and account; addresses and credentials stay.
func (b *sandbox) reset(ctx context.Context) error {
	return b.call(ctx, http.MethodPost, "/sandbox/reset", nil)
}

// requests counts what tenant and account were asked since the last call.
func (b *sandbox) requests(ctx context.Context) (int, error) {
	var entries []struct {
		Seq int64 `json:"seq"`
	}
	if err := b.call(ctx, http.MethodGet, fmt.Sprintf("/sandbox/journal?since=%d", b.seen), &entries); err != nil {
		return 0, err
	}
	if len(entries) > 0 {
		b.seen = entries[len(entries)-1].Seq
	}
	return len(entries), nil
}

func (b *sandbox) call(ctx context.Context, method, path string, answer any) error {
	req, err := http.NewRequestWithContext(ctx, method, b.control+path, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %s", method, path, resp.Status)
	}
	if answer == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(answer)
}
