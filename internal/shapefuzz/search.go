package shapefuzz

import (
	"fmt"

	"github.com/deltaplane/deltaplane/shape"
)

// Search compares by the model alone where n requests lead by the whole table
// and by the leaf that they reach, by the new split and by the one before. It
// returns how many it could compare, and the first difference as an error.
func (c *Case) Search(n int) (compared int, err error) {
	whole, leaves := NewModel(c.Table), map[uint32]*Model{}
	for id, leaf := range c.Leaves {
		leaves[id] = NewModel(leaf)
	}
	requests := c.requests()
	for range n {
		q := requests.request()
		s, ok := c.Mode.See(q)
		if !ok {
			continue
		}
		want := whole.Route(s)
		for _, split := range []*shape.Split{c.Split, c.Before} {
			if split == nil {
				continue
			}
			id := split.Find(s.Authority, s.Path)
			compared++
			if leaves[id] == nil {
				return compared, c.difference(q, "leaf %d, which it reaches, is not kept", id)
			}
			if got := leaves[id].Route(s); got != want {
				return compared, c.difference(q, "by the model, the whole table leads to %+v, and leaf %d to %+v", want, id, got)
			}
		}
	}
	return compared, nil
}

// difference is what was found wrong with one request, and how to see it again.
func (c *Case) difference(q Request, format string, args ...any) error {
	return fmt.Errorf("%s\nrequest: %v\ntable: %d hosts, %s; leaves: %d, %d of them retired\nmode: %+v\nsee it again: make fuzz-shape SEED=%d TABLES=1",
		fmt.Sprintf(format, args...), q, len(c.Table.VirtualHosts), c.How, len(c.Leaves), len(c.Split.Retired), c.Mode, c.Seed)
}
