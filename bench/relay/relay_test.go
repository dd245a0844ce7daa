package relay

import (
	"encoding/binary"
	"fmt"
	"net"
	"slices"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	statusv3 "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"pgregory.net/rapid"
)

const clusters = "type.googleapis.com/envoy.config.cluster.v3.Cluster"

// plane is a control plane whose responses the test sends.
type plane struct {
	discoveryv3.UnimplementedAggregatedDiscoveryServiceServer
	send chan *discoveryv3.DeltaDiscoveryResponse
	got  chan *discoveryv3.DeltaDiscoveryRequest
}

func (p *plane) DeltaAggregatedResources(stream discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResourcesServer) error {
	for {
		req, err := stream.Recv()
		if err != nil {
			return err
		}
		p.got <- req
		if err := stream.Send(<-p.send); err != nil {
			return err
		}
	}
}

// throughRelay is a client of a plane behind a relay.
func throughRelay(t *testing.T) (*plane, *Relay, discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResourcesClient) {
	t.Helper()
	p := &plane{send: make(chan *discoveryv3.DeltaDiscoveryResponse, 1), got: make(chan *discoveryv3.DeltaDiscoveryRequest, 1)}
	server := grpc.NewServer()
	discoveryv3.RegisterAggregatedDiscoveryServiceServer(server, p)
	listen, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(listen) }()
	t.Cleanup(server.Stop)
	r, err := Listen(t.Context(), listen.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	conn, err := grpc.NewClient(r.Address(), grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(16<<20)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	stream, err := discoveryv3.NewAggregatedDiscoveryServiceClient(conn).DeltaAggregatedResources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return p, r, stream
}

func TestWhatPassesIsDatedBetweenItsSendingAndItsArrival(t *testing.T) {
	p, r, stream := throughRelay(t)
	request := &discoveryv3.DeltaDiscoveryRequest{TypeUrl: clusters, Node: &corev3.Node{Id: "edge-1"}}
	for i, size := range []int{10, 3 << 20, 100_000} {
		if err := stream.Send(request); err != nil {
			t.Fatal(err)
		}
		<-p.got
		before := time.Now()
		nonce := fmt.Sprint("n-", i)
		p.send <- &discoveryv3.DeltaDiscoveryResponse{TypeUrl: clusters, RemovedResources: []string{string(make([]byte, size))}, Nonce: nonce}
		if _, err := stream.Recv(); err != nil {
			t.Fatal(err)
		}
		answered := time.Now()
		request = &discoveryv3.DeltaDiscoveryRequest{TypeUrl: clusters, ResponseNonce: nonce}
		if i == 1 {
			request.ErrorDetail = &statusv3.Status{Code: 3, Message: "too large"}
		}
		if i == 2 {
			continue // never answered
		}
		if err := stream.Send(request); err != nil {
			t.Fatal(err)
		}
		<-p.got
		got := r.Since(before)
		if len(got) != 1 || got[0].Type != clusters || got[0].Refused != (i == 1) {
			t.Fatalf("response %d: %+v", i, got)
		}
		one := got[0]
		if one.Received.Before(before) || one.Passed.Before(one.Received) && !one.Passed.IsZero() || one.Received.After(answered) || one.Answered.Before(answered) || one.Answered.After(time.Now()) {
			t.Errorf("sent after %v, arrived %v, passed %v; answered after %v, that arrived %v", before, one.Received, one.Passed, answered, one.Answered)
		}
		p.send <- &discoveryv3.DeltaDiscoveryResponse{} // for the answer
		if _, err := stream.Recv(); err != nil {
			t.Fatal(err)
		}
	}
	last := r.Since(time.Time{})
	if len(last) != 5 || !last[4].Answered.IsZero() {
		t.Errorf("responses %+v", last)
	}
}

func TestARelayWithoutItsControlPlaneEndsConnections(t *testing.T) {
	listen, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listen.Close()
	r, err := Listen(t.Context(), listen.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", r.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("something is read")
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

// However a connection is cut into frames and pieces, its messages are found.
func TestMessagesAreFoundHoweverTheyAreCut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cut := func(bytes []byte, what string) (parts [][]byte) {
			for len(bytes) > 0 {
				n := rapid.IntRange(1, len(bytes)).Draw(t, what)
				parts, bytes = append(parts, bytes[:n]), bytes[n:]
			}
			return parts
		}
		frame := func(kind, flags byte, stream uint32, content []byte) []byte {
			head := []byte{byte(len(content) >> 16), byte(len(content) >> 8), byte(len(content)), kind, flags}
			return append(binary.BigEndian.AppendUint32(head, stream), content...)
		}
		var want, got []string
		wire := []byte(preface)
		for i := range rapid.IntRange(0, 5).Draw(t, "messages") {
			body := rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "body")
			compressed := rapid.Bool().Draw(t, "compressed")
			head := []byte{0}
			if compressed {
				head[0] = 1
			} else {
				want = append(want, string(body))
			}
			whole := append(binary.BigEndian.AppendUint32(head, uint32(len(body))), body...)
			for _, part := range cut(whole, "frame") {
				wire = append(wire, frame(6, 0, 0, make([]byte, 8))...) // a ping between
				wire = append(wire, frame(frameData, 0, uint32(1+2*(i%2)), part)...)
			}
			wire = append(wire, frame(frameData, 1, 1, nil)...)
		}
		r := &reader{skip: len(preface), found: func(body []byte, _ time.Time) { got = append(got, string(body)) }}
		for _, piece := range cut(wire, "piece") {
			r.take(piece, time.Time{})
		}
		if !slices.Equal(got, want) {
			t.Fatalf("found %q, want %q", got, want)
		}
	})
}

func FuzzAConnectionOfAnyBytesIsRead(f *testing.F) {
	f.Add([]byte(preface))
	f.Fuzz(func(_ *testing.T, wire []byte) {
		r := &reader{found: func(body []byte, _ time.Time) { fields(body, requestFields) }}
		r.take(wire, time.Time{})
		fields(wire, responseFields)
	})
}

func TestOnlyTheNewestResponsesAreKept(t *testing.T) {
	r, at := &Relay{}, time.Now()
	for range 3 * kept {
		r.response(nil, at)
	}
	if n := len(r.Since(at)); n < kept/2 || n > kept {
		t.Errorf("%d responses are kept", n)
	}
}
