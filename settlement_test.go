package deltaplane

import (
	"fmt"
	"slices"
	"testing"
	"time"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/resource/deltaplanev1"
	"github.com/deltaplane/deltaplane/shape"
)

// failer is a testing.TB or a rapid.T.
type failer interface{ Fatalf(string, ...any) }

// splitWorld is what a store has of one table and its fleets, without etcd,
// and with a clock that the test sets.
type splitWorld struct {
	t       failer
	tables  tables
	tree    radix.Tree[*Entry]
	version Version
	now     time.Time
	drain   time.Duration

	next *radix.Txn[*Entry] // of the commit that is being made
}

func newSplitWorld(t failer) *splitWorld {
	w := &splitWorld{t: t, now: time.Unix(1e9, 0), drain: 10 * time.Minute}
	w.tables.drain = w.drain
	w.next = w.tree.Txn()
	return w
}

func (w *splitWorld) put(namespace string, m proto.Message) {
	r, err := resource.New(m)
	if err != nil {
		w.t.Fatalf("%v", err)
	}
	e := Entry{Resource: r}
	path := Key{namespace, r.Type(), r.Name()}.Path()
	if old, ok := w.tree.Get(path); ok { // as in a Batch
		e.Splits, e.Past = old.Splits, old.Past
	}
	w.next.Put(path, e.sealed())
}

func (w *splitWorld) drop(namespace string, t resource.Type, name string) {
	w.next.Delete(Key{namespace, t, name}.Path())
}

// host puts one with so many routes.
func (w *splitWorld) host(name string, routes int) {
	h := &routev3.VirtualHost{Name: "table/" + name, Domains: []string{name + ".test"}}
	for i := range routes {
		h.Routes = append(h.Routes, &routev3.Route{
			Match:  &routev3.RouteMatch{PathSpecifier: &routev3.RouteMatch_Path{Path: fmt.Sprintf("/%03d", i)}},
			Action: &routev3.Route_DirectResponse{DirectResponse: &routev3.DirectResponseAction{Status: 200}},
		})
	}
	w.put(DefaultNamespace, h)
}

// table puts one of so many hosts with thirty routes each.
func (w *splitWorld) table(hosts int) {
	w.put(DefaultNamespace, &routev3.RouteConfiguration{Name: "table"})
	for i := range hosts {
		w.host(fmt.Sprintf("h%02d", i), 30)
	}
}

// fleet puts one; shards 0 says nothing, less than 0 off.
func (w *splitWorld) fleet(name string, priority int32, shards int, nodes ...string) {
	f := &deltaplanev1.Fleet{Name: name, Priority: priority, Namespaces: []string{DefaultNamespace}, Selectors: []*deltaplanev1.Selector{{NodeIds: nodes}}}
	switch {
	case shards < 0:
		f.Shape = &deltaplanev1.ShapeOptions{Mode: deltaplanev1.ShapeOptions_OFF}
	case shards > 0:
		f.Shape = &deltaplanev1.ShapeOptions{Shards: uint32(shards)}
	}
	w.put("", f)
}

// commit settles, and checks that a store that starts with what is stored would
// have done the same.
func (w *splitWorld) commit() {
	tree := w.next.Commit()
	w.version++
	settled := w.tables.settle(w.tree, tree, w.version, w.now)
	restarted := tables{drain: w.drain}
	if again := restarted.settle(stored(w.t, w.tree), stored(w.t, tree), w.version, w.now); again.Hash() != settled.Hash() {
		w.t.Fatalf("version %d: after a restart tables are split otherwise", w.version)
	}
	w.tree = settled
	w.next = settled.Txn()
}

// stored is a tree as it is read from what is stored of it.
func stored(t failer, tree radix.Tree[*Entry]) radix.Tree[*Entry] {
	x := tree.Txn()
	for path, e := range tree.All() {
		if len(e.Splits)+len(e.Past) == 0 {
			continue
		}
		read, err := entryWith(path, itemOf(e), e.Resource.Segments())
		if err != nil || read.Sum() != e.Sum() {
			t.Fatalf("%s is read as %+v, error %v", KeyOf(path), read, err)
		}
		x.Put(path, read)
	}
	return x.Commit()
}

func (w *splitWorld) entry() *Entry {
	e, _ := w.tree.Get(tableKey.Path())
	return e
}

