package provider

import (
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// optionalString is null for "".
func optionalString(s string) types.String {
	if s == "" {
		return types.StringNull()
	}
	return types.StringValue(s)
}

// stringMap returns the known string elements of m.
func stringMap(m types.Map) map[string]string {
	out := make(map[string]string, len(m.Elements()))
	for k, v := range m.Elements() {
		if s, ok := v.(types.String); ok && !s.IsUnknown() {
			out[k] = s.ValueString()
		}
	}
	return out
}

func mapValue(m map[string]string) types.Map {
	elements := make(map[string]attr.Value, len(m))
	for k, v := range m {
		elements[k] = types.StringValue(v)
	}
	return types.MapValueMust(types.StringType, elements)
}

// stringSet returns the known string elements of s, sorted.
func stringSet(s types.Set) []string {
	var out []string
	for _, v := range s.Elements() {
		if e, ok := v.(types.String); ok && !e.IsUnknown() {
			out = append(out, e.ValueString())
		}
	}
	slices.Sort(out)
	return out
}

func setValue(values []string) types.Set {
	elements := make([]attr.Value, len(values))
	for i, v := range values {
		elements[i] = types.StringValue(v)
	}
	return types.SetValueMust(types.StringType, elements)
}

// knownElements tells whether a collection and all it holds is known.
func knownElements(elements []attr.Value, unknown bool) bool {
	return !unknown && !slices.ContainsFunc(elements, attr.Value.IsUnknown)
}
