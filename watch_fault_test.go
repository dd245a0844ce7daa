package deltaplane

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/deltaplane/deltaplane/internal/faulttest"
	"github.com/deltaplane/deltaplane/resource"
)

// heard is a Tracer that notes which versions its store published.
type heard struct {
	mu       sync.Mutex // guards versions
	versions []Version
}

func (*heard) Commit(ctx context.Context) (context.Context, CommitSpan) { return ctx, nil }

func (h *heard) Published(p Publication) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.versions = append(h.versions, p.Version)
}

// TestAWatchIsInOrderWithoutGapsOrDuplicatesWhateverBreaks has a replica follow
// another one's commits over a line that is torn, cut and held, past
// compactions.
func TestAWatchIsInOrderWithoutGapsOrDuplicatesWhateverBreaks(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	e := faulttest.StartEtcd(t, "")
	writer := open(t, Config{Endpoints: []string{e.URL}})
	events := &heard{}
	s := open(t, Config{Endpoints: []string{e.Endpoint()}, Tracer: events})

	const n = 240
	var follower sync.WaitGroup
	roots := map[Version]resource.Digest{}
	follower.Go(func() {
		for w, last := s.Watch(), Version(0); last < n; {
			now, err := w.Next(t.Context())
			if err != nil || now.version <= last {
				t.Errorf("version %d follows %d, %v", now.Version(), last, err)
				return
			}
			last = now.version
			roots[last] = resource.Digest(now.tree.Hash())
		}
	})
	for i := range n {
		switch i % 30 {
		case 0:
			e.Line.Tear(rand.New(rand.NewPCG(random.Uint64(), 0)), 2_000)
		case 10:
			e.Line.Cut()
		case 15:
			e.Compact()
			e.Line.Mend()
		case 25:
			e.Line.Hold()
		case 20, 28:
			e.Line.Mend()
			eventually(t, s, atVersion(Version(i)))
		}
		commit(t, writer, put(t, i, "a", fmt.Sprint("c", i%7)))
		<-time.After(time.Duration(random.IntN(10)) * time.Millisecond)
	}
	e.Line.Mend()
	follower.Wait()
	commits, err := writer.History(t.Context(), 0, 0)
	if err != nil || len(commits) != n {
		t.Fatalf("%d commits, %v", len(commits), err)
	}
	for _, c := range commits {
		if root, seen := roots[c.Version]; seen && root != c.Root {
			t.Errorf("version %d was shown as %s; it is %s", c.Version, root, c.Root)
		}
	}
	for i, v := range events.versions {
		if i > 0 && v <= events.versions[i-1] {
			t.Errorf("version %d was published after %d", v, events.versions[i-1])
		}
	}
	t.Logf("of %d versions, %d came from the watch, %d were seen; %d connections were torn", n, len(events.versions), len(roots), e.Line.Tears())
	if len(events.versions) == 0 || e.Line.Tears() == 0 {
		t.Error("the test shows nothing")
	}
}
