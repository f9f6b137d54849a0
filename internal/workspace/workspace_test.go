package workspace

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// settings are those of a person who leaves everything open that can be.
func settings(changes ...func(*Settings)) Settings {
	s := Settings{Domain: "staging.eu.auth0.com", AccountID: "111122223333", Region: "eu-central-1", Path: PathUnified}
	for _, change := range changes {
		change(&s)
	}
	return s
}

func production(changes ...func(*Settings)) Settings {
	return settings(append([]func(*Settings){func(s *Settings) {
		s.Domain, s.AccountID = "production.eu.auth0.com", "444455556666"
	}}, changes...)...)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func requireError(t *testing.T, err error, says string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), says) {
		t.Errorf("the error does not say %q: %v", says, err)
	}
}

func requireRender(t *testing.T, w *Workspace, name string, s Settings, imports []Import) []Change {
	t.Helper()
	changes, err := w.Render(name, s, imports)
	if err != nil {
		t.Fatal(err)
	}
	return changes
}

func requireWrite(t *testing.T, w *Workspace, name string, s Settings, imports []Import) {
	t.Helper()
	if err := w.Write(requireRender(t, w, name, s, imports)); err != nil {
		t.Fatal(err)
	}
}

// pathsOf are the paths of changes below the workspace.
func pathsOf(t *testing.T, w *Workspace, changes []Change) []string {
	t.Helper()
	paths := []string{}
	for _, c := range changes {
		path, err := filepath.Rel(w.dir, c.Path)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, filepath.ToSlash(path))
	}
	return paths
}

// full are settings in which nothing is left open.
func full() Settings {
	return Settings{
		Domain: "staging.eu.auth0.com", AccountID: "111122223333", Region: "eu-central-1", Path: PathAction,
		IAMUser: "auth0-mfa-other", SenderName: "Other", RotateAfter: "30d", MFAPolicy: "never",
		EnrollmentMessage: "{{code}} \"enrolls\" ${you}\nat 5 %{if}", VerificationMessage: "{{ code | escape }}",
		SMS: SMS{
			SenderID: "EXAMPLE", OriginationNumber: "+18445550100", MaxPriceUSD: "0.20", EntityID: "e", TemplateID: "t",
			AllowedCountryCodes: []string{"+49", "+1"}, FallbackRegions: []string{"us-west-2", "eu-west-1"},
		},
		Backend: Backend{Kind: "s3", Settings: map[string]string{"bucket": "states", "key": "k", "region": "eu-west-1", "kms_key_id": "alias/states"}},
	}
}

// TestSettingsComeBack is what makes the files the one place that holds them:
// what is written is what is read, and a second run has nothing to change.
func TestSettingsComeBack(t *testing.T) {
	w := Open(filepath.Join(t.TempDir(), "new"))
	w.Version = "1.4.2"
	imports := []Import{{To: "module.sms_mfa.auth0sns_iam_user.sms", ID: "auth0-mfa-sms"}, {To: "module.sms_mfa.auth0sns_sms_factor.sms", ID: "sms"}}
	want := Environment{Name: "staging", Dir: filepath.Join(w.dir, "environments", "staging"), Settings: full(), Imports: imports}
	if _, err := w.Read("staging"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an environment that is not there: %v", err)
	}
	requireWrite(t, w, "staging", full(), imports)
	got, err := w.Read("staging")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what was written is not what is read (-want +got):\n%s", diff)
	}
	if changes := requireRender(t, w, "staging", got.Settings, nil); len(changes) > 0 {
		t.Errorf("a second run would write %q:\n%s", pathsOf(t, w, changes), changes[0].Diff())
	}
	if names, err := w.Environments(); err != nil || !slices.Equal(names, []string{"staging"}) {
		t.Errorf("environments %q, %v", names, err)
	}
	mainText, err := os.ReadFile(filepath.Join(got.Dir, "main.tf"))
	if err != nil || !bytes.Contains(mainText, []byte(`"~> 1.4.0"`)) {
		t.Errorf("the environment does not pin the provider's minor version: %v\n%s", err, mainText)
	}
}

func TestDefaultsAreRead(t *testing.T) {
	w := Open(t.TempDir())
	requireWrite(t, w, "staging", settings(), nil)
	got, err := w.Read("staging")
	if err != nil {
		t.Fatal(err)
	}
	want := settings(func(s *Settings) {
		s.IAMUser, s.SenderName, s.RotateAfter, s.MFAPolicy = "auth0-mfa-sms", "Amazon SNS", "90d", "all-applications"
		s.Backend.Kind = "local"
	})
	if diff := cmp.Diff(want, got.Settings); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}

