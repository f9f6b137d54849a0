package provider_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/auth0sns/terraform-provider-auth0sns/examples"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/acctest"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/auth0"
)

const (
	exampleTerraform = "terraform {\n  required_providers {\n    auth0sns = {\n      source = \"auth0sns/auth0sns\"\n    }\n  }\n}\n\n"
	// exampleHeader is what the registry's pages leave out of the example of a resource.
	exampleHeader = exampleTerraform + "provider \"auth0sns\" {}\n\n"
	operatorRole  = "permissions/aws-operator-policy.json"
)

// TestAccExamplesOfResources applies what the page of each resource shows, with
// nothing but the permissions that the index page lists, imports it by the ids
// of the page, and destroys it. If it fails, who copies from the docs is stuck.
func TestAccExamplesOfResources(t *testing.T) {
	files, err := fs.Glob(examples.FS, "resources/*/resource*.tf")
	if err != nil || len(files) == 0 {
		t.Fatalf("no example found: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimPrefix(file, "resources/"), func(t *testing.T) {
			env := acctest.New(t)
			exampleGrantDocumented(t, env)
			// Texts that were never set cannot be unset, so there have to be some to go back to.
			exampleSetTexts(t, env)
			steps := []resource.TestStep{{
				Config:           exampleHeader + exampleConfig(t, file),
				ConfigPlanChecks: resource.ConfigPlanChecks{PostApplyPostRefresh: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}},
			}}
			if path.Base(file) == "resource.tf" {
				steps = append(steps, exampleImports(t, env, path.Dir(file))...)
			}
			env.Test(t, steps...)
		})
	}
}

// TestAccExamplesOfProvider runs the whole job with each provider block shown.
func TestAccExamplesOfProvider(t *testing.T) {
	sender := acctest.Config(t, "resources/auth0sns_mfa_policy/resource.tf")
	for name, tc := range map[string]struct {
		rest      string
		terraform string
		prepare   func(*testing.T, *acctest.Env) config.Variables
	}{
		"provider.tf": {},
		"provider_explicit.tf": {terraform: exampleTerraform, rest: sender, prepare: func(_ *testing.T, env *acctest.Env) config.Variables {
			delete(env.Variables, "AUTH0_DOMAIN")
			return config.Variables{"auth0_domain": config.StringVariable(env.TenantURL)}
		}},
		"provider_assume_role.tf": {terraform: exampleTerraform, rest: sender},
		"provider_private_key.tf": {terraform: exampleTerraform, rest: sender, prepare: func(t *testing.T, env *acctest.Env) config.Variables {
			delete(env.Variables, "AUTH0_CLIENT_SECRET")
			return config.Variables{"auth0_private_key": config.StringVariable(exampleKey(t, env))}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			env := acctest.New(t)
			var variables config.Variables
			if tc.prepare != nil {
				variables = tc.prepare(t, env)
			}
			env.Test(t, resource.TestStep{
				Config:           tc.terraform + acctest.Config(t, "provider/"+name) + "\n" + tc.rest,
				ConfigVariables:  variables,
				ConfigPlanChecks: resource.ConfigPlanChecks{PostApplyPostRefresh: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}},
				Check:            func(*terraform.State) error { env.Challenge(t); return nil },
			})
		})
	}
	shown, err := fs.Glob(examples.FS, "provider/*.tf")
	if err != nil || len(shown) != 4 {
		t.Errorf("examples/provider holds %q: each of them needs its case here (%v)", shown, err)
	}
}

// TestAccExampleReadOnlyHook is what most tenants with a hook can still do: take
// it over as it is and give it a key of its own. If it fails, the hook page
// promises a way that is none.
func TestAccExampleReadOnlyHook(t *testing.T) {
	env := acctest.New(t)
	own := exampleConfig(t, "resources/auth0sns_hook/resource_own_code.tf")
	hook, err := env.Auth0(t).CreateHook(t.Context(), auth0api.Hook{
		Name: "Own sender", Script: acctest.Config(t, "resources/auth0sns_hook/hook.js"), TriggerID: delivery.TriggerHook,
		Enabled: true, Dependencies: map[string]string{"aws-sdk": "2.1693.0"},
	})
	if err != nil {
		t.Fatal(err)
	}
	switches := env.Tenant.Switches()
	switches.HooksMode = auth0.HooksReadOnly
	if err := env.Tenant.SetSwitches(switches); err != nil {
		t.Fatal(err)
	}
	rest := "resource \"auth0sns_iam_user\" \"sms\" {\n  name = \"auth0-mfa-sms\"\n}\n\n" +
		"resource \"auth0sns_credentials\" \"sms\" {\n  iam_user = auth0sns_iam_user.sms.name\n  hook_id  = auth0sns_hook.own.id\n}\n"
	env.Test(t,
		resource.TestStep{
			Config: exampleHeader + own + rest + "import {\n  to = auth0sns_hook.own\n  id = \"" + hook.ID + "\"\n}\n",
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction("auth0sns_hook.own", plancheck.ResourceActionNoop),
				plancheck.ExpectResourceAction("auth0sns_credentials.sms", plancheck.ResourceActionCreate),
			}},
			Check: resource.TestCheckResourceAttr("auth0sns_credentials.sms", "status", "delivered"),
		},
		resource.TestStep{
			Config: exampleHeader + "removed {\n  from = auth0sns_hook.own\n  lifecycle {\n    destroy = false\n  }\n}\n",
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction("auth0sns_credentials.sms", plancheck.ResourceActionDestroy),
			}},
		},
	)
}

