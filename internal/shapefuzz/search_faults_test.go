//go:build faults

package shapefuzz

// searched is how many tables the model looks at.
const searched = 3000
