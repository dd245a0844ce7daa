package conformance

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"google.golang.org/grpc"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/xds"
)

// What a client that misbehaves may cost: bytes of live heap on both ends of
// its connection, of which gRPC's and the pipe's buffers are about 250 KiB.
const (
	muteBudget   = 768 << 10 // never reads, with 2 MB waiting for it
	silentBudget = 512 << 10 // reads and never answers
	askingBudget = 24 << 20  // subscribes to 100,000 names of 23 bytes that do not exist
)

// hostile is a way to misbehave.
type hostile struct {
	name    string
	clients int
	budget  int64
	start   func(context.Context, *grpc.ClientConn, int) (stop func(), err error)
}

var hostiles = []hostile{
	{"never reads", 25, muteBudget, mute},
	{"never answers", 25, silentBudget, silent},
	{"asks for 100,000 unknown names", 4, askingBudget, asking},
}

// polite takes and accepts one cluster, which does not change.
func polite(ctx context.Context, conn *grpc.ClientConn, i int) (func(), error) {
	s, err := Open(ctx, conn, "", true)
	if err != nil {
		return nil, err
	}
	err = s.Send(Request{
		URL: resource.Cluster.URL(), Node: &corev3.Node{Id: fmt.Sprint("polite-", i)}, Subscribe: []string{"c-1"},
	})
	if err == nil {
		var r *Response
		if r, err = s.Next(ctx); err == nil {
			err = s.Send(Request{URL: resource.Cluster.URL(), Nonce: r.Nonce})
		}
	}
	return s.Close, err
}

// mute subscribes to everything and takes nothing off the wire.
func mute(ctx context.Context, conn *grpc.ClientConn, i int) (func(), error) {
	ctx, cancel := context.WithCancel(ctx)
	rpc, err := conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, methods[""].delta)
	if err != nil {
		cancel()
		return nil, err
	}
	return cancel, rpc.SendMsg(Request{
		URL: resource.Cluster.URL(), Node: &corev3.Node{Id: fmt.Sprint("mute-", i)}, Subscribe: []string{"*"},
	}.message(true))
}

// silent takes each response and never answers one. It starts with the first.
func silent(ctx context.Context, conn *grpc.ClientConn, i int) (func(), error) {
	s, err := Open(ctx, conn, "", true)
	if err != nil {
		return nil, err
	}
	err = s.Send(Request{
		URL: resource.Cluster.URL(), Node: &corev3.Node{Id: fmt.Sprint("silent-", i)}, Subscribe: []string{"*"},
	})
	if err == nil {
		_, err = s.Next(ctx)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		for range s.responses {
		}
	}()
	return func() { s.cancel(); <-read }, err
}

// asking wants names that no other client wants and nobody has.
func asking(ctx context.Context, conn *grpc.ClientConn, i int) (func(), error) {
	s, err := Open(ctx, conn, "", true)
	if err != nil {
		return nil, err
	}
	names := make([]string, 100_000)
	for n := range names {
		names[n] = fmt.Sprintf("unknown-of-%03d-%08d", i, n)
	}
	return s.Close, s.Send(Request{
		URL: resource.Endpoint.URL(), Node: &corev3.Node{Id: fmt.Sprint("asking-", i)}, Subscribe: names,
	})
}

// counter counts responses and waits for a number of them.
type counter struct {
	sent    atomic.Int64
	changed chan struct{} // one token: there is news
}

