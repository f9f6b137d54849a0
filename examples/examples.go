// Package examples embeds the configurations of this folder, so that the demo
// and the tests run the very files that a reader sees.
package examples

import "embed"

// FS holds the files by their path below this folder, e.g.
// scenarios/hook/main.tf.
//
//go:embed permissions provider resources scenarios
var FS embed.FS