// TestAccDocsRequests holds the pages to what is really asked of Auth0 and AWS.
func TestAccDocsRequests(t *testing.T) {
	env := acctest.New(t)
	pages := map[string]map[string][]string{}
	var documented, refresh []string
	for _, name := range []string{"iam_user", "hook", "credentials", "sms_factor", "mfa_policy"} {
		pages[name] = exampleRequests(t, name)
		for when, operations := range pages[name] {
			documented = append(documented, operations...)
			if strings.HasSuffix(when, "refresh") && !strings.Contains(when, "With a phone provider") {
				refresh = append(refresh, operations...)
			}
		}
	}
	documented = append(documented, "POST /oauth/token")
	refresh = append(refresh, "POST /oauth/token")

	w := newWorkspace(t, env, exampleHeader+acctest.Config(t, "resources/auth0sns_mfa_policy/resource.tf"))
	run := w.must("apply").operations()
	plan := w.must("plan").operations()
	run = append(run, w.must("destroy").operations()...)

	slices.Sort(plan)
	slices.Sort(refresh)
	requireEqual(t, "requests of an empty plan, against the rows \"refresh\" of the pages", plan, refresh)
	for _, operation := range run {
		if !slices.Contains(documented, operation) {
			t.Errorf("%s is made and on no page of a resource", operation)
		}
	}
	requireEqual(t, "IAM actions of the operator's policy, against the pages", exampleIAMActions(t), exampleIAM(documented))
}

// TestDocsLinks follows every link from page to page.
func TestDocsLinks(t *testing.T) {
	root := filepath.Join(acctest.ModuleRoot(t), "docs")
	pages := map[string]string{}
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(file) //nolint:gosec // A page of this repository.
		pages[file] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	link := regexp.MustCompile(`\]\(((?:\.\./)?[a-z_/-]*\.md)?(?:#([a-z0-9_-]+))?\)`)
	heading := regexp.MustCompile(`(?m)^#+ (.*)$|<a id="([^"]+)">`)
	dropped := regexp.MustCompile(`[^\p{L}\p{N} _-]`) // by what renders the page, from its anchors
	for file, text := range pages {
		for _, to := range link.FindAllStringSubmatch(text, -1) {
			target := file
			if to[1] != "" {
				target = filepath.Join(filepath.Dir(file), filepath.FromSlash(to[1]))
			}
			anchors := []string{""}
			for _, h := range heading.FindAllStringSubmatch(pages[target], -1) {
				anchors = append(anchors, strings.ReplaceAll(dropped.ReplaceAllString(strings.ToLower(h[1]), ""), " ", "-")+h[2])
			}
			if pages[target] == "" || !slices.Contains(anchors, to[2]) {
				t.Errorf("%s: %s leads nowhere", file, to[0])
			}
		}
	}
}

// exampleConfig is an example as it is, but for the folder that its file() calls read from.
func exampleConfig(t *testing.T, file string) string {
	t.Helper()
	folder := filepath.Join(acctest.ModuleRoot(t), "examples", filepath.FromSlash(path.Dir(file)))
	return strings.ReplaceAll(acctest.Config(t, file), "${path.module}", filepath.ToSlash(folder)) + "\n"
}

var (
	importBlock   = regexp.MustCompile(`to = (\S+)\s+id = "([^"]+)"`)
	importCommand = regexp.MustCompile(`(?m)^terraform import (\S+) (\S+)$`)
	hookID        = regexp.MustCompile(`\b01[0-9A-Z]{24}\b`)
	actionID      = regexp.MustCompile(`\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b`)
	accessKeyID   = regexp.MustCompile(`\bAKIA[0-9A-Z]{16}\b`)
	phoneID       = regexp.MustCompile(`\bpro_[0-9A-Za-z]{22}\b`)
)

