package cli

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/checks"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/config"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
)

const (
	// keyBits is the least that Auth0 takes for private-key JWT, and enough.
	// https://auth0.com/docs/secure/application-credentials/generate-rsa-key-pair
	keyBits = 2048
	// undoTime is how long an undo may take after the command was interrupted.
	undoTime = 20 * time.Second
)

// Ways in which the new application proves itself.
const (
	byPrivateKey   = "private_key_jwt"
	byClientSecret = "client_secret"
)

// createClientFlags are those of bootstrap that make the application with which
// everything else is done. No flag takes a secret.
type createClientFlags struct {
	create       bool
	keyFile      string
	keyCommand   string
	clientSecret bool
	tokenFile    string
}

func (f *createClientFlags) register(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.create, "create-client", false, "make the machine-to-machine application first, with a Management API token (AUTH0_API_TOKEN, --api-token-file or a hidden prompt)")
	cmd.Flags().StringVar(&f.keyFile, "client-key-file", "", "with --create-client: the new file that gets the private key, readable by you alone")
	cmd.Flags().StringVar(&f.keyCommand, "client-key-command", "", "with --create-client: the command that gets the private key on its stdin instead, such as that of a secret store; its words are split at spaces, by no shell")
	cmd.Flags().BoolVar(&f.clientSecret, "client-secret", false, "with --create-client: a client secret instead of a private key, for plans without Private Key JWT")
	cmd.Flags().StringVar(&f.tokenFile, "api-token-file", "", "with --create-client: the file that holds the Management API token")
}

// validate finds what cannot be carried out before anything is asked or sent.
func (f *createClientFlags) validate() error {
	switch {
	case !f.create && *f != (createClientFlags{}):
		return usageError(errors.New("--client-key-file, --client-key-command, --client-secret and --api-token-file go with --create-client"))
	case f.create && (f.keyFile == "") == (strings.TrimSpace(f.keyCommand) == ""):
		return usageError(errors.New("--create-client needs one place for the key that it makes: --client-key-file FILE, or --client-key-command COMMAND for a secret store"))
	default:
		return nil
	}
}

// createClientRequest is an application to be made.
type createClientRequest struct {
	Flags       createClientFlags
	Environment string // "staging": its name is auth0sns-staging
	Domain      string // pinned by the environment's files, "" for AUTH0_DOMAIN
	Dir         string // the configuration's folder, into which no key goes
	Path        delivery.Path
	Yes         bool
	// Variables are the environment's, see config.ForEnvironment.
	Variables config.Lookup
}

// createdClient is the application that was made.
type createdClient struct {
	Name           string   `json:"name"`
	Domain         string   `json:"domain"`
	ClientID       string   `json:"client_id"`
	Authentication string   `json:"authentication"` // private_key_jwt or client_secret
	KeyFile        string   `json:"key_file,omitempty"`
	Scopes         []string `json:"scopes"`

	credential string
}

// use puts the application in the place of the token, for what this process does
// next: its clients and the Terraform that it starts.
func (c createdClient) use(variables map[string]string) {
	for _, name := range []string{config.EnvAPIToken, config.EnvClientSecret, config.EnvPrivateKey, config.EnvSigningAlg} {
		delete(variables, name)
	}
	variables[config.EnvDomain], variables[config.EnvClientID] = c.Domain, c.ClientID
	variables[c.variable()] = c.credential
}

func (c createdClient) variable() string {
	if c.Authentication == byClientSecret {
		return config.EnvClientSecret
	}
	return config.EnvPrivateKey
}

