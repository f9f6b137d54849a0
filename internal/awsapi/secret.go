package awsapi

import (
	"fmt"
	"io"
	"log/slog"
)

// masked stands for a Secret wherever one is printed.
const masked = "(secret)"

// Secret is an AWS secret access key. Every way of printing it gives
// "(secret)"; only [Secret.Reveal] gives the value.
//
// fmt cannot call methods of a value it reaches through an unexported field:
// keep a Secret in exported fields and local variables only.
type Secret string

// Reveal gives the key itself, to be handed to its one receiver.
func (s Secret) Reveal() string { return string(s) }

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
