package config_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/config"
)

// FuzzNormalizeDomain proves that the client secret goes to the host that was
// written down, encrypted, or to this machine.
func FuzzNormalizeDomain(f *testing.F) {
	for _, domain := range []string{
		"tenant.eu.auth0.com", "HTTPS://Tenant.Auth0.com/", " https://login.example.com ", "http://127.0.0.1:1234", "http://[::1]:80/", "http://localhost",
		"http://localhost.evil.example", "http://127.0.0.1@evil.example", "https://tenant.auth0.com@evil.example", "tenant.auth0.com:8080", "tenant.auth0.com/x?y#z",
		"http://127.0.0.1:1/x", "https://http://127.0.0.1", "1.2.3.4", "täst.auth0.com", "http://localhost\\@evil.example", "http://127.1",
	} {
		f.Add(domain)
	}
	f.Fuzz(func(t *testing.T, domain string) {
		normal, err := config.NormalizeDomain(domain)
		if err != nil {
			return
		}
		if again, err := config.NormalizeDomain(normal); err != nil || again != normal {
			t.Errorf("%q becomes %q, and that %q (%v): the state would be another tenant's", domain, normal, again, err)
		}
		base := normal
		if !strings.HasPrefix(base, "http://") {
			base = "https://" + base
		}
		u, err := url.Parse(base)
		if err != nil || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
			t.Fatalf("%q becomes %q, which is more than a host: %v", domain, normal, err)
		}
		if u.Scheme == "http" && !config.IsLoopback(u.Hostname()) {
			t.Errorf("%q: the token travels to %s in clear", domain, u.Host)
		}
		if !strings.Contains(strings.ToLower(domain), u.Host) && !strings.Contains(domain, u.Host) {
			t.Errorf("%q leads to %s", domain, u.Host)
		}
	})
}