// exampleImports imports by both files of a folder, with the ids of this world in the place of those on the page.
func exampleImports(t *testing.T, env *acctest.Env, folder string) []resource.TestStep {
	t.Helper()
	// What only the configuration can know, such as keepers, is recorded by an update that keeps the key.
	records := path.Base(folder) == "auth0sns_credentials"
	action := plancheck.ResourceActionNoop
	if records {
		action = plancheck.ResourceActionUpdate
	}
	var steps []resource.TestStep
	for file, pattern := range map[string]*regexp.Regexp{"import-by-string-id.tf": importBlock, "import.sh": importCommand} {
		found := pattern.FindStringSubmatch(acctest.Config(t, path.Join(folder, file)))
		if found == nil {
			t.Fatalf("%s/%s shows no import", folder, file)
		}
		step := resource.TestStep{
			ResourceName: found[1],
			ImportState:  true,
			ImportStateIdFunc: func(*terraform.State) (string, error) {
				state := env.State()
				id := found[2]
				for _, h := range state.Tenant.Hooks {
					id = hookID.ReplaceAllString(id, h.ID)
				}
				for _, a := range state.Tenant.Actions {
					id = actionID.ReplaceAllString(id, a.ID)
				}
				for _, p := range state.Tenant.PhoneProviders {
					id = phoneID.ReplaceAllString(id, p.ID)
				}
				for _, u := range state.Account.Users {
					if u.Name == "auth0-mfa-sms" && len(u.AccessKeys) > 0 {
						id = accessKeyID.ReplaceAllString(id, u.AccessKeys[0].ID)
					}
				}
				return id, nil
			},
		}
		if pattern == importBlock {
			step.ImportStateKind = resource.ImportBlockWithID
			step.ExpectNonEmptyPlan = records
			step.ImportPlanChecks.PreApply = []plancheck.PlanCheck{plancheck.ExpectResourceAction(found[1], action)}
			if records {
				step.ImportPlanChecks.PreApply = append(step.ImportPlanChecks.PreApply, plancheck.ExpectKnownValue(
					found[1], tfjsonpath.New("access_key_id"), knownvalue.StringRegexp(accessKeyID)))
			}
		}
		steps = append(steps, step)
	}
	return steps
}

// exampleGrantDocumented takes from this world's client and operator all but what the index page lists.
func exampleGrantDocumented(t *testing.T, env *acctest.Env) {
	t.Helper()
	index := exampleTemplate(t, "index.md.tmpl")
	scopes := regexp.MustCompile(`\b(?:read|create|update|delete):[a-z_]+`).FindAllString(index, -1)
	slices.Sort(scopes)
	env.Tenant.SetGrantScopes(env.Variables["AUTH0_CLIENT_ID"], slices.Compact(scopes))
	if err := env.Account.SetOperatorPolicy(acctest.Config(t, operatorRole)); err != nil {
		t.Fatal(err)
	}
}

func exampleSetTexts(t *testing.T, env *acctest.Env) {
	t.Helper()
	texts := auth0api.Templates{EnrollmentMessage: "{{code}} before", VerificationMessage: "{{code}} before"}
	if err := env.Auth0(t).SetTemplates(t.Context(), texts); err != nil {
		t.Fatal(err)
	}
}

// exampleKey makes the tenant's application take private-key JWT, and returns the key.
func exampleKey(t *testing.T, env *acctest.Env) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	encoded := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))
	if err := env.Tenant.SetClientPublicKey(env.Variables["AUTH0_CLIENT_ID"], encoded); err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
}

func exampleTemplate(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(acctest.ModuleRoot(t), "templates", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// exampleRequests reads the tables under "Requests" of a page: operations, as the journal names them, by row. A row of a
// table under a line that ends with a colon has that line in front of its name. No example that is refreshed has texts.
func exampleRequests(t *testing.T, name string) map[string][]string {
	t.Helper()
	_, table, found := strings.Cut(exampleTemplate(t, "resources/"+name+".md.tmpl"), "\n## Requests\n")
	if !found {
		t.Fatalf("the page of %s has no section Requests", name)
	}
	operation := regexp.MustCompile("`([a-z]+:[A-Z][A-Za-z]+|[A-Z]+ /[^`]+)`")
	rows, title := map[string][]string{}, ""
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if strings.HasSuffix(line, ":\n") {
			title = strings.TrimSpace(line) + " "
		}
		if len(cells) < 4 {
			continue
		}
		when := title + strings.TrimSpace(cells[1])
		if strings.HasSuffix(when, "refresh") {
			cells[2], _, _ = strings.Cut(cells[2], "; with texts")
		}
		for _, match := range operation.FindAllStringSubmatch(cells[2], -1) {
			rows[when] = append(rows[when], match[1])
		}
	}
	return rows
}

func exampleIAMActions(t *testing.T) []string {
	t.Helper()
	var policy struct{ Statement []struct{ Action []string } }
	if err := json.Unmarshal([]byte(acctest.Config(t, operatorRole)), &policy); err != nil {
		t.Fatal(err)
	}
	return policy.Statement[0].Action
}

func exampleIAM(operations []string) []string {
	actions := slices.DeleteFunc(slices.Clone(operations), func(o string) bool { return !strings.HasPrefix(o, "iam:") })
	slices.Sort(actions)
	return slices.Compact(actions)
}
