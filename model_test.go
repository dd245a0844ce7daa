package deltaplane

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/deltaplane/deltaplane/resource"
)

// modelEntry is what a model holds of an entry: n stands for the content.
type modelEntry struct {
	n      int
	owner  string
	inline bool
}

func (m modelEntry) same(o modelEntry) bool { return m.n == o.n && m.inline == o.inline }

// model is a store made of plain maps.
type model struct {
	now     map[Key]modelEntry
	history []map[Key]modelEntry // by version
}

// settle makes a version if next differs.
func (m *model) settle(next map[Key]modelEntry) {
	if !maps.Equal(m.now, next) {
		m.now = next
		m.history = append(m.history, maps.Clone(next))
	}
}

// apply is what Apply should do; false for ErrOwned.
func (m *model) apply(want map[Key]modelEntry, prune bool, o Options) bool {
	next := maps.Clone(m.now)
	for k, w := range want {
		if old, ok := m.now[k]; ok && old.owner != o.Owner && !o.TakeOwnership {
			if !old.same(w) {
				return false
			}
			continue
		}
		w.owner = o.Owner
		next[k] = w
	}
	for k, old := range m.now {
		if _, wanted := want[k]; wanted {
			continue
		}
		route, ok := RouteOf(k)
		_, again := want[route]
		if ok && again && old.inline && (old.owner == o.Owner || o.TakeOwnership) || prune && old.owner == o.Owner {
			delete(next, k)
		}
	}
	m.settle(next)
	return true
}

// remove is what Delete should do.
func (m *model) remove(keys []Key, o Options) error {
	next := maps.Clone(m.now)
	owned := false
	drop := func(k Key, e modelEntry) {
		owned = owned || e.owner != o.Owner && !o.TakeOwnership
		delete(next, k)
	}
	for _, k := range keys {
		e, ok := m.now[k]
		if !ok {
			return ErrNotFound
		}
		drop(k, e)
		for h, e := range m.now {
			if route, ok := RouteOf(h); ok && route == k && e.inline {
				drop(h, e)
			}
		}
	}
	if owned {
		return ErrOwned
	}
	m.settle(next)
	return nil
}

// revert is what Revert should do.
func (m *model) revert(v int, o Options) error {
	next := maps.Clone(m.now)
	owned := false
	before, after := m.history[v-1], m.history[v]
	keys := maps.Clone(before)
	maps.Copy(keys, after)
	for k := range keys {
		old, had := before[k]
		set, has := after[k]
		if had == has && old == set {
			continue
		}
		now, is := m.now[k]
		switch {
		case is == had && (!is || now.same(old)):
			continue
		case is != has || is && !now.same(set):
			return ErrConflict
		case !had:
			delete(next, k)
		case is:
			old.owner = now.owner
			next[k] = old
		default:
			next[k] = old
		}
		owned = owned || is && m.foreign(k, o)
	}
	if owned {
		return ErrOwned
	}
	m.settle(next)
	return nil
}

// rollback is what Rollback should do.
func (m *model) rollback(v int, o Options) error {
	then := m.history[v]
	for k, now := range m.now {
		if old, had := then[k]; (!had || old != now) && m.foreign(k, o) {
			return ErrOwned
		}
	}
	m.settle(maps.Clone(then))
	return nil
}

// foreign reports whether another owner's hold on k stops o.
func (m *model) foreign(k Key, o Options) bool {
	return m.now[k].owner != o.Owner && !o.TakeOwnership
}

// modelYAML writes the wanted entries as documents.
func modelYAML(want map[Key]modelEntry) string {
	var b strings.Builder
	inline := map[string][]string{}
	for k, e := range want {
		if route, ok := RouteOf(k); ok && e.inline {
			_, host, _ := resource.HostOf(k.Name)
			inline[route.Name] = append(inline[route.Name], fmt.Sprintf("%s=c%d", host, e.n))
		}
	}
	for k, e := range want {
		switch {
		case k.Type == resource.Cluster:
			b.WriteString(clusterYAML(k.Name, e.n+1))
		case k.Type == resource.Route:
			hosts := inline[k.Name]
			if len(hosts) == 0 {
				fmt.Fprintf(&b, "---\n'@type': type.googleapis.com/envoy.config.route.v3.RouteConfiguration\nname: %s\n", k.Name)
			} else {
				b.WriteString(routeYAML(k.Name, hosts...))
			}
		case !e.inline:
			b.WriteString(hostYAML(k.Name, fmt.Sprint("c", e.n)))
		}
	}
	return b.String()
}

var modelKeys = []Key{
	clusterKey("a"), clusterKey("b"), clusterKey("c"),
	{DefaultNamespace, resource.Route, "rc"},
	{DefaultNamespace, resource.VirtualHost, "rc/x"}, {DefaultNamespace, resource.VirtualHost, "rc/y"},
}

