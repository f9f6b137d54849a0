package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/acctest"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/checks"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/workspace"
)

// commandLinePage is where people read the contract.
const commandLinePage = "templates/guides/command-line.md.tmpl"

// documents are what --json prints, by schema.
func documents() map[string]any {
	return map[string]any{
		"bootstrap/1":  bootstrapResult{},
		"check/1":      checkResult{},
		"check-list/1": checkList{},
		"diff/1":       diffResult{},
		"error/1":      failure{},
		"generate/1":   generateResult{},
		"review/1":     reviewDocument{},
		"send-test/1":  sendTestDocument{},
		"status/1":     statusResult{},
		"version/1":    build{},
	}
}

// fieldsOf names the fields of a document: "checks[].id" is one of each element
// of a list. A field in brackets at the end of its name may be missing.
func fieldsOf(of reflect.Type, prefix string) []string {
	switch of.Kind() {
	case reflect.Pointer:
		return fieldsOf(of.Elem(), prefix)
	case reflect.Slice:
		return fieldsOf(of.Elem(), prefix+"[]")
	case reflect.Struct:
		if of == reflect.TypeFor[time.Time]() {
			return nil
		}
	default:
		return nil
	}
	var fields []string
	for _, field := range reflect.VisibleFields(of) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if field.Anonymous || !field.IsExported() || name == "" || name == "-" {
			continue
		}
		fields = append(fields, strings.TrimPrefix(prefix+"."+name, "."))
		fields = append(fields, fieldsOf(field.Type, strings.TrimPrefix(prefix+"."+name, "."))...)
	}
	return fields
}

func readPage(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(acctest.ModuleRoot(t), commandLinePage))
	noError(t, err)
	return string(page)
}

// documentedFields reads the table under the heading of a schema.
func documentedFields(page, schema string) []string {
	_, section, _ := strings.Cut(page, "\n### `"+schema+"`\n")
	section, _, _ = strings.Cut(section, "\n#")
	var fields []string
	for _, row := range regexp.MustCompile("(?m)^\\| (`[^|]+) \\|").FindAllStringSubmatch(section, -1) {
		for _, name := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[1], -1) {
			fields = append(fields, name[1])
		}
	}
	return fields
}

// TestDocumentsHaveTheirDocumentedFields finds the field that a script cannot
// know of, and the one that it waits for in vain.
func TestDocumentsHaveTheirDocumentedFields(t *testing.T) {
	page := readPage(t)
	for schema, document := range documents() {
		want := fieldsOf(reflect.TypeOf(document), "")
		got := documentedFields(page, schema)
		slices.Sort(want)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-program +page):\n%s", schema, diff)
		}
	}
}

// TestThePageHasEveryCommandAndExitCode keeps the page complete.
func TestThePageHasEveryCommandAndExitCode(t *testing.T) {
	page := readPage(t)
	var visit func(cmd *cobra.Command)
	visit = func(cmd *cobra.Command) {
		if cmd.Runnable() && cmd.HasParent() && cmd.Parent().Name() != "completion" && !strings.Contains(page, "`"+strings.TrimPrefix(cmd.CommandPath(), "auth0sns ")+"`") {
			t.Errorf("the page does not name the command %q", cmd.CommandPath())
		}
		for _, below := range cmd.Commands() {
			visit(below)
		}
	}
	visit(newRootCommand("1.2.3"))
	for _, code := range []int{exitOK, exitError, exitChanges, exitUsage, exitPermission, exitFindings, exitRefused, exitInterrupted} {
		if !strings.Contains(page, fmt.Sprintf("\n| `%d` |", code)) {
			t.Errorf("the page does not explain exit code %d", code)
		}
	}
}

// TestThePageHasTheScopesOfThePaths keeps what people grant by hand from being
// another list than --create-client's.
func TestThePageHasTheScopesOfThePaths(t *testing.T) {
	page := readPage(t)
	for path, end := range map[delivery.Path]string{delivery.PathUnified: "for `action`", delivery.PathAction: "It proves itself"} {
		_, list, _ := strings.Cut(page, "for `"+string(path)+"`\n")
		list, _, _ = strings.Cut(list, end)
		var scopes []string
		for _, scope := range regexp.MustCompile("`([a-z]+:[a-z_]+)`").FindAllStringSubmatch(list, -1) {
			scopes = append(scopes, scope[1])
		}
		slices.Sort(scopes)
		if diff := cmp.Diff(checks.Scopes(path), scopes); diff != "" {
			t.Errorf("%s (-program +page):\n%s", path, diff)
		}
	}
}

