package auth0

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

type openAPISchema struct {
	Ref        string                     `json:"$ref"`
	Properties map[string]json.RawMessage `json:"properties"`
	Required   []string                   `json:"required"`
}

type openAPI struct {
	Paths map[string]map[string]json.RawMessage `json:"paths"`
	Parts struct {
		Schemas map[string]openAPISchema `json:"schemas"`
	} `json:"components"`
}

type openAPIOperation struct {
	Security    []map[string][]string `json:"security"`
	RequestBody struct {
		Content map[string]struct {
			Schema openAPISchema `json:"schema"`
		} `json:"content"`
	} `json:"requestBody"`
}

func (o openAPIOperation) scopes() []string {
	var scopes []string
	for _, scheme := range o.Security {
		scopes = append(scopes, scheme["oAuth2ClientCredentials"]...)
	}
	return scopes
}

// knownBodyDifferences are routes whose body is on purpose not the document's.
func knownBodyDifferences() map[string]string {
	return map[string]string{
		"POST /actions/actions":                        "modules without effect here are refused",
		"PATCH /actions/actions/{id}":                  "modules without effect here are refused",
		"PATCH /actions/triggers/{triggerId}/bindings": "without bindings the call would mean nothing",
		"PATCH /tenants/settings":                      "country_codes and lifetimes in minutes are recorded, the document lacks them",
		"POST /clients":                                "properties without effect here are refused",
		"POST /client-grants":                          "properties without effect here are refused; client_id is required without default_for",
		"PATCH /client-grants/{id}":                    "properties without effect here are refused",
	}
}

func TestRoutesAreThoseOfTheOpenAPIDocument(t *testing.T) {
	raw, err := os.ReadFile(shared(t, "openapi", "auth0-management.json"))
	if err != nil {
		t.Fatal(err)
	}
	var document openAPI
	if err := json.Unmarshal(raw, &document); err != nil {
		t.Fatal(err)
	}
	for _, r := range table() {
		name := r.method + " " + r.path
		described, ok := document.Paths[r.path][strings.ToLower(r.method)]
		if !ok {
			t.Errorf("%s is not in the document: a client built on it works here and nowhere else", name)
			continue
		}
		var operation openAPIOperation
		if err := json.Unmarshal(described, &operation); err != nil {
			t.Fatal(err)
		}
		if got, want := slices.Sorted(slices.Values(r.scopes)), slices.Sorted(slices.Values(operation.scopes())); !slices.Equal(got, want) {
			t.Errorf("%s asks for %v, the document for %v", name, got, want)
		}
		body := operation.RequestBody.Content["application/json"].Schema
		if body.Ref != "" {
			body = document.Parts.Schemas[strings.TrimPrefix(body.Ref, "#/components/schemas/")]
		}
		if knownBodyDifferences()[name] != "" || body.Properties == nil || r.body == nil {
			continue
		}
		if got, want := slices.Sorted(maps.Keys(r.body.properties)), slices.Sorted(maps.Keys(body.Properties)); !slices.Equal(got, want) {
			t.Errorf("%s takes %v, the document %v", name, got, want)
		}
		if got, want := slices.Sorted(slices.Values(r.body.required)), slices.Sorted(slices.Values(body.Required)); !slices.Equal(got, want) {
			t.Errorf("%s requires %v, the document %v", name, got, want)
		}
	}
}
