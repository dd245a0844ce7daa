package client_test

import (
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"

	"github.com/deltaplane/deltaplane/client"
)

var seed = flag.Uint64("seed", 0, "of the tests that cut connections; 0: a new one")

// proxy stands between client and server, and cuts each connection after as
// many bytes as lives says.
type proxy struct {
	listener net.Listener
	target   string
	lives    func() int64  // bytes in both directions; negative: for ever
	cut      chan struct{} // one token for each cut

	all  sync.WaitGroup
	mu   sync.Mutex
	open map[net.Conn]struct{} // nil once closed
}

func newProxy(t testing.TB, target string, lives func() int64) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, target: target, lives: lives, cut: make(chan struct{}, 1<<16), open: map[net.Conn]struct{}{}}
	p.all.Go(p.accept)
	t.Cleanup(func() {
		l.Close()
		p.mu.Lock()
		for conn := range p.open {
			conn.Close()
		}
		p.open = nil
		p.mu.Unlock()
		p.all.Wait()
	})
	return p
}

func (p *proxy) accept() {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.all.Go(func() { p.serve(conn) })
	}
}

func (p *proxy) enter(conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open == nil {
		conn.Close()
		return false
	}
	p.open[conn] = struct{}{}
	return true
}

func (p *proxy) leave(conn net.Conn) {
	conn.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, conn)
}

func (p *proxy) serve(down net.Conn) {
	if !p.enter(down) {
		return
	}
	defer p.leave(down)
	up, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	if !p.enter(up) {
		return
	}
	defer p.leave(up)
	life := &budget{left: p.lives()}
	var copies sync.WaitGroup
	for _, way := range [][2]net.Conn{{up, down}, {down, up}} {
		copies.Go(func() {
			life.copy(way[0], way[1])
			up.Close()
			down.Close()
		})
	}
	copies.Wait()
	if life.spent() {
		p.cut <- struct{}{}
	}
}

// budget is how many bytes a connection may carry.
type budget struct {
	mu   sync.Mutex
	left int64
}

// take grants up to n bytes.
func (b *budget) take(n int) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.left < 0 {
		return n
	}
	n = int(min(int64(n), b.left))
	b.left -= int64(n)
	return n
}

func (b *budget) spent() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.left == 0
}

func (b *budget) copy(to io.Writer, from io.Reader) {
	buffer := make([]byte, 4096)
	for {
		n, err := from.Read(buffer)
		granted := b.take(n)
		if _, failed := to.Write(buffer[:granted]); failed != nil || err != nil || granted < n {
			return
		}
	}
}

// Whatever byte a connection breaks at, the client ends up with what the
// server has, and is not told twice of what it knows.
func TestConnectionsCutAtAnyByteLoseAndRepeatNothing(t *testing.T) {
	chosen := *seed
	if chosen == 0 {
		chosen = rand.Uint64()
	}
	defer func() {
		if t.Failed() {
			t.Logf("replay with: go test %s./client -run '^%s$' -seed %d", replayTags, t.Name(), chosen)
		}
	}()
	random := rand.New(rand.NewPCG(chosen, 0))
	p, ctx := newPlane(t), patience(t)
	var mu sync.Mutex
	left := cuts
	between := newProxy(t, p.address, func() int64 {
		mu.Lock()
		defer mu.Unlock()
		if left == 0 {
			return -1
		}
		left--
		return random.Int64N(15_000) // of which a handshake takes some 200
	})
	heard := &witness{t: t}
	c := p.client(heard.attach, func(c *client.Config) {
		c.Targets = []string{between.listener.Addr().String()}
		c.BackoffMin, c.BackoffMax = time.Millisecond, 5*time.Millisecond
	})
	seen := newLedger(t)
	w := watcher[*clusterv3.Cluster](ctx, t, c)
	var following sync.WaitGroup
	following.Go(func() { seen.follow(ctx, w) })

	world := map[string]int{}
	change := func() {
		name := fmt.Sprint("c", random.IntN(20))
		if _, there := world[name]; there && random.IntN(3) == 0 {
			delete(world, name)
			p.remove(name)
		} else {
			world[name] = random.IntN(1 << 20)
			p.commit(cluster(name, world[name]))
		}
	}
	for range cuts {
		for cut := false; !cut; { // a connection that nothing goes over is not cut
			mu.Lock() // guards random as well
			for range 1 + random.IntN(3) {
				change()
			}
			mu.Unlock()
			cut = seen.awaitOr(ctx, world, between.cut)
		}
	}
	p.commit(cluster("last", 1))
	world["last"] = 1
	seen.await(ctx, world)
	w.Close()
	following.Wait()
	t.Logf("%d streams resumed with %d resources; %d came in %d responses and were handed out as %d in %d updates",
		w.Status().Opened, heard.resumed, heard.upserts, heard.responses, seen.resources, seen.updates)
	if heard.resumed == 0 {
		t.Error("no stream came back with anything")
	}
}
