package fault

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if os.Getenv("DELTAPLANE_FAULT_TEST_CHILD") != "" {
		all, _ := parse("here:kill@2")
		os.Stdout.WriteString("once ")
		_ = all.reach("here")
		os.Stdout.WriteString("twice ")
		_ = all.reach("here")
		os.Stdout.WriteString("survived")
		return
	}
	goleak.VerifyTestMain(m)
}

func TestAnErrorIsReturnedAtItsTurnAlone(t *testing.T) {
	all, err := parse("a:error@3,b:error")
	if err != nil {
		t.Fatal(err)
	}
	for i := 1; i <= 5; i++ {
		if err := all.reach("a"); errors.Is(err, ErrAsked) != (i == 3) {
			t.Errorf("time %d: %v", i, err)
		}
	}
	if err := all.reach("b"); !errors.Is(err, ErrAsked) || !strings.HasPrefix(err.Error(), "b: ") {
		t.Errorf("b: %v", err)
	}
	if err := all.reach("c"); err != nil {
		t.Errorf("c: %v", err)
	}
}

func TestAPauseLasts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all, err := parse("a:pause=90s")
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if err := all.reach("a"); err != nil || time.Since(began) != 90*time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
	})
}

func TestAKillEndsTheProcessAtItsTurn(t *testing.T) {
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), "DELTAPLANE_FAULT_TEST_CHILD=1")
	out, err := child.Output()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL || string(out) != "once twice " {
		t.Errorf("the child said %q and ended with %v", out, err)
	}
}

func TestWhatCannotBeMeantIsRefused(t *testing.T) {
	for _, text := range []string{"a", "a:explode", "a:kill@0", "a:kill@x", "a:pause=soon"} {
		if _, err := parse(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}
