package source

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/resource"
)

// away is a store whose etcd may be away.
type away struct {
	*deltaplane.Store
	err error
}

func (a *away) Apply(ctx context.Context, docs []resource.Document, prune bool, o deltaplane.Options) (*deltaplane.Plan, error) {
	if a.err != nil {
		return nil, a.err
	}
	return a.Store.Apply(ctx, docs, prune, o)
}

func TestWhatCouldNotBeStoredIsTriedAgain(t *testing.T) {
	sc := newScene(t)
	store := &away{sc.store, fmt.Errorf("%w: gone fishing", deltaplane.ErrUnavailable)}
	report := sc.board.Add(Identity{Kind: "test", From: "x", Namespace: deltaplane.DefaultNamespace, Owner: "files"})
	files := &one{NewSyncer(Config{Store: store, Report: report, Logger: slog.New(slog.DiscardHandler)}), sc}
	if files.Retry() != 0 {
		t.Error("there is nothing to try again yet")
	}
	files.has("a=1")
	files.is(Unavailable, "gone fishing")
	before := files.Retry()
	files.looks()
	if again := files.Retry(); before <= 0 || again <= before {
		t.Errorf("it waits %s and then %s, want more each time", before, again)
	}
	store.err = nil
	files.looks()
	files.is(InSync)
	if files.Retry() != 0 {
		t.Error("it goes on trying")
	}
	sc.holds("a=1@files")
}

// Another replica of the same source has committed since the input was read.
func TestAnInputThatMayBeOlderThanTheStoreIsNotCommitted(t *testing.T) {
	sc := newScene(t)
	one, other := sc.source("files"), sc.source("files")
	base := sc.store.Latest()
	other.has("a=2")
	if err := one.Sync(t.Context(), Input{Documents: docs(t, "a=1"), Base: base}); !errors.Is(err, ErrOvertaken) {
		t.Errorf("Sync: %v", err)
	}
	one.is(Starting)
	sc.holds("a=2@files")
	base = sc.store.Latest()
	sc.must(sc.user("z=1", deltaplane.Options{})) // concerns nobody
	if err := one.Sync(t.Context(), Input{Documents: docs(t, "a=3"), Base: base}); err != nil {
		t.Errorf("Sync: %v", err)
	}
	sc.holds("a=3@files z=1@cli")
}

// Inputs that cannot be used keep what they had in the store, and the others
// go on.
func TestWhatIsKeptOutlivesAPrune(t *testing.T) {
	sc := newScene(t)
	files := sc.source("files")
	files.has("a=1 b=1 c=1")
	broken := resource.Problems{{File: "b", Message: "broken"}}
	keep := func(k deltaplane.Key) bool { return k.Name == "b" }
	if err := files.Sync(t.Context(), Input{Documents: docs(t, "a=2"), Problems: broken, Keep: keep}); err != nil {
		t.Fatal(err)
	}
	files.is(Broken, "b: broken")
	sc.holds("a=2@files b=1@files")
	files.has("a=2")
	files.is(InSync)
	sc.holds("a=2@files")
}

func TestAChangeOfAnyStatusIsToldAndOnlyThen(t *testing.T) {
	sc := newScene(t)
	changed := sc.board.Changed()
	files := sc.source("files")
	<-changed
	changed = sc.board.Changed()
	files.has("a=1")
	<-changed
	changed = sc.board.Changed()
	files.looks()
	select {
	case <-changed:
		t.Error("looking changed something")
	default:
	}
	since := sc.board.Statuses()[0].Since
	files.has("a=2")
	if now := sc.board.Statuses()[0]; !now.Since.Equal(since) || now.Version != 2 || now.Resources != 1 || now.Inputs != 1 {
		t.Errorf("after another commit the status is %+v, in sync since %s", now, since)
	}
}

func TestMetricsTellTheStateOfEachSource(t *testing.T) {
	sc := newScene(t)
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(&sc.board)
	one, two := sc.source("one"), sc.source("two")
	one.has("a=1")
	one.has("a=2")
	two.Fail(Broken, resource.Problems{{Message: "x"}, {Message: "y"}}, 3)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		for _, m := range f.Metric {
			key := strings.TrimPrefix(f.GetName(), "deltaplane_source_")
			for _, l := range m.Label {
				key += " " + l.GetValue()
			}
			got[key] = m.Gauge.GetValue() + m.Counter.GetValue()
		}
	}
	for key, want := range map[string]float64{
		"state test:one in_sync": 1, "state test:one broken": 0, "state test:two in_sync": 0, "state test:two broken": 1,
		"problems test:one": 0, "problems test:two": 2, "resources test:one": 1, "in_sync_timestamp_seconds test:two": 0,
		"syncs_total in_sync test:one": 2, "syncs_total broken test:two": 1,
	} {
		if n, ok := got[key]; !ok || n != want {
			t.Errorf("%s is %g, want %g", key, n, want)
		}
	}
	if got["in_sync_timestamp_seconds test:one"] == 0 {
		t.Error("it is not told when source one was in sync")
	}
}
