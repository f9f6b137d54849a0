package auth0api

import (
	"net/http"
	"path"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	providersPath = "/api/v2/branding/phone/providers"
	templatesPath = "/api/v2/branding/phone/templates"
	phoneNumber   = "+15551234567"
)

func pointer[T any](value T) *T { return &value }

func TestPhoneProviders(t *testing.T) {
	for name, test := range map[string]struct {
		body string
		want []PhoneProvider
	}{
		"custom is not taken for Twilio": {
			`{"providers":[{"id":"pro_1","tenant":"t","name":"custom","channel":"phone","disabled":true,"configuration":{"delivery_methods":["text","voice"]},"credentials":null}]}`,
			[]PhoneProvider{{ID: "pro_1", Name: "custom", Disabled: true, DeliveryMethods: []string{"text", "voice"}}},
		},
		"a provider of next year is shown, not skipped": {
			`{"providers":[{"id":"pro_1","name":"vonage","configuration":{"sid":7,"region":["eu"],"delivery_methods":["rcs"]},"credentials":{"key":"***"},"created_at":"soon","extra":1}],"next":"x"}`,
			[]PhoneProvider{{ID: "pro_1", Name: "vonage", DeliveryMethods: []string{"rcs"}}},
		},
		"without a configuration": {`{"providers":[{"id":"pro_1","name":"custom","configuration":null}]}`, []PhoneProvider{{ID: "pro_1", Name: "custom"}}},
		"none":                    {`{"providers":[]}`, []PhoneProvider{}},
	} {
		s := newTenant(t, map[string]http.HandlerFunc{"GET " + providersPath: answer(200, test.body)})
		got, err := s.client().PhoneProviders(t.Context())
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestPhoneProviderAnswerOfAnotherShape(t *testing.T) {
	s := newTenant(t, map[string]http.HandlerFunc{"POST " + providersPath: answer(201, `{"id":"pro_1","name":["custom"]}`)})
	_, err := s.client().CreatePhoneProvider(t.Context(), PhoneProvider{Name: "custom"})
	if e := mustBeError(t, err); !e.Ambiguous() || e.StatusCode != 201 {
		t.Errorf("the provider exists, though its description cannot be read: %v", e)
	}
}

func TestPhoneBodies(t *testing.T) {
	const whole = `{"id":"pro_1","name":"custom"}`
	s := newTenant(t, map[string]http.HandlerFunc{
		"POST " + providersPath:            answer(201, whole),
		"PATCH " + providersPath + "/1":    answer(200, whole),
		"POST " + providersPath + "/1/try": answer(202, `{"code":202,"message":"Test notification successfully sent for processing"}`),
		"DELETE " + providersPath + "/1":   answer(204, ``),
		"POST " + templatesPath:            answer(201, `{}`),
		"PATCH " + templatesPath + "/1":    answer(200, `{}`),
		"DELETE " + templatesPath + "/1":   answer(204, ``),
	})
	c, ctx := s.client(), t.Context()
	update := func(patch PhoneProviderPatch) func() error {
		return func() error { _, err := c.UpdatePhoneProvider(ctx, "1", patch); return err }
	}
	rewrite := func(patch PhoneTemplatePatch) func() error {
		return func() error { _, err := c.UpdatePhoneTemplate(ctx, "1", patch); return err }
	}
	customise := func(template PhoneTemplate) func() error {
		return func() error { _, err := c.CreatePhoneTemplate(ctx, template); return err }
	}
	for _, step := range []struct {
		name, method, path, body string
		do                       func() error
	}{
		{
			"a new provider has credentials, though empty, or Auth0 refuses it", "POST", providersPath,
			`{"name":"custom","disabled":false,"configuration":{"delivery_methods":["text"]},"credentials":{}}`,
			func() error {
				_, err := c.CreatePhoneProvider(ctx, PhoneProvider{ID: "x", Name: "custom", DeliveryMethods: []string{"text"}})
				return err
			},
		},
		{
			"a switch changes nothing else", "PATCH", providersPath + "/1", `{"disabled":true}`,
			update(PhoneProviderPatch{Disabled: pointer(true)}),
		},
		{
			"delivery methods leave the credentials alone", "PATCH", providersPath + "/1", `{"configuration":{"delivery_methods":["text"]}}`,
			update(PhoneProviderPatch{DeliveryMethods: &[]string{"text"}}),
		},
		{
			"a new name goes with its credentials", "PATCH", providersPath + "/1", `{"name":"custom","credentials":{}}`,
			update(PhoneProviderPatch{Name: pointer("custom")}),
		},
		{
			"a test message is a text", "POST", providersPath + "/1/try", `{"to":"` + phoneNumber + `","delivery_method":"text"}`,
			func() error { return c.TryPhoneProvider(ctx, "1", phoneNumber) },
		},
		{"a provider is deleted", "DELETE", providersPath + "/1", ``, func() error { return c.DeletePhoneProvider(ctx, "1") }},
		{
			"a new text without voice and number sends neither, as Auth0 refuses empty ones", "POST", templatesPath,
			`{"type":"otp_enroll","disabled":false,"content":{"syntax":"liquid","body":{"text":"{{ code }}"}}}`,
			customise(PhoneTemplate{ID: "x", Type: "otp_enroll", Text: "{{ code }}"}),
		},
		{
			"a new text with everything", "POST", templatesPath,
			`{"type":"otp_verify","disabled":true,"content":{"syntax":"liquid","from":"Example","body":{"text":"t","voice":"v"}}}`,
			customise(PhoneTemplate{Type: "otp_verify", Disabled: true, From: "Example", Text: "t", Voice: "v"}),
		},
		{
			"texts are changed without type and syntax", "PATCH", templatesPath + "/1", `{"content":{"body":{"text":"t","voice":"v"}}}`,
			rewrite(PhoneTemplatePatch{Text: pointer("t"), Voice: pointer("v")}),
		},
		{
			"a number is changed without a body", "PATCH", templatesPath + "/1", `{"content":{"from":"Example"}}`,
			rewrite(PhoneTemplatePatch{From: pointer("Example")}),
		},
		{
			"a text is switched on without an empty content", "PATCH", templatesPath + "/1", `{"disabled":false}`,
			rewrite(PhoneTemplatePatch{Disabled: pointer(false)}),
		},
		{"a text is given back", "DELETE", templatesPath + "/1", ``, func() error { return c.DeletePhoneTemplate(ctx, "1") }},
	} {
		if err := step.do(); err != nil {
			t.Errorf("%s: %v", step.name, err)
			continue
		}
		calls := s.calls(step.method)
		last := calls[len(calls)-1]
		if last.Path != step.path {
			t.Errorf("%s: sent to %s", step.name, last.Path)
		}
		if diff := cmp.Diff(decoded([]byte(step.body)), decoded([]byte(last.Body))); diff != "" {
			t.Errorf("%s: body (-want +sent):\n%s", step.name, diff)
		}
	}
}

// TestPhonePostsAreSentOnce: a second test message is paid for, and alarms
// somebody; a second provider is refused, as if the first had not been made.
func TestPhonePostsAreSentOnce(t *testing.T) {
	for name, broken := range map[string]http.HandlerFunc{"failed": answer(503, ``), "dropped": drop} {
		s := newTenant(t, map[string]http.HandlerFunc{
			"POST " + providersPath: broken, "POST " + providersPath + "/1/try": broken, "POST " + templatesPath: broken,
		})
		c := s.client()
		_, createErr := c.CreatePhoneProvider(t.Context(), PhoneProvider{Name: "custom"})
		_, templateErr := c.CreatePhoneTemplate(t.Context(), PhoneTemplate{Type: "otp_verify"})
		for _, err := range []error{createErr, templateErr, c.TryPhoneProvider(t.Context(), "1", phoneNumber)} {
			if e := mustBeError(t, err); !e.Ambiguous() {
				t.Errorf("%s: what may have happened is reported as refused: %v", name, e)
			}
		}
		if n := len(s.calls("POST")); n != 3 {
			t.Errorf("%s: %d POST requests for 3 calls", name, n)
		}
	}
}

// TestPhonePatchesAreRepeated: they set values, so the second does what the
// first did, and a short failure does not stop an apply half way.
func TestPhonePatchesAreRepeated(t *testing.T) {
	s := newTenant(t, map[string]http.HandlerFunc{
		"PATCH " + providersPath + "/1": sequence(answer(503, ``), answer(200, `{"id":"1"}`)),
		"PATCH " + templatesPath + "/1": sequence(drop, answer(200, `{"id":"1"}`)),
	})
	if got, err := s.client().UpdatePhoneProvider(t.Context(), "1", PhoneProviderPatch{Name: pointer("custom")}); err != nil || got.ID != "1" {
		t.Errorf("got %+v, %v", got, err)
	}
	if got, err := s.client().UpdatePhoneTemplate(t.Context(), "1", PhoneTemplatePatch{Disabled: pointer(true)}); err != nil || got.ID != "1" {
		t.Errorf("got %+v, %v", got, err)
	}
	calls := s.calls("PATCH")
	if len(calls) != 4 || calls[0].Body != calls[1].Body || calls[2].Body != calls[3].Body {
		t.Errorf("sent %+v", calls)
	}
}

// TestPhoneNumberStaysOutOfErrors: Auth0's validation quotes what it refuses, and
// a log is no place for somebody's number.
func TestPhoneNumberStaysOutOfErrors(t *testing.T) {
	s := newTenant(t, map[string]http.HandlerFunc{
		"POST " + providersPath + "/1/try": answer(400, envelope(400, "Payload validation error: '"+phoneNumber+"' is too long on property to", "invalid_body")),
	})
	e := mustBeError(t, s.client().TryPhoneProvider(t.Context(), "1", phoneNumber))
	if strings.Contains(e.Error(), "5551234567") || !strings.Contains(e.Message, "is too long on property to") {
		t.Errorf("got %v", e)
	}
}

// TestRecordedPhoneProviders plays what the real API is known to have answered.
func TestRecordedPhoneProviders(t *testing.T) {
	ctx := t.Context()
	custom := PhoneProvider{Name: "custom", DeliveryMethods: []string{"text"}}

	t.Run("create", func(t *testing.T) {
		c := replay(t, "go-auth0-v1__TestBrandingManager_CreatePhoneProvider.json")
		created, err := c.CreatePhoneProvider(ctx, custom)
		want := custom
		want.ID = "pro_6n3tVjusDnQuuf9f3S8L8Q"
		if diff := cmp.Diff(want, created); err != nil || diff != "" {
			t.Fatalf("%v (-want +got):\n%s", err, diff)
		}
		if read, err := c.PhoneProvider(ctx, created.ID); err != nil || !cmp.Equal(read, created) {
			t.Errorf("read %+v, %v", read, err)
		}
		if err := c.DeletePhoneProvider(ctx, created.ID); err != nil {
			t.Error(err)
		}
	})
	t.Run("list", func(t *testing.T) {
		i := readRecording(t, "go-auth0-v1__TestBrandingManager_ListPhoneProviders.json").Interactions[1]
		s := newTenant(t, map[string]http.HandlerFunc{"GET " + i.Path: answer(i.Status, string(i.ResponseBody))})
		got, err := s.client().PhoneProviders(ctx)
		want := []PhoneProvider{{ID: "pro_4vdWi5G2dq9R4LfXb2wrhZ", Name: "twilio", DeliveryMethods: []string{"text"}}}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	})
	t.Run("Twilio becomes custom", func(t *testing.T) {
		i := readRecording(t, "go-auth0-v1__TestBrandingManager_UpdatePhoneProvider.json").Interactions[1]
		s := newTenant(t, map[string]http.HandlerFunc{"PATCH " + i.Path: answer(i.Status, string(i.ResponseBody))})
		id := path.Base(i.Path)
		got, err := s.client().UpdatePhoneProvider(ctx, id, PhoneProviderPatch{Name: &custom.Name, Disabled: &custom.Disabled, DeliveryMethods: &custom.DeliveryMethods})
		if err != nil || got.ID != id || got.Name != "custom" {
			t.Errorf("got %+v, %v", got, err)
		}
		if diff := cmp.Diff(decoded(i.RequestBody), decoded([]byte(s.calls("PATCH")[0].Body))); diff != "" {
			t.Errorf("body (-recorded +sent):\n%s", diff)
		}
	})
	t.Run("try", func(t *testing.T) {
		i := readRecording(t, "go-auth0-v1__TestBrandingManager_TryPhoneProvider.json").Interactions[1]
		s := newTenant(t, map[string]http.HandlerFunc{"POST " + i.Path: answer(i.Status, string(i.ResponseBody))})
		if err := s.client().TryPhoneProvider(ctx, path.Base(path.Dir(i.Path)), "911234567890"); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(decoded(i.RequestBody), decoded([]byte(s.calls("POST")[0].Body))); diff != "" {
			t.Errorf("body (-recorded +sent):\n%s", diff)
		}
	})
	t.Run("delete twice", func(t *testing.T) {
		r := readRecording(t, "go-auth0-v1__TestBrandingManager_DeletePhoneProvider.json").Interactions
		s := newTenant(t, map[string]http.HandlerFunc{
			"DELETE " + r[1].Path: sequence(answer(r[1].Status, ""), answer(r[2].Status, string(r[2].ResponseBody))),
		})
		id := path.Base(r[1].Path)
		if err := s.client().DeletePhoneProvider(ctx, id); err != nil {
			t.Error(err)
		}
		if err := s.client().DeletePhoneProvider(ctx, id); !IsNotFound(err) {
			t.Errorf("a provider that is gone reads as %v", err)
		}
	})
}

func TestRecordedPhoneTemplates(t *testing.T) {
	ctx := t.Context()
	const text = "We Detected a security breach in your account. Please reset your password. {{user.source_ip}}{% if user.city %} from {{user.city}}, {{user.country}}{% elsif user.country %} from {{user.country}}{% endif %}."
	verify := PhoneTemplate{Type: "otp_verify", Text: text, Voice: text, From: "1234567890"}

	t.Run("list", func(t *testing.T) {
		c := replay(t, "go-auth0-v1__TestBrandingManager_ListPhoneNotificationTemplate.json")
		created, err := c.CreatePhoneTemplate(ctx, verify)
		want := verify
		want.ID = "tem_4AgSVs5KcemmkX2Swf2opZ"
		if diff := cmp.Diff(want, created); err != nil || diff != "" {
			t.Fatalf("%v (-want +got):\n%s", err, diff)
		}
		all, err := c.PhoneTemplates(ctx)
		if err != nil || len(all) != 4 || !cmp.Equal(all[0], created) {
			t.Fatalf("got %+v, %v", all, err)
		}
		if own := all[3]; own.ID != "" || own.Type != "otp_enroll" || own.From != "" || !strings.HasPrefix(own.Text, "{{ code | escape }} is your") {
			t.Errorf("Auth0's own text reads as %+v: a PATCH would go to nowhere", own)
		}
		if err := c.DeletePhoneTemplate(ctx, created.ID); err != nil {
			t.Error(err)
		}
	})
	t.Run("update", func(t *testing.T) {
		r := readRecording(t, "go-auth0-v1__TestBrandingManager_UpdatePhoneNotificationTemplate.json").Interactions
		s := newTenant(t, map[string]http.HandlerFunc{"PATCH " + r[1].Path: answer(r[1].Status, string(r[1].ResponseBody))})
		id := path.Base(r[1].Path)
		got, err := s.client().UpdatePhoneTemplate(ctx, id, PhoneTemplatePatch{Text: &verify.Text, Voice: &verify.Voice, From: &verify.From, Disabled: pointer(true)})
		want := verify
		want.ID, want.Disabled = id, true
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
		if diff := cmp.Diff(decoded(r[1].RequestBody), decoded([]byte(s.calls("PATCH")[0].Body))); diff != "" {
			t.Errorf("body (-recorded +sent):\n%s", diff)
		}
	})
	t.Run("delete twice", func(t *testing.T) {
		r := readRecording(t, "go-auth0-v1__TestBrandingManager_DeletePhoneNotificationTemplate.json").Interactions
		s := newTenant(t, map[string]http.HandlerFunc{"DELETE " + r[2].Path: answer(r[2].Status, string(r[2].ResponseBody))})
		if err := s.client().DeletePhoneTemplate(ctx, path.Base(r[2].Path)); !IsNotFound(err) {
			t.Errorf("a text that is gone reads as %v", err)
		}
	})
}
