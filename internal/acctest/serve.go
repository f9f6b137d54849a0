package acctest

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/provider"
)

// Serve serves the provider from this process, with the clock of the Env, until
// the test ends. It returns the TF_REATTACH_PROVIDERS that leads Terraform to it.
func (e *Env) Serve(t *testing.T) string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background()) //nolint:usetesting // t.Context ends before the clean-up that waits for the server.
	config, closed := make(chan *plugin.ReattachConfig), make(chan struct{})
	factory := func() tfprotov6.ProviderServer {
		server, err := e.Factories()["auth0sns"]()
		if err != nil {
			t.Error(err)
		}
		return server
	}
	go func() {
		_ = tf6server.Serve(provider.Address, factory, tf6server.WithDebug(ctx, config, closed),
			tf6server.WithLoggingSink(t), tf6server.WithGoPluginLogger(hclog.NewNullLogger()))
	}()
	t.Cleanup(func() { cancel(); <-closed })
	served := <-config
	encoded, err := json.Marshal(map[string]any{ProviderHost() + "/auth0sns/auth0sns": map[string]any{
		"Protocol": served.Protocol, "ProtocolVersion": served.ProtocolVersion, "Pid": served.Pid, "Test": true,
		"Addr": map[string]string{"Network": served.Addr.Network(), "String": served.Addr.String()},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return string(encoded)
}
