package bench

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/deltaplane/deltaplane/bench/plane"
	"github.com/deltaplane/deltaplane/internal/child"
)

// idle is a side whose control plane does nothing until in is closed.
func idle(t *testing.T) (s *side, in io.Closer) {
	t.Helper()
	cmd := exec.Command("sh", "-c", "read line; exit 3")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	p := &plane.Plane{Log: filepath.Join(t.TempDir(), "serve.log")}
	if err := os.WriteFile(p.Log, []byte("the disk is full\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if p.Process, err = child.Start(cmd, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Process.Stop(0) })
	return &side{shape: Plain, plane: p}, in
}

func TestARunEndsWithAChildAndSaysWhich(t *testing.T) {
	s, in := idle(t)
	ctx, g := guarded(t.Context(), []*side{s})
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	<-ctx.Done()
	g.stop()
	err := why(ctx, io.ErrUnexpectedEOF)
	if !errors.Is(err, ErrEnded) || !strings.Contains(err.Error(), "the control plane of plain") || !strings.Contains(err.Error(), "the disk is full") {
		t.Errorf("error is %v, want ErrEnded with the child and its log", err)
	}
}

func TestARunWhoseChildrenLiveFailsForItsOwnReasons(t *testing.T) {
	s, _ := idle(t)
	ctx, g := guarded(t.Context(), []*side{s})
	if ctx.Err() != nil {
		t.Errorf("the run has ended: %v", context.Cause(ctx))
	}
	g.stop()
	if err := why(ctx, io.ErrUnexpectedEOF); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error is %v", err)
	}
}
