package deltaplane

import (
	"crypto/sha256"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/deltaplane/deltaplane/internal/storepb"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/resource/deltaplanev1"
	"github.com/deltaplane/deltaplane/shape"
)

// leafIDs are those that lead, and those that drain.
func leafIDs(s *shape.Split) (leads, drains []uint32) {
	for _, l := range s.Leaves {
		leads = append(leads, l.ID)
	}
	for _, r := range s.Retired {
		drains = append(drains, r.ID)
	}
	slices.Sort(leads)
	slices.Sort(drains)
	return leads, drains
}

// has is what a node's fleet has.
func (w *splitWorld) has(node string) (leads, drains []uint32) {
	f, _ := w.of(node)
	return leafIDs(w.served(f))
}

// pass lets so much time pass, and commits something that has nothing to do with fleets.
func (w *splitWorld) pass(d time.Duration) {
	w.now = w.now.Add(d)
	w.put(DefaultNamespace, &deltaplanev1.Shape{Name: "of another"})
	w.commit()
}

func TestFleetsShareASplitIfTheyAskForTheSame(t *testing.T) {
	w := newSplitWorld(t)
	w.table(20)
	for name, shards := range map[string]int{"1": 4, "2": 12, "3": 4, "4": -1} {
		w.fleet(name, 0, shards, name)
	}
	w.commit()
	if n := len(w.entry().Splits); n != 2 {
		t.Fatalf("for two sets of options there are %d splits", n)
	}
	few, none := w.has("1")
	many, others := w.has("2")
	same, _ := w.has("3")
	whole, _ := w.has("4")
	if len(few) < 2 || len(many) < 2*len(few) || !slices.Equal(few, same) || len(whole)+len(none)+len(others) > 0 {
		t.Errorf("fleets have the leaves %v, %v, %v and %v, and %v and %v drain", few, many, same, whole, none, others)
	}
	if slices.ContainsFunc(few, func(id uint32) bool { return slices.Contains(many, id) }) {
		t.Errorf("both have one of the leaves %v and %v", few, many)
	}
}

func TestAChangedHostCountsInEachSplitAndNothingIsCountedAnew(t *testing.T) {
	w := newSplitWorld(t)
	w.table(20)
	w.fleet("1", 0, 4, "1")
	w.fleet("2", 0, 12, "2")
	w.commit()
	splits, parts := w.entry().Splits, w.tables.byKey[tableKey].parts
	w.host("h03", 31)
	w.commit()
	if !slices.Equal(w.entry().Splits, splits) {
		t.Error("a changed host changed how the table is split")
	}
	if got := w.tables.byKey[tableKey].parts; !slices.Equal(got, parts) || len(got) != 2 {
		t.Errorf("of %d splits %d were remembered", len(parts), len(got))
	}
	for _, part := range parts {
		if n := part.tally.Routes(); n != 601 {
			t.Errorf("601 routes were counted as %d", n)
		}
	}
}

func TestWhatAFleetHadBeforeDrainsForItAloneUntilItsTime(t *testing.T) {
	w := newSplitWorld(t)
	w.table(20)
	w.fleet("1", 0, 4, "1")
	w.fleet("2", 0, 12, "2")
	w.fleet("3", 0, 4, "3")
	w.commit()
	few, _ := w.has("1")
	many, _ := w.has("2")
	w.fleet("1", 0, 8, "1")
	w.commit()
	leads, drains := w.has("1")
	if len(leads) <= len(few) || !slices.Equal(drains, few) {
		t.Errorf("%v leads, and %v drains; it had %v", leads, drains, few)
	}
	for node, want := range map[string][]uint32{"2": many, "3": few} {
		if leads, drains := w.has(node); !slices.Equal(leads, want) || len(drains) > 0 {
			t.Errorf("fleet %s has %v, and %v drains; it had %v", node, leads, drains, want)
		}
	}
	// Back again, it has what it had, and the other drains.
	w.fleet("1", 0, 4, "1")
	w.commit()
	if again, drains := w.has("1"); !slices.Equal(again, few) || !slices.Equal(drains, leads) {
		t.Errorf("back again %v leads and %v drains, want %v and %v", again, drains, few, leads)
	}
	w.pass(w.drain)
	if again, drains := w.has("1"); !slices.Equal(again, few) || len(drains) > 0 || len(w.entry().Splits) != 2 {
		t.Errorf("after the drain %v leads and %v drains of %d splits", again, drains, len(w.entry().Splits))
	}
}

func TestNoIDIsUsedAgainWhenASplitIsGone(t *testing.T) {
	w := newSplitWorld(t)
	w.table(20)
	w.fleet("1", 0, 4, "1")
	w.commit()
	w.fleet("1", 0, 12, "1")
	w.commit()
	gone, _ := w.has("1")
	w.fleet("1", 0, 4, "1")
	w.commit()
	w.pass(w.drain)
	if n := len(w.entry().Splits); n != 1 {
		t.Fatalf("there are %d splits", n)
	}
	w.fleet("1", 0, 8, "1")
	w.commit()
	if leads, _ := w.has("1"); leads[0] <= gone[len(gone)-1] {
		t.Errorf("the leaves %v came after %v", leads, gone)
	}
}

