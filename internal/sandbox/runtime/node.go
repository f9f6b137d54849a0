// Package runtime runs the code that a tenant has deployed: byte for byte, in a Node process of its own per run, with
// its npm packages, and with no network but the emulated AWS account.
package runtime

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/auth0"
)

const (
	// defaultTimeout is Auth0's limit for one run of the code behind an MFA step.
	defaultTimeout = 20 * time.Second
	maxLogs        = 64 << 10
	maxResult      = 1 << 20
)

//go:embed *.js
var sources embed.FS

// Config makes a Node.
type Config struct {
	// CacheDir keeps installed npm packages between runs and processes.
	CacheDir string
	// AWS answers every request that deployed code sends to *.amazonaws.com[.cn].
	AWS http.Handler
}

// Node runs deployed code with the Node.js on PATH. It needs Linux or macOS, where a child process can be given a
// third file descriptor.
type Node struct {
	cacheDir string
	dir      string // The runner's files, and the home directory of the code it runs.
	gateway  *gateway
}

var _ auth0.Runner = (*Node)(nil)

// New starts the TLS gateway and writes the runner's files to a temporary directory; Close ends and removes them.
// Node itself is looked for at the first run, so that a sandbox can do all the rest without it.
func New(ctx context.Context, config Config) (*Node, error) {
	gateway, err := startGateway(ctx, config.AWS)
	if err != nil {
		return nil, fmt.Errorf("TLS gateway: %w", err)
	}
	n := &Node{cacheDir: config.CacheDir, gateway: gateway}
	if err := n.writeFiles(); err != nil {
		return nil, errors.Join(fmt.Errorf("node runner: %w", err), n.Close())
	}
	return n, nil
}

func (n *Node) writeFiles() (err error) {
	if n.dir, err = os.MkdirTemp("", "auth0sns-node-"); err != nil {
		return err
	}
	if err := os.CopyFS(n.dir, sources); err != nil {
		return err
	}
	return os.WriteFile(n.path("ca.pem"), n.gateway.ca.pem, 0o600)
}

// Close stops the gateway and removes the temporary directory.
func (n *Node) Close() error {
	return errors.Join(n.gateway.close(), os.RemoveAll(n.dir))
}

func (n *Node) path(name string) string { return filepath.Join(n.dir, name) }

// Run runs a hook or an Action. The job reaches Node on standard input only: secrets are in no argument, environment
// or file. A job that does not answer within its Timeout (20 s when zero) is killed, which is a RunError of the code.
func (n *Node) Run(ctx context.Context, job auth0.Job) (auth0.Result, error) {
	if job.Kind != auth0.KindHook && job.Kind != auth0.KindAction {
		return auth0.Result{}, fmt.Errorf("cannot run code of kind %q, only a hook or an action", job.Kind)
	}
	node, err := lookPath("node")
	if err != nil {
		return auth0.Result{}, err
	}
	modules, err := Modules(ctx, n.cacheDir, job.Dependencies)
	if err != nil {
		return auth0.Result{}, fmt.Errorf("npm packages of the %s: %w", job.Kind, err)
	}
	input, err := json.Marshal(map[string]any{
		"gateway": map[string]any{"host": n.gateway.address.IP.String(), "port": n.gateway.address.Port}, "modules": modules, "dependencies": orEmpty(job.Dependencies),
		"kind": job.Kind, "script": job.Script,
		"recipient": job.Recipient, "text": job.Text, "context": job.Context,
		"handler": job.Handler, "event": job.Event,
	})
	if err != nil {
		return auth0.Result{}, fmt.Errorf("%s input: %w", job.Kind, err)
	}

	timeout := job.Timeout
	if timeout == 0 {
		timeout = defaultTimeout
	}
	runCtx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	//nolint:gosec // The program is node from PATH, the script one of our own files.
	cmd := exec.CommandContext(runCtx, node, n.path(job.Kind+".js"))
	cmd.Dir = n.dir
	cmd.Env = []string{"HOME=" + n.dir, "TZ=UTC", "NODE_EXTRA_CA_CERTS=" + n.path("ca.pem")}
	cmd.Stdin = bytes.NewReader(input)

	start := time.Now()
	report, logs, err := execute(cmd)
	result := auth0.Result{Logs: logs, Duration: time.Since(start)}
	switch {
	case ctx.Err() != nil:
		return result, fmt.Errorf("%s: %w", job.Kind, ctx.Err())
	case len(report) > 0:
		err := decode(report, &result)
		return result, err
	case runCtx.Err() != nil:
		result.Error = &auth0.RunError{Name: "TimeoutError", Code: "ETIMEDOUT", Message: fmt.Sprintf("the %s did not %s within %v and was ended", job.Kind, finish(job.Kind), timeout)}
		return result, nil
	default:
		result.Error = &auth0.RunError{Name: "ProcessExit", Message: fmt.Sprintf("the process of the %s ended before it did %s: %v", job.Kind, finish(job.Kind), ended(err))}
		return result, nil
	}
}

// execute runs cmd and returns what it wrote to file descriptor 3, and the lines it printed.
func execute(cmd *exec.Cmd) (report []byte, logs []string, err error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = read.Close() }()
	var output limitedBuffer
	cmd.ExtraFiles = []*os.File{write}
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.WaitDelay = time.Second // For what the code itself started and left behind.
	if err := cmd.Start(); err != nil {
		return nil, nil, errors.Join(err, write.Close())
	}
	_ = write.Close()
	done := make(chan []byte, 1)
	go func() {
		data, _ := io.ReadAll(io.LimitReader(read, maxResult))
		done <- data
	}()
	err = cmd.Wait()
	_ = read.SetReadDeadline(time.Now().Add(cmd.WaitDelay))
	return <-done, output.lines(), err
}

func decode(report []byte, result *auth0.Result) error {
	var outcome struct {
		Error    *auth0.RunError `json:"error"`
		Response json.RawMessage `json:"response"`
		Verdict  *auth0.Verdict  `json:"verdict"`
	}
	if err := json.Unmarshal(report, &outcome); err != nil {
		return fmt.Errorf("result of deployed code: %w", err)
	}
	result.Error, result.Response, result.Verdict = outcome.Error, outcome.Response, outcome.Verdict
	return nil
}

// finish words what code of a kind has to do to be done.
func finish(kind string) string {
	if kind == auth0.KindAction {
		return "settle its promise"
	}
	return "call its callback"
}

// ended words how a process ended that nobody killed.
func ended(err error) string {
	if err == nil {
		return "exit status 0"
	}
	return err.Error()
}

func orEmpty(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

// limitedBuffer keeps the first maxLogs bytes.
type limitedBuffer struct {
	kept      bytes.Buffer
	truncated bool
}

func (b *limitedBuffer) Write(p []byte) (int, error) {
	room := min(maxLogs-b.kept.Len(), len(p))
	b.kept.Write(p[:room])
	b.truncated = b.truncated || room < len(p)
	return len(p), nil
}

func (b *limitedBuffer) lines() []string {
	text := strings.TrimRight(b.kept.String(), "\n")
	if text == "" {
		return nil
	}
	lines := strings.Split(text, "\n")
	if b.truncated {
		lines = append(lines, fmt.Sprintf("… cut after %d KiB", maxLogs>>10))
	}
	return lines
}