// contractWorld is a sandbox with a sender, and an environment of the name
// staging whose files name it, and one that names another tenant.
func contractWorld(t *testing.T) (w senderWorld, dir string) {
	t.Helper()
	w = newSenderWorld(t)
	w.onUnified(t)
	dir = t.TempDir()
	files := workspace.Open(dir)
	for name, s := range map[string]workspace.Settings{
		"staging": {Domain: w.TenantURL, AccountID: w.World.Describe().Instances[0].AWS.AccountID},
		"other":   {Domain: "other.eu.auth0.com", AccountID: "999988887777"},
	} {
		s.Region, s.Path = w.Variables["AWS_REGION"], workspace.PathUnified
		changes, err := files.Render(name, s, nil)
		noError(t, err)
		noError(t, files.Write(changes))
	}
	t.Chdir(dir)
	return w, dir
}

// TestContract runs every command with and without --json and holds it to what
// scripts rely on: exit code, one document of the schema on stdout, progress on
// stderr, and no secret on either.
func TestContract(t *testing.T) {
	_, err := exec.LookPath("terraform")
	acctest.NeedTool(t, err == nil, "terraform", "https://developer.hashicorp.com/terraform/install")
	for name, test := range map[string]struct {
		args   []string
		set    func(*testing.T, senderWorld)
		code   int
		schema string // of the document; "" for a command without --json
		fails  bool   // the document is the result also where the code is not 0
	}{
		"version":              {args: []string{"version"}, code: exitOK, schema: "version/1"},
		"version, usage":       {args: []string{"version", "now"}, code: exitUsage, schema: "error/1"},
		"send-test":            {args: []string{"send-test", "--to", testPhone, "--yes", "--wait", "0s"}, code: exitOK, schema: "send-test/1"},
		"send-test --env":      {args: []string{"send-test", "--to", testPhone, "--yes", "--env", "staging", "--direct"}, code: exitOK, schema: "send-test/1"},
		"send-test, usage":     {args: []string{"send-test", "--to", "1", "--yes"}, code: exitUsage, schema: "error/1"},
		"send-test, flag":      {args: []string{"send-test", "--two"}, code: exitUsage, schema: "error/1"},
		"send-test, refused":   {args: []string{"send-test", "--to", testPhone}, code: exitRefused, schema: "error/1"},
		"send-test, tenant":    {args: []string{"send-test", "--to", testPhone, "--yes", "--env", "other"}, code: exitRefused, schema: "error/1"},
		"send-test, login":     {args: []string{"send-test", "--to", testPhone, "--yes"}, set: wrongSecret, code: exitPermission, schema: "error/1"},
		"send-test, scope":     {args: []string{"send-test", "--to", testPhone, "--yes"}, set: noScopes, code: exitPermission, schema: "error/1"},
		"check":                {args: []string{"check", "--only", "auth0-reachable"}, code: exitOK, schema: "check/1"},
		"check, findings":      {args: []string{"check"}, code: exitFindings, schema: "check/1", fails: true},
		"check --list":         {args: []string{"check", "--list"}, code: exitOK, schema: "check-list/1"},
		"check, usage":         {args: []string{"check", "--only", "nothing"}, code: exitUsage, schema: "error/1"},
		"check, environment":   {args: []string{"check", "--env", "qa"}, code: exitUsage, schema: "error/1"},
		"check, tenant":        {args: []string{"check", "--env", "other"}, code: exitRefused, schema: "error/1"},
		"status":               {args: []string{"status"}, code: exitOK, schema: "status/1"},
		"status, usage":        {args: []string{"status", "now"}, code: exitUsage, schema: "error/1"},
		"status, tenant":       {args: []string{"status", "--env", "other"}, code: exitRefused, schema: "error/1"},
		"status, login":        {args: []string{"status"}, set: wrongSecret, code: exitPermission, schema: "error/1"},
		"generate, usage":      {args: []string{"generate", "now"}, code: exitUsage, schema: "error/1"},
		"generate, login":      {args: []string{"generate", "--stdout"}, set: wrongSecret, code: exitPermission, schema: "error/1"},
		"diff, usage":          {args: []string{"diff", "--env", "staging"}, code: exitUsage, schema: "error/1"},
		"diff":                 {args: []string{"diff", "--env", "staging", "--env", "other"}, code: exitOK, schema: "diff/1"},
		"diff, changes":        {args: []string{"diff", "--env", "staging", "--env", "other", "--detailed-exitcode"}, set: anotherPolicy, code: exitChanges, schema: "diff/1", fails: true},
		"generate":             {args: []string{"generate", "--stdout", "--iam-user", "auth0-mfa-sms"}, set: iamUser, code: exitOK, schema: "generate/1"},
		"review":               {args: []string{"review", "good.json"}, set: savedPlans, code: exitOK, schema: "review/1"},
		"review, findings":     {args: []string{"review", "bad.json"}, set: savedPlans, code: exitFindings, schema: "review/1", fails: true},
		"review, usage":        {args: []string{"review", "--fail-on", "everything", "good.json"}, set: savedPlans, code: exitUsage, schema: "error/1"},
		"bootstrap, usage":     {args: []string{"bootstrap", "--env", "Not A Name", "--no-input"}, code: exitUsage, schema: "error/1"},
		"bootstrap, flags":     {args: []string{"bootstrap", "--env", "staging", "--no-input", "--client-secret"}, code: exitUsage, schema: "error/1"},
		"bootstrap, tenant":    {args: []string{"bootstrap", "--env", "other", "--no-input", "--yes"}, code: exitRefused, schema: "error/1"},
		"bootstrap, login":     {args: []string{"bootstrap", "--env", "staging", "--no-input", "--yes"}, set: wrongSecret, code: exitPermission, schema: "error/1"},
		"an unknown command":   {args: []string{"bootstrapp"}, code: exitUsage, schema: "error/1"},
		"completion":           {args: []string{"completion", "bash"}, code: exitOK},
		"completion, usage":    {args: []string{"completion", "bash", "now"}, code: exitUsage},
		"sandbox, usage":       {args: []string{"sandbox", "--hooks-mode", "x"}, code: exitUsage, schema: "error/1"},
		"sandbox demo, usage":  {args: []string{"sandbox", "demo", "now"}, code: exitUsage},
		"nothing":              {args: nil, code: exitOK},
		"the help of anything": {args: []string{"bootstrap", "--help"}, code: exitOK},
	} {
		t.Run(name, func(t *testing.T) {
			w, _ := contractWorld(t)
			secrets := []string{w.Variables["AUTH0_CLIENT_SECRET"], w.Variables["AWS_SECRET_ACCESS_KEY"], "eyJ"}
			if test.set != nil {
				test.set(t, w)
			}
			run := func(args ...string) (stdout string) {
				code, stdout, stderr := execute(t.Context(), args...)
				if code != test.code {
					t.Errorf("%v: exit code %d, want %d; stderr:\n%s", args, code, test.code, stderr)
				}
				for _, secret := range secrets {
					if strings.Contains(stdout+stderr, secret) {
						t.Errorf("%v: a secret is printed:\n%s%s", args, stdout, stderr)
					}
				}
				if code != exitOK && !strings.Contains(stderr, "auth0sns: ") {
					t.Errorf("%v: stderr does not say why it failed: %q", args, stderr)
				}
				return stdout
			}
			if stdout := run(test.args...); test.code != exitOK && !test.fails && stdout != "" {
				t.Errorf("without --json a failure is on stdout: %s", stdout)
			}
			if test.schema != "" {
				requireDocument(t, run(append(slices.Clone(test.args), "--json")...), test.schema, test.code)
			}
		})
	}
}

