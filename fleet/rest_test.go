package fleet_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/fleet"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/xds"
)

// rest is an xds.Rest.
type rest struct {
	version deltaplane.Version
	since   time.Time
}

func (r *rest) Reached() (deltaplane.Version, time.Time) { return r.version, r.since }

// rests is a stream that comes to rest.
func (s *scene) rests(stream uint64, v deltaplane.Version) *rest {
	r := &rest{v, s.now}
	s.tell(xds.Event{Kind: xds.Current, Stream: stream, Version: v, Rest: r})
	return r
}

// advance has a version come that does not concern who rests with r.
func (s *scene) advance(v deltaplane.Version, r *rest) {
	r.version, r.since = v, s.now
	s.tell(xds.Event{Kind: xds.Advanced, Version: v})
}

func TestANodeAtRestComesToVersionsByItself(t *testing.T) {
	s := newScene(fleet.Config{})
	id := s.open("a", resource.Cluster, resource.Listener)
	s.arrives(id, resource.Cluster, 3)
	r := s.rests(id, 3)
	changed := s.status(t, "a").Types[0].Since
	s.advance(4, r)
	s.advance(5, r)
	st := s.status(t, "a")
	if st.State != fleet.InSync || st.Version != 5 || st.Behind != 0 || len(st.Types) != 2 || st.Types[1].Held != 5 {
		t.Errorf("at rest: %+v", st)
	}
	if got := st.Types[0].Since; !got.Equal(changed) {
		t.Errorf("it is in sync since %v, want since what it holds changed: %v", got, changed)
	}
	if got := s.Summary(); got.InSync != 1 || got.Version != 5 {
		t.Errorf("%+v", got)
	}
}

func TestANodeIsAtRestUntilItsStreamsNextEvent(t *testing.T) {
	s := newScene(fleet.Config{})
	id := s.open("a", resource.Cluster)
	r := s.rests(id, 3)
	s.advance(4, r)
	s.does(id, xds.Sent, resource.Cluster, 5)
	r.version = 5 // of others who rest
	if st := s.status(t, "a"); st.State != fleet.Behind || st.Version != 4 {
		t.Errorf("with a response on its way: %+v", st)
	}
	s.rests(id, 5)
	s.close(id)
	if st := s.status(t, "a"); st.Version != 5 {
		t.Errorf("after its end: %+v", st)
	}
}

func TestWaitEndsWhenThoseAtRestHaveComeToTheVersion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(fleet.Config{})
		a, b := s.open("a", resource.Cluster), s.open("b", resource.Cluster)
		r := s.rests(a, 3)
		w := wait(t.Context(), s, 4)
		s.arrives(b, resource.Cluster, 4)
		w.expect(t, false, nil)
		s.advance(4, r)
		w.expect(t, true, nil)
		r.version = 5
		wait(t.Context(), s, 5).expect(t, false, nil)
		s.arrives(b, resource.Cluster, 5)
	})
}
