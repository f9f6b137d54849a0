package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/config"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/auth0"
)

const sandboxLong = `Runs Auth0 tenants and AWS accounts on loopback, as strict as the real ones, until it is interrupted.

Each instance is one tenant and one account, with a port each. Whatever speaks to Auth0's Management API or to IAM,
STS and SNS can be pointed at them with the printed environment variables: Terraform, the AWS CLI, an SDK. With
--prefixed their names begin with that of the instance, as in STAGING_AUTH0_DOMAIN: one shell then holds all of them, for
"auth0sns bootstrap --env production --from staging". Terraform started by hand reads the plain names alone.

Deployed hooks and Actions are run byte for byte in Node (18 or newer, from PATH) with their npm packages. Their only
network is *.amazonaws.com, which is the emulated account. Nothing leaves this machine but npm's downloads.

A new access key is refused for --key-delay before it works, as AWS does for some seconds. A role that can be assumed is
arn:aws:iam::ACCOUNT:role/operator. The world is in memory: the next start has other ports, credentials and no objects.

Control API, JSON, at the printed address:

  GET    /sandbox/                       this world: addresses, credentials, endpoints; what --json prints
  POST   /sandbox/reset                  everything as it was at the start; addresses and credentials stay
  POST   /sandbox/clock                  {"advance": "24h"} for tenants and accounts; signatures go by the real clock,
                                         and so does a provider that decides whether a key is due
  GET    /sandbox/journal?since=SEQ      requests that came in after SEQ
  GET    /sandbox/faults                 faults in force, how often applied, how many requests they hold
  POST   /sandbox/faults                 add one, see below; answers its id
  DELETE /sandbox/faults[/ID]            remove all, or one
  POST   /sandbox/faults/ID/release      let go on what it holds
  GET    /sandbox/INSTANCE/state         both sides, without secrets
  POST   /sandbox/INSTANCE/seed          set switches, see below
  GET    /sandbox/INSTANCE/inbox         messages that reached a phone
  GET    /sandbox/INSTANCE/outbox        messages that Twilio or Auth0 itself would have sent
  POST   /sandbox/INSTANCE/challenge     {"phone_number": "+15005550001"}: one MFA step through the deployed sender;
                                         also action, language, client_id, code, message_type, delivery_method

A fault is {"effect": …} and, to choose requests, "side" (auth0, aws), "instance", "operation" (where * stands for
anything: "iam:*", "PATCH /api/v2/hooks/*"), "skip" (let so many pass first) and "times" (0: for ever). Effects:

  delay         answer after "delay" ("2s")
  respond       answer "status", "header" and "body"; nothing takes effect
  respond_after take effect, then answer "status", "header" and "body" instead
  drop_before   reset the connection; nothing takes effect
  drop_after    take effect, then close the connection without an answer
  truncate      take effect, then close it in the middle of the answer
  hold_before   wait for release; nothing takes effect if the sender goes away
  hold_after    take effect, then wait for release with the answer
  down          answer, then refuse every connection to that side for "delay"

A seed is {"auth0": {…}, "aws": {…}}; what it leaves out stays as it is. Switches of a tenant, and their defaults:

  hooks_mode                  available; read_only: since 2024-11-18; disabled (403): tenants since 2023-10-16;
                              gone (404): after 2026-11-18. --hooks-mode sets it for all tenants
  second_enabled_hook         conflict (409); switch_over: the old one is disabled; disable_new: the new one stays off
  hook_secrets_read_only      false; true: read_only refuses to change secrets too
  prefer_hook                 false: a bound Action sends, not an enabled hook; true: the other way round
  build_time                  "2s": from a change of an Action until it can be deployed
  deploy_time                 "1s": from its deploy until the new version runs
  build_fails                 false; true: builds that begin from now on fail
  duplicate_action_names      false: a second Action of the same name is refused
  allow_last_factor_off       false: the last factor stays on while a policy demands MFA
  unified_phone_locked        false; true: the unified phone experience cannot be turned off
  legacy_phone_gone           false; true: the legacy phone endpoints are closed whatever the setting says
  phone_binding               unneeded; by_provider: a custom provider binds its Action; by_hand: nothing does
  phone_action_missing_code   "custom_phone_provider_deployed_action_not_found"
  templates_without_provider  false; true: phone templates can be customised before there is a provider
  retry_interval              "1m": between attempts at a message that the Action wants tried again
  log_delay                   "0s": until GET /logs shows an entry
  confidence_score            false; true: the plan has Adaptive MFA
  no_private_key_jwt          false; true: the plan has no private-key JWT, which Enterprise plans have
  token_lifetime_seconds      86400
  client_scopes               "all"; ["read:hooks", …]: the scopes of the printed application's grant
  delete_client_grant         false; true takes the grant away, once; client_scopes makes it again
  revoke_tokens               false; true makes every token issued so far invalid

Switches of an account, and their defaults:

  sms_sandbox             {"inside": false}; {"inside": true, "verified": ["+15005550001"]}
  monthly_spend           {"limit": 1, "spent": 0}, in USD
  opted_out               []: numbers that want no messages
  origination_numbers     []; [{"number": "+12065550100", "country": "US"}]: what messages can come from
  operator_policy         "": AdministratorAccess; else the policy document of the printed access key's user`

