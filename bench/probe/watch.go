package probe

import (
	"context"
	"fmt"
	"time"
)

// Prober watches one proxy. It keeps its connections from one watch to the
// next. It is for one goroutine at a time.
type Prober struct {
	conns []*Conn
}

// NewProber makes a prober that asks address over conns connections in turn:
// more than the proxy has worker threads, if each of these should have one.
// The caller must call Close.
func NewProber(address string, l Labels, conns int) *Prober {
	p := &Prober{}
	for i := range conns {
		p.conns = append(p.conns, NewConn(address, Labels{ID: fmt.Sprintf("%s-%d", l.ID, i), SLA: l.SLA}))
	}
	return p
}

// Close ends the connections.
func (p *Prober) Close() {
	for _, c := range p.conns {
		c.Close()
	}
}

// Change is what a watch waits for.
type Change struct {
	Target Target
	Judge  func(Answer) Verdict
	Every  time.Duration // from request to request, of all connections together
	Tail   time.Duration // how long nothing but the new may come, at the end
	Fresh  bool          // a connection of its own for each request

	// Hurry, when it is closed, says that the change should be seen by now: until
	// it is, requests are made from that moment on, a millisecond from each other.
	Hurry <-chan struct{}
}

// Switch is what a watch has seen. Times are of the requests' start and end:
// the new configuration was in use at some moment before FirstNew.Received,
// and the old one still at some moment after LastOld.Sent.
type Switch struct {
	Tally
	FirstNew Answer
	LastOld  Answer
}

// Watch repeats a request until every connection has had the new answer, and
// nothing else for as long as the change's tail. ready is called once every
// connection has had an answer: make the change then. When ctx ends first,
// the error says what the last answer was.
func (p *Prober) Watch(ctx context.Context, ch Change, ready func()) (Switch, error) {
	var seen Switch
	pace := NewPace(ch.Every)
	hurry := ch.Hurry
	now := make([]Verdict, len(p.conns)) // the last answer of each connection
	var since time.Time                  // all have been New since; zero: not yet
	for n := 0; ; n++ {
		if n == len(p.conns) {
			ready()
		}
		if hurry == nil || !since.IsZero() {
			pace.Wait()
		} else if pace.WaitOr(hurry) {
			hurry = nil
		}
		i := n % len(p.conns)
		a, err := p.conns[i].Do(ch.Target)
		if ch.Fresh {
			p.conns[i].Close()
		}
		if ctx.Err() != nil {
			return seen, fmt.Errorf("%s%s: %w; the last answer was %d %.80q, server %q", ch.Target.Host, ch.Target.Path, context.Cause(ctx), a.Status, a.Body, a.Server)
		}
		now[i] = seen.Take(a, err, ch.Judge)
		switch {
		case now[i] == Old:
			seen.LastOld = a
		case now[i] == New && seen.FirstNew.Sent.IsZero():
			seen.FirstNew = a
		}
		if !all(now, New) {
			since = time.Time{}
			continue
		}
		if since.IsZero() {
			since = a.Received
			pace.every = ch.Every
		}
		if a.Received.Sub(since) >= ch.Tail {
			return seen, nil
		}
	}
}

func all(list []Verdict, v Verdict) bool {
	for _, one := range list {
		if one != v {
			return false
		}
	}
	return true
}

// Walk makes n requests one after the other, each to the next target, and
// counts them. It ends early when ctx does.
func (p *Prober) Walk(ctx context.Context, n int, next func() (Target, func(Answer) Verdict)) Tally {
	var t Tally
	for i := range n {
		if ctx.Err() != nil {
			return t
		}
		target, judge := next()
		a, err := p.conns[i%len(p.conns)].Do(target)
		t.Take(a, err, judge)
	}
	return t
}
