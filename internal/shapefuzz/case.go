package shapefuzz

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/proto"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/shape"
)

// Case is a table, how it is divided, and what an Envoy is given for it: all
// that a seed stands for.
type Case struct {
	Seed   uint64
	How    string // the split came to be
	Mode   Mode
	Table  *routev3.RouteConfiguration
	Split  *shape.Split                           // what leaves and a new listener are of
	Before *shape.Split                           // what a listener that drains is of; nil for none
	Leaves map[uint32]*routev3.RouteConfiguration // by id, retired ones too

	Kept int // hosts that had to go because they keep a table whole, and tables that were changed

	shell *resource.Resource
	hosts map[string]*resource.Resource
}

// Streams of a seed's random numbers.
const (
	tableStream = iota
	requestStream
)

// NewCase makes what a seed stands for. It fails if the compiler refuses what
// it should take.
func NewCase(seed uint64) (*Case, error) {
	r := newRandom(seed, tableStream)
	c := &Case{Seed: seed, Mode: newMode(r), hosts: map[string]*resource.Resource{}}
	if err := c.build(r); err != nil {
		return nil, fmt.Errorf("seed %d: %w", seed, err)
	}
	return c, nil
}

func (c *Case) build(r random) error {
	t := &tables{random: r, taken: map[string]bool{}}
	first := t.table(size(r))
	if err := c.take(first); err != nil {
		return err
	}
	c.divide(r)
	pieces := map[uint32]map[string]*resource.Resource{}
	put := func(s *shape.Split, old, now *resource.Resource) {
		name := nameOf(old, now)
		s.Pieces(old, now, func(id uint32, piece *resource.Resource) {
			if pieces[id] == nil {
				pieces[id] = map[string]*resource.Resource{}
			}
			if pieces[id][name] = piece; piece == nil {
				delete(pieces[id], name)
			}
		})
	}
	tally := shape.Count(c.Split, c.shell, c.all())
	for h := range c.all() {
		put(c.Split, nil, h)
	}
	for range oneOf(r, 0, 3, 20) {
		old, now, err := c.edit(t)
		if err != nil {
			return err
		}
		if old == now {
			continue // neither
		}
		tally.Change(old, now)
		put(c.Split, old, now)
	}
	if again := c.resplit(r, tally); again != nil {
		c.Before, c.Split = c.Split, again
		clear(pieces)
		for h := range c.all() {
			put(c.Split, nil, h)
		}
	}
	return c.assemble(pieces)
}

// size is how many hosts a table has and how many routes each has at most.
func size(r random) (hosts, routes int) {
	switch r.IntN(8) {
	case 0, 1:
		return r.between(1, 4), 40
	case 2:
		return 60, 30 // large enough to be divided by itself
	}
	return r.between(5, 40), r.between(2, 16)
}

// take brings a table into the form that the store has it in, without what
// keeps it whole.
func (c *Case) take(m *routev3.RouteConfiguration) error {
	whole, err := resource.New(m)
	if err != nil {
		return err
	}
	shell, hosts, err := whole.SplitHosts()
	if err != nil {
		return err
	}
	switch reason := shape.Whole(shell); {
	case reason != "" && c.Kept > 0:
		return fmt.Errorf("a table stays whole that need not: %s", reason)
	case reason != "":
		c.Kept++
		fit(m)
		return c.take(m)
	}
	c.shell = shell
	for _, h := range hosts {
		if shape.WholeHost(h) != "" {
			c.Kept++
			continue
		}
		c.hosts[h.Name()] = h
	}
	return nil
}

// all are the hosts in the order of their names.
func (c *Case) all() iter.Seq[*resource.Resource] {
	names := slices.Sorted(maps.Keys(c.hosts))
	return func(yield func(*resource.Resource) bool) {
		for _, name := range names {
			if !yield(c.hosts[name]) {
				return
			}
		}
	}
}

func nameOf(old, now *resource.Resource) string {
	if now != nil {
		return now.Name()
	}
	return old.Name()
}

// edit removes a host, adds one, or changes the routes of one. It returns twice
// the same where that would keep the table whole.
func (c *Case) edit(t *tables) (old, now *resource.Resource, err error) {
	names := slices.Sorted(maps.Keys(c.hosts))
	if len(names) > 2 && t.percent(20) {
		old = c.hosts[oneOf(t.random, names...)]
		delete(c.hosts, old.Name())
		return old, nil, nil
	}
	var m *routev3.VirtualHost
	if t.percent(40) || len(names) == 0 {
		for m == nil {
			m = t.host(10)
		}
		m.Name = tableName + "/" + m.Name
	} else {
		old = c.hosts[oneOf(t.random, names...)]
		message, err := old.Message()
		if err != nil {
			return nil, nil, err
		}
		m = message.(*routev3.VirtualHost)
		t.rewrite(m)
	}
	if now, err = resource.New(m); err != nil {
		return nil, nil, err
	}
	if shape.WholeHost(now) != "" {
		c.Kept++
		return now, now, nil
	}
	c.hosts[now.Name()] = now
	return old, now, nil
}

// rewrite changes some routes of a host, and where there are few, adds many.
func (t *tables) rewrite(h *routev3.VirtualHost) {
	t.hosts++
	if h.Matcher != nil {
		h.Matcher = t.matcher(h.Name)
		return
	}
	for i := range oneOf(t.random, 1, 2, 60) {
		r := t.route(fmt.Sprintf("%s-e%d-%d", strings.TrimPrefix(h.Name, tableName+"/"), t.hosts, i))
		if n := len(h.Routes); n > 0 && t.percent(50) {
			h.Routes[t.IntN(n)] = r
		} else {
			h.Routes = slices.Insert(h.Routes, t.IntN(n+1), r)
		}
	}
	if t.percent(20) {
		h.RequestHeadersToAdd = t.edits("host-edited", 100)
	}
	if n := len(h.Routes); n > 0 && t.percent(30) {
		at := t.IntN(n)
		h.Routes = slices.Delete(h.Routes, at, at+1)
	}
}

// assemble makes the messages of the table and its leaves.
func (c *Case) assemble(pieces map[uint32]map[string]*resource.Resource) error {
	join := func(shell *resource.Resource, hosts iter.Seq[*resource.Resource]) (*routev3.RouteConfiguration, error) {
		m := &routev3.RouteConfiguration{}
		return m, proto.Unmarshal(resource.JoinHosts(shell, slices.Collect(hosts)), m)
	}
	var err error
	if c.Table, err = join(c.shell, c.all()); err != nil {
		return err
	}
	c.Leaves = map[uint32]*routev3.RouteConfiguration{}
	c.Split.Areas(func(id uint32, _ shape.Area) {
		sorted := func(yield func(*resource.Resource) bool) {
			for _, name := range slices.Sorted(maps.Keys(pieces[id])) {
				if !yield(pieces[id][name]) {
					return
				}
			}
		}
		leaf, e := join(shape.Shell(c.shell, id), sorted)
		if e != nil {
			err = e
		}
		c.Leaves[id] = leaf
	})
	return err
}

// moment is when all splits of cases are made.
var moment = time.Unix(1_800_000_000, 0)