// createClient makes a machine-to-machine application with exactly the scopes of
// the path, from a Management API token that is not kept. It is the one command
// that changes a tenant behind Terraform's back, so it says so and asks; person
// is nil where there is nobody to ask. What fails half way is undone, or named.
func createClient(ctx context.Context, version string, out output, person *terminal, request createClientRequest) (createdClient, error) {
	if err := request.Flags.validate(); err != nil {
		return createdClient{}, err
	}
	client, err := describeClient(request)
	if err != nil {
		return createdClient{}, err
	}
	api, err := tokenClient(ctx, version, person, request, client.Domain)
	if err != nil {
		return createdClient{}, err
	}
	if err := refuseSecond(ctx, api, client); err != nil {
		return createdClient{}, err
	}
	if err := agreeToClient(ctx, out, person, request, client); err != nil {
		return createdClient{}, err
	}
	if err := client.make(ctx, api, request.Flags); err != nil {
		if ctx.Err() != nil { // Of an interrupted command nobody sees the error.
			out.progress("%v", err)
		}
		return createdClient{}, err
	}
	client.tell(out, request)
	client.try(ctx, version, out)
	return client, nil
}

// describeClient is the application as it will be, without an id.
func describeClient(request createClientRequest) (createdClient, error) {
	named := request.Variables(config.EnvDomain)
	client := createdClient{Name: "auth0sns-" + request.Environment, Authentication: byPrivateKey, Scopes: checks.Scopes(request.Path)}
	if request.Flags.clientSecret {
		client.Authentication = byClientSecret
	}
	if request.Path != delivery.PathUnified && request.Path != delivery.PathAction {
		return client, usageError(fmt.Errorf("no application is made for the path %q: want %s or %s", request.Path, delivery.PathUnified, delivery.PathAction))
	}
	if request.Domain == "" {
		request.Domain = named
	}
	if request.Domain == "" {
		return client, usageError(fmt.Errorf("which tenant? Set %s or its form for the environment, %s", config.EnvDomain, config.EnvironmentPrefix(request.Environment)+config.EnvDomain))
	}
	if !sameDomain(named, request.Domain) {
		return client, refuse("wrong tenant: the files of environment %s name %s, and %s names %s. Nothing was done", request.Environment, request.Domain, nameOf(request.Environment, config.EnvDomain), named)
	}
	domain, err := config.NormalizeDomain(request.Domain)
	if err != nil {
		return client, usageError(fmt.Errorf("%s: %w", config.EnvDomain, err))
	}
	client.Domain = domain
	if file := request.Flags.keyFile; file != "" {
		client.KeyFile, err = filepath.Abs(file)
		if err != nil {
			return client, err
		}
		if isInside(request.Dir, client.KeyFile) {
			return client, refuse("%s is inside the configuration's folder, which a team shares. Name a file elsewhere. Nothing was done", file)
		}
	}
	return client, nil
}

// isInside tells whether a file is in a folder, or beneath; in "" nothing is.
func isInside(dir, file string) bool {
	if dir == "" {
		return false
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return false
	}
	relative, err := filepath.Rel(abs, file)
	return err == nil && filepath.IsLocal(relative)
}

// tokenClient speaks to the tenant with the token of a person: from the
// environment, a file, or a hidden prompt.
func tokenClient(ctx context.Context, version string, person *terminal, request createClientRequest, domain string) (*auth0api.Client, error) {
	token := request.Variables(config.EnvAPIToken)
	switch {
	case request.Flags.tokenFile != "":
		data, err := os.ReadFile(request.Flags.tokenFile)
		if err != nil {
			return nil, usageError(fmt.Errorf("--api-token-file: %w", err))
		}
		token = string(data)
	case token != "":
	case person == nil:
		return nil, codedError{exitPermission, fmt.Errorf("--create-client needs a Management API token of %s: set %s, or name a file with --api-token-file. Auth0 Dashboard → Applications → APIs → Auth0 Management API → API Explorer makes one, good for a day", domain, config.EnvAPIToken)}
	default:
		err := person.ask(ctx, question{
			title: "Management API token of " + domain, secret: true, value: &token, check: wholeToken,
			help: "Auth0 Dashboard → Applications → APIs → Auth0 Management API → API Explorer. It is used now and not kept.",
		})
		if err != nil {
			return nil, err
		}
	}
	return auth0api.New(auth0api.Config{Domain: domain, APIToken: strings.TrimSpace(token), UserAgent: "auth0sns/" + version})
}

// wholeToken finds a token that the terminal has cut: a line has 4095 characters
// at most on Linux and 1024 on macOS, and a token with every scope may have more.
func wholeToken(token string) error {
	parts := strings.Split(token, ".")
	if len(parts) != 3 || parts[2] == "" {
		return errors.New("this is no whole token. A terminal may cut a long one: --api-token-file reads it from a file")
	}
	return nil
}

