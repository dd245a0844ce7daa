//go:build !faults

package e2e

// benchForms are the arguments of benches that must succeed.
var benchForms = [][]string{{"--pattern=cluster", "--compare=plain,split"}}

// loadForms are the arguments of loads that must lose nothing.
var loadForms = [][]string{{"--pattern=cluster", "--protocol=grpc", "--tls", "--relay"}}
