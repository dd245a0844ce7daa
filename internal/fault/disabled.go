//go:build !faults

package fault

// Enabled reports whether the binary was built with the tag "faults".
const Enabled = false

func reach(string) error { return nil }
