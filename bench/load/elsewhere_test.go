package load

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/deltaplane/deltaplane/api"
	"github.com/deltaplane/deltaplane/bench/swarm/fixture"
)

// elsewhere is a side whose control plane's clock shows *skew more than this
// machine's.
func elsewhere(t *testing.T, skew *time.Duration) *side {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now := time.Now().Add(*skew).Format(time.RFC3339Nano)
		w.Header().Set(api.CommittedAt, now)
		fmt.Fprintf(w, `{"received": %q, "sent": %[1]q}`, now)
	}))
	t.Cleanup(server.Close)
	s := &side{cfg: &Config{Server: server.URL, Proxies: 1}, kind: Deltaplane, results: newResults()}
	s.connect(t.Context())
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	s.results.single.commit.record([]time.Duration{time.Millisecond})
	s.results.single.call.record([]time.Duration{time.Millisecond})
	return s
}

func TestTimesFromCommitsElsewhereNeedClocksThatAgree(t *testing.T) {
	for _, test := range []struct {
		before, after time.Duration // what the other clock shows more
		refused       bool
	}{
		{0, 0, false}, {-2 * time.Millisecond, 2 * time.Millisecond, false},
		{time.Minute, time.Minute, true}, {0, time.Minute, true}, {-time.Minute, 0, true},
	} {
		skew := test.before
		s := elsewhere(t, &skew)
		if err := s.readClock(t.Context()); err != nil {
			t.Fatal(err)
		}
		skew = test.after
		if err := s.readClock(t.Context()); err != nil {
			t.Fatal(err)
		}
		got := s.report()
		if got.Clock == nil || (got.Clock.Refused != "") != test.refused || (got.Changes.Commit.Last.Count == 0) != test.refused || got.Changes.Call.Last.Count != 1 {
			t.Errorf("%+v: clock %+v, %d times from commits, %d from calls", test, got.Clock, got.Changes.Commit.Last.Count, got.Changes.Call.Last.Count)
		}
		var out bytes.Buffer
		(&Report{Sides: []Side{got}}).Print(&out)
		if strings.Contains(out.String(), "chronyc") != test.refused {
			t.Errorf("%+v: what to do is said or not:\n%s", test, out.String())
		}
	}
}

func TestAChangeElsewhereIsStoredWhenTheOthersClockSaysSo(t *testing.T) {
	skew := time.Hour
	s := elsewhere(t, &skew)
	if err := s.readClock(t.Context()); err != nil {
		t.Fatal(err)
	}
	m, err := s.server.change(t.Context(), fixture.New(100), fixture.Endpoint, 3, 7)
	if over := time.Duration(2 * s.clock.Error * float64(time.Millisecond)); err != nil || m.stored.Before(m.sent.Add(-over)) || m.stored.After(time.Now().Add(over)) {
		t.Errorf("stored %v after it was sent, error %v", m.stored.Sub(m.sent), err)
	}
}

func TestAControlPlaneHereHasNoOtherClock(t *testing.T) {
	s := &side{cfg: &Config{}, kind: Deltaplane, server: &deltaplane{}}
	if err := s.readClock(t.Context()); err != nil || s.clock != nil {
		t.Errorf("clock %+v, error %v", s.clock, err)
	}
}
