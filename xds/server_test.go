package xds

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	runtimev3 "github.com/envoyproxy/go-control-plane/envoy/service/runtime/v3"
	"github.com/prometheus/client_golang/prometheus"
	statuspb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/deltaplane/deltaplane/resource"
)

// plane is a server with a connection to it.
type plane struct {
	store  store
	server *Server
	conn   *grpc.ClientConn
	ctx    context.Context
}

// newPlane serves the given resources from its first moment on.
func newPlane(t *testing.T, cfg Config, resources ...proto.Message) *plane {
	t.Helper()
	p := &plane{}
	p.store.put(t, resources...)
	p.store.commit()
	p.serve(t, &p.store, cfg)
	return p
}

// serve has p serve source until the test ends.
func (p *plane) serve(t *testing.T, source Source, cfg Config) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	p.ctx = ctx
	p.server = NewServer(source, cfg)
	g := grpc.NewServer(p.server.GRPCOptions()...)
	p.server.Register(g)
	listener := bufconn.Listen(1 << 16)
	served := make(chan error, 1)
	go func() { served <- g.Serve(listener) }()
	conn, err := grpc.NewClient("passthrough:///bufconn", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) { return listener.Dial() }))
	if err != nil {
		t.Fatal(err)
	}
	p.conn = conn
	t.Cleanup(func() {
		p.server.Close()
		conn.Close()
		g.Stop()
		<-served
		cancel()
	})
}

// client is a delta client on the aggregated service.
type client struct {
	t *testing.T
	discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResourcesClient
}

func (p *plane) client(t *testing.T, node string) client {
	t.Helper()
	s, err := discoveryv3.NewAggregatedDiscoveryServiceClient(p.conn).DeltaAggregatedResources(p.ctx)
	if err != nil {
		t.Fatal(err)
	}
	return client{t, s}
}

func (c client) say(node string, typ resource.Type, names ...string) {
	c.t.Helper()
	m := &discoveryv3.DeltaDiscoveryRequest{Node: &corev3.Node{Id: node}, TypeUrl: typ.URL(), ResourceNamesSubscribe: names}
	if err := c.Send(m); err != nil {
		c.t.Fatal(err)
	}
}

// holds comes back with n resources, one of which has too long a name.
func (c client) holds(node string, n int) {
	c.t.Helper()
	m := &discoveryv3.DeltaDiscoveryRequest{Node: &corev3.Node{Id: node}, TypeUrl: resource.Endpoint.URL(), ResourceNamesSubscribe: []string{wildcard},
		InitialResourceVersions: map[string]string{strings.Repeat("x", maxNameBytes+1): "1"}}
	for i := range n - 1 {
		m.InitialResourceVersions[fmt.Sprint("name-", i)] = "1"
	}
	if err := c.Send(m); err != nil {
		c.t.Fatal(err)
	}
}

// hear receives one response and acknowledges it.
func (c client) hear() *discoveryv3.DeltaDiscoveryResponse {
	c.t.Helper()
	r, err := c.Recv()
	if err != nil {
		c.t.Fatal(err)
	}
	if err := c.Send(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: r.TypeUrl, ResponseNonce: r.Nonce}); err != nil {
		c.t.Fatal(err)
	}
	return r
}

// code is how the stream ends.
func (c client) code() codes.Code {
	for {
		if _, err := c.Recv(); err != nil {
			return status.Code(err)
		}
	}
}

// layer is a run-time layer of about size bytes.
func layer(name string, n, size int) *runtimev3.Runtime {
	return &runtimev3.Runtime{Name: name, Layer: &structpb.Struct{Fields: map[string]*structpb.Value{
		"n": structpb.NewNumberValue(float64(n)), "x": structpb.NewStringValue(strings.Repeat("x", size))}}}
}

func TestStreamsGrowGoroutinesAndUpdatesDoNot(t *testing.T) {
	p := newPlane(t, Config{}, cluster("c", 0))
	before := runtime.NumGoroutine()
	const streams = 1000
	clients := make([]client, streams)
	for i := range clients {
		clients[i] = p.client(t, "n")
		clients[i].say(fmt.Sprint("n", i), resource.Cluster, "*")
		clients[i].hear()
	}
	open := runtime.NumGoroutine()
	if perStream := float64(open-before) / streams; perStream > 4.5 { // two of them are the client's own
		t.Errorf("%.1f goroutines for each stream", perStream)
	}
	for n := range 20 {
		p.store.put(t, cluster("c", n+1))
		p.store.commit()
		for _, c := range clients {
			c.hear()
		}
	}
	if after := runtime.NumGoroutine(); after > open+streams/10 {
		t.Errorf("%d goroutines before 20 updates, %d after", open, after)
	}
}