// refuseSecond finds the application of an earlier run by its name, of which
// Auth0 would make any number.
func refuseSecond(ctx context.Context, api *auth0api.Client, client createdClient) error {
	existing, err := api.Applications(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(existing, func(a auth0api.Application) bool { return a.Name == client.Name })
	if i < 0 {
		return nil
	}
	return refuse("%s has the application %s already (%s), and a second one is not made. Go on with its credentials, without --create-client; or, if they are lost or it is left from a run that stopped, delete it (Auth0 Dashboard → Applications → %s → Settings → Delete) and repeat",
		client.Domain, client.Name, existing[i].ClientID, client.Name)
}

func agreeToClient(ctx context.Context, out output, person *terminal, request createClientRequest, client createdClient) error {
	place := client.KeyFile
	if place == "" {
		place = "the command " + request.Flags.keyCommand
	}
	out.progress("\n--create-client changes the tenant now, and not through Terraform:\n"+
		"  tenant       %s\n  application  %s (machine to machine, %s)\n  scopes       %s\n  its key      %s\n",
		client.Domain, client.Name, client.Authentication, strings.Join(client.Scopes, "\n               "), place)
	if request.Yes {
		return nil
	}
	if person == nil {
		return refuse("nothing was made: there is no terminal to ask on. Add --yes to make the application %s in %s", client.Name, client.Domain)
	}
	agreed, err := person.confirm(ctx, fmt.Sprintf("Make the application %s in %s?", client.Name, client.Domain))
	if err == nil && !agreed {
		return refuse("nothing was made")
	}
	return err
}

// make makes key, application and grant, in this order: a key that could not be
// kept is found out before the tenant has changed.
func (c *createdClient) make(ctx context.Context, api *auth0api.Client, flags createClientFlags) error {
	application := auth0api.NewApplication{Name: c.Name, Description: "Sets up SMS MFA through Amazon SNS (auth0sns)."}
	place, err := openKeyPlace(c.KeyFile, flags.keyCommand)
	if err != nil {
		return err
	}
	if c.Authentication == byPrivateKey {
		c.credential, application.PublicKey, err = newKeyPair()
		if err == nil {
			err = place.keep(ctx, c.credential)
		}
		if err != nil {
			return errors.Join(fmt.Errorf("%w\nNo application was made", err), place.undo())
		}
	}
	created, err := api.CreateApplication(ctx, application)
	if err != nil {
		return errors.Join(c.explain(err), place.undo())
	}
	c.ClientID = created.ClientID
	err = api.GrantScopes(ctx, c.ClientID, c.Scopes)
	if err == nil && c.Authentication == byClientSecret {
		c.credential = created.ClientSecret
		err = place.keep(ctx, c.credential)
	}
	if err != nil {
		return c.undo(ctx, api, place, err)
	}
	return nil
}

// explain says of a failed creation what it leaves, and what to do without the
// plan that private-key JWT needs.
func (c *createdClient) explain(err error) error {
	var failed *auth0api.Error
	if !errors.As(err, &failed) {
		return err
	}
	switch failed.Kind {
	case auth0api.MissingEntitlement, auth0api.FeatureDisabled, auth0api.Forbidden:
		if c.Authentication == byPrivateKey {
			return fmt.Errorf("%w\nNothing was made. Private Key JWT is a part of Auth0's Enterprise plans: --client-secret makes the application with a secret instead", err)
		}
	default:
	}
	if failed.Ambiguous() {
		return fmt.Errorf("%w\nThe application %s may have been made. It can do nothing, as it has no grant: look under Auth0 Dashboard → Applications, delete it, and repeat", err, c.Name)
	}
	return fmt.Errorf("%w\nNothing was made", err)
}

// undo takes the application back, also after Ctrl-C.
func (c *createdClient) undo(ctx context.Context, api *auth0api.Client, place *keyPlace, why error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
	defer cancel()
	if err := api.DeleteApplication(ctx, c.ClientID); err != nil {
		return fmt.Errorf("%w\nWhat was made could not be taken back, either: delete the application %s (%s) under Auth0 Dashboard → Applications. %w", why, c.Name, c.ClientID, err)
	}
	return errors.Join(fmt.Errorf("%w\nThe application %s was deleted again", why, c.Name), place.undo())
}

// tell prints what was made, and how to go on with it in another shell.
func (c createdClient) tell(out output, request createClientRequest) {
	prefix := config.EnvironmentPrefix(request.Environment)
	credential := "…"
	if c.KeyFile != "" {
		credential = `"$(cat ` + shellQuote(c.KeyFile) + `)"`
	}
	out.progress("Made the application %s: client id %s, %d scopes. For later runs:\n\n"+
		"  unset %[4]s%[5]s %[5]s\n  export %[4]s%[6]s=%[7]s\n  export %[4]s%[8]s=%[2]s\n  export %[4]s%[9]s=%[10]s\n",
		c.Name, c.ClientID, len(c.Scopes), prefix, config.EnvAPIToken, config.EnvDomain, shellQuote(c.Domain), config.EnvClientID, c.variable(), credential)
}

// try gets a token as the new application. A failure undoes nothing: it may be
// that Auth0 needs a moment.
func (c createdClient) try(ctx context.Context, version string, out output) {
	variables := map[string]string{}
	c.use(variables)
	api, err := auth0api.New(auth0api.Config{
		Domain: c.Domain, ClientID: c.ClientID, UserAgent: "auth0sns/" + version,
		ClientSecret: variables[config.EnvClientSecret], ClientAssertionPrivateKey: variables[config.EnvPrivateKey],
	})
	if err == nil {
		_, _, err = api.GrantedScopes(ctx)
	}
	if err != nil {
		out.progress("Warning: the application gets no token yet: %v", err)
	}
}

// newKeyPair returns an RSA key in PEM, PKCS #8, and its public half, PKIX.
func newKeyPair() (private, public string, err error) {
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return "", "", fmt.Errorf("make a key: %w", err)
	}
	privateDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", "", fmt.Errorf("make a key: %w", err)
	}
	publicDER, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return "", "", fmt.Errorf("make a key: %w", err)
	}
	inPEM := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	return inPEM("PRIVATE KEY", privateDER), inPEM("PUBLIC KEY", publicDER), nil
}

