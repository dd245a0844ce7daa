package child_test

import (
	"bufio"
	"os/exec"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/deltaplane/deltaplane/internal/child"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAChildThatIgnoresStopIsKilledAfterTheGrace(t *testing.T) {
	cmd := exec.Command("sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p, err := child.Start(cmd, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	if err := p.Stop(10 * time.Millisecond); err != nil {
		t.Error(err)
	}
	select {
	case <-p.Done():
	default:
		t.Error("Stop returned before the child had ended")
	}
	if err := p.Stop(0); err != nil {
		t.Errorf("a second Stop: %v", err)
	}
}

func TestAChildThatFailsByItselfIsAnErrorOfStop(t *testing.T) {
	ended := make(chan struct{})
	p, err := child.Start(exec.Command("sh", "-c", "exit 3"), func() { close(ended) })
	if err != nil {
		t.Fatal(err)
	}
	<-ended
	<-p.Done()
	if err := p.Stop(0); err == nil {
		t.Error("Stop says nothing of exit code 3")
	}
}

func TestWhatCannotStartIsAnErrorOfStart(t *testing.T) {
	ended := make(chan struct{})
	if p, err := child.Start(exec.Command("/no/such/program"), func() { close(ended) }); err == nil || p != nil {
		t.Errorf("Start gives %v and error %v", p, err)
	}
	<-ended
}
