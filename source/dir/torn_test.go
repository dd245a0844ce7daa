package dir

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/internal/torn"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/source"
)

// halves lists the versions of the store that nobody meant, and how many
// versions there are.
func halves(t *testing.T, s *deltaplane.Store) (found []string, versions int) {
	t.Helper()
	newest := s.Latest().Version()
	for v := deltaplane.Version(1); v <= newest; v++ {
		snapshot, err := s.At(t.Context(), v)
		must(t, err)
		timeouts := map[string]time.Duration{}
		for k, e := range snapshot.List(deltaplane.DefaultNamespace, resource.Cluster) {
			m, err := e.Resource.Message()
			must(t, err)
			timeouts[k.Name] = m.(*clusterv3.Cluster).ConnectTimeout.AsDuration()
		}
		if state, ok := torn.Whole(timeouts); !ok {
			found = append(found, fmt.Sprintf("version %d has %v, which is not state %d", v, timeouts, state))
		}
	}
	return found, int(newest)
}

// scribble writes one state after the other into the directory's file, and
// returns when the last is in the store. Each third it waits for.
func scribble(w *watching, file string, states int, random *rand.Rand, pause func()) {
	for i := 1; i < states; i++ {
		must(w.T, torn.Write(file, i, random, pause))
		if i == states-1 || i%3 == 0 {
			w.wait(fmt.Sprintf("state %d", i), func(s source.Status) bool { return s.State == source.InSync && w.has(i) })
		}
	}
}

// has reports whether the store holds state i.
func (w *watching) has(i int) bool {
	for _, e := range w.store.Latest().List(deltaplane.DefaultNamespace, resource.Cluster) {
		m, err := e.Resource.Message()
		return err == nil && m.(*clusterv3.Cluster).ConnectTimeout.AsDuration() == torn.Timeout(i)
	}
	return false
}

// looks lets the writer pause until the source has looked at what is there,
// or nothing seems to have woken it.
type looks chan struct{}

// through is p, and lets a pause end.
func (l looks) through(p probe) probe {
	return func(f *os.File) (open, known bool) {
		defer func() {
			select {
			case l <- struct{}{}:
			default:
			}
		}()
		return p(f)
	}
}

func (l looks) pause() {
	select {
	case <-l:
	case <-time.After(5 * time.Millisecond):
	}
}

func TestWhatSomebodyIsStillWritingIsNotRead(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	file := filepath.Join(t.TempDir(), "clusters.yaml")
	put(t, file, torn.State(0))
	looks := make(looks)
	w := watch(t, filepath.Dir(file), func(s *Source) {
		s.cfg.Settle = time.Nanosecond
		s.probe = looks.through(openForWriting)
	})
	scribble(w, file, 60, rand.New(rand.NewPCG(seed, 0)), looks.pause)
	found, versions := halves(t, w.store)
	if len(found) > 0 || versions < 20 { // those that were waited for
		t.Errorf("%d versions, of which nobody meant %d: %v", versions, len(found), found)
	}
}

// The test above must be able to fail: without the kernel's word on who has
// the file open, and without waiting, halves get published.
func TestTheTestOfHalfWrittenFilesSeesHalves(t *testing.T) {
	file := filepath.Join(t.TempDir(), "clusters.yaml")
	put(t, file, torn.State(0))
	looks := make(looks)
	w := watch(t, filepath.Dir(file), func(s *Source) {
		s.cfg.Settle = time.Nanosecond
		s.probe = looks.through(func(*os.File) (open, known bool) { return false, true })
	})
	random := rand.New(rand.NewPCG(1, 1))
	for round := 1; ; round++ {
		scribble(w, file, 20*round, random, looks.pause)
		if found, versions := halves(t, w.store); len(found) > 0 {
			t.Logf("%d versions, of which nobody meant %d", versions, len(found))
			return
		}
	}
}
