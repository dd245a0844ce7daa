package invariant_test

import (
	"fmt"
	"testing"

	"go.uber.org/goleak"

	"github.com/deltaplane/deltaplane/internal/invariant"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func check(cond bool) (message string) {
	defer func() {
		if r := recover(); r != nil {
			message = fmt.Sprint(r)
		}
	}()
	invariant.Check(cond, "%d is not %d", 1, 2)
	return ""
}

func TestABrokenPromisePanicsUnderTheTagOnly(t *testing.T) {
	want := ""
	if invariant.Enabled {
		want = "invariant broken: 1 is not 2"
	}
	if got := check(false); got != want {
		t.Errorf("Check(false) panicked with %q, want %q", got, want)
	}
}

func TestAKeptPromiseNeverPanics(t *testing.T) {
	if got := check(true); got != "" {
		t.Errorf("Check(true) panicked with %q", got)
	}
}
