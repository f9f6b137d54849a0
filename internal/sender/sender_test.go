package sender

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// full sets every field to a value that differs from its default.
func full() Options {
	return Options{
		Client:              Builtin,
		SMSType:             "Promotional",
		SenderID:            "My-Shop",
		OriginationNumber:   "+12065550100",
		MaxPriceUSD:         "0.50",
		EntityID:            "1201159000000000",
		TemplateID:          "1107160000000000<&>",
		AllowedCountryCodes: []string{"+1", "+49"},
		FallbackRegions:     []string{"eu-west-1", "us-east-1"},
		Texts: []Text{
			{ClientID: "1235", Language: "de", EnrollmentMessage: "Code: {{code}}", VerificationMessage: "{{ code }} <\u2028\"\\$&"},
			{Language: "pt-BR", VerificationMessage: "{{code}}"},
		},
		Timeout: 2 * time.Second,
	}
}

func triggers() []Trigger { return []Trigger{Hook, SendPhoneMessage, CustomPhoneProvider} }

func render(t *testing.T, o Options) Code {
	t.Helper()
	return renderFor(t, Hook, o)
}

func renderFor(t *testing.T, trigger Trigger, o Options) Code {
	t.Helper()
	code, err := Render(trigger, o)
	if err != nil {
		t.Fatalf("Render(%s, %+v): %v", trigger, o, err)
	}
	return code
}

func TestValidateAcceptsWhatSNSAccepts(t *testing.T) {
	for name, o := range map[string]Options{
		"nothing set":        {},
		"everything set":     full(),
		"aws-sdk by name":    {Client: AWSSDK},
		"default type":       {SMSType: "Transactional"},
		"shortest sender ID": {SenderID: "A-1"},
		"longest sender ID":  {SenderID: "ABCDEFGHIJK"},
		"short code":         {OriginationNumber: "12345"},
		"longest number":     {OriginationNumber: "12345678901234"},
		"whole dollars":      {MaxPriceUSD: "1"},
		"one character":      {EntityID: "1", TemplateID: "1"},
		"50 characters":      {EntityID: strings.Repeat("1", 50)},
		"longest prefix":     {AllowedCountryCodes: []string{"+124255"}},
		"other partitions":   {FallbackRegions: []string{"us-gov-west-1", "cn-north-1", "ap-southeast-11"}},
		"one message":        {Texts: []Text{{VerificationMessage: "{{code}}"}}},
		"longest text":       {Texts: []Text{{EnrollmentMessage: "{{code}}" + strings.Repeat("é", maxMessage-8)}}},
		"braces":             {Texts: []Text{{EnrollmentMessage: "{{{code}}}"}}},
		"the narrow first": {Texts: []Text{
			{ClientID: "a", Language: "pt-BR", VerificationMessage: "{{code}}"},
			{ClientID: "a", Language: "pt", VerificationMessage: "{{code}}"},
			{ClientID: "a", VerificationMessage: "{{code}}"},
			{EnrollmentMessage: "{{code}}", VerificationMessage: "{{code}}"},
		}},
		"shortest timeout": {Timeout: time.Second},
		"longest timeout":  {Timeout: 8 * time.Second},
	} {
		if errs := o.Validate(); errs != nil {
			t.Errorf("%s is refused: %v", name, errs)
		}
	}
}

