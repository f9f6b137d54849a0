package runtime

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"sync"
	"time"
)

// gateway is the TLS server on loopback that stands for every host of AWS. Deployed code verifies its certificate
// like any other: the authority behind it lives in memory and is trusted by that code alone.
type gateway struct {
	address *net.TCPAddr
	server  *http.Server
	ca      *authority
}

func startGateway(ctx context.Context, handler http.Handler) (*gateway, error) {
	ca, err := newAuthority()
	if err != nil {
		return nil, err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address, ok := listener.Addr().(*net.TCPAddr)
	if !ok {
		return nil, fmt.Errorf("listening on %v, which is not TCP", listener.Addr())
	}
	g := &gateway{address: address, ca: ca, server: &http.Server{
		Handler:           handler,
		TLSConfig:         &tls.Config{GetCertificate: ca.certificate, MinVersion: tls.VersionTLS12},
		Protocols:         new(http.Protocols),
		ReadHeaderTimeout: time.Minute,
		// Code that breaks a connection off is the code's affair, and shows in its result.
		ErrorLog: log.New(io.Discard, "", 0),
	}}
	g.server.Protocols.SetHTTP1(true) // Faults close connections, which HTTP/2 requests share.
	go func() { _ = g.server.ServeTLS(listener, "", "") }()
	return g, nil
}

func (g *gateway) close() error { return g.server.Close() }

// authority issues certificates to whatever name is asked for.
type authority struct {
	template *x509.Certificate
	key      *ecdsa.PrivateKey
	pem      []byte

	mu     sync.Mutex
	issued map[string]*tls.Certificate
}

func newAuthority() (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := certificateTemplate("auth0sns sandbox authority")
	template.IsCA = true
	template.BasicConstraintsValid = true
	template.KeyUsage = x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return &authority{
		template: template,
		key:      key,
		pem:      pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		issued:   map[string]*tls.Certificate{},
	}, nil
}

// certificate is for tls.Config.GetCertificate.
func (a *authority) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if issued, ok := a.issued[hello.ServerName]; ok {
		return issued, nil
	}
	template := certificateTemplate(hello.ServerName)
	template.DNSNames = []string{hello.ServerName}
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	der, err := x509.CreateCertificate(rand.Reader, template, a.template, a.key.Public(), a.key)
	if err != nil {
		return nil, fmt.Errorf("certificate for %q: %w", hello.ServerName, err)
	}
	a.issued[hello.ServerName] = &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: a.key}
	return a.issued[hello.ServerName], nil
}

// certificateTemplate is valid by the real clock, which TLS goes by whatever the sandbox's clock says.
func certificateTemplate(name string) *x509.Certificate {
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes([]byte(rand.Text())[:16]),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.AddDate(1, 0, 0),
	}
}
