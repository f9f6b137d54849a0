package sender

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestSender runs what Render makes, as it is, in Node: test/*.test.js.
func TestSender(t *testing.T) {
	need(t, "node")
	clients := []Client{Builtin}
	modules := ""
	t.Run("aws-sdk", func(t *testing.T) {
		need(t, "npm")
		modules = nodeModules(t)
		clients = append(clients, AWSSDK)
	})
	dir := t.TempDir()
	names := make([]string, len(clients))
	for i, client := range clients {
		names[i] = string(client)
		writeScripts(t, dir, Hook, "", client)
		writeScripts(t, dir, SendPhoneMessage, "action.", client)
	}
	cert, key := certificate(t, dir)
	tests, err := filepath.Glob("test/*.test.js")
	if err != nil || len(tests) == 0 {
		t.Fatalf("no tests for Node: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", append([]string{"--test", "--test-reporter=spec"}, tests...)...)
	cmd.Env = append(cmd.Environ(),
		"NODE_PATH="+modules,
		"NODE_EXTRA_CA_CERTS="+cert,
		"SENDER_TEST_CERT="+cert,
		"SENDER_TEST_KEY="+key,
		"SENDER_TEST_SCRIPTS="+dir,
		"SENDER_TEST_CLIENTS="+strings.Join(names, ","),
	)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("node --test: %v\n%s", err, out)
	}
	t.Logf("%s", out)
}

// TestSyntaxIsES2018 guards tenants whose hooks run on Node 12. The parser is the one inside Node.
func TestSyntaxIsES2018(t *testing.T) {
	need(t, "node")
	const parse = `
const acorn = require('internal/deps/acorn/acorn/dist/acorn');
acorn.parse(require('fs').readFileSync(0, 'utf8'), { ecmaVersion: 2018, sourceType: 'script' });`
	for _, trigger := range triggers() {
		for _, client := range []Client{AWSSDK, Builtin} {
			cmd := exec.CommandContext(t.Context(), "node", "--expose-internals", "-e", parse)
			cmd.Stdin = strings.NewReader(renderFor(t, trigger, Options{Client: client}).Script)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s, %s: %v\n%s", trigger, client, err, out)
			}
		}
	}
}

func need(t *testing.T, tool string) {
	t.Helper()
	if _, err := exec.LookPath(tool); err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is not installed", tool)
	}
	t.Skipf("SKIPPED, NOT TESTED: the code that Auth0 runs, because %s is not installed", tool)
}

// writeScripts renders the option sets that the tests call by name, which begins with prefix.
func writeScripts(t *testing.T, dir string, trigger Trigger, prefix string, client Client) {
	t.Helper()
	for name, o := range map[string]Options{
		"default":   {},
		"full":      full(),
		"quick":     {Timeout: 2 * time.Second},
		"countries": {AllowedCountryCodes: []string{"+49", "+1242"}},
		"fallback":  {FallbackRegions: []string{"eu-west-1", "eu-central-1", "us-east-1"}},
	} {
		if name == "full" {
			o.AllowedCountryCodes = nil
		}
		o.Client = client
		writeFile(t, filepath.Join(dir, prefix+string(client)+"."+name+".js"), []byte(renderFor(t, trigger, o).Script))
	}
}

// nodeModules installs the pinned packages once per lockfile and machine.
func nodeModules(t *testing.T) string {
	t.Helper()
	lock, err := fs.ReadFile(Lockfile(), "package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(lock)
	cache := filepath.Join(moduleRoot(t), ".cache", "sender-npm")
	installed := filepath.Join(cache, hex.EncodeToString(sum[:8]))
	modules := filepath.Join(installed, "node_modules")
	if _, err := os.Stat(modules); err == nil {
		return modules
	}
	// Installed aside and moved, so that an interrupted or a simultaneous run leaves no half-filled folder behind.
	aside := filepath.Join(cache, fmt.Sprintf("installing-%d", os.Getpid()))
	t.Cleanup(func() { _ = os.RemoveAll(aside) })
	if err := os.CopyFS(aside, Lockfile()); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	cmd.Dir = aside
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, out)
	}
	if err := os.Rename(aside, installed); err != nil && !errors.Is(err, fs.ErrExist) {
		t.Fatal(err)
	}
	return modules
}

func moduleRoot(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
}

// certificate writes a self-signed certificate for the hosts of SNS that the tests talk to, so that the code under test
// verifies its server as it would verify AWS.
func certificate(t *testing.T, dir string) (certFile, keyFile string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "sender test"},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames: []string{
			"sns.eu-central-1.amazonaws.com", "sns.eu-west-1.amazonaws.com", "sns.us-east-1.amazonaws.com",
			"sns.cn-north-1.amazonaws.com.cn",
		},
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writeFile(t, certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}))
	writeFile(t, keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))
	return certFile, keyFile
}

func writeFile(t *testing.T, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
}