// TestOneModuleForAll is what "first on staging, then unchanged on production"
// means: production adds its own folder and touches nothing else.
func TestOneModuleForAll(t *testing.T) {
	w := Open(t.TempDir())
	requireWrite(t, w, "staging", settings(), nil)
	got := pathsOf(t, w, requireRender(t, w, "production", production(), nil))
	want := []string{
		"environments/production/main.tf", "environments/production/backend.tf", "environments/production/variables.tf",
		"environments/production/.gitignore", "environments/production/terraform.tfvars",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what production adds (-want +got):\n%s", diff)
	}
}

// TestConflictsAreRefused keeps two environments from taking turns at changing
// the same thing.
func TestConflictsAreRefused(t *testing.T) {
	s3 := func(key string) func(*Settings) {
		return func(s *Settings) {
			s.Backend = Backend{Kind: "s3", Settings: map[string]string{"bucket": "states", "key": key, "region": "eu-west-1"}}
		}
	}
	for name, test := range map[string]struct {
		there, wanted Settings
		says          string
	}{
		"tenant":   {settings(), production(func(s *Settings) { s.Domain = "https://STAGING.eu.auth0.com/" }), "environment staging is for the tenant staging.eu.auth0.com already"},
		"IAM user": {settings(), production(func(s *Settings) { s.AccountID = "111122223333" }), "environment staging has the IAM user auth0-mfa-sms of the account 111122223333 already"},
		"path":     {settings(), production(func(s *Settings) { s.Path = PathAction }), "the module of this folder is for the path unified"},
		"state":    {settings(s3("one")), production(s3("one")), "environment staging keeps its state there already: production needs another key"},
	} {
		t.Run(name, func(t *testing.T) {
			w := Open(t.TempDir())
			requireWrite(t, w, "staging", test.there, nil)
			_, err := w.Render("production", test.wanted, nil)
			requireError(t, err, test.says)
			if !errors.As(err, new(ConflictError)) {
				t.Errorf("it is told as a mistake in the settings: %T", err)
			}
		})
	}
	w := Open(t.TempDir())
	requireWrite(t, w, "staging", settings(s3("one")), nil)
	requireWrite(t, w, "production", production(s3("")), nil)
	if e, err := w.Read("production"); err != nil || e.Settings.Backend.Settings["key"] != "sms-mfa/production.tfstate" {
		t.Errorf("a key that is left open is no place of its own: %+v, %v", e, err)
	}
	// Of two that are there, neither could move first.
	_, err := w.Render("production", production(s3(""), func(s *Settings) { s.Path = PathAction }), nil)
	requireError(t, err, "To move production alone, copy modules and environments/production")
}

// TestOnlyEnvironmentMovesTheModule lets a team move its one environment to
// another path, and shows it.
func TestOnlyEnvironmentMovesTheModule(t *testing.T) {
	w := Open(t.TempDir())
	requireWrite(t, w, "staging", settings(func(s *Settings) { s.Path = PathAction }), nil)
	changes := requireRender(t, w, "staging", settings(), nil)
	if diff := cmp.Diff([]string{"modules/sms_mfa/main.tf"}, pathsOf(t, w, changes)); diff != "" {
		t.Fatalf("the move (-want +got):\n%s", diff)
	}
	if changes[0].Edited {
		t.Error("the module is taken for a person's own text")
	}
	if diff := changes[0].Diff(); !strings.Contains(diff, "\n+resource \"auth0sns_phone_provider\" \"sms\" {\n") {
		t.Errorf("the diff does not show the phone provider:\n%s", diff)
	}
}

