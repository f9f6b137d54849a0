package workspace

import (
	"embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// pipelineTexts are the parts of the pipelines; @NAME@ in them is filled in.
//
//go:embed pipeline
var pipelineTexts embed.FS

const (
	pipelineGitHub = "github"
	pipelineGitLab = "gitlab"
)

// PipelineKinds are the services that a pipeline can be rendered for.
func PipelineKinds() []string { return []string{pipelineGitHub, pipelineGitLab} }

// pipelineStage is one environment on a change's way.
type pipelineStage struct {
	name, region string
	backend      Backend
}

// Pipeline returns the change of the one file that is a team's pipeline: of kind
// "github" .github/workflows/sms-mfa.yml, of "gitlab" .gitlab/sms-mfa.yml, to be
// included; none where it is as it should be. The environments are those that
// have files, in the order in which a change reaches them: the first is applied
// unasked, each other one after an approval. It goes to the root of the
// repository that the workspace is in. What has to be set there is in its head.
// A state on one machine, of the backend local, is a [ConflictError].
func (w *Workspace) Pipeline(kind string, environments []string) ([]Change, error) {
	if len(environments) == 0 {
		return nil, errors.New("a pipeline needs an environment")
	}
	var stages []pipelineStage
	for _, name := range environments {
		e, err := w.Read(name)
		if err != nil {
			return nil, err
		}
		if e.Settings.Backend.Kind == backendLocal {
			return nil, ConflictError{fmt.Sprintf("the state of %s is a file on one machine, which a pipeline cannot reach: choose another backend first (%s)", name, strings.Join(BackendKinds(), ", "))}
		}
		stages = append(stages, pipelineStage{name, e.Settings.Region, e.Settings.Backend})
	}
	below, err := w.belowRepository()
	if err != nil {
		return nil, err
	}
	var file, text string
	switch kind {
	case pipelineGitHub:
		file = ".github/workflows/sms-mfa.yml"
		text, err = githubPipeline(file, below, stages)
	case pipelineGitLab:
		file = ".gitlab/sms-mfa.yml"
		text, err = gitlabPipeline(file, below, stages)
	default:
		err = fmt.Errorf("%q is none of %s", kind, strings.Join(PipelineKinds(), ", "))
	}
	if err != nil {
		return nil, err
	}
	up := slices.Repeat([]string{".."}, strings.Count(below, "/"))
	return w.appendChange(nil, withHeader([]byte(text)), append(up, filepath.FromSlash(file))...)
}

// belowRepository is where the workspace is in its repository: "" or "infra/".
// Outside of one it is taken for the root itself.
func (w *Workspace) belowRepository() (string, error) {
	dir, err := filepath.Abs(w.dir)
	if err != nil {
		return "", err
	}
	top := repositoryOf(dir)
	below, err := filepath.Rel(top, dir)
	if err != nil || below == "." {
		return "", err
	}
	return filepath.ToSlash(below) + "/", nil
}

// repositoryOf is the folder above, or of, dir that has .git; dir without one.
func repositoryOf(dir string) string {
	for top := dir; ; top = filepath.Dir(top) {
		if _, err := os.Lstat(filepath.Join(top, ".git")); err == nil { //nolint:gosec // A person names the folder.
			return top
		}
		if top == filepath.Dir(top) {
			return dir
		}
	}
}

// watched are the paths whose changes start a pipeline.
func watched(file, below string) string {
	return fmt.Sprintf("%q, %q, %q", below+"modules/sms_mfa/**/*", below+"environments/**/*", file)
}

func githubPipeline(file, below string, stages []pipelineStage) (string, error) {
	const (
		fromHere  = "github.event_name == 'pull_request' && github.event.pull_request.head.repo.full_name == github.repository"
		onDefault = "github.event_name == 'schedule' || github.event_name != 'pull_request' && github.ref_name == github.event.repository.default_branch"
		notPulled = "github.event_name != 'pull_request'"
	)
	common := []string{"@FIRST@", stages[0].name, "@PATHS@", watched(file, below), "@DIR@", below}
	var b builder
	variables, secrets := backendNeeds(stages)
	b.add("github.yml", append(common, "@VARIABLES@", variables, "@SECRETS@", secrets)...)
	for i, s := range stages {
		planNeeds, planIf := "", fromHere
		applyNeeds, applyIf := "", onDefault
		if i > 0 {
			before := stages[i-1].name
			needs, done := []string{"apply-" + before}, fmt.Sprintf("needs.apply-%s.result == 'success'", before)
			if i > 1 { // It is skipped where there was nothing to approve.
				needs = append(needs, "plan-"+before)
				done += fmt.Sprintf(" || needs.plan-%s.outputs.changes == 'false'", before)
			}
			planNeeds = fmt.Sprintf("    needs: [%s]\n", strings.Join(needs, ", "))
			planIf = fmt.Sprintf("${{ !cancelled() && (%s || %s && (%s)) }}", fromHere, notPulled, done)
			applyNeeds = fmt.Sprintf("    needs: [plan-%s]\n", s.name)
			applyIf = fmt.Sprintf("${{ !cancelled() && %s && needs.plan-%s.result == 'success' && needs.plan-%s.outputs.changes == 'true' }}", notPulled, s.name, s.name)
		}
		values := append(slices.Clone(common), "@ENV@", s.name, "@REGION@", s.region, "@BACKEND@", githubBackend(s.backend), "@LOGIN@", githubLogin(s.backend))
		b.add("github-plan.yml", append(values, "@NEEDS@", planNeeds, "@IF@", planIf)...)
		b.add("github-env.yml", values...)
		b.add("github-plan-steps.yml", values...)
		b.add("github-apply.yml", append(values, "@NEEDS@", applyNeeds, "@IF@", applyIf)...)
		b.add("github-env.yml", values...)
		b.add("github-apply-steps.yml", values...)
	}
	return b.text()
}

// githubBackend is what the backend finds in the environment.
func githubBackend(b Backend) string {
	switch b.Kind {
	case backendAzure:
		return "      ARM_USE_OIDC: \"true\"\n      ARM_CLIENT_ID: ${{ vars.ARM_CLIENT_ID }}\n      ARM_TENANT_ID: ${{ vars.ARM_TENANT_ID }}\n      ARM_SUBSCRIPTION_ID: ${{ vars.ARM_SUBSCRIPTION_ID }}\n"
	case backendRemote:
		return fmt.Sprintf("      %s: ${{ secrets.TF_API_TOKEN }}\n", tokenVariable(b))
	default:
		return ""
	}
}

func githubLogin(b Backend) string {
	if b.Kind != backendGCS {
		return ""
	}
	return `      - uses: google-github-actions/auth@7c6bc770dae815cd3e89ee6cdf493a5fab2cc093 # v3.0.0
        with:
          workload_identity_provider: ${{ vars.GOOGLE_WORKLOAD_IDENTITY_PROVIDER }}
          service_account: ${{ vars.GOOGLE_SERVICE_ACCOUNT }}
`
}

// backendNeeds are the variables and secrets that the backends add, for the head
// of a pipeline.
func backendNeeds(stages []pipelineStage) (variables, secrets string) {
	uses := func(kind string) bool {
		return slices.ContainsFunc(stages, func(s pipelineStage) bool { return s.backend.Kind == kind })
	}
	if uses(backendAzure) {
		variables += ", ARM_CLIENT_ID, ARM_TENANT_ID, ARM_SUBSCRIPTION_ID"
	}
	if uses(backendGCS) {
		variables += ", GOOGLE_WORKLOAD_IDENTITY_PROVIDER, GOOGLE_SERVICE_ACCOUNT"
	}
	if uses(backendRemote) {
		secrets += ", TF_API_TOKEN"
	}
	return variables, secrets
}

// tokenVariable is where Terraform looks for the token of a host.
// https://developer.hashicorp.com/terraform/cli/config/config-file#environment-variable-credentials
func tokenVariable(b Backend) string {
	host := b.Settings["hostname"]
	if host == "" {
		host = "app.terraform.io"
	}
	return "TF_TOKEN_" + strings.NewReplacer(".", "_", "-", "__").Replace(host)
}

func gitlabPipeline(file, below string, stages []pipelineStage) (string, error) {
	var variables, tokens string
	for _, s := range stages {
		switch s.backend.Kind {
		case backendGCS:
			return "", fmt.Errorf("environment %s: a pipeline of GitLab with a state in Cloud Storage is not written: GitLab's token would need a credential file of Google's for each project", s.name)
		case backendAzure:
			tokens = "    ARM_OIDC_TOKEN:\n      aud: api://AzureADTokenExchange\n"
			variables = ";\n# for the state ARM_USE_OIDC=true, ARM_CLIENT_ID, ARM_TENANT_ID, ARM_SUBSCRIPTION_ID"
		case backendRemote:
			variables = ";\n# for the state " + tokenVariable(s.backend) + " (masked)"
		}
	}
	common := []string{"@FIRST@", stages[0].name, "@FILE@", file, "@PATHS@", watched(file, below), "@DIR@", below}
	var b builder
	b.add("gitlab.yml", append(common, "@VARIABLES@", variables, "@ID_TOKENS@", tokens)...)
	for i, s := range stages {
		values := append(slices.Clone(common), "@ENV@", s.name, "@REGION@", s.region)
		if i == 0 {
			values = append(values, "@AFTER@", "", "@PREVIEW@", "", "@BEFORE@", "", "@WHEN@", "")
		} else {
			values = append(values,
				"@AFTER@", fmt.Sprintf("{job: sms-mfa-apply-%s, optional: true}", stages[i-1].name),
				"@PREVIEW@", fmt.Sprintf("    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH\n      changes: [%s]\n", watched(file, below)),
				"@BEFORE@", "sms-mfa-plan-"+s.name,
				"@WHEN@", "      when: manual\n")
		}
		b.add("gitlab-environment.yml", values...)
	}
	return b.text()
}

// builder puts parts of pipelines together.
type builder struct {
	content strings.Builder
	err     error
}

// add appends a part with the values for its names: name, value, name, value.
func (b *builder) add(part string, values ...string) {
	text, err := pipelineTexts.ReadFile("pipeline/" + part)
	if err != nil && b.err == nil {
		b.err = err
	}
	b.content.WriteString(strings.NewReplacer(values...).Replace(string(text)))
}

func (b *builder) text() (string, error) {
	return strings.TrimRight(b.content.String(), "\n") + "\n", b.err
}
