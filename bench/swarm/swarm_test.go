package swarm_test

import (
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/deltaplane/deltaplane/bench/swarm"
	"github.com/deltaplane/deltaplane/bench/swarm/fixture"
)

// plane is a control plane of a few lines, on grpc-go: it sends everything to
// streams that hold nothing, and what is pushed to all.
type plane struct {
	discoveryv3.UnimplementedAggregatedDiscoveryServiceServer
	set     fixture.Set
	address string

	mu      sync.Mutex // guards what follows
	streams map[grpc.BidiStreamingServer[discoveryv3.DeltaDiscoveryRequest, discoveryv3.DeltaDiscoveryResponse]]bool
	hellos  []*discoveryv3.DeltaDiscoveryRequest // first requests of streams
	held    int                                  // initial_resource_versions in all
	named   int                                  // names asked for in all
	acks    chan string                          // nonces, but of what answers a subscription
	ready   chan struct{}                        // one for each stream that has asked for all
	refuse  error                                // of each stream
}

func servePlane(t *testing.T, resources int) *plane {
	t.Helper()
	p := &plane{
		set: fixture.New(resources), acks: make(chan string, 1000), ready: make(chan struct{}, 1000),
		streams: map[grpc.BidiStreamingServer[discoveryv3.DeltaDiscoveryRequest, discoveryv3.DeltaDiscoveryResponse]]bool{},
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.address = l.Addr().String()
	server := grpc.NewServer(grpc.MaxRecvMsgSize(64 << 20))
	discoveryv3.RegisterAggregatedDiscoveryServiceServer(server, p)
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	t.Cleanup(func() {
		server.Stop()
		<-served
	})
	return p
}

func (p *plane) DeltaAggregatedResources(stream grpc.BidiStreamingServer[discoveryv3.DeltaDiscoveryRequest, discoveryv3.DeltaDiscoveryResponse]) error {
	if p.refuse != nil {
		return p.refuse
	}
	defer func() {
		p.mu.Lock()
		delete(p.streams, stream)
		p.mu.Unlock()
	}()
	asked := 0
	for {
		r, err := stream.Recv()
		if err != nil {
			return err
		}
		if r.ResponseNonce != "" {
			if r.ResponseNonce != "hello" {
				p.acks <- r.ResponseNonce
			}
			continue
		}
		p.mu.Lock()
		if r.Node != nil {
			p.hellos = append(p.hellos, r)
		}
		p.held, p.named = p.held+len(r.InitialResourceVersions), p.named+len(r.ResourceNamesSubscribe)
		if asked++; asked == int(fixture.Kinds) {
			p.streams[stream] = true
			p.ready <- struct{}{}
		}
		k, _ := fixture.KindOf(r.TypeUrl)
		answer := &discoveryv3.DeltaDiscoveryResponse{TypeUrl: r.TypeUrl, Nonce: "hello"}
		for i := range p.set[k] {
			answer.Resources = append(answer.Resources, p.resource(k, i, 0))
		}
		if len(r.InitialResourceVersions) == 0 {
			err = stream.Send(answer)
		}
		p.mu.Unlock()
		if err != nil {
			return err
		}
	}
}

func (p *plane) resource(k fixture.Kind, i, change int) *discoveryv3.Resource {
	return &discoveryv3.Resource{Name: p.set.Name(k, i), Version: "v1", Resource: p.set.Any(k, i, change)}
}

// push sends changes of one kind, in one response, to all streams.
func (p *plane) push(t *testing.T, nonce string, k fixture.Kind, changes ...int) {
	t.Helper()
	r := &discoveryv3.DeltaDiscoveryResponse{TypeUrl: k.TypeURL(), Nonce: nonce}
	for i, change := range changes {
		r.Resources = append(r.Resources, p.resource(k, i, change))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for stream := range p.streams {
		if err := stream.Send(r); err != nil {
			t.Error(err)
		}
	}
}

const proxies = 5

// closed closes a swarm in which nothing should have gone wrong.
func closed(t *testing.T, s *swarm.Swarm) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestEachChangeIsDatedAtEachProxyAndAcknowledged(t *testing.T) {
	p := servePlane(t, 2000) // more than fits into a frame, or into HTTP/2's first windows
	s := swarm.Open(t.Context(), swarm.Config{Address: p.address, Proxies: proxies, Expect: p.set, Extensions: 516})
	defer closed(t, s)
	full, err := s.WaitFull(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if n := s.Traffic().Resources; n != int64(proxies*p.set.Len()) || full.Before(s.Began()) {
		t.Errorf("received %d resources until %v, want %d", n, full, proxies*p.set.Len())
	}
	sent := time.Now()
	one, two := s.Expect(fixture.Route, 1, proxies), s.Expect(fixture.Route, 2, proxies)
	other := s.Expect(fixture.Cluster, 3, proxies)
	p.push(t, "merged", fixture.Route, 2, 1) // two changes in one response
	for _, a := range []*swarm.Arrivals{one, two} {
		if err := s.Wait(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		if times := a.Times(sent); len(times) != proxies || times[0] <= 0 || times[0] > times[proxies-1] {
			t.Errorf("arrived at %v", times)
		}
	}
	if other.Left() != proxies {
		t.Errorf("a change of another kind has reached %d proxies", proxies-other.Left())
	}
	for range proxies {
		if nonce := <-p.acks; nonce != "merged" {
			t.Errorf("%q is acknowledged", nonce)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.hellos) != proxies || len(p.hellos[0].Node.Extensions) != 516 || !strings.HasPrefix(p.hellos[0].Node.Id, "node-0000") {
		t.Errorf("%d proxies said hello, the first with %.200v", len(p.hellos), p.hellos[0].Node)
	}
}

func TestProxiesThatHoldEverythingComeBackWithItAndGetNothing(t *testing.T) {
	p := servePlane(t, 3000)
	cfg := swarm.Config{Address: p.address, Proxies: proxies, Expect: p.set}
	held, err := swarm.Hold(t.Context(), cfg)
	if err != nil || held.Len() != p.set.Len() {
		t.Fatalf("holds %d resources, error %v; want %d", held.Len(), err, p.set.Len())
	}
	cfg.Held, cfg.ByName = held, true
	s := swarm.Open(t.Context(), cfg)
	defer closed(t, s)
	if _, err := s.WaitTold(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range proxies {
		<-p.ready
	}
	a := s.Expect(fixture.Listener, 1, proxies)
	p.push(t, "change", fixture.Listener, 1)
	if err := s.Wait(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	if got := s.Traffic(); got.Resources != proxies || got.Responses != proxies {
		t.Errorf("%+v is more than the change", got)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if named := proxies * (p.set[fixture.Endpoint] + p.set[fixture.Route]); p.held != proxies*p.set.Len() || p.named != named {
		t.Errorf("%d versions and %d names were sent, want %d and %d", p.held, p.named, proxies*p.set.Len(), named)
	}
}

func TestAStreamThatTheServerEndsEndsTheSwarm(t *testing.T) {
	p := servePlane(t, fixture.Least)
	p.refuse = status.Error(codes.PermissionDenied, "no such node")
	s := swarm.Open(t.Context(), swarm.Config{Address: p.address, Proxies: proxies, Expect: p.set})
	if _, err := s.WaitFull(t.Context()); err == nil || !strings.Contains(err.Error(), "no such node") {
		t.Errorf("error is %v", err)
	}
	if err := s.Close(); err == nil {
		t.Error("the swarm closes without an error")
	}
}
