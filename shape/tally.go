package shape

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/deltaplane/deltaplane/resource"
)

// RetiredFor is how long a leaf is kept after it was cut or given up: as long
// as connections under an older listener may take to drain.
const RetiredFor = 15 * time.Minute

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

// Count makes the tally of a table.
// Cost: one pass over the table.
func Count(s *Split, shell *resource.Resource, hosts iter.Seq[*resource.Resource]) *Tally {
	t := &Tally{split: s, shell: shell, whole: map[string]string{}, leaves: make([]number, len(s.Leaves))}
	for h := range hosts {
		t.Change(nil, h)
	}
	return t
}

// Clone is a tally of its own with the same counts.
// Cost: the leaves.
func (t *Tally) Clone() *Tally {
	c := *t
	c.whole, c.leaves = maps.Clone(t.whole), slices.Clone(t.leaves)
	return &c
}

// Change brings t up to date with one virtual host that became another; either
// may be nil. What Pieces calls for is then up to date as well.
// Cost: the changed segments, and the leaves that they touch.
func (t *Tally) Change(old, now *resource.Resource) {
	e := remembered.edit(old, now)
	t.table.add(sign(now)-sign(old), routesIn(e.came)-routesIn(e.gone))
	was, is := t.split.places(old), t.split.places(now)
	if old != nil && now != nil && slices.Equal(was, is) {
		t.count(was, 0, -1, flat(e.gone))
		t.count(is, 0, 1, flat(e.came))
	} else {
		rest := append(flat(e.head), flat(e.tail)...)
		t.count(was, -1, -1, append(flat(e.gone), rest...))
		t.count(is, 1, 1, append(flat(e.came), rest...))
	}
	if old != nil {
		delete(t.whole, old.Name())
	}
	if now != nil {
		if reason := WholeHost(now); reason != "" {
			t.whole[now.Name()] = reason
		}
	}
}

func sign(r *resource.Resource) int {
	if r == nil {
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

// count adds a host, times of its routes, to the leaves at places.
func (t *Tally) count(places []place, hosts, times int, routes []*route) {
	for _, p := range places {
		for i := p.first; i < p.end; {
			g := t.split.group(i)
			i = g.end
			if g.end-g.first == 1 {
				t.leaves[g.first].add(hosts, times*len(routes))
				continue
			}
			paths := pathsOf(t.split.Leaves[g.first:g.end])
			for k := range paths {
				t.leaves[g.first+k].add(hosts, 0)
			}
			for _, r := range routes {
				for _, q := range r.ranges(paths) {
					for k := q.first; k < q.end; k++ {
						t.leaves[g.first+k].add(0, times)
					}
				}
			}
		}
	}
}

// Shell says that the table has another shell.
func (t *Tally) Shell(shell *resource.Resource) { t.shell = shell }

// Routes is how many routes the table has.
func (t *Tally) Routes() int { return t.table.routes }

// Outgrown are the leaves that have outgrown their bound.
func (t *Tally) Outgrown() []uint32 {
	var ids []uint32
	for i, n := range t.leaves {
		l := t.split.Leaves[i]
		if n.entries() > 4*t.split.aim(t.table) && n.entries() > 2*int(l.Size) {
			ids = append(ids, l.ID)
		}
	}
	return ids
}

// leafMin is how many routes and hosts a leaf should have at least.
const leafMin = 8

// aim is how many routes and hosts a fresh leaf has.
func (s *Split) aim(table number) int { return max(leafMin, table.entries()/s.Options.Shards) }

// Due reports whether Resplit would change the split. Ask after each commit.
// Cost: the leaves; nothing is read.
func (t *Tally) Due() bool {
	switch {
	case len(t.split.Leaves) == 0:
		return t.table.routes >= Threshold && t.Whole() == "" && t.table.entries() > int(t.split.Size)*5/4
	case t.table.routes < Threshold/2 || t.Whole() != "":
		return true
	}
	return len(t.Outgrown()) > 0
}

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

// Resplit is the split that follows at a time, for the same table: only what
// is due is changed. It is t's own if nothing is. Count the table again for it.
// Cost: one pass over the table.
func (t *Tally) Resplit(hosts iter.Seq[*resource.Resource], now time.Time) *Split {
	if !t.Due() {
		return t.split.Expire(now)
	}
	s, _ := t.split.Renew(t.shell, hosts, t.split.Options, now)
	return s
}

// New divides a table. The split has no leaves, and the reason says why, when
// the table goes out as written.
func New(shell *resource.Resource, hosts iter.Seq[*resource.Resource], o Options) (s *Split, reason string) {
	return (&Split{}).Renew(shell, hosts, o, time.Time{})
}

// Renew divides a table anew: all leaves that it had are retired.
func (s *Split) Renew(shell *resource.Resource, hosts iter.Seq[*resource.Resource], o Options, now time.Time) (*Split, string) {
	renewed := &Split{Options: o, Next: s.Next, Retired: slices.Clone(s.Expire(now).Retired)}
	for i, l := range s.Leaves {
		renewed.Retired = append(renewed.Retired, Retired{ID: l.ID, Area: s.area(i), Since: now})
	}
	tally := Count(&Split{Options: o}, shell, hosts)
	renewed.Size = uint32(tally.table.entries())
	if reason := tally.Whole(); reason != "" {
		return renewed, reason
	}
	if tally.table.routes < Threshold {
		return renewed, fmt.Sprintf("has %d routes, and tables are split from %d on", tally.table.routes, Threshold)
	}
	var keys []string
	for h := range hosts {
		for d := range domains(h) {
			if k, ok := exact(d); ok {
				keys = append(keys, k)
			}
		}
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	per := max(1, len(keys)/o.Shards)
	for i := 0; i < len(keys); i += per {
		key := keys[i]
		if i == 0 {
			key = ""
		}
		renewed.Leaves = append(renewed.Leaves, Leaf{ID: renewed.Next, Host: key})
		renewed.Next++
	}
	counted := Count(renewed, shell, hosts)
	for i := range renewed.Leaves {
		renewed.Leaves[i].Size = uint32(counted.leaves[i].entries())
	}
	return renewed, ""
}

// Expire is s without the leaves that were retired RetiredFor before now: s
// itself if there are none.
func (s *Split) Expire(now time.Time) *Split {
	expired := func(r Retired) bool { return now.Sub(r.Since) >= RetiredFor }
	if !slices.ContainsFunc(s.Retired, expired) {
		return s
	}
	left := *s
	left.Retired = slices.DeleteFunc(slices.Clone(s.Retired), expired)
	return &left
}
