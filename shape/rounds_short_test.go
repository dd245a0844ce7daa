//go:build !faults

package shape_test

// rounds is how often the property tests run their 100 tables.
const rounds = 10
