// Package sandbox is a whole staging and production world on loopback: Auth0 tenants and AWS accounts that are as
// strict as the real ones, a runtime for the code that the tenants deploy, and a control API to move time, break
// requests and look at everything.
package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/auth0"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/aws"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/control"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/runtime"
)

const (
	// region is what a description tells clients to use. The accounts answer in every region.
	region = "us-east-1"
	// drainTime is how long Close waits for requests in flight.
	drainTime = 2 * time.Second
)

// DefaultInstances are the environments of a world that names none.
func DefaultInstances() []string { return []string{"staging", "production"} }

// Options make a World. The zero value is the default one with the real clock, keys that work at once, and no place to
// keep npm packages.
type Options struct {
	// Instances are the names of the environments, each a tenant and an account: lower case letters, digits and dashes.
	Instances []string
	// CacheDir keeps the npm packages of deployed code. Without it, code that has dependencies cannot be run.
	CacheDir string
	// KeyDelay is how long AWS refuses a new access key before it works.
	KeyDelay time.Duration
	// HooksMode is how far the tenants' hooks are taken away, after a reset too. Empty is auth0.HooksAvailable.
	HooksMode auth0.HooksMode
	// RateLimit of each tenant's Management API; the zero value is none.
	RateLimit auth0.RateLimit
	// AWS replaces the emulated account of an instance by another implementation of IAM, STS and SNS. It gets the
	// requests of clients and of deployed code alike; journal and faults stay in front of it.
	AWS map[string]http.Handler
	// Runner replaces Node as what runs deployed code.
	Runner auth0.Runner
	// Now is the clock that the world's own clock runs along with; nil is the real one.
	Now func() time.Time
}

// Instance is one environment: a tenant and an account, each with an address of its own.
type Instance struct {
	Name       string
	Tenant     *auth0.Tenant
	Account    *aws.Account
	TenantURL  string // "http://127.0.0.1:34567"
	AccountURL string // IAM, STS and SNS in one.
}

// World is a running sandbox.
type World struct {
	// Kernel is the clock, journal and faults that all instances share.
	Kernel *control.Kernel
	// ControlURL is the root of the control API, "http://127.0.0.1:34567".
	ControlURL string

	options   Options
	instances []*Instance
	servers   []*http.Server
	nodes     []*runtime.Node
	cancel    context.CancelFunc // Ends what requests still in flight are waiting for.
	close     func() error
}

// Start starts a world. It ends with Close, or with ctx.
func Start(ctx context.Context, options Options) (*World, error) {
	if len(options.Instances) == 0 {
		options.Instances = DefaultInstances()
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	if err := options.validate(); err != nil {
		return nil, err
	}
	serving, cancel := context.WithCancel(context.WithoutCancel(ctx))
	w := &World{Kernel: control.NewKernel(options.Now), options: options, cancel: cancel}
	w.close = sync.OnceValue(func() error { return w.shutdown(serving) })
	if err := w.start(ctx, serving); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	context.AfterFunc(ctx, func() { _ = w.Close() })
	return w, nil
}

var instanceName = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

func (o Options) validate() error {
	for i, name := range o.Instances {
		if !instanceName.MatchString(name) {
			return fmt.Errorf("instance %q: want lower case letters, digits and dashes, a letter first", name)
		}
		if slices.Contains(o.Instances[:i], name) {
			return fmt.Errorf("instance %q is named twice", name)
		}
	}
	for name := range o.AWS {
		if !slices.Contains(o.Instances, name) {
			return fmt.Errorf("AWS is replaced for %q, which is no instance", name)
		}
	}
	return nil
}

func (w *World) start(ctx, serving context.Context) error {
	for i, name := range w.options.Instances {
		instance, err := w.startInstance(ctx, serving, name, accountID(name, i))
		if err != nil {
			return fmt.Errorf("instance %s: %w", name, err)
		}
		w.instances = append(w.instances, instance)
	}
	if err := w.configure(); err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("control API: %w", err)
	}
	w.ControlURL = address(listener)
	w.serve(serving, listener, w.controlAPI())
	return nil
}

func (w *World) startInstance(ctx, serving context.Context, name, accountID string) (*Instance, error) {
	instance := &Instance{Name: name}
	instance.Account = aws.New(aws.Config{AccountID: accountID, Now: w.Kernel.Clock.Now, KeyDelay: w.options.KeyDelay})
	var account control.Service = instance.Account
	if handler, ok := w.options.AWS[name]; ok {
		account = replacedAccount{instance.Account, handler}
	}
	accountHandler := w.Kernel.Wrap(control.SideAWS, name, account)
	accountListener, err := w.Kernel.Listen(ctx, control.SideAWS, name)
	if err != nil {
		return nil, err
	}
	instance.AccountURL = address(accountListener)
	w.serve(serving, accountListener, accountHandler)

	runner, err := w.runner(serving, accountHandler)
	if err != nil {
		return nil, err
	}
	tenantListener, err := w.Kernel.Listen(ctx, control.SideAuth0, name)
	if err != nil {
		return nil, err
	}
	instance.TenantURL = address(tenantListener)
	instance.Tenant = auth0.New(auth0.Config{
		Name: name, BaseURL: func() string { return instance.TenantURL }, Now: w.Kernel.Clock.Now,
		Runner: runner, RateLimit: w.options.RateLimit,
	})
	w.serve(serving, tenantListener, w.Kernel.Wrap(control.SideAuth0, name, instance.Tenant))
	return instance, nil
}

