//go:build invariants

package invariant

// Enabled reports whether the binary was built with the tag "invariants".
const Enabled = true