func TestAResponseIsEncodedOnceForAllWhoNeedIt(t *testing.T) {
	registry := prometheus.NewRegistry()
	p := newPlane(t, Config{Registerer: registry}, cluster("c", 0))
	var clients []client
	for i := range 50 {
		c := p.client(t, "n")
		c.say(fmt.Sprint("n", i), resource.Cluster, "*")
		c.hear()
		clients = append(clients, c)
	}
	p.store.put(t, cluster("c", 1))
	p.store.commit()
	for _, c := range clients {
		c.hear()
	}
	encoded, shared := frames(t, registry)
	if encoded != 2 || shared != 98 {
		t.Errorf("%v responses encoded and %v shared, want 2 and 98", encoded, shared)
	}
}

func frames(t *testing.T, registry *prometheus.Registry) (encoded, cached float64) {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != "deltaplane_frames_total" {
			continue
		}
		for _, m := range f.Metric {
			if m.Label[0].GetValue() == "true" {
				cached = m.Counter.GetValue()
			} else {
				encoded = m.Counter.GetValue()
			}
		}
	}
	return encoded, cached
}

func TestAClientThatNeverReadsCostsLittleAndDelaysNobody(t *testing.T) {
	const size, updates = 200 << 10, 300
	p := newPlane(t, Config{}, layer("l", 0, size))
	for range 5 {
		deaf := p.client(t, "deaf")
		deaf.say("deaf", resource.Runtime, "l", "another")
	}
	c := p.client(t, "n")
	c.say("n", resource.Runtime, "l")
	c.hear()
	heap := liveHeap()
	for n := range updates {
		p.store.put(t, layer("l", n+1, size))
		p.store.commit()
		c.hear()
	}
	if grown := int64(liveHeap()) - int64(heap); grown > 16<<20 {
		t.Errorf("the heap grew by %d KiB over %d updates of %d KiB that five clients did not read", grown>>10, updates, size>>10)
	}
}

func liveHeap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestALargeDeltaIsSplitAndEveryPartAcknowledged(t *testing.T) {
	layers := []proto.Message{layer("large", 0, 50_000)}
	for i := range 10 {
		layers = append(layers, layer(fmt.Sprint("l", i), 0, 4000))
	}
	p := newPlane(t, Config{MaxResponseBytes: 10_000}, layers...)
	c := p.client(t, "n")
	c.say("n", resource.Runtime, "*")
	got, parts := map[string]bool{}, 0
	for len(got) < 11 {
		r := c.hear()
		parts++
		size := 0
		for _, resource := range r.Resources {
			got[resource.Name] = true
			size += len(resource.Resource.Value)
		}
		if size > 10_000 && len(r.Resources) > 1 {
			t.Errorf("a part of %d bytes with %d resources", size, len(r.Resources))
		}
	}
	if parts != 6 {
		t.Errorf("%d parts, want five of two resources and one of one", parts)
	}
}

func TestLimitsEndTheStreamWithAReason(t *testing.T) {
	many := make([]string, 11)
	for i := range many {
		many[i] = fmt.Sprint("unknown", i)
	}
	for name, c := range map[string]struct {
		say  func(client)
		want codes.Code
	}{
		"too many names":                         {func(c client) { c.say("n", resource.Endpoint, many...) }, codes.ResourceExhausted},
		"too long a name":                        {func(c client) { c.say("n", resource.Endpoint, strings.Repeat("x", 5000)) }, codes.InvalidArgument},
		"too long a name of what it holds":       {func(c client) { c.holds("n", 1) }, codes.InvalidArgument},
		"too long a name among many that it has": {func(c client) { c.holds("n", 1+fewVersions) }, codes.InvalidArgument},
		"too large a node":                       {func(c client) { c.say(strings.Repeat("x", 2000), resource.Endpoint, "a") }, codes.InvalidArgument},
		"no type":                                {func(c client) { c.Send(&discoveryv3.DeltaDiscoveryRequest{}) }, codes.InvalidArgument},
		"a type of v2":                           {func(c client) { c.say("n", "envoy.api.v2.Cluster") }, codes.InvalidArgument},
		"another node":                           {func(c client) { c.say("n", resource.Cluster); c.say("m", resource.Cluster) }, codes.InvalidArgument},
		"the client has hung up":                 {func(c client) { c.say("n", resource.Cluster); c.CloseSend() }, codes.Unknown}, // io.EOF
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlane(t, Config{MaxNames: 10, MaxNodeBytes: 1000})
			client := p.client(t, "n")
			c.say(client)
			if got := client.code(); got != c.want {
				t.Errorf("ended with %s, want %s", got, c.want)
			}
		})
	}
}