func (c *counter) Observe(e xds.Event) {
	if e.Kind != xds.Sent {
		return
	}
	c.sent.Add(1)
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

func (c *counter) await(ctx context.Context, n int64) error {
	for c.sent.Load() < n {
		select {
		case <-c.changed:
		case <-ctx.Done():
			return fmt.Errorf("%d of %d responses were sent: %w", c.sent.Load(), n, ctx.Err())
		}
	}
	return nil
}

// TestAHostileClientCostsLittleAndDelaysNobody measures the memory of hostile
// clients, and what they do to the latency of a client that behaves, next to
// what as many do that behave as well: each commit wakes all streams. Latency
// is compared within a round; on a busy machine one round of three must hold.
func TestAHostileClientCostsLittleAndDelaysNobody(t *testing.T) {
	for _, h := range hostiles {
		t.Run(h.name, func(t *testing.T) {
			g := newGuarded(t)
			g.peaceful = newGuarded(t)
			for _, end := range g.peaceful.joined(polite, h.clients) {
				t.Cleanup(end)
			}
			var ratios []float64
			for range 3 {
				ratio := g.round(h)
				if ratios = append(ratios, ratio); ratio < 2 {
					break
				}
			}
			t.Logf("median latency of another client, relative to that with clients that behave: %.2f", ratios)
			if slices.Min(ratios) >= 2 {
				t.Errorf("another client's median latency was %.1f times what it was with clients that behave", slices.Min(ratios))
			}
		})
	}
}

// guarded is a server with a client that behaves.
type guarded struct {
	*scene
	sent     *counter
	content  int
	peaceful *guarded // as many clients beside it, all of which behave
}

func newGuarded(t *testing.T) *guarded {
	g := &guarded{sent: &counter{changed: make(chan struct{}, 1)}, content: 1}
	g.scene = newScene(t, Variant{Delta: true, Aggregated: true}, func(w *World) error {
		w.Config.Observer, w.Config.MaxNames = g.sent, 200_000
		var put []Spec
		for i := range 2000 {
			put = append(put, Spec{Namespace: "default", Type: resource.Cluster, Name: fmt.Sprint("c-", i), Content: 1, Padding: 1000})
		}
		return w.Commit(put, nil)
	})
	g.must(g.client.Subscribe(t.Context(), resource.Cluster, "c-0"))
	g.accept(g.client, resource.Cluster)
	return g
}

// joined has clients connect, and returns when each has been sent a response.
// They stay until all of the ends have been called.
func (g *guarded) joined(start func(context.Context, *grpc.ClientConn, int) (func(), error), clients int) (ends []func()) {
	server, err := g.world.Server("cp-1")
	g.must(err)
	expected := g.sent.sent.Load() + int64(clients)
	for i := range clients {
		conn, err := server.Dial()
		g.must(err)
		stop, err := start(g.Context(), conn, i)
		g.must(err)
		ends = append(ends, func() { stop(); conn.Close() })
	}
	ctx, cancel := context.WithTimeout(g.Context(), 3*patience)
	defer cancel()
	g.must(g.sent.await(ctx, expected))
	return ends
}

// round measures with peaceful and with hostile clients and returns how much
// slower it was with these.
func (g *guarded) round(h hostile) float64 {
	without := g.peaceful.median()
	before := heap()
	ends := g.joined(h.start, h.clients)
	with := g.median()
	each := (heap() - before) / int64(h.clients)
	g.Logf("%d bytes for each client that %s", each, h.name)
	if each > h.budget {
		g.Errorf("a client that %s costs %d bytes, more than %d", h.name, each, h.budget)
	}
	for _, end := range ends {
		end()
	}
	return with.Seconds() / without.Seconds()
}

// median is the time from a commit to the response, over 101 commits.
func (g *guarded) median() time.Duration {
	times := make([]time.Duration, 101)
	for i := range times {
		g.content++
		g.must(g.world.Commit([]Spec{{Namespace: "default", Type: resource.Cluster, Name: "c-0", Content: g.content}}, nil))
		start := time.Now()
		g.accept(g.client, resource.Cluster)
		times[i] = time.Since(start)
	}
	slices.Sort(times)
	return times[len(times)/2]
}

// heap is what is live.
func heap() int64 {
	runtime.GC()
	runtime.GC() // what finalizers and pools let go of
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestMoreNamesThanTheBudgetAreRefused(t *testing.T) {
	s := newScene(t, Variant{Delta: true, Aggregated: true}, specs("cluster/a"))
	server, err := s.world.Server("cp-1")
	s.must(err)
	stream, err := Open(t.Context(), server.Conn, "", true)
	s.must(err)
	defer stream.Close()
	names := make([]string, 100_000)
	for i := range names {
		names[i] = fmt.Sprint("unknown-", i)
	}
	s.must(stream.Send(Request{URL: resource.Endpoint.URL(), Node: s.client.Node, Subscribe: names}))
	_, err = stream.Next(t.Context())
	s.must(ended(err, "ResourceExhausted"))
}
