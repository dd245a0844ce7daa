package cost

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/deltaplane/deltaplane/xds"
)

// held is what the process holds, on its heap and in stacks.
func held() int64 {
	for range 6 { // pools need two to let go, and a stack is halved by one
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// stock is the node message of a stock Envoy: 61 KB, most of it the names of
// 516 extensions.
func stock(id string) *corev3.Node {
	n := envoy(id)
	n.Locality = &corev3.Locality{Region: "eu", Zone: "eu-1"}
	n.Metadata = &structpb.Struct{Fields: map[string]*structpb.Value{"app": structpb.NewStringValue("edge")}}
	n.UserAgentVersionType = &corev3.Node_UserAgentBuildVersion{UserAgentBuildVersion: &corev3.BuildVersion{
		Version: &typev3.SemanticVersion{MajorNumber: 1, MinorNumber: 40}}}
	for i := range 516 {
		n.Extensions = append(n.Extensions, &corev3.Extension{
			Category: "envoy.filters.http", Name: fmt.Sprintf("envoy.filters.http.some_filter_%d", i),
			TypeUrls: []string{fmt.Sprintf("envoy.extensions.filters.http.some_filter_%d.v3.%s", i, strings.Repeat("x", 10))},
		})
	}
	n.ClientFeatures = []string{"envoy.lb.does_not_support_overprovisioning", "xds.config.resource-in-sotw"}
	return n
}

// bare is a server of gRPC alone: it answers the first request for each type.
type bare struct {
	discoveryv3.UnimplementedAggregatedDiscoveryServiceServer
	events *events
	answer string
}

func (b bare) DeltaAggregatedResources(g discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResourcesServer) error {
	for {
		q, err := g.Recv()
		switch {
		case err != nil:
			return err
		case q.GetResponseNonce() != "":
			b.events.count(xds.Acked)
		default:
			err = g.Send(&discoveryv3.DeltaDiscoveryResponse{TypeUrl: q.GetTypeUrl(), Nonce: "1", SystemVersionInfo: b.answer})
		}
		if err != nil {
			return err
		}
	}
}

// perStream is how much each of many idle streams holds, of w's kind, on both
// of its ends.
func (w *world) perStream(node func(id string) *corev3.Node) int64 {
	w.t.Helper()
	const warm, streams = 20, 300
	requests := func(id string) (list []*discoveryv3.DeltaDiscoveryRequest) {
		for i, t := range fourTypes {
			q := &discoveryv3.DeltaDiscoveryRequest{TypeUrl: t.URL()}
			if i == 0 {
				q.Node = node(id)
			}
			list = append(list, q)
		}
		return list
	}
	w.join(warm, len(fourTypes), requests)
	before := held()
	w.join(streams, len(fourTypes), requests)
	return (held() - before) / streams
}

// idleWorlds are what an idle stream is measured in.
var idleWorlds = map[string]func(t *testing.T) *world{
	"gRPC alone": func(t *testing.T) *world {
		w := &world{t: t, events: events{there: make(chan struct{}, 1)}}
		rpc := grpc.NewServer(grpc.StaticStreamWindowSize(64<<10), grpc.StaticConnWindowSize(1<<20))
		discoveryv3.RegisterAggregatedDiscoveryServiceServer(rpc, bare{events: &w.events, answer: strings.Repeat("x", 50_000)})
		w.address = serve(t, rpc)
		t.Cleanup(w.disconnect)
		return w
	},
	"100 resources":   func(t *testing.T) *world { return newWorld(t, xds.Config{}, mixture(100)...) },
	"2,000 resources": func(t *testing.T) *world { return newWorld(t, xds.Config{}, mixture(2000)...) },
}

// idleWorld in the environment has the test measure in that world and print
// the figure.
const idleWorld, idleFigure = "COST_IDLE_WORLD", "bytes for each idle stream: "

// inProcessOfItsOwn is perStream in a world: stacks fit into what other tests
// have left of theirs, and would seem to cost nothing.
func inProcessOfItsOwn(t *testing.T, name string) int64 {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), idleWorld+"="+name)
	output, err := cmd.CombinedOutput()
	_, figure, ok := strings.Cut(string(output), idleFigure)
	figure, _, _ = strings.Cut(figure, "\n")
	bytes, wrong := strconv.ParseInt(figure, 10, 64)
	if err != nil || !ok || wrong != nil {
		t.Fatalf("%s: %v\n%s", name, err, output)
	}
	return bytes
}

func TestAnIdleNodeThatSharesAViewCostsLittleBesideGRPC(t *testing.T) {
	if made := idleWorlds[os.Getenv(idleWorld)]; made != nil {
		fmt.Printf("%s%d\n", idleFigure, made(t).perStream(stock))
		return
	}
	const most = 14 << 10 // 16 KB are promised; a stack that grows by a size takes 4
	floor := inProcessOfItsOwn(t, "gRPC alone")
	for _, name := range []string{"100 resources", "2,000 resources"} {
		got := inProcessOfItsOwn(t, name)
		t.Logf("%s: a stream holds %d bytes, gRPC alone %d", name, got, floor)
		if got-floor > most {
			t.Errorf("%s: %d bytes of ours for each stream, want at most %d", name, got-floor, most)
		}
	}
}