type sandboxFlags struct {
	json      bool
	prefixed  bool
	cacheDir  string
	keyDelay  time.Duration
	instances []string
	hooksMode string
}

func newSandboxCommand() *cobra.Command {
	var flags sandboxFlags
	cmd := &cobra.Command{
		Use:   "sandbox",
		Short: "Run Auth0 tenants and AWS accounts on this machine, to try everything on",
		Long:  sandboxLong,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError(fmt.Errorf("sandbox takes no argument, got %q", args[0]))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runSandbox(cmd.Context(), flags, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().BoolVar(&flags.json, "json", false, "print one line of JSON instead of a table")
	cmd.Flags().BoolVar(&flags.prefixed, "prefixed", false, "print the variables under the names of their instances, for one shell that holds all")
	cmd.Flags().StringVar(&flags.cacheDir, "cache-dir", "", "where npm packages are kept (default: auth0sns in the user's cache directory)")
	cmd.Flags().DurationVar(&flags.keyDelay, "key-delay", 2*time.Second, "how long AWS refuses a new access key")
	cmd.Flags().StringSliceVar(&flags.instances, "instances", sandbox.DefaultInstances(), "names of the instances")
	cmd.Flags().StringVar(&flags.hooksMode, "hooks-mode", string(auth0.HooksAvailable), "available, read_only, disabled or gone")
	return cmd
}

// runSandbox serves until ctx ends, which is the way to stop it and no error.
func runSandbox(ctx context.Context, flags sandboxFlags, stdout, stderr io.Writer) error {
	if flags.json && flags.prefixed {
		return usageError(errors.New("--json and --prefixed exclude each other: the JSON has the variables of each instance"))
	}
	modes := []string{string(auth0.HooksAvailable), string(auth0.HooksReadOnly), string(auth0.HooksDisabled), string(auth0.HooksGone)}
	if !slices.Contains(modes, flags.hooksMode) {
		return usageError(fmt.Errorf("--hooks-mode %q: want one of %s", flags.hooksMode, strings.Join(modes, ", ")))
	}
	cacheDir, err := sandboxCacheDir(flags.cacheDir)
	if err != nil {
		return err
	}
	world, err := sandbox.Start(ctx, sandbox.Options{
		Instances: flags.instances,
		CacheDir:  cacheDir,
		KeyDelay:  flags.keyDelay,
		HooksMode: auth0.HooksMode(flags.hooksMode),
	})
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	if err := printWorld(stdout, world.Describe(), flags); err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	fmt.Fprintln(stderr, "Running. Ctrl-C ends it.")
	<-ctx.Done()
	return world.Close()
}

// sandboxCacheDir returns an absolute path, because npm and Node are started elsewhere.
func sandboxCacheDir(flag string) (string, error) {
	if flag != "" {
		return filepath.Abs(flag)
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no cache directory, name one with --cache-dir: %w", err)
	}
	return filepath.Join(dir, "auth0sns"), nil
}

func printWorld(w io.Writer, world sandbox.Description, flags sandboxFlags) error {
	if flags.json {
		return json.NewEncoder(w).Encode(world)
	}
	var b strings.Builder
	for _, instance := range world.Instances {
		fmt.Fprintf(&b, "%s\n", instance.Name)
		fmt.Fprintf(&b, "  Auth0 tenant  %s\n", instance.Auth0.Domain)
		fmt.Fprintf(&b, "  AWS account   %s  %s\n\n", instance.AWS.EndpointURL, instance.AWS.AccountID)
		prefix := ""
		if flags.prefixed {
			prefix = config.EnvironmentPrefix(instance.Name)
		}
		names := []string{"AWS_PROFILE", "AWS_SESSION_TOKEN", "AUTH0_API_TOKEN", "AUTH0_CLIENT_ASSERTION_PRIVATE_KEY"}
		fmt.Fprintf(&b, "  unset %s%s\n", prefix, strings.Join(names, " "+prefix))
		for _, name := range slices.Sorted(maps.Keys(instance.Env)) {
			fmt.Fprintf(&b, "  export %s%s=%s\n", prefix, name, shellQuote(instance.Env[name]))
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "Control API     %s\n", world.ControlURL)
	_, err := io.WriteString(w, b.String())
	return err
}

// shellQuote makes a word that a POSIX shell takes as it is: secret keys may hold a slash or a plus, and more.
func shellQuote(value string) string {
	return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
}
