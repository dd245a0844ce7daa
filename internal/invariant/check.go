// Package invariant checks promises of the code at run time, in binaries
// built with the tag "invariants" and in no others.
package invariant

import "fmt"

// Check panics with the formatted message when cond is false and the binary
// was built with the tag "invariants". Without the tag it compiles to nothing,
// but its arguments are still evaluated: put costly ones under if Enabled.
func Check(cond bool, format string, args ...any) {
	if Enabled && !cond {
		panic("invariant broken: " + fmt.Sprintf(format, args...))
	}
}