func TestValidateNamesTheFieldThatSNSWouldRefuse(t *testing.T) {
	bad := map[string][]Options{
		"client":             {{Client: "aws-sdk-v3"}},
		"sms_type":           {{SMSType: "transactional"}},
		"sender_id":          {{SenderID: "AB"}, {SenderID: "ABCDEFGHIJKL"}, {SenderID: "123"}, {SenderID: "My Shop"}, {SenderID: "Shöp"}, {SenderID: "ABC\n"}},
		"origination_number": {{OriginationNumber: "1234"}, {OriginationNumber: "123456789012345"}, {OriginationNumber: "+0123456"}, {OriginationNumber: "+1 206 555 0100"}},
		"max_price_usd": {
			{MaxPriceUSD: "0"},
			{MaxPriceUSD: "0.00"},
			{MaxPriceUSD: "-1"},
			{MaxPriceUSD: "1e3"},
			{MaxPriceUSD: "0,5"},
			{MaxPriceUSD: "Inf"},
			{MaxPriceUSD: "0x1p1"},
			{MaxPriceUSD: ".5"},
		},
		"entity_id":             {{EntityID: strings.Repeat("1", 51)}, {EntityID: "1 2"}, {EntityID: "1\u2028"}},
		"template_id":           {{TemplateID: strings.Repeat("1", 51)}, {TemplateID: "\xff"}},
		"allowed_country_codes": {{AllowedCountryCodes: []string{"+1", "49"}}, {AllowedCountryCodes: []string{"+0"}}, {AllowedCountryCodes: []string{"+1234567"}}, {AllowedCountryCodes: []string{""}}},
		"fallback_regions":      {{FallbackRegions: []string{"frankfurt"}}, {FallbackRegions: []string{"eu-central-1", "evil.example/-1"}}, {FallbackRegions: []string{""}}},
		"texts": {
			{Texts: []Text{{}}},
			{Texts: []Text{{ClientID: "a b", EnrollmentMessage: "{{code}}"}}},
			{Texts: []Text{{Language: "en_US", EnrollmentMessage: "{{code}}"}}},
			{Texts: []Text{{Language: "N/A", EnrollmentMessage: "{{code}}"}}},
			{Texts: []Text{{EnrollmentMessage: "Your code is {code}"}}},
			{Texts: []Text{{VerificationMessage: "{{ CODE }}"}}},
			{Texts: []Text{{EnrollmentMessage: "{{code}} {{tenant.friendly_name}}"}}},
			{Texts: []Text{{EnrollmentMessage: "{{code}}{% endif %}"}}},
			{Texts: []Text{{EnrollmentMessage: "{{code}}" + strings.Repeat("🔐", maxMessage/2)}}},
			{Texts: []Text{{EnrollmentMessage: "{{code}}"}, {EnrollmentMessage: "{{code}}"}}},
			{Texts: []Text{{Language: "pt", VerificationMessage: "{{code}}"}, {Language: "PT-br", ClientID: "a", VerificationMessage: "{{code}}"}}},
		},
		"timeout": {{Timeout: 999 * time.Millisecond}, {Timeout: 8*time.Second + 1}, {Timeout: -time.Second}},
	}
	for field, options := range bad {
		for _, o := range options {
			errs := o.Validate()
			if len(errs) != 1 || errs[0].Field != field || errs[0].Message == "" {
				t.Errorf("Validate(%+v) = %v, want one error of %s", o, errs, field)
			}
			if _, err := Render(Hook, o); err == nil || !strings.Contains(err.Error(), field) {
				t.Errorf("Render(%+v) = %v, want an error that names %s", o, err, field)
			}
		}
	}
}

func TestValidateReportsAllMistakesAtOnce(t *testing.T) {
	errs := Options{SMSType: "x", SenderID: "x", AllowedCountryCodes: []string{"1", "2"}}.Validate()
	var fields []string
	for _, e := range errs {
		fields = append(fields, e.Field)
	}
	want := []string{"sms_type", "sender_id", "allowed_country_codes", "allowed_country_codes"}
	if diff := cmp.Diff(want, fields); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
}

func TestEveryOptionReachesTheScript(t *testing.T) {
	for trigger, client := range map[Trigger]Client{Hook: Builtin, SendPhoneMessage: AWSSDK, CustomPhoneProvider: AWSSDK} {
		base, set := renderFor(t, trigger, Options{}), full()
		set.Client = client // The one that is not the default.
		for i := range reflect.TypeFor[Options]().NumField() {
			var o Options
			reflect.ValueOf(&o).Elem().Field(i).Set(reflect.ValueOf(set).Field(i))
			if renderFor(t, trigger, o).Script == base.Script {
				t.Errorf("%s: %s has no effect on the script", trigger, reflect.TypeFor[Options]().Field(i).Name)
			}
		}
	}
}

func TestScriptsDifferInTheirOptionsOnly(t *testing.T) {
	for _, client := range []Client{AWSSDK, Builtin} {
		plain, set := Options{Client: client}, full()
		set.Client = client
		_, a, _ := strings.Cut(render(t, plain).Script, "\n};\n")
		_, b, _ := strings.Cut(render(t, set).Script, "\n};\n")
		if a == "" || a != b {
			t.Errorf("%s: the code after the options differs, so a reviewer could not see what changed", client)
		}
	}
}

func TestOptionsAreOneReadableLiteral(t *testing.T) {
	o := Options{AllowedCountryCodes: []string{"+49"}, TemplateID: "</script>", Texts: []Text{{Language: "de", EnrollmentMessage: "{{code}}"}}}
	const want = `// Managed by Terraform (auth0sns): edits made here are undone by the next apply.
'use strict';
const OPTIONS = {
  "allowedCountryCodes": [
    "+49"
  ],
  "fallbackRegions": [],
  "messageAttributes": {
    "AWS.MM.SMS.TemplateId": {
      "DataType": "String",
      "StringValue": "\u003c/script\u003e"
    },
    "AWS.SNS.SMS.SMSType": {
      "DataType": "String",
      "StringValue": "Transactional"
    }
  },
  "texts": [
    {
      "language": "de",
      "enrollment": "{{code}}"
    }
  ],
  "timeoutMs": 5000
};
`
	got, _, _ := strings.Cut(render(t, o).Script, "\n// A person waits")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("top of the script (-want +got):\n%s", diff)
	}
}

