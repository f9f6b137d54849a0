package acctest

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const (
	// minSecret keeps a search honest: an empty secret is everywhere, a short
	// one in any random text.
	minSecret = 16
	// minFragment is how many bytes of a secret in a row are a leak: half of an
	// AWS secret key.
	minFragment = 20
	// maxWrappings bounds how deep wrappings are opened: private state in a state
	// in a plan in an archive is four.
	maxWrappings = 6
	// maxUnpacked bounds what one packed file may grow to.
	maxUnpacked = 256 << 20
)

// Scanner looks for secrets in what a run of Terraform leaves behind, whole or
// 20 bytes of them in a row: as they are, in hexadecimal, in UTF-16 and as a
// list of bytes; escaped for Go, JSON, URLs and XML to any depth; inside zip,
// gzip and base64, one in the other.
type Scanner struct{ needles []needle }

// needle is a secret in one form.
type needle struct {
	secret, form string
	text         []byte
	enough       int // bytes of text in a row that are a leak
}

// Finding is a secret in a place where it must not be. It never holds the
// secret itself.
type Finding struct {
	Secret string // the name that the scanner was given for it
	Form   string // "plain", "hexadecimal", "UTF-16", "list of bytes"
	Place  string // "work/plan.tfplan: zip tfstate: base64"
}

func (f Finding) String() string { return fmt.Sprintf("%s, %s, in %s", f.Secret, f.Form, f.Place) }

// NewScanner looks for the values of secrets and reports them by their keys. It
// refuses to look for nothing, or for less than 16 bytes. No part of a secret
// may be something that anybody knows, as the header of a JWT is.
func NewScanner(secrets map[string]string) (*Scanner, error) {
	if len(secrets) == 0 {
		return nil, fmt.Errorf("no secret to look for: nothing would ever be found")
	}
	s := &Scanner{}
	for _, name := range slices.Sorted(maps.Keys(secrets)) {
		value := []byte(secrets[name])
		if len(value) < minSecret {
			return nil, fmt.Errorf("secret %s has %d bytes, too few to tell it from chance", name, len(value))
		}
		enough := min(len(value), minFragment)
		numbers := strings.Trim(fmt.Sprintf("%d", value), "[]")
		lower := hex.EncodeToString(value)
		s.needles = append(s.needles,
			needle{name, "plain", value, enough},
			needle{name, "hexadecimal", []byte(lower), 2 * enough},
			needle{name, "hexadecimal", []byte(strings.ToUpper(lower)), 2 * enough},
			// Without the last zero this is big-endian as well as little-endian.
			needle{name, "UTF-16", bytes.Join(bytes.Split(value, nil), []byte{0}), 2*enough - 1},
			// A number and the mark after it have two to four bytes.
			needle{name, "list of bytes", []byte(numbers), 3*enough - 1},
			needle{name, "list of bytes", []byte(strings.ReplaceAll(numbers, " ", ",")), 3*enough - 1},
		)
	}
	return s, nil
}

// in tells whether enough of the needle is in data. Every run that long covers
// one of the blocks of half the length into which the text is cut, so only
// around those the data is compared.
func (n needle) in(data []byte) bool {
	length := n.enough / 2
	for start := 0; start+length <= len(n.text); start += length {
		block := n.text[start : start+length]
		for from := 0; ; from++ {
			at := bytes.Index(data[from:], block)
			if at < 0 {
				break
			}
			from += at
			before := commonSuffix(n.text[:start], data[:from])
			after := commonPrefix(n.text[start:], data[from:])
			if before+after >= n.enough {
				return true
			}
		}
	}
	return false
}

func commonPrefix(a, b []byte) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

func commonSuffix(a, b []byte) int {
	n := 0
	for n < len(a) && n < len(b) && a[len(a)-1-n] == b[len(b)-1-n] {
		n++
	}
	return n
}

// Dir scans every regular file below dir. Links are not followed.
func (s *Scanner) Dir(dir string) ([]Finding, error) {
	var findings []Finding
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		place, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		findings = append(findings, s.Scan(place, data)...)
		return nil
	})
	return findings, err
}

