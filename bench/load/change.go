package load

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/deltaplane/deltaplane/bench/proc"
	"github.com/deltaplane/deltaplane/bench/swarm"
	"github.com/deltaplane/deltaplane/bench/swarm/fixture"
)

// changePatience is when a change counts as not having arrived.
const changePatience = time.Minute

// next is what the side's next change changes.
func (s *side) next() (k fixture.Kind, i, change int) {
	kinds, _ := kindsOf(s.cfg.Pattern) // it was checked
	s.changes++
	k = kinds[s.changes%len(kinds)]
	return k, s.changes / len(kinds) % s.set[k], s.changes
}

// call makes one change, and says of which kind it is. expect is called with
// that before the change is sent.
type call func(ctx context.Context, expect func(k fixture.Kind, change int)) (made, error)

// makeChanges makes single changes to all proxies.
func (s *side) makeChanges(ctx context.Context, fleet *swarm.Swarm, tell progress) error {
	return s.batch(ctx, fleet, s.cfg.Proxies, &s.results.single, tell, func(ctx context.Context, expect func(fixture.Kind, int)) (made, error) {
		k, i, change := s.next()
		expect(k, change)
		return s.server.change(ctx, s.set, k, i, change)
	})
}

// spent is what changes have cost.
type spent struct {
	cpu, own         time.Duration // of the server, and of this process
	bytes, responses int64
}

// whenFew is how many changes there are for one, where they concern few: these
// take so little that what a server does by itself meanwhile is much of it.
const whenFew = 5

// batch makes changes one at a time, each when the server has rest, which
// should reach some of the proxies.
func (s *side) batch(ctx context.Context, fleet *swarm.Swarm, some int, into *course, tell progress, one call) error {
	first, err := s.server.usage(ctx, false)
	if err != nil {
		return err
	}
	before, err := s.server.usage(ctx, false) // the difference is what asking costs
	if err != nil {
		return err
	}
	var sum spent
	n, changes := 0, s.cfg.Changes
	if some < s.cfg.Proxies {
		changes *= whenFew
	}
	for end := time.Now().Add(s.cfg.TurnLimit); n < changes && (n == 0 || time.Now().Before(end)); n++ {
		tell("change", n, changes)
		if err := s.makeChange(ctx, fleet, some, into, &sum, one); err != nil {
			return err
		}
	}
	after, err := s.server.usage(ctx, false)
	if err != nil {
		return err
	}
	made := float64(n)
	into.cpu.add(ms(sum.cpu) / made)
	into.bytes.add(float64(sum.bytes) / made)
	into.own.add(1000 * ms(sum.own) / float64(max(1, sum.responses)))
	into.etcd.add(1000 * (after.etcd - before.etcd) / made)
	into.allocated.add((after.allocated - 2*before.allocated + first.allocated) / made)
	into.objects.add((after.objects - 2*before.objects + first.objects) / made)
	return nil
}

// makeChange makes one change, and waits until it has arrived and the server
// has rest.
func (s *side) makeChange(ctx context.Context, fleet *swarm.Swarm, some int, into *course, sum *spent, one call) error {
	ctx, cancel := context.WithTimeoutCause(ctx, changePatience, fmt.Errorf("not there after %v", changePatience))
	defer cancel()
	_, cpu, err := s.meter.quiet(ctx)
	if err != nil {
		return err
	}
	own, err := proc.CPU(os.Getpid())
	if err != nil {
		return err
	}
	traffic := fleet.Traffic()
	var arrivals *swarm.Arrivals
	m, err := one(ctx, func(k fixture.Kind, change int) { arrivals = fleet.Expect(k, change, some) })
	if err != nil {
		return err
	}
	if err := fleet.Wait(ctx, arrivals); err != nil {
		return err
	}
	ownAfter, err := proc.CPU(os.Getpid())
	if err != nil {
		return err
	}
	_, cpuAfter, err := s.meter.quiet(ctx)
	if err != nil {
		return err
	}
	called := arrivals.Times(m.sent)
	into.call.record(called)
	into.inOrder.add(ms(called[len(called)-1]))
	into.commit.record(arrivals.Times(m.stored))
	now := fleet.Traffic()
	sum.cpu += cpuAfter - cpu
	sum.own += ownAfter - own
	sum.bytes += now.Bytes - traffic.Bytes
	sum.responses += now.Responses - traffic.Responses
	return nil
}
