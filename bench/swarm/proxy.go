package swarm

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"time"

	"github.com/deltaplane/deltaplane/bench/swarm/fixture"
)

// link is a connection of one of the protocols, without its socket.
type link interface {
	feed(b []byte) error
	ack(build func([]byte) []byte) // a small message, which build appends
	sent() bool                    // all messages are in the output
	output() *[]byte               // what is to be written
}

// proxy is one of the swarm. All but what is atomic belongs to its goroutine.
type proxy struct {
	swarm *Swarm
	id    int
	conn  *net.TCPConn
	link  link
	decoder
	scribe *scribe // nil: nothing is written down

	now  time.Duration // when what is being taken in was read, after the epoch
	next [fixture.Kinds]int
	have [fixture.Kinds]int
	full bool // it had everything
	told bool // all its requests are out

	received  atomic.Int64 // bytes
	responses atomic.Int64
	resources atomic.Int64 // and removals
	lost      atomic.Int64 // streams
}

// Delays before a proxy whose stream has ended comes back, as Envoy's own:
// random, up to one that doubles from the first to the last.
const (
	firstDelay = 500 * time.Millisecond
	lastDelay  = 5 * time.Second
)

// run is the proxy's life. It ends with an error, which is none of interest
// when the swarm is closing.
func (p *proxy) run(ctx context.Context) error {
	for delay := firstDelay; ; delay = min(2*delay, lastDelay) {
		err := p.session(ctx)
		if !p.swarm.cfg.ComeBack || ctx.Err() != nil {
			return err
		}
		p.lost.Add(1)
		timer := time.NewTimer(rand.N(delay))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		}
	}
}

// session is one connection, until it ends.
func (p *proxy) session(ctx context.Context) error {
	p.have = [fixture.Kinds]int{}
	if err := p.connect(ctx); err != nil {
		return err
	}
	defer func() { _ = p.conn.Close() }() // again, if ctx is done
	stop := context.AfterFunc(ctx, func() { _ = p.conn.Close() })
	defer stop()
	from, err := newReader(p.conn)
	if err != nil {
		return err
	}
	if err := p.flush(); err != nil {
		return err
	}
	for {
		if err := from.read(p.take); err != nil {
			return err
		}
		if err := p.flush(); err != nil {
			return err
		}
	}
}

// connect dials, and puts out the requests.
func (p *proxy) connect(ctx context.Context) error {
	select {
	case p.swarm.dialing <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-p.swarm.dialing }()
	cfg := &p.swarm.cfg
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", cfg.Address)
	if err != nil {
		return err
	}
	p.conn = conn.(*net.TCPConn)
	_ = p.conn.SetLinger(0) // cut is cut, and the port is free at once
	if cfg.Protocol == TCP {
		p.link = &bare{messages: messages{to: p}}
		return nil
	}
	h := &h2{messages: messages{to: p, flags: 1}}
	h.open(cfg.Address, paths[cfg.Protocol])
	p.link = h
	subscriptions, err := p.swarm.subscriptions(p.id)
	if err != nil {
		return err
	}
	for _, s := range subscriptions {
		h.send(s...)
	}
	return nil
}

// take takes in what was read.
func (p *proxy) take(b []byte) error {
	p.now = time.Since(p.swarm.ledger.epoch)
	p.received.Add(int64(len(b)))
	return p.link.feed(b)
}

// flush writes what is to be written.
func (p *proxy) flush() error {
	if out := p.link.output(); len(*out) > 0 {
		_, err := p.conn.Write(*out)
		if *out = (*out)[:0]; cap(*out) > maxFrame {
			*out = nil
		}
		if err != nil {
			return err
		}
	}
	if !p.told && p.link.sent() {
		p.told = true
		p.swarm.told.add()
	}
	return nil
}

func (p *proxy) piece(b []byte) error {
	if p.scribe != nil {
		p.scribe.message = append(p.scribe.message, b...)
	}
	if !p.feed(b) {
		return fmt.Errorf("proxy %d: the server sent what is no discovery response", p.id)
	}
	return nil
}

// end is for the end of a response: it acknowledges it, and notes which
// changes are here.
func (p *proxy) end() error {
	if !p.ended() {
		return fmt.Errorf("proxy %d: the server sent a response that is cut off", p.id)
	}
	if p.scribe != nil {
		if err := p.scribe.end(); err != nil {
			return err
		}
	}
	p.link.ack(func(b []byte) []byte { return requests[p.swarm.cfg.Protocol].appendAck(b, &p.response) })
	p.responses.Add(1)
	p.resources.Add(int64(p.got + p.removed))
	k, ok := fixture.KindOf(p.typeURL)
	if !ok {
		return nil
	}
	if p.swarm.cfg.Protocol == SotW {
		p.have[k] = 0
	}
	p.have[k] += p.got
	if !p.full && p.hasAll() {
		p.full = true
		p.swarm.full.add()
	}
	if p.newest == 0 {
		return nil
	}
	expected := p.swarm.ledger.expected(k)
	for ; p.next[k] < len(expected) && expected[p.next[k]].change <= p.newest; p.next[k]++ {
		expected[p.next[k]].arrived(p.id, p.now)
	}
	return nil
}

func (p *proxy) hasAll() bool {
	for k, n := range p.swarm.cfg.Expect {
		if p.have[k] < n {
			return false
		}
	}
	return true
}