func TestRenderIsDeterministicAndSmall(t *testing.T) {
	for _, trigger := range triggers() {
		for _, client := range []Client{AWSSDK, Builtin} {
			o := full()
			o.Client = client
			first := renderFor(t, trigger, o)
			if first.SHA256 != SHA256(first.Script) || len(first.SHA256) != 64 {
				t.Errorf("SHA256 = %q is not that of the script", first.SHA256)
			}
			if len(first.Script) > MaxScriptBytes/4 {
				t.Errorf("%s, %s: %d bytes leave little room in what Auth0 takes", trigger, client, len(first.Script))
			}
			for range 50 {
				if renderFor(t, trigger, o).SHA256 != first.SHA256 {
					t.Fatalf("%s, %s: the same options gave another script, so every plan would show a change", trigger, client)
				}
			}
		}
	}
}

// TestRenderRefusesWhatAuth0WouldNotTake: found by Auth0, in the middle of an apply, it would say no option's name.
func TestRenderRefusesWhatAuth0WouldNotTake(t *testing.T) {
	codes, texts := make([]string, 10_000), make([]Text, 60)
	for i := range codes {
		codes[i] = fmt.Sprintf("+1%05d", i)
	}
	for i := range texts {
		texts[i] = Text{ClientID: fmt.Sprint(i), VerificationMessage: "{{code}}" + strings.Repeat("x", 1592)}
	}
	for _, trigger := range triggers() {
		for field, o := range map[string]Options{"allowed_country_codes": {AllowedCountryCodes: codes}, "texts": {Texts: texts}} {
			_, err := Render(trigger, o)
			var invalid FieldError
			if !errors.As(err, &invalid) || invalid.Field != field || !strings.Contains(invalid.Message, "100000") {
				t.Errorf("%s: got %v, want the limit and that %s must be shorter", trigger, err, field)
			}
		}
		code := renderFor(t, trigger, Options{Texts: texts[:50]})
		if code.Size() != len(code.Script) || code.Size() < 50*1600 {
			t.Errorf("%s: %d bytes are reported of %d", trigger, code.Size(), len(code.Script))
		}
	}
}

func TestClientDecidesThePackages(t *testing.T) {
	sdk := map[string]string{"aws-sdk": awsSDKVersion}
	for trigger, packages := range map[Trigger]map[Client]map[string]string{
		Hook:                {"": sdk, AWSSDK: sdk, Builtin: {}},
		SendPhoneMessage:    {"": {}, AWSSDK: sdk, Builtin: {}},
		CustomPhoneProvider: {"": {}, AWSSDK: sdk, Builtin: {}},
	} {
		for client, want := range packages {
			code := renderFor(t, trigger, Options{Client: client})
			if diff := cmp.Diff(want, code.Dependencies); diff != "" {
				t.Errorf("%s, %q: dependencies (-want +got):\n%s", trigger, client, diff)
			}
			if uses := strings.Contains(code.Script, "aws-sdk"); uses != (len(want) > 0) {
				t.Errorf("%s, %q: script requires aws-sdk: %t", trigger, client, uses)
			}
		}
	}
}

// TestTriggersShareTheBody: a difference between them that is not in the wrapper would be a second sender to maintain.
func TestTriggersShareTheBody(t *testing.T) {
	for _, client := range []Client{AWSSDK, Builtin} {
		hook, _, _ := strings.Cut(renderFor(t, Hook, Options{Client: client}).Script, "\n// Auth0 hook ")
		for _, trigger := range []Trigger{SendPhoneMessage, CustomPhoneProvider} {
			action, wrapper, found := strings.Cut(renderFor(t, trigger, Options{Client: client}).Script, "\n// Auth0 Action, trigger ")
			if !found || hook != action || !strings.HasPrefix(wrapper, string(trigger)) {
				t.Errorf("%s, %s: the code before the wrapper differs", trigger, client)
			}
		}
	}
}

func TestRenderRefusesAnUnknownTrigger(t *testing.T) {
	if _, err := Render("credentials-exchange", Options{}); err == nil {
		t.Error("a trigger without a wrapper was rendered: Auth0 would call a function that is not there")
	}
}

func TestLockfilePinsEveryDependency(t *testing.T) {
	read := func(name string, into any) string {
		text, err := fs.ReadFile(Lockfile(), name)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, into); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return string(text)
	}
	var manifest struct{ Dependencies map[string]string }
	var lock struct {
		Packages map[string]struct{ Version, Integrity string }
	}
	read("package.json", &manifest)
	if text := read("package-lock.json", &lock); strings.Contains(text, `"resolved"`) {
		t.Error("the lockfile names a registry: it would not install elsewhere")
	}
	if want := render(t, Options{Client: AWSSDK}).Dependencies; !maps.Equal(want, manifest.Dependencies) {
		t.Errorf("package.json has %v, a hook gets %v: tests would run other code than Auth0", manifest.Dependencies, want)
	}
	if got := lock.Packages["node_modules/aws-sdk"].Version; got != awsSDKVersion {
		t.Errorf("package-lock.json has aws-sdk %q, a hook gets %q", got, awsSDKVersion)
	}
	for name, p := range lock.Packages {
		if name != "" && p.Integrity == "" {
			t.Errorf("%s is not pinned by a hash", name)
		}
	}
}