func TestNamesOfAllStreamsTogetherAreBounded(t *testing.T) {
	p := newPlane(t, Config{MaxNamesInAll: 10})
	first := p.client(t, "n")
	first.say("n", resource.Endpoint, "a", "b", "c", "d", "e", "f")
	first.hear()
	second := p.client(t, "m")
	second.say("m", resource.Endpoint, "u", "v", "w", "x", "y", "z")
	if got := second.code(); got != codes.ResourceExhausted {
		t.Errorf("ended with %s", got)
	}
}

func TestARefusedResponseIsSentAgainWhenAnOperatorSaysSo(t *testing.T) {
	p := newPlane(t, Config{}, cluster("c", 0))
	c := p.client(t, "n")
	c.say("n", resource.Cluster)
	r, err := c.Recv()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Send(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: r.TypeUrl, ResponseNonce: r.Nonce,
		ErrorDetail: &statuspb.Status{Message: "no"}}); err != nil {
		t.Fatal(err)
	}
	c.say("", resource.Endpoint, "unknown") // its answer proves that the refusal was read
	if r := c.hear(); r.TypeUrl != resource.Endpoint.URL() {
		t.Fatalf("the refused response came again by itself: %v", r)
	}
	if !p.server.Resync("n") || p.server.Resync("nobody") {
		t.Error("Resync mistakes who is connected")
	}
	if r := c.hear(); r.TypeUrl != resource.Cluster.URL() || len(r.Resources) != 1 {
		t.Errorf("after Resync: %v", r)
	}
}

func TestCloseEndsStreamsEvenOfClientsThatDoNotRead(t *testing.T) {
	p := newPlane(t, Config{}, layer("l", 0, 1<<20))
	deaf, c := p.client(t, "deaf"), p.client(t, "n")
	for _, typ := range []resource.Type{resource.Runtime, resource.Cluster, resource.Listener, resource.Secret} {
		deaf.say("deaf", typ, "*", "l") // the first answer fills the window, so that a later one is stuck
	}
	for _, typ := range []resource.Type{resource.Cluster, resource.Listener, resource.Secret} {
		c.say("n", typ, "*")
		c.hear()
	}
	p.server.Close() // returns; goleak looks for what is left
	if got := c.code(); got != codes.Unavailable {
		t.Errorf("ended with %s", got)
	}
	late := p.client(t, "late")
	if got := late.code(); got != codes.Unavailable {
		t.Errorf("a stream after Close ended with %s", got)
	}
}

func TestClientsThatComeBackWithTheSameAreAnsweredOnce(t *testing.T) {
	registry := prometheus.NewRegistry()
	var all []proto.Message
	for i := range 2 * fewVersions {
		all = append(all, cluster(fmt.Sprint("c", i), 0))
	}
	p := newPlane(t, Config{Registerer: registry}, all...)
	first := p.client(t, "n")
	first.say("n", resource.Cluster)
	versions := map[string]string{}
	for _, r := range first.hear().Resources {
		versions[r.Name] = r.Version
	}
	back := func(node string) client {
		c := p.client(t, node)
		if err := c.Send(&discoveryv3.DeltaDiscoveryRequest{Node: &corev3.Node{Id: node}, TypeUrl: resource.Cluster.URL(), InitialResourceVersions: versions}); err != nil {
			t.Fatal(err)
		}
		return c
	}
	one, two := back("one"), back("two")
	waitUntil(t, func() bool {
		streams, err := p.server.Inspect(p.ctx)
		return err != nil || len(streams) == 3 && len(streams[1].Types)+len(streams[2].Types) == 2
	})
	p.store.put(t, cluster("c7", 1))
	p.store.commit()
	for _, c := range []client{first, one, two} {
		if r := c.hear(); len(r.Resources) != 1 || r.Resources[0].Name != "c7" {
			t.Errorf("%d resources, want c7 alone, which has changed", len(r.Resources))
		}
	}
	delete(versions, "c8")
	versions["c9"] = "of another server"
	if r := back("three").hear(); len(r.Resources) != 3 {
		t.Errorf("%d resources to one who lacks c8 and has other versions of c7 and c9", len(r.Resources))
	}
}