func TestAFleetThatIsToldOtherwiseTooOftenHasTablesAsWrittenForAWhile(t *testing.T) {
	w := newSplitWorld(t)
	w.table(20)
	w.fleet("1", 0, 2, "1")
	w.commit()
	had, meanings := holding{}, map[uint32]shape.Area{}
	for shards := 3; shards < 3+2*maxPast; shards++ {
		w.fleet("1", 0, shards, "1")
		w.commit()
		w.follow("1", had, meanings)
	}
	if n := len(w.entry().Splits); n > maxPast+2 {
		t.Errorf("there are %d splits", n)
	}
	f, _ := w.of("1")
	explained, err := NewSnapshot(w.version, w.now, w.tree).Explain(tableKey, "1")
	if err != nil || !f.AsWritten || explained.Whole == "" || len(explained.Fleets) != 1 || explained.Fleets[0].Parts > 0 {
		t.Errorf("it is explained as %q, %+v, error %v", explained.Whole, explained.Fleets, err)
	}
	w.pass(w.drain)
	if leads, drains := w.has("1"); len(leads) < 2 || len(drains) > 0 {
		t.Errorf("after the drain %v leads and %v drains", leads, drains)
	}
}

// TestATableThatWasSplitForItsFirstFleetServesAllUntilItChanges has what stores
// kept before fleets had splits of their own.
func TestATableThatWasSplitForItsFirstFleetServesAllUntilItChanges(t *testing.T) {
	w := newSplitWorld(t)
	w.table(20)
	w.fleet("1", 1, 4, "1")
	w.commit()
	first := w.entry().Splits
	w.fleet("2", 0, 12, "2")
	w.tree, w.tables = w.next.Commit(), tables{drain: w.drain}
	w.next = w.tree.Txn()
	few, _ := w.has("1")
	if had, drains := w.has("2"); !slices.Equal(had, few) || len(drains) > 0 {
		t.Fatalf("fleet 2 has %v, and %v drains; it had %v", had, drains, few)
	}
	w.host("h00", 31)
	w.commit()
	if splits := w.entry().Splits; len(splits) != 2 || splits[0] != first[0] {
		t.Errorf("there are %d splits", len(splits))
	}
	if leads, drains := w.has("1"); !slices.Equal(leads, few) || len(drains) > 0 {
		t.Errorf("fleet 1 has %v, and %v drains; it had %v", leads, drains, few)
	}
	if leads, drains := w.has("2"); len(leads) <= len(few) || !slices.Equal(drains, few) {
		t.Errorf("fleet 2 has %v, and %v drains; it had %v", leads, drains, few)
	}
}

func TestOneSplitIsStoredAsItEverWas(t *testing.T) {
	w := newSplitWorld(t)
	w.table(20)
	w.commit()
	e := w.entry()
	item := itemOf(e)
	d := e.Resource.Digest()
	want := &storepb.Item{Digest: d[:], Size: item.Size, Split: splitOf(e.Splits[0])}
	if !proto.Equal(item, want) || want.Split.Made != 0 {
		t.Errorf("stored is %v, want %v", item, want)
	}
	b, err := encode(want.Split)
	if err != nil {
		t.Fatal(err)
	}
	split := sha256.Sum256(b)
	sum := sha256.Sum256(slices.Concat([]byte(entryDomain), d[:], []byte{0, 0}, split[:]))
	if e.Sum() != sum {
		t.Error("the sum is another")
	}
}

func TestATableIsExplainedForEachOfItsFleets(t *testing.T) {
	w := newSplitWorld(t)
	w.table(20)
	w.fleet("one", 1, 4, "1")
	w.fleet("two", 0, 12, "2")
	w.fleet("whole", 0, -1, "3")
	w.commit()
	s := NewSnapshot(w.version, w.now, w.tree)
	for fleet, node := range map[string]string{"": "1", "one": "1", "two": "2", "whole": "3"} {
		leads, _ := w.has(node)
		got, err := s.Explain(tableKey, fleet)
		if err != nil || len(got.Shards) != len(leads) || len(got.Fleets) != 3 || (got.Whole != "") != (node == "3") {
			t.Errorf("fleet %q: %d parts of %d, whole %q, fleets %+v, error %v", fleet, len(got.Shards), len(leads), got.Whole, got.Fleets, err)
		}
		id, ok := got.Find("h07.test", "/001")
		if ok != (node != "3") || ok && !slices.Contains(leads, id) {
			t.Errorf("fleet %q: a request leads to %d, %t", fleet, id, ok)
		}
	}
	if _, err := s.Explain(tableKey, "none"); err == nil {
		t.Error("a fleet that is not there has the table")
	}
}

func TestWhatAShapeLedToDrainsForAFleetThatHasTablesAsWritten(t *testing.T) {
	w := newSplitWorld(t)
	w.table(20)
	w.fleet("1", 0, -1, "1")
	w.put(DefaultNamespace, &deltaplanev1.Shape{Name: "table", Shards: 4})
	w.commit()
	few, _ := w.has("1")
	w.drop(DefaultNamespace, resource.Shape, "table")
	w.commit()
	if leads, drains := w.has("1"); len(few) < 2 || len(leads) > 0 || !slices.Equal(drains, few) {
		t.Errorf("%v leads and %v drains, want %v", leads, drains, few)
	}
	w.fleet("1", 0, 12, "1")
	w.commit()
	if leads, drains := w.has("1"); len(leads) <= len(few) || !slices.Equal(drains, few) {
		t.Errorf("in parts again %v leads and %v drains, want %v", leads, drains, few)
	}
	w.pass(w.drain)
	if _, drains := w.has("1"); len(drains) > 0 {
		t.Errorf("after the drain there are still %v", drains)
	}
}
