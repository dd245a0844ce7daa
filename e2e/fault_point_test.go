package e2e

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/deltaplane/deltaplane/internal/envoy"
	"github.com/deltaplane/deltaplane/internal/envoytest"
	"github.com/deltaplane/deltaplane/internal/fault"
	"github.com/deltaplane/deltaplane/internal/faulttest"
)

// points are the places of internal/fault, and which actions are tried there.
// Every place in the code must be here, and everything here must be in the code.
var points = map[string]string{
	"store.proposed":                  "kill",
	"store.values-written":            "kill error",
	"store.committed":                 "kill error pause=200ms",
	"store.publish":                   "kill pause=200ms",
	"store.checkpoint-values-written": "kill pause=200ms",
	"store.checkpoint-written":        "kill",
	"store.records-dropped":           "kill",
	"store.epoch-advanced":            "kill pause=200ms",
	"store.garbage-deleted":           "kill",
	"disk.snapshot-begun":             "kill",
	"disk.snapshot-written":           "kill error",
	"disk.snapshot-renamed":           "kill",
	"xds.views-derived":               "kill pause=200ms",
}

func TestEveryFaultPointHasATest(t *testing.T) {
	call := regexp.MustCompile(`\bfault\.(?:Point|Error)\("([^"]+)"\)`)
	inCode := map[string]bool{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, found := range call.FindAllStringSubmatch(string(text), -1) {
			inCode[found[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range inCode {
		if points[name] == "" {
			t.Errorf("fault point %q has no test: add it to points", name)
		}
	}
	for name := range points {
		if !inCode[name] {
			t.Errorf("fault point %q is not in the code", name)
		}
	}
}

func TestNothingIsLostAtAnyFaultPointOfTheStore(t *testing.T) {
	// So little history that checkpoints, trims and sweeps follow each other.
	s := newScene(t, seeded(t), "--history-commits", "8")
	s.through("store.", "xds.")
	s.end()
}

func TestNothingIsLostAtAnyFaultPointOfTheDiskSnapshot(t *testing.T) {
	e := faulttest.StartEtcd(t, "")
	s := newScene(t, seeded(t), "--etcd-endpoints", e.Endpoint())
	s.through("disk.")
	s.end()
	s.plane.Kill()
	s.plane.Start() // tidies up, and writes a snapshot of its own
	envoytest.Eventually(t, "nothing to be left of the crashes", func(context.Context) error {
		left, err := filepath.Glob(filepath.Join(s.plane.DataDir(), "snapshot?*"))
		if err == nil && len(left) > 0 {
			err = fmt.Errorf("there are %v", left)
		}
		return err
	})
}

// through lets each fault happen at the points whose names begin so.
func (s *scene) through(prefixes ...string) {
	for name, actions := range points {
		for _, prefix := range prefixes {
			if !strings.HasPrefix(name, prefix) {
				continue
			}
			for action := range strings.FieldsSeq(actions) {
				s.t.Log(name, action)
				s.at(name, action)
			}
		}
	}
}

// at restarts the control plane with a fault and commits until it has
// happened. A kill must then have lost nothing; anything else must not have
// been noticed.
func (s *scene) at(name, action string) {
	s.t.Helper()
	s.plane.Kill()
	s.plane.Env = []string{fmt.Sprintf("%s=%s:%s@%d", fault.Variable, name, action, 1+s.random.IntN(2))}
	serves := s.plane.Launch()
	if action != "kill" {
		if !serves {
			s.t.Fatalf("%s of %s ended the control plane", action, name)
		}
		for range 2 {
			s.commit(s.large())
		}
		s.settle()
		return
	}
	var pending map[string]string
	for serves {
		pending = s.large()
		if err := s.try(pending); err != nil {
			break
		}
		pending = nil
		if s.ended() {
			break
		}
		if s.made > 10_000 {
			s.t.Fatalf("%s is never reached", name)
		}
	}
	s.plane.WaitKilled()
	s.plane.Env = nil
	s.plane.Start()
	s.recovered(pending)
	s.commit(s.change())
	s.settle()
}

func (s *scene) ended() bool {
	select {
	case <-s.plane.Ended():
		return true
	default:
		return false
	}
}

// large is a change of more resources than one transaction takes.
func (s *scene) large() map[string]string {
	next := s.change()
	var many strings.Builder
	for i := range 150 {
		fmt.Fprintf(&many, "%sper_connection_buffer_limit_bytes: %d\n---\n%s---\n",
			documents(envoy.DeltaADS, cluster(fmt.Sprint("many-", i))), 1<<20+s.made, endpoints(fmt.Sprint("many-", i), s.ports[0]))
	}
	next["many"] = many.String()
	return next
}
