//go:build faults

package client_test

import "time"

const (
	modelChecks = "300000"
	cuts        = 5000
	replayTags  = "-tags faults "
	endurance   = 10 * time.Minute
)
