package provider_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	frameworkprovider "github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/config"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/provider"
)

// What a provider process that a test has Terraform start is told.
const (
	// envControl is the root of the control API whose clock it lives by.
	envControl = "AUTH0SNS_TEST_CONTROL"
	// envProcesses is the directory in which it names itself.
	envProcesses = "AUTH0SNS_TEST_PROCESSES"
)

// TestMain makes the test binary a provider when Terraform starts it: one that a
// test can kill, and whose waits pass at once all the same.
func TestMain(m *testing.M) {
	if !config.StartedByTerraform(config.Environment()) {
		m.Run()
		return
	}
	if err := serveAsProcess(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serveAsProcess(ctx context.Context) error {
	clock := &distantClock{control: os.Getenv(envControl)}
	if err := clock.advance(ctx, time.Nanosecond); err != nil {
		return err
	}
	// The name sorts by time: the last one is the process that runs.
	name := fmt.Sprintf("%d.%d", time.Now().UnixNano(), os.Getpid())
	if err := os.WriteFile(filepath.Join(os.Getenv(envProcesses), name), nil, 0o600); err != nil {
		return err
	}
	return providerserver.Serve(ctx, func() frameworkprovider.Provider {
		return provider.New(provider.Options{Version: "test", Lookup: config.Environment(), Clock: clock})
	}, providerserver.ServeOpts{Address: provider.Address, ProtocolVersion: 6})
}

// distantClock is the clock of a world in another process.
type distantClock struct {
	control string

	mu     sync.Mutex
	offset time.Duration
}

// Now is the world's time, as of the last wait.
func (c *distantClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.offset)
}

// Sleep moves the world on.
func (c *distantClock) Sleep(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return c.advance(context.WithoutCancel(ctx), max(d, time.Nanosecond))
}

func (c *distantClock) advance(ctx context.Context, d time.Duration) error {
	body := fmt.Appendf(nil, `{"advance":%q}`, d)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.control+"/sandbox/clock", bytes.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("clock of the world: %w", err)
	}
	defer resp.Body.Close()
	var answer struct{ Now time.Time }
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return fmt.Errorf("clock of the world: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset = time.Until(answer.Now)
	return nil
}