// TestAnotherNameIsNoRename keeps the user, or the Action, of somebody else from
// being imported and renamed after a person saw it in a plan and chose another
// name.
func TestAnotherNameIsNoRename(t *testing.T) {
	user := Import{To: "module.sms_mfa.auth0sns_iam_user.sms", ID: "auth0-mfa-sms"}
	action := Import{To: "module.sms_mfa.auth0sns_action.sms", ID: "e3b0c442"}
	policy := Import{To: "module.sms_mfa.auth0sns_mfa_policy.sms", ID: "mfa-policy"}
	for name, test := range map[string]struct {
		found []Import
		path  string
		other func(*Settings)
		want  []Import
	}{
		"the same":                     {[]Import{user, action, policy}, PathAction, func(*Settings) {}, []Import{user, action, policy}},
		"another user":                 {[]Import{user, policy}, PathUnified, func(s *Settings) { s.IAMUser = "other" }, []Import{policy}},
		"another user, nothing else":   {[]Import{user}, PathUnified, func(s *Settings) { s.IAMUser = "other" }, nil},
		"another Action":               {[]Import{user, action}, PathAction, func(s *Settings) { s.SenderName = "Other" }, []Import{user}},
		"another name of the only one": {[]Import{action}, PathUnified, func(s *Settings) { s.SenderName = "Other" }, []Import{action}},
	} {
		t.Run(name, func(t *testing.T) {
			w := Open(t.TempDir())
			s := settings(func(s *Settings) { s.Path = test.path })
			requireWrite(t, w, "staging", s, test.found)
			test.other(&s)
			for range 2 { // It stays so.
				known, err := w.Read("staging")
				if err != nil {
					t.Fatal(err)
				}
				requireWrite(t, w, "staging", s, known.Imports)
			}
			got, err := w.Read("staging")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got.Imports); diff != "" {
				t.Errorf("imports (-want +got):\n%s", diff)
			}
		})
	}
}

// TestSettingsAreAPersonsFile keeps comments, order, layout and variables of
// their own when a setting is changed in it.
func TestSettingsAreAPersonsFile(t *testing.T) {
	const before = `# Ours.
mfa_policy     = "never" # until the help desk is ready
auth0_domain   = "staging.eu.auth0.com"
aws_account_id = "111122223333"
aws_region     = "eu-central-1"

sms_max_price_usd = 0.20
rotation          = "3" # a variable that auth0sns does not ask for
# Germany first.
sms_allowed_country_codes = [
  "+49",
  "+1", # US
]
sms_fallback_regions = null
`
	const after = `# Ours.
mfa_policy     = "all-applications" # until the help desk is ready
auth0_domain   = "staging.eu.auth0.com"
aws_account_id = "111122223333"
aws_region     = "eu-central-1"

sms_max_price_usd = 0.20
rotation          = "3" # a variable that auth0sns does not ask for
# Germany first.
sms_allowed_country_codes = [
  "+49",
  "+1", # US
]
sms_fallback_regions = ["us-west-2"]
iam_user             = "auth0-mfa-sms"
sender_name          = "Amazon SNS"
rotate_after         = "90d"
`
	for name, lines := range map[string]func(string) string{
		"as it is":          func(s string) string { return s },
		"Windows line ends": func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") },
	} {
		t.Run(name, func(t *testing.T) {
			w := Open(t.TempDir())
			path := filepath.Join(w.dir, "environments", "staging", "terraform.tfvars")
			write(t, path, lines(before))
			e, err := w.Read("staging")
			if err != nil {
				t.Fatal(err)
			}
			if e.Settings.SMS.MaxPriceUSD != "0.2" || e.Settings.MFAPolicy != "never" {
				t.Errorf("read as %+v", e.Settings)
			}
			s := e.Settings
			s.Path, s.MFAPolicy, s.SMS.FallbackRegions = PathUnified, "all-applications", []string{"us-west-2"}
			slices.Reverse(s.SMS.AllowedCountryCodes)
			for _, c := range requireRender(t, w, "staging", s, nil) {
				if c.Path == path {
					if diff := cmp.Diff(lines(after), string(c.After)); diff != "" || c.Edited {
						t.Errorf("edited %t (-want +got):\n%s", c.Edited, diff)
					}
					return
				}
			}
			t.Error("the settings were not changed")
		})
	}
}

// TestOpenSettingsLeaveTheFile takes a setting out that is left open again.
func TestOpenSettingsLeaveTheFile(t *testing.T) {
	w := Open(t.TempDir())
	requireWrite(t, w, "staging", settings(func(s *Settings) { s.SMS.SenderID = "EXAMPLE" }), nil)
	requireWrite(t, w, "staging", settings(), nil)
	text, err := os.ReadFile(filepath.Join(w.dir, "environments", "staging", "terraform.tfvars"))
	if err != nil || strings.Contains(string(text), "sms_sender_id") {
		t.Errorf("%v\n%s", err, text)
	}
}

