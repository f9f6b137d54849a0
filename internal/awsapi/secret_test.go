package awsapi

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// panicVariable makes TestASecretIsNoPanicMessage die instead of look.
const panicVariable = "AUTH0SNS_TEST_PANIC"

// TestASecretIsNoPanicMessage: the runtime prints the value of a panic by rules
// of its own, into logs and bug reports.
func TestASecretIsNoPanicMessage(t *testing.T) {
	key := NewAccessKey{AccessKey: AccessKey{ID: testKeyID}, Secret: NewSecret(testSecret)}
	values := map[string]any{
		"secret": key.Secret, "pointer": &key.Secret, "key": key, "list": []Secret{key.Secret},
		"error": fmt.Errorf("it was %v", key), "unexported": fmt.Sprintf("%#v", struct{ hidden NewAccessKey }{key}),
	}
	if dies, ok := values[os.Getenv(panicVariable)]; ok {
		panic(dies)
	}
	for name := range values {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
		cmd.Env = append(os.Environ(), panicVariable+"="+name, "GOTRACEBACK=system")
		printed, err := cmd.CombinedOutput()
		if err == nil || !bytes.Contains(printed, []byte("panic: ")) {
			t.Fatalf("%s: no panic was seen: %v\n%s", name, err, printed)
		}
		if bytes.Contains(printed, []byte(testSecret[:12])) {
			t.Errorf("%s: a crash prints the secret key:\n%s", name, printed)
		}
	}
}

func TestASecretIsNeverPrinted(t *testing.T) {
	t.Parallel()
	key := NewAccessKey{AccessKey: AccessKey{ID: testKeyID}, Secret: NewSecret(testSecret)}
	var printed bytes.Buffer
	for _, value := range []any{
		key.Secret, &key.Secret, key, &key,
		[]Secret{key.Secret},
		map[string]Secret{"k": key.Secret},
		// fmt asks nobody how to print what lies beneath an unexported field.
		struct{ hidden Secret }{key.Secret},
		struct{ hidden *NewAccessKey }{&key},
		struct{ hidden []Secret }{[]Secret{key.Secret}},
		struct{ hidden any }{key},
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%40.3s", "%T"} {
			fmt.Fprintf(&printed, verb+"\n", value)
		}
		fmt.Fprintln(&printed, value)
		for _, handler := range []slog.Handler{slog.NewJSONHandler(&printed, nil), slog.NewTextHandler(&printed, nil)} {
			slog.New(handler).Info("minted", "key", value)
		}
		encoded, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		printed.Write(encoded)
	}
	asXML, err := xml.Marshal(key.Secret)
	if err != nil {
		t.Fatal(err)
	}
	printed.Write(asXML)
	printed.WriteString(key.Secret.String() + key.Secret.GoString())
	for _, form := range []string{testSecret, fmt.Sprintf("%x", testSecret), fmt.Sprintf("%X", testSecret), testSecret[:3]} {
		if strings.Contains(printed.String(), form) {
			t.Errorf("the secret key is printed as %q", form)
		}
	}
	if encoded, _ := json.Marshal(key.Secret); string(encoded) != `"(secret)"` || key.Secret.Reveal() != testSecret {
		t.Errorf("%s, and the receiver gets %d characters", encoded, len(key.Secret.Reveal()))
	}
}