// runner is what runs the code of one tenant: each has a gateway to its own account.
func (w *World) runner(ctx context.Context, account http.Handler) (auth0.Runner, error) {
	if w.options.Runner != nil {
		return w.options.Runner, nil
	}
	node, err := runtime.New(ctx, runtime.Config{CacheDir: w.options.CacheDir, AWS: account})
	if err != nil {
		return nil, err
	}
	w.nodes = append(w.nodes, node)
	return node, nil
}

// configure applies the options that a reset of a tenant undoes.
func (w *World) configure() error {
	if w.options.HooksMode == "" {
		return nil
	}
	for _, instance := range w.instances {
		switches := instance.Tenant.Switches()
		switches.HooksMode = w.options.HooksMode
		if err := instance.Tenant.SetSwitches(switches); err != nil {
			return err
		}
	}
	return nil
}

// Reset puts everything back to how the world started; addresses and credentials stay. Requests that a fault holds
// are dropped.
func (w *World) Reset() error {
	w.Kernel.Faults.Reset()
	w.Kernel.Clock.Reset()
	for _, instance := range w.instances {
		instance.Tenant.Reset()
		instance.Account.Reset()
	}
	w.Kernel.Journal.Reset()
	return w.configure()
}

// Instance returns the instance of that name, or nil.
func (w *World) Instance(name string) *Instance {
	for _, instance := range w.instances {
		if instance.Name == name {
			return instance
		}
	}
	return nil
}

// Close stops the world: held requests are dropped, those in flight get two seconds. Calling it again does nothing.
func (w *World) Close() error { return w.close() }

func (w *World) shutdown(serving context.Context) error {
	w.Kernel.Faults.Reset()
	draining, stop := context.WithTimeout(serving, drainTime)
	defer stop()
	var group sync.WaitGroup
	for _, server := range w.servers {
		group.Go(func() { _ = server.Shutdown(draining) })
	}
	group.Wait()
	w.cancel()
	var errs []error
	for _, server := range w.servers {
		errs = append(errs, server.Close())
	}
	for _, node := range w.nodes {
		errs = append(errs, node.Close())
	}
	return errors.Join(errs...)
}

func address(listener net.Listener) string { return "http://" + listener.Addr().String() }

func (w *World) serve(serving context.Context, listener net.Listener, handler http.Handler) {
	server := &http.Server{
		Handler:           handler,
		BaseContext:       func(net.Listener) context.Context { return serving },
		ReadHeaderTimeout: time.Minute,
	}
	w.servers = append(w.servers, server)
	go func() { _ = server.Serve(listener) }()
}

func accountID(name string, index int) string {
	switch name {
	case "staging":
		return "111122223333"
	case "production":
		return "444455556666"
	default:
		return fmt.Sprintf("7777%08d", index)
	}
}

// replacedAccount names requests like the emulated account and lets another implementation answer them.
type replacedAccount struct {
	*aws.Account
	handler http.Handler
}

func (a replacedAccount) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.handler.ServeHTTP(w, r) }

// Description tells a client everything it needs to use a world. It holds the credentials of the emulated services.
type Description struct {
	ControlURL string                `json:"control_url"`
	Endpoints  []string              `json:"endpoints"` // Of the control API, "POST /sandbox/reset".
	Instances  []InstanceDescription `json:"instances"`
}

// InstanceDescription is one tenant and one account.
type InstanceDescription struct {
	Name  string           `json:"name"`
	Auth0 Auth0Description `json:"auth0"`
	AWS   AWSDescription   `json:"aws"`
	// Env are the same values under the names that Terraform providers and the AWS CLI read.
	Env map[string]string `json:"env"`
}

// Auth0Description is a tenant and its machine-to-machine application.
type Auth0Description struct {
	Domain       string `json:"domain"` // With its scheme: "http://127.0.0.1:34567".
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
}

// AWSDescription is an account and its operator's access key.
type AWSDescription struct {
	EndpointURL     string `json:"endpoint_url"`
	AccountID       string `json:"account_id"`
	AccessKeyID     string `json:"access_key_id"`
	SecretAccessKey string `json:"secret_access_key"`
	Region          string `json:"region"`
}

// Describe returns the addresses and credentials of the world.
func (w *World) Describe() Description {
	d := Description{ControlURL: w.ControlURL}
	for _, e := range w.endpoints() {
		d.Endpoints = append(d.Endpoints, e.pattern)
	}
	for _, instance := range w.instances {
		d.Instances = append(d.Instances, instance.describe())
	}
	return d
}

func (i *Instance) describe() InstanceDescription {
	client, operator := i.Tenant.Client(), i.Account.Operator()
	return InstanceDescription{
		Name:  i.Name,
		Auth0: Auth0Description{Domain: i.TenantURL, ClientID: client.ClientID, ClientSecret: client.ClientSecret},
		AWS: AWSDescription{
			EndpointURL: i.AccountURL, AccountID: i.Account.Snapshot().AccountID, Region: region,
			AccessKeyID: operator.AccessKeyID, SecretAccessKey: operator.SecretAccessKey,
		},
		Env: map[string]string{
			"AUTH0_DOMAIN":          i.TenantURL,
			"AUTH0_CLIENT_ID":       client.ClientID,
			"AUTH0_CLIENT_SECRET":   client.ClientSecret,
			"AWS_ENDPOINT_URL":      i.AccountURL,
			"AWS_ACCESS_KEY_ID":     operator.AccessKeyID,
			"AWS_SECRET_ACCESS_KEY": operator.SecretAccessKey,
			"AWS_REGION":            region,
			"AWS_DEFAULT_REGION":    region, // What the AWS CLI v1 and boto3 read.
		},
	}
}
