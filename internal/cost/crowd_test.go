package cost

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/deltaplane/deltaplane/resource"
)

// crowd is proxies of a soak: most are quick, some read a response only now and
// then, and some read nothing. One goroutine may use it.
type crowd struct {
	address string
	heard   tally
	random  *rand.Rand
	members []member
	ids     []string // of proxies that are away, and come back
	come    int      // how many have
}

type member struct {
	*proxy
	id     string
	ticker *time.Ticker // its pace; nil: none
}

// Of the members, one in slowOf is slow and one in deafOf deaf.
const slowOf, deafOf, slowly = 20, 40, 300 * time.Millisecond

// gather connects n proxies; a quarter as many stay away for now.
func gather(address string, seed uint64, n int) (*crowd, error) {
	c := &crowd{address: address, random: rand.New(rand.NewPCG(seed, 0))}
	for i := range n + n/4 {
		c.ids = append(c.ids, fmt.Sprintf("proxy-%04d", i))
	}
	for range n {
		if err := c.join(); err != nil {
			return c, err
		}
	}
	return c, nil
}

// join has the proxy come back that is away for longest. It does not wait for
// what it is sent.
func (c *crowd) join() error {
	m := member{id: c.ids[0]}
	var pace <-chan time.Time
	switch c.come++; {
	case c.come%deafOf == 0:
		pace = make(chan time.Time)
	case c.come%slowOf == 0:
		m.ticker = time.NewTicker(slowly)
		pace = m.ticker.C
	}
	p, err := connect(c.address, &c.heard, pace)
	if err != nil {
		return err
	}
	m.proxy, c.ids = p, c.ids[1:]
	c.members = append(c.members, m)
	for _, q := range wildcards(resource.Cluster, resource.Endpoint, resource.Listener, resource.Route)(m.id) {
		if err := p.say(q); err != nil {
			return err
		}
	}
	return nil
}

// leave has the i-th member go. The error is why it had gone before.
func (c *crowd) leave(i int) error {
	m := c.members[i]
	c.members[i] = c.members[len(c.members)-1]
	c.members = c.members[:len(c.members)-1]
	c.ids = append(c.ids, m.id)
	if m.ticker != nil {
		m.ticker.Stop()
	}
	return m.close()
}

// mill has some member leave and another one join at each tick, until ctx ends.
func (c *crowd) mill(ctx context.Context, tick <-chan time.Time) error {
	for {
		select {
		case <-tick:
		case <-ctx.Done():
			return nil
		}
		if err := c.leave(c.random.IntN(len(c.members))); err != nil {
			return err
		}
		if err := c.join(); err != nil {
			return err
		}
	}
}

// disperse has the members leave of which it is true.
func (c *crowd) disperse(which func(member) bool) (err error) {
	for i := len(c.members) - 1; i >= 0; i-- {
		if which(c.members[i]) {
			if gone := c.leave(i); err == nil {
				err = gone
			}
		}
	}
	return err
}
