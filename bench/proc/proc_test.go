package proc_test

import (
	"errors"
	"os"
	"os/exec"
	"runtime/debug"
	"testing"

	"go.uber.org/goleak"

	"github.com/deltaplane/deltaplane/bench/proc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestWorkShowsInTheCPUOfItsProcess(t *testing.T) {
	pid := os.Getpid()
	before, err := proc.CPU(pid)
	if err != nil {
		t.Fatal(err)
	}
	// The work is done when it shows: were it to show nowhere, the test
	// would run into its timeout.
	for now := before; now <= before; {
		if now, err = proc.CPU(pid); err != nil {
			t.Fatal(err)
		}
	}
	threads, err := proc.Threads(pid)
	if err != nil {
		t.Fatal(err)
	}
	main, err := threads[0].CPU()
	if err != nil || main < 0 || threads[0].Name == "" {
		t.Errorf("the main thread %q has run for %v, error %v", threads[0].Name, main, err)
	}
}

func TestAProcessThatWorksIsRunnableAndOneThatWaitsIsNot(t *testing.T) {
	if runs, err := proc.Runnable(os.Getpid()); !runs || err != nil {
		t.Errorf("this process: %v, error %v, want true", runs, err)
	}
	waits := exec.CommandContext(t.Context(), "cat")
	in, err := waits.StdinPipe()
	if err == nil {
		err = waits.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	runs := true
	for runs && err == nil { // until it waits for input: else the test's time runs out
		runs, err = proc.Runnable(waits.Process.Pid)
	}
	if err := errors.Join(err, in.Close(), waits.Wait()); err != nil {
		t.Error(err)
	}
}

func TestMemoryIsThatOfTheProcess(t *testing.T) {
	const size = 64 << 20
	debug.FreeOSMemory() // else the block may get what an earlier run of the test has left
	before, err := proc.RSS(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	block := make([]byte, size)
	for i := range block {
		block[i] = 1
	}
	after, err := proc.RSS(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if grown := after - before; grown < size/2 {
		t.Errorf("RSS grew by %d bytes with a block of %d (%d)", grown, size, block[size-1])
	}
}

func TestAProcessThatIsNotThereIsAnError(t *testing.T) {
	const none = 1 << 30
	if _, err := proc.CPU(none); err == nil {
		t.Error("CPU has no error")
	}
	if _, err := proc.RSS(none); err == nil {
		t.Error("RSS has no error")
	}
}
