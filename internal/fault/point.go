// Package fault has places in the code at which tests make it fail, in
// binaries built with the tag "faults" and in no others: windows that a kill
// from outside rarely hits. The environment variable DELTAPLANE_FAULT says
// what happens where:
//
//	name:kill         the process ends as by SIGKILL
//	name:pause=500ms  the goroutine waits
//	name:error        Error returns an error; Point goes on
//
// With @3 behind it, it happens the third time that the process gets there,
// else the first, and is told on standard error. Several are separated by commas.
package fault

// Variable is the environment variable that says what happens.
const Variable = "DELTAPLANE_FAULT"

// Point is a place with a name. Without the tag it compiles to nothing. Every
// name has a test: see e2e/fault_point_test.go.
func Point(name string) {
	if Enabled {
		_ = reach(name)
	}
}

// Error is a Point whose error, if one is asked for, is that of what would
// come next.
func Error(name string) error {
	if Enabled {
		return reach(name)
	}
	return nil
}
