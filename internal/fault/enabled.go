//go:build faults

package fault

import (
	"fmt"
	"os"
)

// Enabled reports whether the binary was built with the tag "faults".
const Enabled = true

// asked is what the environment asks for.
var asked = fromEnvironment()

func fromEnvironment() *faults {
	all, err := parse(os.Getenv(Variable))
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", Variable, err)
		os.Exit(2)
	}
	return all
}

func reach(name string) error { return asked.reach(name) }
