package awsapi

import (
	"fmt"
	"io"
	"log/slog"
)

// masked stands for a Secret wherever one is printed.
const masked = "(secret)"

// Secret is an AWS secret access key. Every way of printing it gives
// "(secret)"; only [Secret.Reveal] gives the value. The zero value is the
// secret of no key.
//
// The value is behind a pointer because fmt cannot call methods of what it
// reaches through an unexported field: it prints an address there. Two secrets
// are compared by what they reveal.
type Secret struct{ value *string }

// NewSecret takes the key as AWS gave it.
func NewSecret(value string) Secret { return Secret{&value} }

// Reveal gives the key itself, to be handed to its one receiver.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// String gives "(secret)".
func (Secret) String() string { return masked }

// GoString gives "(secret)".
func (Secret) GoString() string { return masked }

// Format writes "(secret)" for every verb, %x and %d included.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, masked) }

// MarshalJSON gives the JSON string "(secret)".
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + masked + `"`), nil }

// MarshalText gives "(secret)" to the encodings that know text only.
func (Secret) MarshalText() ([]byte, error) { return []byte(masked), nil }

// LogValue gives "(secret)".
func (Secret) LogValue() slog.Value { return slog.StringValue(masked) }
