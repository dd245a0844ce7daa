package deltaplane

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// scribe is a Tracer that writes down what it hears.
type scribe struct {
	link string // starts all links

	mu        sync.Mutex
	commits   int
	ended     map[string]string // link → how it ended
	stored    map[string]int    // link → transactions
	published map[Version]Publication
}

func newScribe(link string) *scribe {
	return &scribe{link: link, ended: map[string]string{}, stored: map[string]int{}, published: map[Version]Publication{}}
}

type commitScribe struct {
	*scribe
	name string
}

func (s *scribe) Commit(ctx context.Context) (context.Context, CommitSpan) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.commits++
	return ctx, commitScribe{s, fmt.Sprint(s.link, s.commits)}
}

func (s *scribe) Published(p Publication) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.published[p.Version] = p
}

func (c commitScribe) Link() []byte { return []byte(c.name) }

func (c commitScribe) Stored(began time.Time, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil && !began.IsZero() {
		c.stored[c.name]++
	}
}

func (c commitScribe) End(v Version, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended[c.name] = fmt.Sprint(v, err)
}

func TestTheTraceOfACommitGoesWithItToAllReplicas(t *testing.T) {
	e := startEtcd(t)
	here, there := newScribe("here-"), newScribe("there-")
	a, b := open(t, Config{Endpoints: []string{e.url}, Tracer: here}), open(t, Config{Endpoints: []string{e.url}, Tracer: there})
	const commits = 20
	var group sync.WaitGroup
	for i := range commits { // at the same time: several share a transaction
		group.Go(func() { commit(t, a, put(t, i, fmt.Sprint("c", i))) })
	}
	group.Wait()
	eventually(t, b, atVersion(commits))

	here.mu.Lock()
	defer here.mu.Unlock()
	there.mu.Lock()
	defer there.mu.Unlock()
	if len(here.published) != commits || len(there.published) != commits || there.commits != 0 {
		t.Fatalf("%d and %d versions were published, want %d; %d commits were made by the follower",
			len(here.published), len(there.published), commits, there.commits)
	}
	for v, p := range here.published {
		if got := here.ended[string(p.Link)]; got != fmt.Sprint(v, nil) {
			t.Errorf("version %d has the link %q, of the commit that ended with %q", v, p.Link, got)
		}
		if here.stored[string(p.Link)] != 1 {
			t.Errorf("%q was stored %d times", p.Link, here.stored[string(p.Link)])
		}
		other := there.published[v]
		if string(other.Link) != string(p.Link) || other.Own || !other.Committed.Equal(p.Committed) {
			t.Errorf("the other replica publishes version %d as %+v, here it is %+v", v, other, p)
		}
		if other.Ready.Before(other.Seen) || p.Ready.Before(p.Seen) {
			t.Errorf("version %d was ready before it was seen", v)
		}
	}
}

func TestWhatMakesNoVersionEndsItsTrace(t *testing.T) {
	log := newScribe("c")
	s := open(t, Config{Tracer: log})
	commit(t, s, put(t, 1, "a"))
	commit(t, s, put(t, 1, "a")) // no change
	if _, err := s.Commit(t.Context(), func(*Batch) error { return errors.New("no") }); err == nil {
		t.Error("the error of a change is lost")
	}
	log.mu.Lock()
	defer log.mu.Unlock()
	if log.ended["c1"] != "1 <nil>" || log.ended["c2"] != "1 <nil>" || log.ended["c3"] != "0 no" || len(log.published) != 1 {
		t.Errorf("the commits ended with %v, and %v was published", log.ended, log.published)
	}
}

// Records of older builds have no link, and a Tracer's may be too long.
func TestARecordWithoutALinkIsPublishedWithoutOne(t *testing.T) {
	e := startEtcd(t)
	log := newScribe("there-")
	b := open(t, Config{Endpoints: []string{e.url}, Tracer: log})
	commit(t, open(t, Config{Endpoints: []string{e.url}}), put(t, 1, "a"))
	commit(t, open(t, Config{Endpoints: []string{e.url}, Tracer: newScribe(strings.Repeat("x", maxLink))}), put(t, 2, "a"))
	eventually(t, b, atVersion(2))
	log.mu.Lock()
	defer log.mu.Unlock()
	for v := Version(1); v <= 2; v++ {
		if p, ok := log.published[v]; !ok || len(p.Link) > 0 {
			t.Errorf("version %d is published as %+v", v, p)
		}
	}
}
