package cost

import (
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/fleet"
	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/xds"
)

// patience says when a test gives up, not how fast anything must be.
const patience = 60 * time.Second

// world is a configuration, its server, and proxies.
type world struct {
	t       testing.TB
	source  deltaplane.Publisher
	version deltaplane.Version
	tree    *radix.Txn[*deltaplane.Entry]
	address string
	events  events
	heard   tally
	proxies []*proxy
}

// events counts what the server's streams do, on the way to the fleet.
type events struct {
	fleet *fleet.Fleet
	kinds [rested + 1]atomic.Int64
	goals [rested + 1]atomic.Int64
	there chan struct{} // one whenever a goal is reached
}

// rested counts, as a kind of event of its own, that a stream has come to rest.
const rested = xds.Advanced + 1

func (e *events) Observe(event xds.Event) {
	e.fleet.Observe(event)
	if event.Rest != nil {
		e.count(rested)
		return
	}
	e.count(event.Kind)
}

func (e *events) count(k xds.Kind) {
	if e.kinds[k].Add(1) == e.goals[k].Load() {
		e.there <- struct{}{}
	}
}

// newWorld serves resources from its first moment on.
func newWorld(t testing.TB, cfg xds.Config, resources ...proto.Message) *world {
	t.Helper()
	w := &world{t: t, tree: radix.Tree[*deltaplane.Entry]{}.Txn(), events: events{fleet: fleet.New(fleet.Config{}), there: make(chan struct{}, 1)}}
	w.put(deltaplane.DefaultNamespace, resources...)
	w.commit()
	cfg.Observer = &w.events
	server := xds.NewServer(&w.source, cfg)
	rpc := grpc.NewServer(server.GRPCOptions()...)
	server.Register(rpc)
	w.address = serve(t, rpc)
	t.Cleanup(server.Close)
	t.Cleanup(w.disconnect)
	return w
}

// serve has rpc listen until the test ends.
func serve(t testing.TB, rpc *grpc.Server) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- rpc.Serve(listener) }()
	t.Cleanup(func() {
		rpc.Stop()
		<-served
	})
	return listener.Addr().String()
}

// put adds resources to the next version.
func (w *world) put(namespace string, resources ...proto.Message) {
	w.t.Helper()
	for _, m := range resources {
		r, err := resource.New(m)
		if err != nil {
			w.t.Fatal(err)
		}
		k := deltaplane.Key{Namespace: namespace, Type: r.Type(), Name: r.Name()}
		w.tree.Put(k.Path(), &deltaplane.Entry{Resource: r})
	}
}

// commit publishes what was put.
func (w *world) commit() {
	w.version++
	tree := w.tree.Commit()
	w.source.Publish(deltaplane.NewSnapshot(w.version, time.Now(), tree))
	w.tree = tree.Txn()
}

// change commits one resource, and waits until responses have been
// acknowledged.
func (w *world) change(m proto.Message, responses int) {
	w.t.Helper()
	w.put(deltaplane.DefaultNamespace, m)
	w.await(responses, w.commit)
}

// await does something, and returns when the server has taken in so many
// acknowledgements more.
func (w *world) await(acks int, do func()) {
	w.t.Helper()
	w.awaitKind(xds.Acked, acks, do)
}

func (w *world) awaitKind(k xds.Kind, events int, do func()) {
	w.t.Helper()
	goal := w.events.kinds[k].Load() + int64(events)
	w.events.goals[k].Store(goal)
	do()
	if events == 0 {
		return
	}
	select {
	case <-w.events.there:
	case <-time.After(patience):
		w.t.Fatalf("%d events of kind %d have not come of %d", goal-w.events.kinds[k].Load(), k, events)
	}
}

// join connects n more proxies, each of which makes the same requests, and
// waits until each has had as many responses.
func (w *world) join(n, responses int, requests func(node string) []*discoveryv3.DeltaDiscoveryRequest) {
	w.t.Helper()
	w.await(n*responses, func() { w.connect(n, requests) })
}

// connect is join without waiting.
func (w *world) connect(n int, requests func(node string) []*discoveryv3.DeltaDiscoveryRequest) {
	w.t.Helper()
	for range n {
		p, err := connect(w.address, &w.heard, nil)
		if err != nil {
			w.t.Fatal(err)
		}
		w.proxies = append(w.proxies, p)
		for _, q := range requests(fmt.Sprintf("node-%05d", len(w.proxies))) {
			if err := p.say(q); err != nil {
				w.t.Fatal(err)
			}
		}
	}
}

// disconnect ends all proxies, each of which must have lived until now.
func (w *world) disconnect() {
	for _, p := range w.proxies {
		if err := p.close(); err != nil {
			w.t.Error(err)
		}
	}
	w.proxies = nil
}

// wildcards are requests for everything of some types.
func wildcards(types ...resource.Type) func(node string) []*discoveryv3.DeltaDiscoveryRequest {
	return func(node string) (list []*discoveryv3.DeltaDiscoveryRequest) {
		for _, t := range types {
			list = append(list, &discoveryv3.DeltaDiscoveryRequest{TypeUrl: t.URL(), Node: envoy(node)})
		}
		return list
	}
}

func envoy(id string) *corev3.Node {
	return &corev3.Node{Id: id, Cluster: "edge", UserAgentName: "envoy"}
}
