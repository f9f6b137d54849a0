package workspace

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/lazyregexp"
	"github.com/aymanbagabas/go-udiff"
)

// Change is what happens to one file.
type Change struct {
	Path string // as the workspace's folder was named, joined with the file's place
	// Before is nil where there is no file.
	Before, After []byte
	// Edited tells that a person wrote the file, or changed it since it was
	// written: nobody overwrites it unasked. It is never set for
	// terraform.tfvars, in which only the values that were asked for change.
	Edited bool
}

const (
	fileMode = 0o644
	dirMode  = 0o755
)

// headerPattern is the first line of every file that is written, but of
// terraform.tfvars: it carries a checksum of the rest.
var headerPattern = lazyregexp.New(`^# Written by auth0sns \(([0-9a-f]{16})\)\.`)

// withHeader puts that line in front of a text.
func withHeader(text []byte) []byte {
	return fmt.Appendf(nil, "# Written by auth0sns (%s). Once edited, it is never overwritten unasked.\n\n%s", checksum(text), text)
}

func checksum(text []byte) string {
	sum := sha256.Sum256(bytes.TrimSpace(unixLines(text)))
	return hex.EncodeToString(sum[:8])
}

// edited tells whether a person wrote a file, or changed it since it was written.
func edited(text []byte) bool {
	first, rest, _ := bytes.Cut(text, []byte("\n"))
	header := headerPattern.FindSubmatch(first)
	return header == nil || string(header[1]) != checksum(rest)
}

// unixLines and likeLines let a checkout with Windows line ends be compared, and
// be given back as it was.
func unixLines(text []byte) []byte { return bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")) }

func likeLines(text, model []byte) []byte {
	if !bytes.Contains(model, []byte("\r\n")) {
		return text
	}
	return bytes.ReplaceAll(unixLines(text), []byte("\n"), []byte("\r\n"))
}

// read returns what is in a file, nil where there is none. What is no plain file
// is an error: a rename would put a file in its place.
func read(path string) ([]byte, error) {
	info, err := os.Lstat(path) //nolint:gosec // The path is one of the workspace's own.
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	case info.Mode()&fs.ModeSymlink != 0:
		return nil, fmt.Errorf("%s is a symbolic link: put the file itself there, or name the folder that it is in with --dir", path)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is in the way: it is no file", path)
	}
	return os.ReadFile(path) //nolint:gosec // As above.
}

// change compares a file with what it is to be; ok is false where both are the same.
func (w *Workspace) change(after []byte, place ...string) (c Change, ok bool, err error) {
	path := filepath.Join(append([]string{w.dir}, place...)...)
	before, err := read(path)
	if err != nil {
		return Change{}, false, err
	}
	c = Change{Path: path, Before: before, After: likeLines(after, before), Edited: before != nil && edited(before)}
	return c, before == nil || !bytes.Equal(c.Before, c.After), nil
}

// Diff is the change as a unified diff.
func (c Change) Diff() string {
	before, after := c.Path, c.Path
	if c.Before == nil {
		before = os.DevNull
	}
	return udiff.Unified(before, after, string(unixLines(c.Before)), string(unixLines(c.After)))
}

// Write makes the changes, one file after the other. Each file is either the old
// or the new one, whenever the process ends, and after a power cut too. A file
// that is no longer what the change was made from is not touched.
func (w *Workspace) Write(changes []Change) error {
	if err := os.MkdirAll(w.dir, dirMode); err != nil { //nolint:gosec // A configuration is read by a team's other accounts.
		return err
	}
	dir, err := filepath.Abs(w.dir)
	if err != nil {
		return err
	}
	// Nothing outside the repository is written, whatever links there are in it.
	top := repositoryOf(dir)
	root, err := os.OpenRoot(top)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, c := range changes {
		now, err := read(c.Path)
		if err != nil {
			return err
		}
		if !bytes.Equal(now, c.Before) || (now == nil) != (c.Before == nil) {
			return fmt.Errorf("%s was changed in the meantime: nothing was written over it. Run it again", c.Path)
		}
		path, err := filepath.Abs(c.Path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(top, path)
		if err != nil {
			return err
		}
		if err := replace(root, name, c.After); err != nil {
			return fmt.Errorf("writing %s: %w", c.Path, err)
		}
	}
	return nil
}

// replace writes a file beside its place and moves it there.
func replace(root *os.Root, name string, content []byte) error {
	dir := filepath.Dir(name)
	if err := root.MkdirAll(dir, dirMode); err != nil {
		return err
	}
	staged, err := stage(root, name, content)
	if err != nil {
		return err
	}
	if err := root.Rename(staged, name); err != nil {
		return errors.Join(err, root.Remove(staged))
	}
	return syncDir(root, dir)
}

// stage writes a file beside its place, down to the disk.
func stage(root *os.Root, name string, content []byte) (string, error) {
	staged := filepath.Join(filepath.Dir(name), "."+filepath.Base(name)+".auth0sns-"+rand.Text())
	file, err := root.OpenFile(staged, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return "", err
	}
	if there, missing := root.Stat(name); missing == nil { // Whoever may not read it today may not tomorrow.
		err = file.Chmod(there.Mode().Perm())
	}
	_, writeErr := file.Write(content)
	if err = errors.Join(err, writeErr, file.Sync(), file.Close()); err != nil {
		return "", errors.Join(err, root.Remove(staged))
	}
	return staged, nil
}

// syncDir makes a rename outlive a power cut. Where a folder cannot be opened or
// synced, as on Windows, the system orders it by itself.
func syncDir(root *os.Root, dir string) error {
	folder, err := root.Open(dir)
	if err != nil {
		return err
	}
	err = folder.Sync()
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrInvalid) {
		err = nil
	}
	return errors.Join(err, folder.Close())
}