// TestUnreadableSettings names file and line instead of guessing: with a value
// that is not known, the tenant could not be compared.
func TestUnreadableSettings(t *testing.T) {
	for name, test := range map[string]struct{ file, text, says string }{
		"syntax":          {"terraform.tfvars", "auth0_domain = \n", "terraform.tfvars:1"},
		"no literal":      {"terraform.tfvars", "auth0_domain = var.domain\n", "terraform.tfvars:1"},
		"wrong type":      {"terraform.tfvars", "auth0_domain = [\"a\"]\n", "auth0_domain: string required"},
		"block":           {"terraform.tfvars", "locals {\n}\n", "terraform.tfvars:1"},
		"null in a list":  {"terraform.tfvars", "sms_fallback_regions = [null]\n", "sms_fallback_regions: null"},
		"another file":    {"x.auto.tfvars", "auth0_domain = \"other\"\n", "x.auto.tfvars over terraform.tfvars"},
		"another, JSON":   {"x.auto.tfvars.json", "{}", "x.auto.tfvars.json over terraform.tfvars"},
		"the same, JSON":  {"terraform.tfvars.json", "{}", "terraform.tfvars.json over terraform.tfvars"},
		"broken backend":  {"backend.tf", "terraform {\n", "backend.tf:"},
		"broken imports":  {"imports.tf", "import {\n", "imports.tf:"},
		"broken module":   {"../../modules/sms_mfa/main.tf", "resource {\n", "main.tf:"},
		"binary rubbish":  {"terraform.tfvars", "\x00\xff", "terraform.tfvars:1"},
		"unclosed quotes": {"terraform.tfvars", "a = \"", "terraform.tfvars:1"},
		"no tenant":       {"terraform.tfvars", "aws_account_id = \"111122223333\"\n", "has no auth0_domain"},
		"no account":      {"terraform.tfvars", "auth0_domain = \"a.auth0.com\"\naws_account_id = null\n", "has no aws_account_id"},
	} {
		t.Run(name, func(t *testing.T) {
			w := Open(t.TempDir())
			dir := filepath.Join(w.dir, "environments", "staging")
			write(t, filepath.Join(dir, "terraform.tfvars"), "auth0_domain = \"staging.eu.auth0.com\"\naws_account_id = \"111122223333\"\n")
			write(t, filepath.Join(dir, test.file), test.text)
			_, err := w.Read("staging")
			requireError(t, err, test.says)
		})
	}
}

// TestInvalidSettings names every mistake at once, by the names of the file.
func TestInvalidSettings(t *testing.T) {
	s := Settings{
		Domain: "http://example.com", AccountID: "1", Region: "moon", Path: "hook", IAMUser: "a b", SenderName: " x", RotateAfter: "soon",
		MFAPolicy: "sometimes", EnrollmentMessage: "no code", SMS: SMS{AllowedCountryCodes: []string{"49"}, SenderID: "1"},
	}
	_, err := Open(t.TempDir()).Render("staging", s, nil)
	for _, says := range []string{
		"auth0_domain: ", "aws_account_id: ", "aws_region: ", "path: ", "iam_user: ", "sender_name: ", "rotate_after: ", "mfa_policy: ",
		"enrollment_message: needs {{code}}", "enrollment_message, verification_message: set both", "sms_allowed_country_codes: ", "sms_sender_id: ",
	} {
		requireError(t, err, says)
	}
	for _, name := range []string{"", "Staging", "../etc", "a/b", "-a", "a--b", "a_b", strings.Repeat("a", 33)} {
		_, err := Open(t.TempDir()).Render(name, settings(), nil)
		requireError(t, err, "is no name of an environment")
		_, err = Open(t.TempDir()).Read(name)
		requireError(t, err, "is no name of an environment")
	}
}

