package shape

import (
	"iter"
	"maps"
	"slices"

	"github.com/deltaplane/deltaplane/resource"
)

// Tally counts what is in each leaf of one table, and so knows when its split
// is due for a change. It depends on the split and the table alone, whatever
// happened before. Not safe for concurrent use.
type Tally struct {
	split  *Split
	shell  *resource.Resource
	whole  map[string]string // by host: why the table must go out as written
	table  number
	leaves []number // of split.Leaves
}

// number is how much there is of something.
type number struct{ hosts, routes int }

// entries is what is compared with bounds.
func (n number) entries() int { return n.hosts + n.routes }

func (n *number) add(hosts, routes int) { n.hosts, n.routes = n.hosts+hosts, n.routes+routes }

// Count makes the tally of a table. The split of a table that was never
// divided has Options alone.
// Cost: one pass over the table.
func Count(s *Split, shell *resource.Resource, hosts iter.Seq[*resource.Resource]) *Tally {
	t := &Tally{split: s, shell: shell, whole: map[string]string{}, leaves: make([]number, len(s.Leaves))}
	for h := range hosts {
		t.Change(nil, h)
	}
	return t
}

// Shell says that the table has another shell.
func (t *Tally) Shell(shell *resource.Resource) { t.shell = shell }

// Change brings t up to date with one virtual host that became another; either
// may be nil.
// Cost: the changed segments, and the leaves that they touch.
func (t *Tally) Change(old, now *resource.Resource) { t.change(remembered, old, now) }

func (t *Tally) change(m *memory, old, now *resource.Resource) {
	e := m.edit(old, now)
	t.table.add(one(now)-one(old), routesIn(e.came)-routesIn(e.gone))
	was, is := t.split.places(covers(old)), t.split.places(covers(now))
	if slices.Equal(was, is) {
		gone, came := e.trimmed()
		t.split.count(t.leaves, was, 0, -1, gone)
		t.split.count(t.leaves, is, 0, 1, came)
	} else {
		rest := append(flat(e.head), flat(e.tail)...)
		t.split.count(t.leaves, was, -1, -1, append(flat(e.gone), rest...))
		t.split.count(t.leaves, is, 1, 1, append(flat(e.came), rest...))
	}
	t.judge(e)
}

// judge remembers why the host that is now keeps the table whole.
func (t *Tally) judge(e *edit) {
	if e.old != nil {
		_, was := t.whole[e.old.Name()]
		delete(t.whole, e.old.Name())
		if !was && e.now != nil && !e.suspicious() {
			return
		}
	}
	if e.now == nil {
		return
	}
	if reason := WholeHost(e.now); reason != "" {
		t.whole[e.now.Name()] = reason
	}
}

// one is 1 for a host, 0 for none.
func one(host *resource.Resource) int {
	if host == nil {
		return 0
	}
	return 1
}

func routesIn(runs []*run) (n int) {
	for _, r := range runs {
		n += len(r.routes)
	}
	return n
}

// count adds a virtual host at some places, times of its routes, to the
// numbers of the leaves there.
func (s *Split) count(numbers []number, places []place, hosts, times int, routes []*route) {
	for _, p := range places {
		for i := p.first; i < p.end; {
			g := s.group(i)
			i = g.end
			if g.end-g.first == 1 {
				numbers[g.first].add(hosts, times*len(routes))
				continue
			}
			paths := pathsOf(s.Leaves[g.first:g.end])
			for k := g.first; k < g.end; k++ {
				numbers[k].add(hosts, 0)
			}
			for _, r := range routes {
				for _, q := range r.ranges(paths) {
					for k := q.first; k < q.end; k++ {
						numbers[g.first+k].add(0, times)
					}
				}
			}
		}
	}
}

// Routes is how many routes the table has.
func (t *Tally) Routes() int { return t.table.routes }

// Whole says why the table must go out as written; "" if it may be split.
func (t *Tally) Whole() string {
	if reason := Whole(t.shell); reason != "" {
		return reason
	}
	if len(t.whole) == 0 {
		return ""
	}
	return t.whole[slices.Min(slices.Collect(maps.Keys(t.whole)))]
}
