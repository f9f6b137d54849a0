package acctest_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/acctest"
)

// planted has every character that base64 secrets have and encodings change.
const planted = "wJalrXUtnFEMI/K7MDENG+bPxRfiCY/EXAMPLE=="

// zipped is an archive as a plan file is one.
func zipped(t *testing.T, content []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	entry, err := archive.Create("tfstate")
	if err == nil {
		_, err = entry.Write(content)
	}
	if err != nil || archive.Close() != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func gzipped(t *testing.T, content []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	packer := gzip.NewWriter(&out)
	if _, err := packer.Write(content); err != nil || packer.Close() != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func encoded(t *testing.T, value any) []byte {
	t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func utf16Of(order binary.AppendByteOrder, text string) []byte {
	var data []byte
	for _, unit := range utf16.Encode([]rune("a " + text + " b")) {
		data = order.AppendUint16(data, unit)
	}
	return data
}

// privateState is nested as the framework and Terraform nest it.
func privateState(t *testing.T, secret string) []byte {
	t.Helper()
	inner := encoded(t, map[string][]byte{"superseded": encoded(t, map[string]string{"secret": secret})})
	return encoded(t, map[string]any{"resources": []any{map[string]any{"private": inner}}})
}

func TestScannerFindsASecretHoweverItIsWrapped(t *testing.T) {
	t.Parallel()
	std := base64.StdEncoding.EncodeToString
	tests := map[string][]byte{
		"plain":                          []byte("log: " + planted + "\n"),
		"hexadecimal":                    []byte(hex.EncodeToString([]byte("..." + planted))),
		"upper-case hexadecimal":         []byte(strings.ToUpper(hex.EncodeToString([]byte(planted)))),
		"a list of bytes":                fmt.Appendf(nil, "%v", []byte("x"+planted+"x")),
		"a list of bytes, as in Python":  []byte(strings.ReplaceAll(fmt.Sprintf("%d", []byte(planted)), " ", ",")),
		"base64":                         []byte(std([]byte(planted))),
		"base64 of URLs":                 []byte(base64.URLEncoding.EncodeToString([]byte("secret>" + planted))),
		"base64 after a path":            []byte("file:///tmp/" + std([]byte(planted))),
		"base64 behind one byte":         []byte(std([]byte("x" + planted))),
		"base64 behind two bytes":        []byte(std([]byte("xx" + planted + "x"))),
		"base64 behind a line break":     []byte(`{"a":"line\n` + std([]byte(planted)) + `"}`),
		"base64 of base64 of base64":     []byte(std([]byte(std([]byte(std([]byte(planted))))))),
		"a URL":                          []byte("https://example.com/?key=" + url.QueryEscape(planted)),
		"a URL in lower case":            []byte(strings.ToLower("%2F") + strings.NewReplacer("/", "%2f", "+", "%2b", "=", "%3d").Replace(planted)),
		"a URL in a URL":                 []byte(url.QueryEscape(url.QueryEscape(planted))),
		"JSON with escaped slashes":      []byte(strings.ReplaceAll(planted, "/", `\/`)),
		"JSON in JSON":                   []byte(strings.ReplaceAll(planted, "/", `\\\/`)),
		"JSON with code points":          []byte(strings.NewReplacer("+", `\u002b`, "=", `\u003D`, "/", `\\u002F`).Replace(planted)),
		"XML":                            []byte(strings.NewReplacer("+", "&#43;", "=", "&#x3D;").Replace(planted)),
		"Go with code points":            []byte(strings.NewReplacer("+", `\x2b`, "=", `\U0000003d`).Replace(planted)),
		"UTF-16, little-endian":          utf16Of(binary.LittleEndian, planted),
		"UTF-16, big-endian":             utf16Of(binary.BigEndian, planted),
		"its first half":                 []byte("prefix " + planted[:20] + "..."),
		"its last half":                  []byte("..." + planted[len(planted)-20:]),
		"the middle":                     []byte(planted[11:31]),
		"the middle after a false start": []byte(planted[:15] + planted[10:20] + " " + planted[7:27]),
		"half in hexadecimal":            []byte(hex.EncodeToString([]byte(planted[9:29]))),
		"half as a list of bytes":        fmt.Appendf(nil, "%v", []byte(planted[5:27])),
		"half in UTF-16":                 utf16Of(binary.BigEndian, planted[13:33]),
		"half in base64":                 []byte(std([]byte("x" + planted[7:27]))),
		"half in a URL":                  []byte(url.QueryEscape(planted[6:26])),
		"zip":                            zipped(t, []byte(planted)),
		"gzip":                           gzipped(t, []byte(planted)),
		"private state":                  privateState(t, planted),
		"private state in a plan":        zipped(t, gzipped(t, privateState(t, planted))),
		"a state in base64 in a log":     []byte("state=" + std(gzipped(t, privateState(t, planted))) + " end"),
	}
	scanner, err := acctest.NewScanner(map[string]string{"the key": planted})
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range tests {
		findings := scanner.Scan("file", data)
		if len(findings) == 0 {
			t.Errorf("%s: not found: a leak of this form would pass every test", name)
		}
		if shown := fmt.Sprint(findings); strings.Contains(shown, planted) {
			t.Errorf("%s: the finding itself shows the secret, in every CI log", name)
		}
	}
}

func TestScannerFindsNothingWhereNothingIs(t *testing.T) {
	t.Parallel()
	scanner, err := acctest.NewScanner(map[string]string{"the key": planted})
	if err != nil {
		t.Fatal(err)
	}
	other := strings.ToUpper(planted)
	short := planted[:19] + " " + planted[20:39]
	for _, data := range [][]byte{nil, []byte(other), []byte(short), zipped(t, privateState(t, other)), []byte("PK\x03\x04 no archive"), []byte("\x1f\x8b no gzip"), []byte(`%zz \u00zz &;`)} {
		if findings := scanner.Scan("file", data); len(findings) > 0 {
			t.Errorf("%.20q: %v", data, findings)
		}
	}
}

func TestScannerTellsWhichSecretAndWhere(t *testing.T) {
	t.Parallel()
	const second = "another secret of some length"
	scanner, err := acctest.NewScanner(map[string]string{"key 1": planted, "key 2": second})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, data := range map[string][]byte{"work/plan": zipped(t, []byte(second)), "work/clean": []byte("nothing")} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	findings, err := scanner.Dir(dir)
	want := acctest.Finding{Secret: "key 2", Form: "plain", Place: filepath.Join("work", "plan") + ": zip tfstate"}
	// An uncompressed entry shows in the archive itself as well.
	for _, finding := range findings {
		if finding == want && err == nil {
			return
		}
	}
	t.Errorf("got %v, %v; want %v among them", findings, err, want)
}

func TestScannerRefusesToLookForNothing(t *testing.T) {
	t.Parallel()
	for name, secrets := range map[string]map[string]string{
		"none": {}, "an empty one": {"key": ""}, "a short one": {"key": "short"},
	} {
		if _, err := acctest.NewScanner(secrets); err == nil {
			t.Errorf("%s: accepted: the test that uses it would prove nothing", name)
		}
	}
}
