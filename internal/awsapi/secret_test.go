package awsapi

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestASecretIsNeverPrinted(t *testing.T) {
	t.Parallel()
	key := NewAccessKey{AccessKey: AccessKey{ID: testKeyID}, Secret: testSecret}
	var printed bytes.Buffer
	for _, value := range []any{key.Secret, &key.Secret, key, &key, []Secret{key.Secret}, map[string]Secret{"k": key.Secret}} {
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
