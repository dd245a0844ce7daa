//go:build !faults

package e2e

// benchForms are the arguments of benches that must succeed.
var benchForms = [][]string{{"--pattern=cluster", "--compare=plain,split"}}