func TestBackends(t *testing.T) {
	for name, test := range map[string]struct {
		backend Backend
		want    string // of the file, without header and comment
		says    string
	}{
		"local": {Backend{}, "terraform {\n  backend \"local\" {\n  }\n}\n", ""},
		"s3": {
			Backend{"s3", map[string]string{"bucket": "b", "region": "eu-west-1"}},
			"terraform {\n  backend \"s3\" {\n    bucket       = \"b\"\n    key          = \"sms-mfa/staging.tfstate\"\n    region       = \"eu-west-1\"\n    encrypt      = true\n    use_lockfile = true\n  }\n}\n", "",
		},
		"gcs": {Backend{"gcs", map[string]string{"bucket": "b"}}, "terraform {\n  backend \"gcs\" {\n    bucket = \"b\"\n    prefix = \"sms-mfa/staging\"\n  }\n}\n", ""},
		"azurerm": {
			Backend{"azurerm", map[string]string{"storage_account_name": "a", "container_name": "c", "key": "k"}},
			"terraform {\n  backend \"azurerm\" {\n    storage_account_name = \"a\"\n    container_name       = \"c\"\n    key                  = \"k\"\n    use_azuread_auth     = true\n  }\n}\n", "",
		},
		"remote": {
			Backend{"remote", map[string]string{"organization": "o", "hostname": "h.example"}},
			"terraform {\n  cloud {\n    hostname     = \"h.example\"\n    organization = \"o\"\n\n    workspaces {\n      name = \"sms-mfa-staging\"\n    }\n  }\n}\n", "",
		},
		"unknown kind":    {Backend{Kind: "ftp"}, "", `backend: "ftp" is none of azurerm, gcs, local, remote, s3`},
		"missing":         {Backend{Kind: "s3"}, "", "backend s3: bucket is missing\nbackend s3: region is missing"},
		"a credential":    {Backend{"s3", map[string]string{"bucket": "b", "region": "r", "secret_key": "x"}}, "", `"secret_key" is no setting of it here`},
		"lock switched":   {Backend{"s3", map[string]string{"bucket": "b", "region": "r", "use_lockfile": "false"}}, "", "locking is always on"},
		"local with path": {Backend{"local", map[string]string{"path": "x"}}, "", `"path" is no setting`},
	} {
		t.Run(name, func(t *testing.T) {
			w := Open(t.TempDir())
			changes, err := w.Render("staging", settings(func(s *Settings) { s.Backend = test.backend }), nil)
			if test.says != "" {
				requireError(t, err, test.says)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(changes, func(c Change) bool { return filepath.Base(c.Path) == "backend.tf" })
			_, text, _ := strings.Cut(string(changes[i].After), "terraform {")
			if diff := cmp.Diff(test.want, "terraform {"+text); diff != "" {
				t.Errorf("backend.tf (-want +got):\n%s", diff)
			}
		})
	}
}

// TestAStateIsNotLeftBehind keeps bootstrap from pointing an environment that was
// initialized, here or on another machine, at a state that knows nothing of it.
func TestAStateIsNotLeftBehind(t *testing.T) {
	w := Open(t.TempDir())
	requireWrite(t, w, "staging", settings(), nil)
	s3 := settings(func(s *Settings) {
		s.Backend = Backend{"s3", map[string]string{"bucket": "b", "region": "eu-west-1"}}
	})
	requireRender(t, w, "staging", s3, nil)
	for _, file := range []string{".terraform.lock.hcl", "terraform.tfstate"} {
		path := filepath.Join(w.dir, "environments", "staging", file)
		write(t, path, "{}")
		_, err := w.Render("staging", s3, nil)
		if !errors.As(err, new(ConflictError)) || !strings.Contains(err.Error(), "init -migrate-state") || !strings.Contains(err.Error(), `key          = "sms-mfa/staging.tfstate"`) {
			t.Errorf("with %s nobody is told how the state moves: %v", file, err)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	requireRender(t, w, "staging", settings(), nil)
}

// TestOwnBackendStays keeps a backend that a person wrote, of a kind or with
// settings that auth0sns does not write.
func TestOwnBackendStays(t *testing.T) {
	for _, own := range []string{
		"terraform {\n  backend \"http\" {\n    address = \"https://example.com\"\n  }\n}\n",
		"terraform {\n  backend \"s3\" {\n    bucket         = \"b\"\n    key            = \"k\"\n    region         = \"r\"\n    dynamodb_table = \"locks\"\n  }\n}\n",
	} {
		w := Open(t.TempDir())
		requireWrite(t, w, "staging", settings(), nil)
		write(t, filepath.Join(w.dir, "environments", "staging", "backend.tf"), own)
		e, err := w.Read("staging")
		if err != nil {
			t.Fatal(err)
		}
		if changes := requireRender(t, w, "staging", e.Settings, nil); len(changes) > 0 {
			t.Errorf("it would be rewritten:\n%s", changes[0].Diff())
		}
	}
}
