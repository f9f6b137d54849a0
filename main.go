// Command terraform-provider-auth0sns is both the Terraform provider auth0sns
// and the command line tool of that name.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/cli"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/config"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/coredump"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/provider"
)

// version is set by the release build.
var version = "0.0.0-dev"

func main() {
	debug := slices.Contains(os.Args[1:], "-debug")
	if debug || config.StartedByTerraform(config.Environment()) {
		if err := serve(debug); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), endings()...)
	code := cli.Execute(ctx, version, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// endings are the signals that interrupt a command. A terminal that is closed is
// one of them: left to itself it would end this process at once and, on Linux,
// Terraform with it, in the middle of an apply. nohup says that it is none.
func endings() []os.Signal {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}

// serve speaks the plugin protocol on stdout and nothing else. With -debug core
// dumps stay as they are: a debugger could not attach.
func serve(debug bool) error {
	if !debug {
		if err := coredump.Disable(); err != nil {
			return err
		}
	}
	return providerserver.Serve(context.Background(), provider.Factory(version), providerserver.ServeOpts{
		Address:         provider.Address,
		Debug:           debug,
		ProtocolVersion: 6,
	})
}
