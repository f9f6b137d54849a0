package auth0api

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

func TestApplicationsReadsEveryPage(t *testing.T) {
	page := func(from, to int) string {
		var apps []string
		for i := from; i < to; i++ {
			apps = append(apps, fmt.Sprintf(`{"client_id":"c%d","name":"n%d"}`, i, i))
		}
		return fmt.Sprintf(`{"start":%d,"limit":100,"total":130,"clients":[%s]}`, from, strings.Join(apps, ","))
	}
	s := newTenant(t, map[string]http.HandlerFunc{
		"GET /api/v2/clients": sequence(answer(200, page(0, 100)), answer(200, page(100, 130)), answer(500, "")),
	})
	apps, err := s.client().Applications(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(apps) != 130 || apps[129] != (Application{ClientID: "c129", Name: "n129"}) {
		t.Errorf("got %d applications: one on page 2 would be made a second time", len(apps))
	}
	query, _ := url.ParseQuery(s.calls("GET")[1].Query)
	for key, want := range map[string]string{"page": "1", "app_type": "non_interactive", "is_global": "false", "fields": "client_id,name", "include_totals": "true"} {
		if query.Get(key) != want {
			t.Errorf("query %s is %q, want %q", key, query.Get(key), want)
		}
	}
}

func TestApplicationBodies(t *testing.T) {
	const whole = `{"client_id":"c1","name":"auth0sns-staging","client_secret":"s3cret"}`
	s := newTenant(t, map[string]http.HandlerFunc{
		"POST /api/v2/clients":       answer(201, whole),
		"POST /api/v2/client-grants": answer(201, `{"id":"cgr_1"}`),
		"DELETE /api/v2/clients/c1":  answer(204, ``),
	})
	c, ctx := s.client(), t.Context()
	created, err := c.CreateApplication(ctx, NewApplication{Name: "auth0sns-staging", PublicKey: "PEM"})
	if err != nil || created.ClientID != "c1" {
		t.Fatalf("%+v, %v", created, err)
	}
	created, err = c.CreateApplication(ctx, NewApplication{Name: "auth0sns-staging", Description: "d"})
	if err != nil || created.ClientSecret != "s3cret" {
		t.Fatalf("%+v, %v", created, err)
	}
	if err := c.GrantScopes(ctx, "c1", []string{"read:logs"}); err != nil {
		t.Fatal(err)
	}
	if err := c.DeleteApplication(ctx, "c1"); err != nil {
		t.Fatal(err)
	}
	var bodies []string
	for _, call := range s.calls("POST") {
		bodies = append(bodies, call.Body)
	}
	want := []string{
		`{"name":"auth0sns-staging","app_type":"non_interactive","grant_types":["client_credentials"],"oidc_conformant":true,"jwt_configuration":{"alg":"RS256"},` +
			`"client_authentication_methods":{"private_key_jwt":{"credentials":[{"credential_type":"public_key","name":"auth0sns-staging","pem":"PEM","alg":"RS256"}]}}}`,
		`{"name":"auth0sns-staging","description":"d","app_type":"non_interactive","grant_types":["client_credentials"],"oidc_conformant":true,"jwt_configuration":{"alg":"RS256"},` +
			`"token_endpoint_auth_method":"client_secret_post"}`,
		`{"client_id":"c1","audience":"` + s.URL + `/api/v2/","scope":["read:logs"]}`,
	}
	if !slices.Equal(bodies, want) {
		t.Errorf("sent\n%s\nwant\n%s", strings.Join(bodies, "\n"), strings.Join(want, "\n"))
	}
}

func TestAnApplicationIsMadeOnce(t *testing.T) {
	s := newTenant(t, map[string]http.HandlerFunc{"POST /api/v2/clients": answer(502, ``)})
	_, err := s.client().CreateApplication(t.Context(), NewApplication{Name: "x"})
	if e := mustBeError(t, err); !e.Ambiguous() || len(s.calls("POST")) != 1 {
		t.Errorf("%d requests, each of which may make one: %v", len(s.calls("POST")), e)
	}
	s = newTenant(t, map[string]http.HandlerFunc{"POST /api/v2/clients": answer(201, `{}`)})
	if _, err := s.client().CreateApplication(t.Context(), NewApplication{Name: "x"}); err == nil {
		t.Error("an application without an id: nobody could delete it again")
	}
}
