package auth0

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// defaultSettings are those of a tenant on the legacy phone experience: such
// tenants do not show phone_consolidated_experience at all.
func defaultSettings(name string) map[string]any {
	return map[string]any{
		"friendly_name":   name,
		"enabled_locales": []any{"en"},
		"flags": map[string]any{
			"allow_changing_enable_sso":            false,
			"disable_clickjack_protection_headers": false,
			"disable_impersonation":                true,
			"enable_sso":                           true,
			"mfa_show_factor_list_on_enrollment":   false,
			"revoke_refresh_token_grant":           false,
			"universal_login":                      true,
		},
		"idle_session_lifetime": 72,
		"session_lifetime":      168,
		"oidc_logout":           map[string]any{"rp_logout_end_session_endpoint_discovery": true},
		"sandbox_version":       "22",
	}
}

// lifetimes are the settings that PATCH also takes in minutes; GET shows hours.
func lifetimes() []string {
	return []string{"session_lifetime", "idle_session_lifetime", "ephemeral_session_lifetime", "idle_ephemeral_session_lifetime"}
}

func settingsQuery() map[string]*schema {
	names := slices.Sorted(maps.Keys(settingsSchema().properties))
	return map[string]*schema{
		"fields":         fieldList(append(names, "universal_login", "sandbox_versions_available")...),
		"include_fields": {kind: "boolean"},
	}
}

func settingsSchema() *schema {
	s := &schema{kind: "object", minProperties: 1, properties: map[string]*schema{"flags": flagsSchema()}}
	add := func(kind string, nullable bool, names string) {
		for _, name := range strings.Fields(names) {
			s.properties[name] = &schema{kind: kind, nullable: nullable, values: &schema{}, items: &schema{}}
		}
	}
	add("array", true, "acr_values_supported")
	add("array", false, "allowed_logout_urls enabled_locales")
	add("boolean", true, `allow_organization_name_in_authentication_api authorization_response_iss_parameter_supported
		customize_mfa_in_postlogin_action pushed_authorization_requests_supported skip_non_verifiable_callback_uri_confirmation_prompt`)
	add("boolean", false, "client_id_metadata_document_supported enable_ai_guide phone_consolidated_experience")
	add("object", true, "change_password country_codes default_token_quota device_flow error_page guardian_mfa_page mtls session_cookie sessions")
	add("object", false, "oidc_logout")
	add("string", false, `default_audience default_directory default_redirection_uri dynamic_client_registration_security_mode friendly_name
		legacy_sandbox_version picture_url resource_parameter_profile sandbox_version support_email support_url`)
	for _, name := range lifetimes() {
		add("integer", false, name+" "+name+"_in_minutes")
	}
	return s
}

// flagsSchema refuses flags that GET shows but PATCH does not know, which is why
// echoing a whole settings object back fails.
func flagsSchema() *schema {
	s := &schema{kind: "object", description: "Flags used to change the behavior of this tenant.", properties: map[string]*schema{}}
	for _, name := range strings.Fields(`allow_changing_enable_sso allow_legacy_delegation_grant_types allow_legacy_ro_grant_types
		allow_legacy_tokeninfo_endpoint change_pwd_flow_v1 custom_domains_provisioning dashboard_insights_view
		dashboard_log_streams_next disable_clickjack_protection_headers disable_fields_map_fix disable_impersonation
		disable_management_api_sms_obfuscation enable_adfs_waad_email_verification enable_apis_section
		enable_client_connections enable_dynamic_client_registration enable_idtoken_api2 enable_legacy_profile
		enable_pipeline2 enable_public_signup_user_exists_error enable_sso enforce_client_authentication_on_passwordless_start
		genai_trial improved_signup_bot_detection_in_classic mfa_show_factor_list_on_enrollment
		no_disclose_enterprise_connections remove_alg_from_jwks revoke_refresh_token_grant
		trust_azure_adfs_email_verified_connection_property`) {
		s.properties[name] = &schema{kind: "boolean"}
	}
	return s
}

func (t *Tenant) readSettings(c *call) (reply, error) {
	view := cloneJSON(t.state.settings)
	view["sandbox_versions_available"] = []string{"22", "18"}
	// Recorded: the two sandbox keys come with every selection of fields.
	return reply{http.StatusOK, project(c, view, "sandbox_version", "sandbox_versions_available")}, nil
}

// updateSettings merges top-level keys and single flags; null removes a key. Its
// answer differs from GET's as recorded: two more flags, and no list of versions.
func (t *Tenant) updateSettings(c *call) (reply, error) {
	body := c.object()
	if unified, ok := body["phone_consolidated_experience"].(bool); ok && !unified && t.state.switches.UnifiedPhoneLocked {
		return reply{}, refuse(http.StatusForbidden, "The unified phone experience cannot be turned off for this tenant.", "operation_not_supported")
	}
	settings := t.state.settings
	for key, value := range body {
		switch flags, isFlags := value.(map[string]any); {
		case value == nil:
			delete(settings, key)
		case key == "flags" && isFlags:
			current, _ := settings["flags"].(map[string]any)
			maps.Copy(current, flags)
		default:
			settings[key] = value
		}
	}
	for _, name := range lifetimes() {
		if minutes, ok := settings[name+"_in_minutes"].(float64); ok {
			settings[name] = minutes / 60
			delete(settings, name+"_in_minutes")
		}
	}
	view := cloneJSON(settings)
	if flags, ok := view["flags"].(map[string]any); ok {
		flags["cannot_change_enforce_client_authentication_on_passwordless_start"] = true
		flags["enforce_client_authentication_on_passwordless_start"] = true
	}
	return reply{http.StatusOK, view}, nil
}
