package fleet_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/fleet"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/xds"
)

// served is a real xDS server that a fleet observes, and one client of it.
type served struct {
	*fleet.Fleet
	publisher deltaplane.Publisher
	stream    discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResourcesClient
}

func serve(t *testing.T) *served {
	s := &served{}
	s.Fleet = fleet.New(fleet.Config{Latest: func() deltaplane.Version { return s.publisher.Latest().Version() }})
	server := xds.NewServer(&s.publisher, xds.Config{Observer: s.Fleet})
	g := grpc.NewServer(server.GRPCOptions()...)
	server.Register(g)
	listener := bufconn.Listen(1 << 20)
	served := make(chan error, 1)
	go func() { served <- g.Serve(listener) }()
	conn, err := grpc.NewClient("passthrough:///xds", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(func() {
		cancel()
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
		server.Close()
		g.Stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	if s.stream, err = discoveryv3.NewAggregatedDiscoveryServiceClient(conn).DeltaAggregatedResources(ctx); err != nil {
		t.Fatal(err)
	}
	return s
}

// commit publishes one cluster with a timeout, as version v.
func (s *served) commit(t *testing.T, v deltaplane.Version, timeout time.Duration) {
	r, err := resource.New(&clusterv3.Cluster{Name: "pay", ConnectTimeout: durationpb.New(timeout)})
	if err != nil {
		t.Fatal(err)
	}
	k := deltaplane.Key{Namespace: deltaplane.DefaultNamespace, Type: resource.Cluster, Name: "pay"}
	tree := s.publisher.Latest().Tree().Put(k.Path(), &deltaplane.Entry{Resource: r, Owner: "cli", Since: v})
	s.publisher.Publish(deltaplane.NewSnapshot(v, time.Now(), tree))
}

func (s *served) send(t *testing.T, r *discoveryv3.DeltaDiscoveryRequest) {
	if err := s.stream.Send(r); err != nil {
		t.Fatal(err)
	}
}

// receive is the next response. It must be of one type.
func (s *served) receive(t *testing.T, typ resource.Type) (nonce string) {
	r, err := s.stream.Recv()
	if err != nil {
		t.Fatal(err)
	}
	if r.TypeUrl != typ.URL() {
		t.Fatalf("a response of type %s, want %s", r.TypeUrl, typ)
	}
	return r.Nonce
}

func (s *served) answer(t *testing.T, typ resource.Type, nonce string, refusal *status.Status) {
	s.send(t, &discoveryv3.DeltaDiscoveryRequest{TypeUrl: typ.URL(), ResponseNonce: nonce, ErrorDetail: refusal})
}

func TestWaitFollowsARealServer(t *testing.T) {
	s := serve(t)
	s.commit(t, 1, time.Second)
	const cds, lds = resource.Cluster, resource.Listener
	for _, typ := range []resource.Type{cds, lds} {
		s.send(t, &discoveryv3.DeltaDiscoveryRequest{Node: &corev3.Node{Id: "edge-1"}, TypeUrl: typ.URL()})
		s.answer(t, typ, s.receive(t, typ), nil)
	}
	if late, err := s.Wait(s.stream.Context(), 1); err != nil {
		t.Fatalf("the first version is not held: %v, %+v", err, late)
	}

	s.commit(t, 2, 2*time.Second)
	nonce := s.receive(t, cds)
	result := make(chan error, 1)
	go func() {
		_, err := s.Wait(s.stream.Context(), 2)
		result <- err
	}()
	if st, _ := s.Node("edge-1"); st.State != fleet.Behind || st.Types[0].Sent != 2 {
		t.Errorf("with a response in flight: %+v", st)
	}
	s.answer(t, cds, nonce, nil)
	if err := <-result; err != nil {
		t.Fatalf("the second version is not held: %v", err)
	}
	if st, _ := s.Node("edge-1"); st.State != fleet.InSync || st.Version != 2 {
		t.Errorf("after the acknowledgement: %+v", st)
	}

	s.commit(t, 3, 3*time.Second)
	s.answer(t, cds, s.receive(t, cds), &status.Status{Message: "connect_timeout: too long"})
	late, err := s.Wait(s.stream.Context(), 3)
	if !errors.Is(err, fleet.ErrRefused) || len(late) != 1 || late[0].Types[0].Refusal.Detail != "connect_timeout: too long" {
		t.Fatalf("a refused version: %v, %+v", err, late)
	}

	s.commit(t, 4, 2*time.Second)
	s.answer(t, cds, s.receive(t, cds), nil)
	if late, err := s.Wait(s.stream.Context(), 4); err != nil {
		t.Fatalf("the fixed version is not held: %v, %+v", err, late)
	}
}
