package sender

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// FuzzParse proves that code is taken for the sender only where Render would
// write it, byte for byte: an import hides everything else from the plan.
func FuzzParse(f *testing.F) {
	for _, trigger := range triggers() {
		for _, o := range []Options{{}, {SenderID: "Auth0", AllowedCountryCodes: []string{"+49"}, Timeout: 2500 * time.Millisecond}, {Texts: []Text{{Language: "de", EnrollmentMessage: "{{code}}"}}}} {
			code, err := Render(trigger, o)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(code.Script)
			f.Add(strings.Replace(code.Script, `"Transactional"`, `"Promotional"`, 1))
			f.Add(strings.Replace(code.Script, `"timeoutMs": `, `"timeoutMs": 9`, 1))
		}
	}
	f.Add(header + declaration + `{"messageAttributes":{"AWS.SNS.SMS.SMSType":{"StringValue":"x"}},"timeoutMs":-9223372036854775808};`)
	f.Add(header + declaration + `null`)
	f.Fuzz(func(t *testing.T, script string) {
		found := 0
		for _, trigger := range triggers() {
			o, ok := Parse(trigger, script)
			if !ok {
				continue
			}
			found++
			if code, err := Render(trigger, o); err != nil || code.Script != script {
				t.Errorf("options %+v do not give the script that they were found in: %v", o, err)
			}
		}
		if found > 1 {
			t.Error("the script is taken for a sender of two triggers")
		}
	})
}

// FuzzOptions proves that every value which is accepted stays a value: it is
// found again by an import, and never becomes code.
func FuzzOptions(f *testing.F) {
	f.Add("", "", "", "", "", "", "", "", "", "", "", "", int64(0))
	f.Add("builtin", "Promotional", "Auth0", "+12065550100", "0.10", "1101", "1107<>&", "+1,+49", "eu-west-1,eu-central-1", "1235", "de", "Code: {{code}}", int64(2_500_000_000))
	f.Add("aws-sdk", "Transactional", "A-1", "12345", "00.5", `";process.exit();//`, "\u2028*/</script>\\", "+1242", "us-gov-west-1", "", "pt-BR", "};\n{{ code }}\u2028*/", int64(8_000_000_000))
	f.Fuzz(func(t *testing.T, client, smsType, senderID, number, price, entity, template, codes, regions, app, language, text string, timeout int64) {
		o := Options{
			Client: Client(client), SMSType: smsType, SenderID: senderID, OriginationNumber: number, MaxPriceUSD: price,
			EntityID: entity, TemplateID: template, AllowedCountryCodes: list(codes), FallbackRegions: list(regions), Timeout: time.Duration(timeout),
		}
		if text != "" {
			o.Texts = []Text{{ClientID: app, Language: language, VerificationMessage: text}}
		}
		code, err := Render(Hook, o)
		if invalid := o.Validate(); (err == nil) != (len(invalid) == 0) {
			t.Fatalf("validated with %v, rendered with %v: found in apply instead of plan", invalid, err)
		}
		if err != nil {
			return
		}
		literal, rest, found := strings.Cut(strings.TrimPrefix(code.Script, header+declaration), ";\n")
		if !found || !json.Valid([]byte(literal)) || strings.ContainsAny(literal, "\u2028\u2029<>") || !strings.HasPrefix(rest, "\n") {
			t.Fatalf("a value reaches beyond the literal of the options:\n%s", literal)
		}
		parsed, ok := Parse(Hook, code.Script)
		if !ok {
			t.Fatalf("a script of ours is taken for foreign code:\n%s", literal)
		}
		if again, err := Render(Hook, parsed); err != nil || again.Script != code.Script {
			t.Errorf("an import finds other options, %+v: %v", parsed, err)
		}
	})
}

func list(values string) []string {
	if values == "" {
		return nil
	}
	return strings.Split(values, ",")
}
