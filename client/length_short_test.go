//go:build !faults

package client_test

import "time"

// How long the tests run. `make test-faults` has the longer form.
const (
	modelChecks = "5000"
	cuts        = 200
	replayTags  = ""
	endurance   = 2 * time.Minute // when a test gives up, not how fast anything must be
)