// keyPlace is where a key is kept: a new file, or a command's stdin.
type keyPlace struct {
	file    *os.File // nil for a command
	command []string
}

// openKeyPlace makes the file at once, so that one which cannot be written is
// known before there is anything to write.
func openKeyPlace(path, command string) (*keyPlace, error) {
	if path == "" {
		words := strings.Fields(command)
		if _, err := exec.LookPath(words[0]); err != nil {
			return nil, usageError(fmt.Errorf("--client-key-command: %w", err))
		}
		return &keyPlace{command: words}, nil
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // The person names it.
	if errors.Is(err, fs.ErrExist) {
		return nil, refuse("%s exists, and no key is overwritten. Name another file, or delete it if it is left from a run that stopped. Nothing was made", path)
	}
	if err != nil {
		return nil, fmt.Errorf("--client-key-file: %w", err)
	}
	return &keyPlace{file: file}, nil
}

func (p *keyPlace) keep(ctx context.Context, key string) error {
	if p.file != nil {
		_, err := p.file.WriteString(key)
		return errors.Join(err, p.file.Sync(), p.file.Close())
	}
	// What it says is not shown: it has seen the key, and might repeat it.
	cmd := exec.CommandContext(ctx, p.command[0], p.command[1:]...) //nolint:gosec // The person's own command.
	cmd.Stdin = strings.NewReader(key)
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("--client-key-command %s: %w (its output is not shown, as it may hold the key)", p.command[0], err)
	}
	return nil
}

// undo removes the file. What a command has kept is of no use, and stays.
func (p *keyPlace) undo() error {
	if p.file == nil {
		return nil
	}
	_ = p.file.Close() // closed already where the key was written
	return os.Remove(p.file.Name())
}
