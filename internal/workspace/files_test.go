//go:build unix

package workspace

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/acctest"
)

// TestEditedFilesAreTold is what keeps a person's work from being overwritten:
// the caller asks first.
func TestEditedFilesAreTold(t *testing.T) {
	for name, test := range map[string]struct {
		edit   func(string) string
		edited bool
	}{
		"a line more":       {func(s string) string { return s + "# more\n" }, true},
		"a line changed":    {func(s string) string { return strings.Replace(s, "sms_mfa", "sms_mfa ", 1) }, true},
		"without the head":  {func(s string) string { _, rest, _ := strings.Cut(s, "\n"); return rest }, true},
		"a person's":        {func(string) string { return "# mine\n" }, true},
		"empty":             {func(string) string { return "" }, true},
		"an older one":      {func(string) string { return string(withHeader([]byte("# older\n"))) }, false},
		"older, on Windows": {func(string) string { return strings.ReplaceAll(string(withHeader([]byte("# a\n# b\n"))), "\n", "\r\n") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := Open(t.TempDir())
			requireWrite(t, w, "staging", settings(), nil)
			path := filepath.Join(w.dir, "environments", "staging", "main.tf")
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			write(t, path, test.edit(string(text)))
			changes := requireRender(t, w, "staging", settings(), nil)
			if len(changes) != 1 || changes[0].Path != path || changes[0].Edited != test.edited {
				t.Errorf("changes %q, edited %t", pathsOf(t, w, changes), changes[0].Edited)
			}
		})
	}
	t.Run("line ends of Windows alone", func(t *testing.T) {
		w := Open(t.TempDir())
		requireWrite(t, w, "staging", settings(), nil)
		path := filepath.Join(w.dir, "environments", "staging", "main.tf")
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		write(t, path, strings.ReplaceAll(string(text), "\n", "\r\n"))
		if changes := requireRender(t, w, "staging", settings(), nil); len(changes) > 0 {
			t.Errorf("a checkout on Windows would be rewritten: %q", pathsOf(t, w, changes))
		}
	})
}

// TestWhatIsInTheWay is refused with its name, and stays.
func TestWhatIsInTheWay(t *testing.T) {
	for name, test := range map[string]struct {
		put  func(path string) error
		says string
	}{
		"symbolic link": {func(path string) error { return os.Symlink("/etc/hostname", path) }, "main.tf is a symbolic link"},
		"dangling link": {func(path string) error { return os.Symlink("nowhere", path) }, "main.tf is a symbolic link"},
		"folder":        {func(path string) error { return os.Mkdir(path, 0o755) }, "main.tf is in the way: it is no file"},
		"unreadable": {func(path string) error {
			if os.Getuid() == 0 {
				return errors.ErrUnsupported
			}
			return os.WriteFile(path, nil, 0)
		}, "main.tf: permission denied"},
	} {
		t.Run(name, func(t *testing.T) {
			w := Open(t.TempDir())
			path := filepath.Join(w.dir, "environments", "staging", "main.tf")
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := test.put(path); errors.Is(err, errors.ErrUnsupported) {
				t.Skip("SKIPPED: root can read everything")
			} else if err != nil {
				t.Fatal(err)
			}
			_, err := w.Render("staging", settings(), nil)
			requireError(t, err, test.says)
		})
	}
	t.Run("a folder that leads elsewhere", func(t *testing.T) {
		w, elsewhere := Open(t.TempDir()), t.TempDir()
		changes := requireRender(t, w, "staging", settings(), nil)
		if err := os.Symlink(elsewhere, filepath.Join(w.dir, "modules")); err != nil {
			t.Fatal(err)
		}
		requireError(t, w.Write(changes), "modules")
		if entries, _ := os.ReadDir(elsewhere); len(entries) > 0 {
			t.Errorf("something was written outside the folder: %v", entries)
		}
	})
}

// TestWriteLooksAgain keeps what a person saved between the question and the answer.
func TestWriteLooksAgain(t *testing.T) {
	for name, before := range map[string]string{"a new file": "", "one that was there": "# before\n"} {
		t.Run(name, func(t *testing.T) {
			w := Open(t.TempDir())
			path := filepath.Join(w.dir, "environments", "staging", "main.tf")
			if before != "" {
				write(t, path, before)
			}
			changes := requireRender(t, w, "staging", settings(), nil)
			write(t, path, "# just saved\n")
			requireError(t, w.Write(changes), "main.tf was changed in the meantime")
			if text, _ := os.ReadFile(path); string(text) != "# just saved\n" {
				t.Errorf("it was overwritten with %q", text)
			}
		})
	}
}

