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
type number struct{ hosts, domains, routes int }

// entries is what is compared with bounds: each costs Envoy about the same. A
// host stands with all of its domains wherever it stands.
func (n number) entries() int { return n.domains + n.routes }

func (n *number) add(times int, other number) {
	n.hosts += times * other.hosts
	n.domains += times * other.domains
	n.routes += times * other.routes
}

// numberOf is a host and its domains; nothing for no host.
func numberOf(host *resource.Resource) number {
	if host == nil {
		return number{}
	}
	n := number{hosts: 1}
	for range domains(host) {
		n.domains++
	}
	return n
}

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
	had, has := numberOf(old), numberOf(now)
	t.table.add(-1, had)
	t.table.add(1, has)
	t.table.routes += e.added()
	was, is := t.split.places(covers(old)), t.split.places(covers(now))
	hunks := e.hunks
	if !slices.Equal(was, is) {
		hunks = []hunk{{flat(m.runs(old)), flat(m.runs(now))}}
	}
	t.split.count(t.leaves, was, -1, had, nil)
	t.split.count(t.leaves, is, 1, has, nil)
	for _, h := range hunks {
		t.split.count(t.leaves, was, -1, number{}, h.gone)
		t.split.count(t.leaves, is, 1, number{}, h.came)
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

// count adds a virtual host and some of its routes, so many times, to the
// numbers of the leaves at places.
func (s *Split) count(numbers []number, places []place, times int, host number, routes []*route) {
	for _, p := range places {
		for i := p.first; i < p.end; {
			g := s.group(i)
			i = g.end
			if g.end-g.first == 1 {
				numbers[g.first].add(times, number{host.hosts, host.domains, len(routes)})
				continue
			}
			for k := g.first; k < g.end; k++ {
				numbers[k].add(times, host)
			}
			for _, r := range routes {
				for _, q := range r.ranges(s.Leaves[g.first:g.end]) {
					for k := q.first; k < q.end; k++ {
						numbers[g.first+k].routes += times
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
