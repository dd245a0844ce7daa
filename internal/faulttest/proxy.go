package faulttest

import (
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"
)

// Proxy forwards TCP connections to one target, as well as it is told to.
type Proxy struct {
	listener net.Listener
	target   string
	running  sync.WaitGroup

	mu      sync.Mutex // guards what follows
	open    map[net.Conn]bool
	line    line
	changed chan struct{} // closed when line has changed
	tears   int
}

// line is how well the proxy forwards.
type line struct {
	cut   bool // nothing gets through, connections break
	held  bool // nothing gets through, connections stay
	delay time.Duration
	tear  *rand.Rand // not nil: connections break after tearBytes on average
	bytes int
}

// NewProxy starts one on a free port.
func NewProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{listener: l, target: target, open: map[net.Conn]bool{}, changed: make(chan struct{})}
	p.running.Go(p.accept)
	t.Cleanup(func() {
		l.Close()
		p.Cut()
		p.running.Wait()
	})
	return p
}

// Addr is host:port of the proxy.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Cut breaks all connections, and new ones at once, as if nobody were there.
func (p *Proxy) Cut() {
	p.become(line{cut: true})
	p.breakAll()
}

// Hold forwards nothing any more and closes nothing: a partition.
func (p *Proxy) Hold() { p.become(line{held: true}) }

// Slow has each piece of data wait before it goes on.
func (p *Proxy) Slow(delay time.Duration) { p.become(line{delay: delay}) }

// Tear breaks each connection in the middle of what it carries, with a reset,
// after a random number of bytes: mean on average.
func (p *Proxy) Tear(random *rand.Rand, mean int) { p.become(line{tear: random, bytes: mean}) }

// Mend forwards everything again. Connections that were held go on.
func (p *Proxy) Mend() { p.become(line{}) }

// Tears is how many connections were torn.
func (p *Proxy) Tears() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.tears
}

func (p *Proxy) become(l line) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.line = l
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *Proxy) now() (line, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.line, p.changed
}

func (p *Proxy) breakAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.open {
		c.Close()
	}
}

func (p *Proxy) accept() {
	for {
		in, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.running.Go(func() { p.forward(in) })
	}
}

func (p *Proxy) forward(in net.Conn) {
	defer in.Close()
	if l, _ := p.now(); l.cut {
		return
	}
	out, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer out.Close()
	if !p.enter(in, out) {
		return
	}
	defer p.leave(in, out)
	var both sync.WaitGroup
	both.Go(func() { p.pipe(out, in) })
	both.Go(func() { p.pipe(in, out) })
	both.Wait()
}

func (p *Proxy) enter(both ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range both {
		p.open[c] = true
	}
	return !p.line.cut
}

func (p *Proxy) leave(both ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range both {
		delete(p.open, c)
	}
}

// pipe forwards one direction, until either end closes.
func (p *Proxy) pipe(to, from net.Conn) {
	defer to.Close()
	buffer := make([]byte, 32<<10)
	left := -1 // bytes until the connection is torn; negative: not decided
	for {
		n, err := from.Read(buffer)
		data := buffer[:n]
		if n > 0 {
			l, ok := p.wait()
			if !ok {
				return
			}
			if l.tear == nil {
				left = -1
			} else if left < 0 {
				left = p.roll(l)
			}
			if left >= 0 && n > left {
				_, _ = to.Write(data[:left])
				p.torn(to, from)
				return
			}
			if left >= 0 {
				left -= n
			}
			if _, err := to.Write(data); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// wait returns when data may go on; not ok when it never will.
func (p *Proxy) wait() (l line, ok bool) {
	for {
		l, changed := p.now()
		switch {
		case l.cut:
			return l, false
		case l.held:
			<-changed
		case l.delay > 0:
			select {
			case <-time.After(l.delay):
				return l, true
			case <-changed:
			}
		default:
			return l, true
		}
	}
}

func (p *Proxy) roll(l line) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return l.tear.IntN(2 * l.bytes)
}

// torn resets both connections, with whatever is on its way in them.
func (p *Proxy) torn(both ...net.Conn) {
	p.mu.Lock()
	p.tears++
	p.mu.Unlock()
	for _, c := range both {
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // an error means that it is closed
		}
		c.Close()
	}
}