// requireDocument wants exactly one document of the schema, with every field that
// it always has and none that it does not know.
func requireDocument(t *testing.T, stdout, schema string, code int) {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(stdout))
	var document map[string]any
	if err := decoder.Decode(&document); err != nil {
		t.Fatalf("stdout is no JSON document: %v in:\n%s", err, stdout)
	}
	if err := decoder.Decode(new(any)); !errors.Is(err, io.EOF) {
		t.Errorf("stdout has more than one document:\n%s", stdout)
	}
	if document["schema"] != schema {
		t.Errorf("the document is a %v, want %s:\n%s", document["schema"], schema, stdout)
		return
	}
	if schema == "error/1" && document["exit_code"] != float64(code) {
		t.Errorf("the document has exit code %v, the process %d", document["exit_code"], code)
	}
	of := reflect.TypeOf(documents()[schema])
	requireKnown(t, schema, "", document, fieldsOf(of, ""))
	for _, field := range reflect.VisibleFields(of) {
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		value, has := document[name]
		switch {
		case name == "" || options != "":
		case !has:
			t.Errorf("%s has no %s:\n%s", schema, name, stdout)
		case field.Type.Kind() == reflect.Slice && value == nil:
			t.Errorf("%s: the list %s is null where it should be empty", schema, name)
		}
	}
}