// TestWriteKeepsWhoMayRead leaves a file as private as its owner made it.
func TestWriteKeepsWhoMayRead(t *testing.T) {
	w := Open(t.TempDir())
	requireWrite(t, w, "staging", settings(), nil)
	path := filepath.Join(w.dir, "environments", "staging", "terraform.tfvars")
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	requireWrite(t, w, "staging", settings(func(s *Settings) { s.MFAPolicy = "never" }), nil)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("a person's file is open to others now: %v, %v", info.Mode(), err)
	}
}

// TestPinsAreShared keeps terraform.tfvars in the repository where its root has
// GitHub's .gitignore for Terraform: a colleague without the file would set up
// the tenant of their own shell. A plan file, which holds every value, stays out.
func TestPinsAreShared(t *testing.T) {
	_, err := exec.LookPath("git")
	acctest.NeedTool(t, err == nil, "git", "https://git-scm.com/downloads")
	w := Open(t.TempDir())
	write(t, filepath.Join(w.dir, ".gitignore"), "*.tfvars\n.terraform.lock.hcl\n")
	requireWrite(t, w, "staging", settings(), nil)
	for _, args := range [][]string{{"init", "--quiet"}, {"add", "--", "environments/staging/terraform.tfvars"}} {
		git := exec.CommandContext(t.Context(), "git", args...)
		git.Dir = w.dir
		if out, err := git.CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v\n%s", args[0], err, out)
		}
	}
	for _, plan := range []string{"tfplan", "next.tfplan"} {
		git := exec.CommandContext(t.Context(), "git", "check-ignore", "--quiet", "environments/staging/"+plan)
		git.Dir = w.dir
		if err := git.Run(); err != nil {
			t.Errorf("%s would be committed: %v", plan, err)
		}
	}
}

// TestFaultInBetween is a write that fails after the new text is on the disk:
// the old file is there, and nothing beside it.
func TestFaultInBetween(t *testing.T) {
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	write(t, filepath.Join(dir, "folder", "main.tf", "a"), "old") // A rename to a folder with something in it fails.
	if err := replace(root, "folder/main.tf", []byte("new")); err == nil {
		t.Fatal("a folder was replaced")
	}
	entries, err := os.ReadDir(filepath.Join(dir, "folder"))
	if err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v %v", entries, err)
	}
	// A process that died there leaves a file that git and Terraform do not see.
	staged, err := stage(root, "main.tf", []byte("new"))
	if err != nil || !strings.HasPrefix(staged, ".main.tf.auth0sns-") {
		t.Errorf("%q, %v", staged, err)
	}
}

// writerVariable makes this test's binary a process that writes until it is killed.
const writerVariable = "AUTH0SNS_TEST_WRITER"

// TestKilledWhileItWrites kills a process at ten moments of its writing: each
// file is the old or the new one as a whole.
func TestKilledWhileItWrites(t *testing.T) {
	versions := []string{strings.Repeat("# old\n", 20000), strings.Repeat("# new, and of another length\n", 20000)}
	if dir := os.Getenv(writerVariable); dir != "" {
		writeForever(t, Open(dir), versions)
	}
	for i := range 10 {
		w := Open(t.TempDir())
		writer := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledWhileItWrites$")
		writer.Env = append(os.Environ(), writerVariable+"="+w.dir)
		started, err := writer.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := writer.Start(); err != nil {
			t.Fatal(err)
		}
		_, err = started.Read(make([]byte, 1)) // The first round is done.
		time.Sleep(time.Duration(i) * time.Millisecond)
		if err := errors.Join(err, writer.Process.Kill()); err != nil {
			t.Fatal(err)
		}
		_ = writer.Wait()
		for _, name := range []string{"a.tf", "b.tf"} {
			text, err := os.ReadFile(filepath.Join(w.dir, name))
			if err != nil || string(text) != versions[0] && string(text) != versions[1] {
				t.Errorf("%s is half written: %d bytes, %v", name, len(text), err)
			}
		}
	}
}

func writeForever(t *testing.T, w *Workspace, versions []string) {
	t.Helper()
	for i := 0; ; i++ {
		var changes []Change
		for _, name := range []string{"a.tf", "b.tf"} {
			c, _, err := w.change([]byte(versions[i%2]), name)
			if err != nil {
				t.Fatal(err)
			}
			changes = append(changes, c)
		}
		if err := w.Write(changes); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			fmt.Print(".")
		}
	}
}
