package sender

import (
	"cmp"
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
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// nodeVersions are the versions that Auth0 runs Actions on, 18 until it is gone everywhere. Their binaries come from npm.
func nodeVersions() []string { return []string{"18.20.8", "20.20.2", "22.23.3"} }

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
		writeScripts(t, dir, CustomPhoneProvider, "provider.", client)
	}
	cert, key := certificate(t, dir)
	env := append(os.Environ(), //nolint:forbidigo // Node inherits it.
		"NODE_PATH="+modules,
		"NODE_EXTRA_CA_CERTS="+cert,
		"SENDER_TEST_CERT="+cert,
		"SENDER_TEST_KEY="+key,
		"SENDER_TEST_SCRIPTS="+dir,
		"SENDER_TEST_CLIENTS="+strings.Join(names, ","),
	)
	onPath := versionOnPath(t)
	t.Run("node "+onPath, func(t *testing.T) { testInNode(t, "node", env) })
	for _, version := range nodeVersions() {
		if major(version) != major(onPath) {
			t.Run("node "+version, func(t *testing.T) { testInNode(t, nodeBinary(t, version), env) })
		}
	}
}

func testInNode(t *testing.T, node string, env []string) {
	tests, err := filepath.Glob("test/*.test.js")
	if err != nil || len(tests) == 0 {
		t.Fatalf("no tests for Node: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, node, append([]string{"--test", "--test-reporter=spec"}, tests...)...)
	cmd.Env = env
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("node --test: %v\n%s", err, out)
	}
	t.Logf("%s", out)
}

// versionOnPath is like "20.20.2".
func versionOnPath(t *testing.T) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "node", "--version").Output()
	if err != nil {
		t.Fatalf("node --version: %v", err)
	}
	return strings.TrimPrefix(strings.TrimSpace(string(out)), "v")
}

func major(version string) string {
	major, _, _ := strings.Cut(version, ".")
	return major
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
	if _, err := exec.LookPath(tool); err != nil {
		missing(t, tool+" is not installed")
	}
}

// missing skips the test, on one's own machine.
func missing(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skipf("SKIPPED, NOT TESTED: the code that Auth0 runs, because %s", why)
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
		"texts": {Texts: []Text{
			{ClientID: "shop", Language: "de", VerificationMessage: "Laden: {{code}} $& {{ code }}"},
			{Language: "pt-BR", EnrollmentMessage: "Cadastro: {{code}}"},
			{ClientID: "shop", EnrollmentMessage: "Shop, new phone: {{code}}", VerificationMessage: "Shop: {{code}}"},
		}},
	} {
		if name == "full" {
			o.AllowedCountryCodes, o.Timeout = nil, 0 // It is to arrive, on a busy machine too.
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
	installed, err := installOnce(t, hex.EncodeToString(sum[:8]), Lockfile(), "ci")
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(installed, "node_modules")
}

// nodeBinary is Node in that version, from the npm package that has its binary for this machine.
func nodeBinary(t *testing.T, version string) string {
	t.Helper()
	need(t, "npm")
	names := map[string]string{"windows": "win", "amd64": "x64", "386": "x86"} // Node's own where Go has others.
	name := "node-" + cmp.Or(names[runtime.GOOS], runtime.GOOS) + "-" + cmp.Or(names[runtime.GOARCH], runtime.GOARCH)
	installed, err := installOnce(t, "node-"+version, fstest.MapFS{}, "install", "--no-save", name+"@"+version)
	if err != nil {
		missing(t, "Node "+version+" is not to be had from the npm registry: "+err.Error())
	}
	return filepath.Join(installed, "node_modules", name, "bin", "node")
}

// installOnce runs npm in a folder with these files, unless an earlier run has done so, and returns the folder.
func installOnce(t *testing.T, name string, files fs.FS, npmArgs ...string) (string, error) {
	t.Helper()
	cache := filepath.Join(moduleRoot(t), ".cache", "sender-npm")
	installed := filepath.Join(cache, name)
	if _, err := os.Stat(installed); err == nil {
		return installed, nil
	}
	// Installed aside and moved, so that an interrupted or a simultaneous run leaves no half-filled folder behind.
	aside := filepath.Join(cache, fmt.Sprintf("installing-%d", os.Getpid()))
	t.Cleanup(func() { _ = os.RemoveAll(aside) })
	if err := os.MkdirAll(aside, 0o750); err != nil {
		return "", err
	}
	if err := os.CopyFS(aside, files); err != nil {
		return "", err
	}
	args := append(npmArgs, "--prefix", aside, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
	cmd := exec.CommandContext(t.Context(), "npm", args...)
	cmd.Dir = aside
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm %s: %w\n%s", npmArgs[0], err, out)
	}
	if err := os.Rename(aside, installed); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	return installed, nil
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