// of is the fleet of a node; ok is false if none wants it.
func (w *splitWorld) of(node string) (f fleetWish, ok bool) {
	for _, f := range fleetsIn(w.tree) {
		if f.entry == nil || slices.ContainsFunc(f.Selectors, func(s *deltaplanev1.Selector) bool { return len(s.NodeIds) == 0 || slices.Contains(s.NodeIds, node) }) {
			return f, true
		}
	}
	return f, false
}

// served is what a fleet has of the table; never nil.
func (w *splitWorld) served(f fleetWish) *shape.Split {
	if e := w.entry(); e != nil {
		if s := f.served(e, ShapeAt(w.tree, tableKey) != nil); s != nil {
			return s
		}
	}
	return &shape.Split{}
}

// holding is what a node's listeners lead to, those that drain included.
type holding map[uint32]held

type held struct {
	area  shape.Area
	until time.Time // zero: new connections are led there
}

// follow checks that a node has all that its listeners may lead to.
func (w *splitWorld) follow(node string, had holding, meanings map[uint32]shape.Area) {
	f, ok := w.of(node)
	if !ok || w.entry() == nil || !slices.Contains(f.Namespaces, DefaultNamespace) {
		clear(had)
		return
	}
	s := w.served(f)
	areas := map[uint32]shape.Area{}
	s.Areas(func(id uint32, a shape.Area) {
		if was, ok := meanings[id]; ok && was != a {
			w.t.Fatalf("version %d: leaf %d meant %+v and means %+v", w.version, id, was, a)
		}
		areas[id], meanings[id] = a, a
	})
	for id, h := range had {
		switch {
		case h.until.IsZero():
			h.until = w.now.Add(w.drain)
			had[id] = h
		case !w.now.Before(h.until):
			delete(had, id)
			continue
		}
		if areas[id] != h.area {
			w.t.Fatalf("version %d: fleet %s lacks leaf %d, from which %s drains", w.version, f.Name, id, node)
		}
	}
	for _, l := range s.Leaves {
		had[l.ID] = held{area: areas[l.ID]}
	}
}

var fleetNames = []string{"a", "b", "c"}

// change makes one at random.
func (w *splitWorld) change(t *rapid.T) {
	shards := func() int { return rapid.SampledFrom([]int{0, 4, 8, 12, -1}).Draw(t, "shards") }
	switch rapid.IntRange(0, 11).Draw(t, "change") {
	case 0, 1, 2, 3, 4, 5:
		nodes := rapid.SampledFrom([][]string{{"1"}, {"1", "2"}, {"2", "3"}, nil}).Draw(t, "nodes")
		w.fleet(rapid.SampledFrom(fleetNames).Draw(t, "fleet"), int32(rapid.IntRange(0, 1).Draw(t, "priority")), shards(), nodes...)
	case 6:
		w.drop("", resource.Fleet, rapid.SampledFrom(fleetNames).Draw(t, "fleet"))
	case 7:
		for _, name := range fleetNames {
			w.drop("", resource.Fleet, name)
		}
	case 8:
		said := &deltaplanev1.Shape{Name: "table"}
		if n := shards(); n < 0 {
			said.Mode = deltaplanev1.ShapeOptions_OFF
		} else {
			said.Shards = uint32(n)
		}
		w.put(DefaultNamespace, said)
	case 9:
		w.drop(DefaultNamespace, resource.Shape, "table")
	case 10:
		w.host(fmt.Sprintf("h%02d", rapid.IntRange(0, 30).Draw(t, "host")), rapid.SampledFrom([]int{1, 30, 200}).Draw(t, "routes"))
	case 11:
		w.now = w.now.Add(w.drain / 2)
		w.host("h00", rapid.IntRange(1, 10).Draw(t, "routes"))
	}
}

func TestNoNodeLacksALeafThatItsConnectionsMayDrainFrom(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newSplitWorld(t)
		if rapid.Bool().Draw(t, "large") {
			w.table(18)
		} else {
			w.table(2)
		}
		nodes, meanings := map[string]holding{"1": {}, "2": {}, "3": {}}, map[uint32]shape.Area{}
		for range rapid.IntRange(2, 12).Draw(t, "commits") {
			for range rapid.IntRange(1, 2).Draw(t, "changes") {
				w.change(t)
			}
			w.now = w.now.Add(time.Second)
			w.commit()
			for node, had := range nodes {
				w.follow(node, had, meanings)
			}
		}
	})
}