// drawWant draws an input. Hosts stand in the route configuration only if
// that is wanted, too.
func drawWant(t *rapid.T) map[Key]modelEntry {
	want := map[Key]modelEntry{}
	keys := rapid.SliceOfNDistinct(rapid.SampledFrom(modelKeys), 1, len(modelKeys), func(k Key) Key { return k }).Draw(t, "keys")
	for _, k := range keys {
		e := modelEntry{n: rapid.IntRange(0, 2).Draw(t, "n")}
		if k.Type == resource.Route {
			e.n = 0 // a shell has but one content here
		}
		if route, ok := RouteOf(k); ok && slices.Contains(keys, route) {
			e.inline = rapid.Bool().Draw(t, "inline")
		}
		want[k] = e
	}
	return want
}

func drawOptions(t *rapid.T) Options {
	return Options{
		Owner:         rapid.SampledFrom([]string{"ana", "bob"}).Draw(t, "owner"),
		TakeOwnership: rapid.IntRange(0, 3).Draw(t, "take") == 0,
	}
}

func TestAStoreDoesWhatPlainMapsDo(t *testing.T) {
	contentOf := map[resource.Digest]string{} // what the model knows digests by
	rapid.Check(t, func(rt *rapid.T) {
		cfg := Config{DataDir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)}
		s, err := Open(t.Context(), cfg)
		if err != nil {
			rt.Fatal(err)
		}
		defer func() { shut(t, s) }()
		m := &model{now: map[Key]modelEntry{}, history: []map[Key]modelEntry{{}}}
		rt.Repeat(map[string]func(*rapid.T){
			"apply": func(rt *rapid.T) {
				want, prune, o := drawWant(rt), rapid.Bool().Draw(rt, "prune"), drawOptions(rt)
				_, err := s.Apply(t.Context(), documents(t, modelYAML(want)), prune, o)
				if ok := m.apply(want, prune, o); ok != (err == nil) || !ok && !errors.Is(err, ErrOwned) {
					rt.Fatalf("error is %v, want one: %v", err, !ok)
				}
			},
			"delete": func(rt *rapid.T) {
				keys := rapid.SliceOfNDistinct(rapid.SampledFrom(modelKeys), 1, 2, func(k Key) Key { return k }).Draw(rt, "keys")
				o := drawOptions(rt)
				_, err := s.Delete(t.Context(), keys, false, o)
				if want := m.remove(keys, o); !errors.Is(err, want) {
					rt.Fatalf("error is %v, want %v", err, want)
				}
			},
			"revert": func(rt *rapid.T) {
				if len(m.history) < 2 {
					rt.Skip()
				}
				v := rapid.IntRange(1, len(m.history)-1).Draw(rt, "version")
				o := drawOptions(rt)
				_, err := s.Revert(t.Context(), Version(v), o)
				if want := m.revert(v, o); !errors.Is(err, want) {
					rt.Fatalf("error is %v, want %v", err, want)
				}
			},
			"rollback": func(rt *rapid.T) {
				v := rapid.IntRange(0, len(m.history)-1).Draw(rt, "version")
				o := drawOptions(rt)
				_, err := s.Rollback(t.Context(), Version(v), false, o)
				if want := m.rollback(v, o); !errors.Is(err, want) {
					rt.Fatalf("error is %v, want %v", err, want)
				}
			},
			"restart": func(rt *rapid.T) {
				shut(t, s)
				var err error
				if s, err = Open(t.Context(), cfg); err != nil {
					rt.Fatal(err)
				}
			},
			"look back": func(rt *rapid.T) {
				v := rapid.IntRange(0, len(m.history)-1).Draw(rt, "version")
				old, err := s.At(t.Context(), Version(v))
				if err != nil {
					rt.Fatal(err)
				}
				compareModel(rt, old, m.history[v], contentOf)
			},
			"": func(rt *rapid.T) {
				if got := s.Latest().Version(); got != Version(len(m.history)-1) {
					rt.Fatalf("the store is at version %d, the model at %d", got, len(m.history)-1)
				}
				compareModel(rt, s.Latest(), m.now, contentOf)
			},
		})
	})
}

// compareModel fails unless s holds what want says. Contents are equal where
// the model says so.
func compareModel(t *rapid.T, s *Snapshot, want map[Key]modelEntry, contentOf map[resource.Digest]string) {
	if s.Tree().Len() != len(want) {
		t.Fatalf("the store holds %s, the model %v", contents(s), want)
	}
	for k, w := range want {
		e, ok := s.Get(k)
		if !ok || e.Owner != w.owner || e.Inline != w.inline {
			t.Fatalf("%s is %+v, want %+v", k, e, w)
		}
		content := fmt.Sprintf("%s %d", k, w.n)
		if known, ok := contentOf[e.Resource.Digest()]; ok && known != content {
			t.Fatalf("%s has the content of %s", content, known)
		}
		contentOf[e.Resource.Digest()] = content
	}
}
