package cli

import (
	"github.com/spf13/cobra"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/checks"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/workspace"
)

// completions tells, by the name of a flag, what its value can be. A flag means
// the same in every command.
func completions() map[string]cobra.CompletionFunc {
	words := func(words ...string) cobra.CompletionFunc {
		return cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)
	}
	return map[string]cobra.CompletionFunc{
		"env":         completeEnvironment,
		"from":        completeEnvironment,
		"only":        completeCheck,
		"path":        words(string(delivery.PathUnified), string(delivery.PathAction)),
		"backend":     words(workspace.BackendKinds()...),
		"ci":          words("github", "gitlab"),
		"format":      words("text", "markdown", "json", "sarif"),
		"mfa-policy":  words("all-applications", "confidence-score", "never"),
		"hooks-mode":  words("available", "read_only", "disabled", "gone"),
		"to":          cobra.NoFileCompletions,
		"iam-user":    cobra.NoFileCompletions,
		"region":      cobra.NoFileCompletions,
		"sender-name": cobra.NoFileCompletions,
	}
}

// addCompletions gives the flags of a command, and of those beneath it, what a
// shell can offer for them.
func addCompletions(cmd *cobra.Command) {
	for name, complete := range completions() {
		if _, has := cmd.GetFlagCompletionFunc(name); !has && cmd.Flags().Lookup(name) != nil {
			_ = cmd.RegisterFlagCompletionFunc(name, complete) // fails for a flag that is not there, or has one
		}
	}
	for _, below := range cmd.Commands() {
		addCompletions(below)
	}
}

// completeEnvironment offers the environments of --dir.
func completeEnvironment(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	dir := "."
	if flag := cmd.Flags().Lookup("dir"); flag != nil {
		dir = flag.Value.String()
	}
	names, err := workspace.Open(dir).Environments()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completeCheck offers the checks, with what each is for.
func completeCheck(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var ids []string
	for _, check := range checks.All() {
		ids = append(ids, cobra.CompletionWithDesc(check.ID, check.Title))
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}
