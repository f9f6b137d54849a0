package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/sender"
)

// sdkV3 is the version that the table compares with; aws-sdk v2 is the one a sender gets.
const sdkV3 = "@aws-sdk/client-sns@3.1169.0"

// fewestTimes is how many times slower than builtin a client with an SDK must be for builtin to be worth its own
// signature code.
const fewestTimes = 2.0

// snsHost is where the senders' messages go, had bench/coldstart/first_sms.js not turned them to the fake.
const snsHost = "sns.eu-central-1.amazonaws.com"

// starter is one sender, and what each of its first messages took.
type starter struct {
	name   string
	script string // its path
	limit  bool   // whether it is to be slower than builtin
	starts []start
}

// start is what bench/coldstart/first_sms.js prints.
type start struct {
	Milliseconds float64 `json:"milliseconds"` // from before the script is loaded until SNS has answered
	Resident     float64 `json:"resident"`     // bytes of the process then
}

// coldStart prints what the first SMS costs in a fresh process, by client. A person waits for it at the login whenever
// Auth0 starts a new container. skipped says why there is no table.
func coldStart(ctx context.Context, out, progress io.Writer, work, cache string, starts int) (missed bool, skipped, err error) {
	starters, err := starters(work)
	if err != nil {
		return false, nil, err
	}
	modules, skipped := npmModules(ctx, cache)
	if skipped != nil {
		return false, skipped, nil
	}
	sns, roots, err := fakeSNS(work)
	if err != nil {
		return false, nil, err
	}
	defer sns.Close()
	env := append(environment(), "NODE_PATH="+modules, "NODE_EXTRA_CA_CERTS="+roots)
	for i := range starts {
		fmt.Fprintf(progress, "cold start %d of %d\n", i+1, starts)
		for _, s := range starters {
			if err := s.run(ctx, env, sns.Listener.Addr()); err != nil {
				return false, nil, fmt.Errorf("%s: %w", s.name, err)
			}
		}
	}
	fmt.Fprintf(out, "\nThe sender's first SMS: medians of %d interleaved starts of Node, SNS on loopback.\n\n", starts)
	return reportColdStart(out, starters), nil, nil
}

// starters are the clients that a sender can have, and those it is measured against; the first is what a ratio refers to.
func starters(work string) ([]*starter, error) {
	var all []*starter
	for _, client := range []sender.Client{sender.Builtin, sender.AWSSDK} {
		code, err := sender.Render(sender.Hook, sender.Options{Client: client})
		if err != nil {
			return nil, err
		}
		script := filepath.Join(work, string(client)+".js")
		if err := os.WriteFile(script, []byte(code.Script), 0o600); err != nil {
			return nil, err
		}
		all = append(all, &starter{name: string(client), script: script})
	}
	return append(all,
		&starter{name: "aws-sdk as the guide has it", script: "bench/coldstart/guide.js", limit: true},
		&starter{name: sdkV3, script: "bench/coldstart/sdk_v3.js", limit: true}), nil
}

func (s *starter) run(ctx context.Context, env []string, sns net.Addr) error {
	script, err := filepath.Abs(s.script)
	if err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(sns.String())
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "node", "bench/coldstart/first_sms.js", script, port)
	cmd.Env = env
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	answer, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, &stderr)
	}
	var took start
	if err := json.Unmarshal(answer, &took); err != nil {
		return fmt.Errorf("%w: %q", err, answer)
	}
	s.starts = append(s.starts, took)
	return nil
}

// npmModules installs the SDKs once and returns their folder.
func npmModules(ctx context.Context, cache string) (string, error) {
	code, err := sender.Render(sender.Hook, sender.Options{Client: sender.AWSSDK})
	if err != nil {
		return "", err
	}
	sdkV2 := "aws-sdk@" + code.Dependencies["aws-sdk"]
	installed, err := filepath.Abs(filepath.Join(cache, "bench", strings.ReplaceAll(sdkV2+"+"+sdkV3, "/", "+")))
	if err != nil {
		return "", err
	}
	modules := filepath.Join(installed, "node_modules")
	if _, err := os.Stat(modules); err == nil {
		return modules, nil
	}
	if err := os.MkdirAll(filepath.Dir(installed), 0o750); err != nil {
		return "", err
	}
	// Installed aside and moved, so that an interrupted run leaves no half-filled folder behind.
	aside, err := os.MkdirTemp(filepath.Dir(installed), "installing-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(aside) }()
	err = quiet(exec.CommandContext(ctx, "npm", "install", "--prefix", aside, "--no-save", "--ignore-scripts", "--no-audit", "--no-fund",
		"--loglevel=error", sdkV2, sdkV3))
	if err != nil {
		return "", err
	}
	return modules, os.Rename(aside, installed)
}

// fakeSNS takes every message, and has the certificate of the host that a sender calls.
func fakeSNS(work string) (server *httptest.Server, roots string, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, "", err
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		NotAfter:              time.Now().Add(time.Hour),
		DNSNames:              []string{snsHost},
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		return nil, "", err
	}
	roots = filepath.Join(work, "sns.pem")
	if err := os.WriteFile(roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}), 0o600); err != nil {
		return nil, "", err
	}
	server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/xml")
		_, _ = io.WriteString(w, `<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult>`+
			`<MessageId>b1a1f0d4-0000-5000-8000-000000000000</MessageId></PublishResult></PublishResponse>`)
	}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{certificate}, PrivateKey: private}}, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	return server, roots, nil
}

// reportColdStart prints the table and says whether a limit was missed.
func reportColdStart(out io.Writer, starters []*starter) (missed bool) {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "client\tfirst SMS, ms\t÷ %s\tlimit\tresident, MiB\n", starters[0].name)
	base := starters[0].milliseconds()
	for _, s := range starters {
		times, verdict := s.milliseconds()/base, ""
		if s.limit {
			met := "ok"
			if times < fewestTimes {
				met, missed = "MISSED", true
			}
			verdict = fmt.Sprintf("at least %.1f: %s", fewestTimes, met)
		}
		fmt.Fprintf(table, "%s\t%.1f\t%.2f\t%s\t%.1f\n", s.name, s.milliseconds(), times, verdict, s.resident()/mib)
	}
	_ = table.Flush()
	return missed
}

func (s *starter) milliseconds() float64 {
	return s.median(func(s start) float64 { return s.Milliseconds })
}

func (s *starter) resident() float64 {
	return s.median(func(s start) float64 { return s.Resident })
}

func (s *starter) median(of func(start) float64) float64 {
	values := make([]float64, 0, len(s.starts))
	for _, one := range s.starts {
		values = append(values, of(one))
	}
	return median(values)
}
