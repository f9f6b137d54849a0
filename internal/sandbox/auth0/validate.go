package auth0

import (
	"fmt"
	"maps"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// schema is the small part of JSON Schema that the routes here need. Its reasons
// are worded like those of the validator behind the real API, as recorded.
type schema struct {
	kind        string // "" accepts anything
	nullable    bool
	description string

	properties                   map[string]*schema
	values                       *schema // of properties not listed; nil allows none
	required                     []string
	minProperties, maxProperties int

	items              *schema
	minItems, maxItems int
	unique             bool

	// oneOf is the only alternative of a oneOf, anyOf all those of an anyOf: what
	// is wrong inside of them the API does not say.
	oneOf *schema
	anyOf []*schema

	enum                 []string
	pattern              *regexp.Regexp
	minLength, maxLength int
	minimum, maximum     *int
}

// violation is the first rule a value breaks; nil means that it breaks none.
type violation struct {
	reason, path, description string
}

// as turns a violation into the API's 400; of a nil one it makes no error.
func (v *violation) as(part, code string) error {
	if v == nil {
		return nil
	}
	message := fmt.Sprintf("%s validation error: '%s'", part, v.reason)
	if v.path != "" {
		message += " on property " + v.path
	}
	if v.description != "" {
		message += " (" + v.description + ")"
	}
	return refuse(http.StatusBadRequest, message+".", code)
}

func (s *schema) check(value any) *violation { return s.checkAt("", value) }

func (s *schema) checkAt(path string, value any) *violation {
	fail := func(format string, args ...any) *violation {
		return &violation{fmt.Sprintf(format, args...), path, s.description}
	}
	if s.oneOf != nil {
		if s.oneOf.checkAt(path, value) != nil {
			return fail("Data does not match any schemas from 'oneOf'")
		}
		return nil
	}
	if len(s.anyOf) > 0 {
		if !slices.ContainsFunc(s.anyOf, func(one *schema) bool { return one.checkAt(path, value) == nil }) {
			return fail("Data does not match any schemas from 'anyOf'")
		}
		return nil
	}
	if s.kind == "" || value == nil && s.nullable {
		return nil
	}
	if found := kindOf(value); found != s.kind {
		return fail("Expected type %s but found type %s", s.kind, found)
	}
	switch typed := value.(type) {
	case map[string]any:
		return s.checkObject(path, typed, fail)
	case []any:
		return s.checkArray(path, typed, fail)
	case string:
		return s.checkString(typed, fail)
	case float64:
		return s.checkNumber(typed, fail)
	}
	return nil
}

type failure func(format string, args ...any) *violation

func (s *schema) checkObject(path string, object map[string]any, fail failure) *violation {
	for _, name := range s.required {
		if _, ok := object[name]; !ok {
			return fail("Missing required property: %s", name)
		}
	}
	names := slices.Sorted(maps.Keys(object))
	unknown := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return s.property(name) != nil })
	if len(unknown) > 0 {
		return fail("Additional properties not allowed: %s", strings.Join(unknown, ","))
	}
	if len(names) < s.minProperties {
		return fail("Too few properties defined (%d), minimum %d", len(names), s.minProperties)
	}
	if s.maxProperties > 0 && len(names) > s.maxProperties {
		return fail("Too many properties defined (%d), maximum %d", len(names), s.maxProperties)
	}
	for _, name := range names {
		if v := s.property(name).checkAt(strings.TrimPrefix(path+"."+name, "."), object[name]); v != nil {
			return v
		}
	}
	return nil
}

func (s *schema) property(name string) *schema {
	if p, ok := s.properties[name]; ok {
		return p
	}
	return s.values
}

func (s *schema) checkArray(path string, array []any, fail failure) *violation {
	if len(array) < s.minItems {
		return fail("Array is too short (%d), minimum %d", len(array), s.minItems)
	}
	if s.maxItems > 0 && len(array) > s.maxItems {
		return fail("Array is too long (%d), maximum %d", len(array), s.maxItems)
	}
	for i, item := range array {
		if v := s.items.checkAt(fmt.Sprintf("%s[%d]", path, i), item); v != nil {
			return v
		}
	}
	if !s.unique {
		return nil
	}
	for i, item := range array {
		if first := slices.Index(array, item); first < i {
			return fail("Array items are not unique (indexes %d and %d)", first, i)
		}
	}
	return nil
}

func (s *schema) checkString(text string, fail failure) *violation {
	length := utf8.RuneCountInString(text)
	switch {
	case len(s.enum) > 0 && !slices.Contains(s.enum, text):
		return fail("No enum match for: %s", text)
	case length < s.minLength:
		return fail("String is too short (%d chars), minimum %d", length, s.minLength)
	case s.maxLength > 0 && length > s.maxLength:
		return fail("String is too long (%d chars), maximum %d", length, s.maxLength)
	case s.pattern != nil && !s.pattern.MatchString(text):
		return fail("String does not match pattern %s: %s", s.pattern, text)
	}
	return nil
}

func (s *schema) checkNumber(number float64, fail failure) *violation {
	if s.minimum != nil && number < float64(*s.minimum) {
		return fail("Value %v is less than minimum %d", number, *s.minimum)
	}
	if s.maximum != nil && number > float64(*s.maximum) {
		return fail("Value %v is greater than maximum %d", number, *s.maximum)
	}
	return nil
}

func kindOf(value any) string {
	switch typed := value.(type) {
	case nil:
		return "null"
	case map[string]any:
		return "object"
	case []any:
		return "array"
	case string:
		return "string"
	case bool:
		return "boolean"
	case float64:
		if typed == math.Trunc(typed) {
			return "integer"
		}
	}
	return "number"
}

// checkStrings validates path or query parameters, which arrive as text.
func checkStrings(schemas map[string]*schema, get func(string) string, part, code string) error {
	for _, name := range slices.Sorted(maps.Keys(schemas)) {
		text := get(name)
		if text == "" {
			continue
		}
		if v := schemas[name].checkAt(name, fromText(schemas[name].kind, text)); v != nil {
			return v.as(part, code)
		}
	}
	return nil
}

func fromText(kind, text string) any {
	switch kind {
	case "integer":
		if n, err := strconv.ParseFloat(text, 64); err == nil {
			return n
		}
	case "boolean":
		if text == "true" || text == "false" {
			return text == "true"
		}
	}
	return text
}

// fieldList is the schema of a comma separated `fields` parameter.
func fieldList(names ...string) *schema {
	one := "(" + strings.Join(names, "|") + ")"
	return &schema{kind: "string", pattern: regexp.MustCompile("^" + one + "(," + one + ")*$")}
}

// texts converts a validated JSON array of strings.
func texts(value any) []string {
	result := []string{}
	array, _ := value.([]any)
	for _, item := range array {
		text, _ := item.(string)
		result = append(result, text)
	}
	return result
}

// textMap converts a validated JSON object of strings.
func textMap(value any) map[string]string {
	result := map[string]string{}
	object, _ := value.(map[string]any)
	for key, item := range object {
		text, _ := item.(string)
		result[key] = text
	}
	return result
}
