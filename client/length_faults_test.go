//go:build faults

package client_test

const (
	modelChecks = "300000"
	cuts        = 5000
)