// requireKnown finds the field that is in a document and in no documentation.
func requireKnown(t *testing.T, schema, prefix string, value any, known []string) {
	t.Helper()
	switch value := value.(type) {
	case []any:
		for _, element := range value {
			requireKnown(t, schema, prefix+"[]", element, known)
		}
	case map[string]any:
		isObject := prefix == "" || slices.ContainsFunc(known, func(name string) bool { return strings.HasPrefix(name, prefix+".") })
		for key, below := range value {
			name := strings.TrimPrefix(prefix+"."+key, ".")
			if isObject && !slices.Contains(known, name) {
				t.Errorf("%s has %s, which nobody documents", schema, name)
			}
			if isObject {
				requireKnown(t, schema, name, below, known)
			}
		}
	}
}

func wrongSecret(t *testing.T, _ senderWorld) {
	t.Helper()
	t.Setenv("AUTH0_CLIENT_SECRET", "wrong-wrong-wrong")
}

func noScopes(_ *testing.T, w senderWorld) {
	w.Tenant.SetGrantScopes(w.Tenant.Client().ClientID, []string{"read:actions"})
}

// anotherPolicy edits the files of one environment.
func anotherPolicy(t *testing.T, _ senderWorld) {
	t.Helper()
	path := filepath.Join("environments", "other", "terraform.tfvars")
	variables, err := os.ReadFile(path)
	noError(t, err)
	noError(t, os.WriteFile(path, bytes.ReplaceAll(variables, []byte("all-applications"), []byte("never")), 0o600))
}

func iamUser(t *testing.T, w senderWorld) {
	t.Helper()
	_, err := w.AWS(t).CreateUser(t.Context(), awsapi.User{Name: "auth0-mfa-sms", Path: "/"})
	noError(t, err)
}

// savedPlans are one that changes nothing, and one that switches the factor off.
func savedPlans(t *testing.T, _ senderWorld) {
	t.Helper()
	const plan = `{"format_version":"1.2","terraform_version":"1.14.0","planned_values":{"root_module":{}},"configuration":{"root_module":{}},"resource_changes":[%s]}`
	const off = `{"address":"auth0sns_sms_factor.sms","mode":"managed","type":"auth0sns_sms_factor","name":"sms","provider_name":"registry.terraform.io/auth0sns/auth0sns",` +
		`"change":{"actions":["update"],"before":{"enabled":true,"sender_id":"pro_1"},"after":{"enabled":false,"sender_id":"pro_1"},"after_unknown":{},"before_sensitive":{},"after_sensitive":{}}}`
	for name, changes := range map[string]string{"good.json": "", "bad.json": off} {
		noError(t, os.WriteFile(name, fmt.Appendf(nil, plan, changes), 0o600))
	}
}

// TestCompletion asks as a shell does.
func TestCompletion(t *testing.T) {
	_, dir := contractWorld(t)
	for want, args := range map[string][]string{
		"staging\n":         {"send-test", "--dir", dir, "--env", ""},
		"auth0-reachable":   {"check", "--only", ""},
		"unified\n":         {"bootstrap", "--path", ""},
		"other\n":           {"bootstrap", "--from", ""},
		"sarif\n":           {"review", "--format", ""},
		"send-test\tSend":   {"send"},
		"completion\tGener": {"compl"},
	} {
		code, stdout, stderr := execute(t.Context(), append([]string{"__complete"}, args...)...)
		if code != exitOK || !strings.Contains(stdout, want) {
			t.Errorf("%v: exit %d, no %q in:\n%s%s", args, code, want, stdout, stderr)
		}
	}
}
