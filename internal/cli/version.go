package cli

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// build says which program this is.
type build struct {
	Schema  string `json:"schema"` // "version/1"
	Version string `json:"version"`
	// Commit is that of the working copy, "" for a build outside of one.
	Commit string `json:"commit,omitempty"`
	Go     string `json:"go"`
	OS     string `json:"os"`
	Arch   string `json:"arch"`
}

func newVersionCommand(version string) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Long:    "Prints the version of this program, which is that of the provider as well. It reads and asks nothing.",
		Example: "  auth0sns version\n  auth0sns version --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			out := output{cmd.OutOrStdout(), cmd.ErrOrStderr(), asJSON}
			document := build{"version/1", version, commit(), runtime.Version(), runtime.GOOS, runtime.GOARCH}
			return out.result(document, func(w io.Writer) error {
				_, err := fmt.Fprint(w, versionText(version))
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document, version/1")
	return cmd
}

// commit is the revision that Go's build has noted.
func commit() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			return setting.Value
		}
	}
	return ""
}

// versionText is what version and --version print.
func versionText(version string) string {
	return fmt.Sprintf("auth0sns %s (%s, %s/%s)\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