// Scan returns what is found in data, each secret once per form and place; in
// which way it was escaped makes no difference.
func (s *Scanner) Scan(place string, data []byte) []Finding {
	scan := scan{Scanner: s, found: map[Finding]bool{}}
	scan.open(place, data, 0)
	return scan.findings
}

type scan struct {
	*Scanner
	found    map[Finding]bool
	findings []Finding
}

func (s *scan) open(place string, data []byte, depth int) {
	s.search(place, data)
	if depth == maxWrappings {
		return
	}
	s.unzip(place, data, depth+1)
	s.gunzip(place, data, depth+1)
	plain := unescape(data)
	s.search(place, plain)
	for _, run := range base64Run.FindAll(plain, -1) {
		s.decode(place+": base64", run, depth+1)
	}
}

func (s *scan) search(place string, data []byte) {
	for _, n := range s.needles {
		finding := Finding{n.secret, n.form, place}
		if !s.found[finding] && n.in(data) {
			s.found[finding] = true
			s.findings = append(s.findings, finding)
		}
	}
}

func (s *scan) unzip(place string, data []byte, depth int) {
	if !bytes.HasPrefix(data, []byte("PK\x03\x04")) {
		return
	}
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return
	}
	for _, file := range archive.File {
		content, err := file.Open()
		if err != nil {
			continue
		}
		// What can be read of a damaged entry is looked at.
		unpacked, _ := io.ReadAll(io.LimitReader(content, maxUnpacked))
		_ = content.Close()
		s.open(place+": zip "+file.Name, unpacked, depth)
	}
}

func (s *scan) gunzip(place string, data []byte, depth int) {
	if !bytes.HasPrefix(data, []byte("\x1f\x8b")) {
		return
	}
	content, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return
	}
	unpacked, _ := io.ReadAll(io.LimitReader(content, maxUnpacked))
	s.open(place+": gzip", unpacked, depth)
}

// base64Run is text that may be base64 of either alphabet, from the length on
// that the shortest secret has.
var base64Run = regexp.MustCompile(`[A-Za-z0-9+/_-]{20,}`)

// decode reads a run from each of the four offsets at which a quantum may begin:
// what stands before the base64 may be of its alphabet too, like the slash of a
// path.
func (s *scan) decode(place string, run []byte, depth int) {
	standard := bytes.ReplaceAll(bytes.ReplaceAll(run, []byte("-"), []byte("+")), []byte("_"), []byte("/"))
	for offset := range 4 {
		quanta := standard[offset:]
		if len(quanta)%4 == 1 {
			quanta = quanta[:len(quanta)-1]
		}
		decoded := make([]byte, base64.RawStdEncoding.DecodedLen(len(quanta)))
		if n, err := base64.RawStdEncoding.Decode(decoded, quanta); err == nil {
			s.open(place, decoded[:n], depth)
		}
	}
}

var (
	unicodeEscape = regexp.MustCompile(`\\+(?:[uU](?:0000)?00|x)([0-9a-fA-F]{2})`)
	percentEscape = regexp.MustCompile(`%(?:25)*([0-9a-fA-F]{2})`)
)

// unescape undoes the escapes of Go, JSON, URLs and XML however often they were
// applied. It is no parser: backslashes go, whatever they stood for.
func unescape(data []byte) []byte {
	if !bytes.ContainsAny(data, `\%&`) {
		return data
	}
	plain := unicodeEscape.ReplaceAllFunc(data, lastByte)
	plain = percentEscape.ReplaceAllFunc(plain, lastByte)
	plain = bytes.ReplaceAll(plain, []byte(`\`), nil)
	return []byte(html.UnescapeString(string(plain)))
}

// lastByte is the byte that an escape's last two digits name.
func lastByte(escape []byte) []byte {
	value, err := strconv.ParseUint(string(escape[len(escape)-2:]), 16, 8)
	if err != nil {
		return escape
	}
	return []byte{byte(value)}
}
