package clientstatus

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	statusv3 "github.com/envoyproxy/go-control-plane/envoy/service/status/v3"
	"go.uber.org/goleak"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/fleet"
	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/xds"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// scene is a control plane with its status service, and a connection to both.
type scene struct {
	t         *testing.T
	ctx       context.Context
	conn      *grpc.ClientConn
	status    *Server
	publisher deltaplane.Publisher
	tree      radix.Tree[*deltaplane.Entry]
	version   deltaplane.Version
}

func newScene(t *testing.T, cfg Config) *scene {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	s := &scene{t: t, ctx: ctx}
	s.commit()
	known := fleet.New(fleet.Config{})
	streams := xds.NewServer(&s.publisher, xds.Config{Observer: known})
	cfg.Streams, cfg.Fleet = streams, known
	s.status = New(cfg)
	listen, server := bufconn.Listen(1<<20), grpc.NewServer(streams.GRPCOptions()...)
	streams.Register(server)
	s.status.Register(server)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listen) }()
	conn, err := grpc.NewClient("passthrough:///plane", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listen.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	s.conn = conn
	t.Cleanup(func() {
		cancel()
		s.status.Close()
		streams.Close()
		conn.Close()
		server.Stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return s
}

// commit publishes a version with these resources added.
func (s *scene) commit(messages ...proto.Message) {
	s.t.Helper()
	for _, m := range messages {
		r, err := resource.New(m)
		if err != nil {
			s.t.Fatal(err)
		}
		key := deltaplane.Key{Namespace: deltaplane.DefaultNamespace, Type: r.Type(), Name: r.Name()}
		s.tree = s.tree.Put(key.Path(), &deltaplane.Entry{Resource: r})
	}
	s.version++
	s.publisher.Publish(deltaplane.NewSnapshot(s.version, time.Now(), s.tree))
}

// cluster is one whose content differs with seconds.
func cluster(name string, seconds int) proto.Message {
	return &clusterv3.Cluster{Name: name, ConnectTimeout: durationpb.New(time.Duration(seconds) * time.Second)}
}

// proxy is a client on delta ADS.
type proxy struct {
	s      *scene
	stream discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResourcesClient
}

// connect subscribes to everything of a type.
func (s *scene) connect(node string, t resource.Type, names ...string) *proxy {
	s.t.Helper()
	stream, err := discoveryv3.NewAggregatedDiscoveryServiceClient(s.conn).DeltaAggregatedResources(s.ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	p := &proxy{s, stream}
	metadata, err := structpb.NewStruct(map[string]any{"tier": "front", "weight": 3})
	if err != nil {
		s.t.Fatal(err)
	}
	p.send(&discoveryv3.DeltaDiscoveryRequest{
		Node: &corev3.Node{Id: node, Metadata: metadata}, TypeUrl: t.URL(), ResourceNamesSubscribe: names,
	})
	return p
}

func (p *proxy) send(q *discoveryv3.DeltaDiscoveryRequest) {
	p.s.t.Helper()
	if err := p.stream.Send(q); err != nil {
		p.s.t.Fatal(err)
	}
}

func (p *proxy) receive() *discoveryv3.DeltaDiscoveryResponse {
	p.s.t.Helper()
	response, err := p.stream.Recv()
	if err != nil {
		p.s.t.Fatal(err)
	}
	return response
}

// answer accepts a response, or refuses it with a reason.
func (p *proxy) answer(r *discoveryv3.DeltaDiscoveryResponse, reason string) {
	p.s.t.Helper()
	q := &discoveryv3.DeltaDiscoveryRequest{TypeUrl: r.TypeUrl, ResponseNonce: r.Nonce}
	if reason != "" {
		q.ErrorDetail = &rpcstatus.Status{Code: 3, Message: reason}
	}
	p.send(q)
}

// fetch asks once.
func (s *scene) fetch(q *statusv3.ClientStatusRequest) *statusv3.ClientStatusResponse {
	s.t.Helper()
	response, err := statusv3.NewClientStatusDiscoveryServiceClient(s.conn).FetchClientStatus(s.ctx, q)
	if err != nil {
		s.t.Fatal(err)
	}
	return response
}

// expect waits until what the nodes hold reads like this: "node type name
// STATUS" for each resource.
func (s *scene) expect(want ...string) *statusv3.ClientStatusResponse {
	s.t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		response := s.fetch(&statusv3.ClientStatusRequest{})
		got := lines(response)
		if fmt.Sprint(got) == fmt.Sprint(want) {
			return response
		}
		select {
		case <-tick.C:
		case <-s.ctx.Done():
			s.t.Fatalf("status is %q, want %q", got, want)
		}
	}
}

func lines(response *statusv3.ClientStatusResponse) []string {
	var all []string
	for _, c := range response.Config {
		for _, x := range c.GenericXdsConfigs {
			all = append(all, fmt.Sprintf("%s %s %s %s", c.Node.Id, resource.TypeOfURL(x.TypeUrl).Short(), x.Name, x.ConfigStatus))
		}
	}
	return all
}
