package client_test

import (
	"context"
	"errors"
	"flag"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/client"
	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/xds"
)

// TestMain makes the models run more often than rapid does by itself, unless
// -rapid.checks says otherwise: each takes less than a tenth of a millisecond.
func TestMain(m *testing.M) {
	flag.Parse()
	if checks := flag.Lookup("rapid.checks"); checks.Value.String() == checks.DefValue {
		if err := checks.Value.Set(modelChecks); err != nil {
			panic(err)
		}
	}
	goleak.VerifyTestMain(m)
}

// plane is deltaplane's real xDS server on a loopback port, serving
// configuration that the test makes up.
type plane struct {
	t       testing.TB
	address string
	events  events

	publisher deltaplane.Publisher
	version   deltaplane.Version
	tree      radix.Tree[*deltaplane.Entry]

	server *xds.Server
	grpc   *grpc.Server
	served chan error
}

// newPlane serves the given resources until the test ends.
func newPlane(t testing.TB, resources ...proto.Message) *plane {
	t.Helper()
	p := &plane{t: t, address: "127.0.0.1:0"}
	p.commit(resources...)
	p.start()
	t.Cleanup(p.stop)
	return p
}

// start serves, after a stop on the same address.
func (p *plane) start() {
	p.t.Helper()
	listener, err := net.Listen("tcp", p.address)
	if err != nil {
		p.t.Fatal(err)
	}
	p.address = listener.Addr().String()
	p.server = xds.NewServer(&p.publisher, xds.Config{Observer: &p.events})
	p.grpc = grpc.NewServer(p.server.GRPCOptions()...)
	p.server.Register(p.grpc)
	p.served = make(chan error, 1)
	go func() { p.served <- p.grpc.Serve(listener) }()
}

// stop ends the server as a crash would; once more does nothing.
func (p *plane) stop() {
	if p.grpc == nil {
		return
	}
	p.grpc.Stop()
	p.server.Close()
	<-p.served
	p.grpc = nil
}

// commit publishes a version in which resources are set.
func (p *plane) commit(resources ...proto.Message) {
	p.t.Helper()
	p.change(resources, nil)
}

// remove publishes a version without some clusters.
func (p *plane) remove(clusters ...string) {
	p.t.Helper()
	p.change(nil, clusters)
}

func (p *plane) change(resources []proto.Message, removed []string) {
	p.t.Helper()
	for _, name := range removed {
		p.tree = p.tree.Delete(deltaplane.KeyIn(deltaplane.DefaultNamespace, resource.Cluster, name).Path())
	}
	all := make([]*resource.Resource, len(resources))
	for i, m := range resources {
		all[i] = resourceOf(p.t, m)
	}
	p.put(all...)
}

// put publishes a version in which resources are set.
func (p *plane) put(resources ...*resource.Resource) {
	for _, r := range resources {
		key := deltaplane.KeyIn(deltaplane.DefaultNamespace, r.Type(), r.Name())
		p.tree = p.tree.Put(key.Path(), &deltaplane.Entry{Resource: r})
	}
	p.version++
	p.publisher.Publish(deltaplane.NewSnapshot(p.version, time.Now(), p.tree))
}

func resourceOf(t testing.TB, m proto.Message) *resource.Resource {
	t.Helper()
	r, err := resource.New(m)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// client connects to the plane, or to what stands before it.
func (p *plane) client(change ...func(*client.Config)) *client.Client {
	p.t.Helper()
	cfg := client.Config{
		Targets: []string{p.address}, Node: &corev3.Node{Id: "test"},
		BackoffMin: time.Millisecond, BackoffMax: 20 * time.Millisecond,
	}
	for _, f := range change {
		f(&cfg)
	}
	return newClient(p.t, cfg)
}

func newClient(t testing.TB, cfg client.Config) *client.Client {
	t.Helper()
	c, err := client.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// events counts what the server's streams did.
type events struct {
	mu      sync.Mutex
	upserts int
	refused []xds.Event
	node    string // of the last event
	changed chan struct{}
}

func (e *events) Observe(event xds.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.node = event.Node.GetId()
	switch event.Kind {
	case xds.Sent:
		e.upserts += event.Upserts
	case xds.Refused:
		e.refused = append(e.refused, event)
	}
	if e.changed != nil {
		close(e.changed)
		e.changed = nil
	}
}

// sent is how many resources were.
func (e *events) sent() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.upserts
}

// await waits until the events are what the test wants.
func (e *events) await(ctx context.Context, t testing.TB, condition func() bool) {
	t.Helper()
	for {
		e.mu.Lock()
		if condition() {
			e.mu.Unlock()
			return
		}
		if e.changed == nil {
			e.changed = make(chan struct{})
		}
		changed := e.changed
		e.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			t.Fatal("what the server saw is not what the test waits for")
		}
	}
}

func patience(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), endurance)
	t.Cleanup(cancel)
	return ctx
}

// cluster differs with n.
func cluster(name string, n int) *clusterv3.Cluster {
	return &clusterv3.Cluster{Name: name, ConnectTimeout: durationpb.New(time.Duration(n+1) * time.Second)}
}

func endpoints(name string, n int) *endpointv3.ClusterLoadAssignment {
	return &endpointv3.ClusterLoadAssignment{ClusterName: name, Policy: &endpointv3.ClusterLoadAssignment_Policy{
		EndpointStaleAfter: durationpb.New(time.Duration(n+1) * time.Second)}}
}

// next is a watcher's next update.
func next[T proto.Message](ctx context.Context, t testing.TB, w *client.Watcher[T]) *client.Update[T] {
	t.Helper()
	u, err := w.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func watcher[T proto.Message](ctx context.Context, t testing.TB, src client.Source, names ...string) *client.Watcher[T] {
	t.Helper()
	w, err := client.NewWatcher[T](ctx, src, names...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

// names are those of the resources in u.
func names[T proto.Message](u *client.Update[T]) (all []string) {
	for _, r := range u.Resources {
		all = append(all, r.Name)
	}
	return all
}

// want checks which resources an update brings and takes.
func want[T proto.Message](t testing.TB, u *client.Update[T], changed, removed []string) {
	t.Helper()
	if !slices.Equal(names(u), changed) || !slices.Equal(u.Removed, removed) {
		t.Fatalf("the update brings %q and removes %q, want %q and %q", names(u), u.Removed, changed, removed)
	}
}

type (
	list            = []string
	resourceMessage = proto.Message
)

// expiresWith has wait run into its deadline, which must say why it had to
// wait; the deadline is longer each time that it does not yet.
func expiresWith(t testing.TB, why string, wait func(context.Context) error) {
	t.Helper()
	for patience := 50 * time.Millisecond; ; patience *= 2 {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		err := wait(ctx)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || patience > endurance && !strings.Contains(err.Error(), why) {
			t.Fatalf("after %s: %v, want the deadline and %q", patience, err, why)
		}
		if strings.Contains(err.Error(), why) {
			return
		}
	}
}
