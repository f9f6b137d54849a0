package auth0

import (
	"fmt"
	"net/http"
	"slices"
)

// Grant is a client grant: the scopes that an application may ask for. The
// OpenAPI document knows more properties; none of them would change anything
// here, so requests that carry them are refused rather than silently ignored.
type Grant struct {
	ID       string   `json:"id"`
	ClientID string   `json:"client_id"`
	Audience string   `json:"audience"`
	Scope    []string `json:"scope"`
}

type grant struct {
	id, clientID, audience string
	scope                  []string
}

func (g *grant) view() Grant { return Grant{g.id, g.clientID, g.audience, slices.Clone(g.scope)} }

func grantScopeSchema() *schema {
	return &schema{
		kind: "array", unique: true, description: "Scopes allowed for this client grant.",
		items: &schema{kind: "string", minLength: 1, maxLength: 280},
	}
}

func grantCreateSchema() *schema {
	return &schema{kind: "object", required: []string{"client_id", "audience"}, properties: map[string]*schema{
		"client_id": {kind: "string", description: "ID of the client."},
		"audience":  {kind: "string", minLength: 1, description: "The audience (API identifier) of this client grant."},
		"scope":     grantScopeSchema(),
	}}
}

func grantUpdateSchema() *schema {
	return &schema{kind: "object", minProperties: 1, properties: map[string]*schema{"scope": grantScopeSchema()}}
}

// SetGrantScopes gives a client exactly these scopes of the Management API and
// makes the grant if there is none. Tokens already issued keep theirs.
func (t *Tenant) SetGrantScopes(clientID string, scopes []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.setGrantScopes(clientID, scopes)
}

// AllScopes are those that some operation of the tenant asks for. The application
// that the tenant begins with has them.
func (t *Tenant) AllScopes() []string { return slices.Clone(t.scopes) }

func (t *Tenant) setGrantScopes(clientID string, scopes []string) {
	if g := t.grantOf(clientID, t.audience()); g != nil {
		g.scope = slices.Clone(scopes)
		return
	}
	t.state.grants = append(t.state.grants, newGrant(clientID, t.audience(), scopes))
}

// DeleteGrant takes a client's grant for the Management API away.
func (t *Tenant) DeleteGrant(clientID string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.state.grants = slices.DeleteFunc(t.state.grants, func(g *grant) bool {
		return g.clientID == clientID && g.audience == t.audience()
	})
}

func newGrant(clientID, audience string, scope []string) *grant {
	return &grant{id: "cgr_" + randomText(16, alphanumeric), clientID: clientID, audience: audience, scope: slices.Clone(scope)}
}

func (t *Tenant) grantOf(clientID, audience string) *grant {
	for _, g := range t.state.grants {
		if g.clientID == clientID && g.audience == audience {
			return g
		}
	}
	return nil
}

func (t *Tenant) grant(id string) (*grant, error) {
	for _, g := range t.state.grants {
		if g.id == id {
			return g, nil
		}
	}
	return nil, refuse(http.StatusNotFound, "The grant does not exist.", "inexistent_client_grant")
}

func (t *Tenant) listGrants(c *call) (reply, error) {
	audience, clientID := c.query.Get("audience"), c.query.Get("client_id")
	var found []Grant
	for _, g := range t.state.grants {
		if (audience == "" || g.audience == audience) && (clientID == "" || g.clientID == clientID) {
			found = append(found, g.view())
		}
	}
	return page(c, "client_grants", found), nil
}

func (t *Tenant) readGrant(c *call) (reply, error) {
	g, err := t.grant(c.id())
	if err != nil {
		return reply{}, err
	}
	return reply{http.StatusOK, g.view()}, nil
}

func (t *Tenant) createGrant(c *call) (reply, error) {
	body := c.object()
	clientID, audience := fmt.Sprint(body["client_id"]), fmt.Sprint(body["audience"])
	if _, ok := t.clients[clientID]; !ok {
		return reply{}, refuse(http.StatusNotFound, "The client does not exist", "inexistent_client")
	}
	if audience != t.audience() {
		return reply{}, refuse(http.StatusNotFound, "The resource server does not exist", "inexistent_resource_server")
	}
	if t.grantOf(clientID, audience) != nil {
		return reply{}, refuse(http.StatusConflict, "A resource with the same identifier already exists.", "")
	}
	g := newGrant(clientID, audience, texts(body["scope"]))
	t.state.grants = append(t.state.grants, g)
	return reply{http.StatusCreated, g.view()}, nil
}

func (t *Tenant) updateGrant(c *call) (reply, error) {
	g, err := t.grant(c.id())
	if err != nil {
		return reply{}, err
	}
	g.scope = texts(c.object()["scope"])
	return reply{http.StatusOK, g.view()}, nil
}

// deleteGrant answers 204 for an unknown grant too: the OpenAPI document has no
// 404 for it, unlike for the other verbs.
func (t *Tenant) deleteGrant(c *call) (reply, error) {
	t.state.grants = slices.DeleteFunc(t.state.grants, func(g *grant) bool { return g.id == c.id() })
	return reply{http.StatusNoContent, nil}, nil
}
