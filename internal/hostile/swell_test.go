package hostile

import (
	"bytes"
	"testing"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/deltaplane/deltaplane/resource"
)

// swollen opens streams, says the same on all of them, and expects each to end
// with a code. They are on one connection, unless all that they say together
// takes more than there is room for.
func (s *siege) swollen(streams int, method string, message payload, want codes.Code, options ...grpc.CallOption) {
	s.Helper()
	conn := s.connect()
	all := make([]*talk, streams)
	sent := make(chan error, streams)
	for i := range all {
		if i > 0 && i*len(message) > 32<<20 {
			conn = s.connect()
		}
		go func(conn *grpc.ClientConn) {
			var err error
			all[i], err = s.open(s.Context(), conn, method, options, message)
			sent <- err
		}(conn)
	}
	for range all {
		if err := <-sent; err != nil {
			s.Fatal(err)
		}
	}
	for _, t := range all {
		s.ends(t, &discoveryv3.DeltaDiscoveryResponse{}, want)
	}
}

// What is small on the wire and large in memory: a compressed message, and
// one of nothing but empty parts.
func TestWhatSwellsInMemoryIsRefused(t *testing.T) {
	s := besiege(t)
	s.under("compressed zeros", 512, func(s *siege) {
		s.swollen(500, delta, squeezed(s.T, 32<<20), codes.Unimplemented, grpc.UseCompressor(squeezer))
	})
	s.under("compressed zeros in a call", 512, func(s *siege) {
		conn, message := s.connect(), squeezed(s.T, 32<<20)
		ended := make(chan error, 500)
		for range cap(ended) {
			go func() {
				ended <- conn.Invoke(s.Context(), "/envoy.service.status.v3.ClientStatusDiscoveryService/FetchClientStatus",
					message, &discoveryv3.DeltaDiscoveryResponse{}, grpc.UseCompressor(squeezer))
			}()
		}
		for range cap(ended) {
			if err := <-ended; status.Code(err) != codes.Internal {
				s.Errorf("the call ended with %v, want Internal", err)
			}
		}
	})
	url := field(fieldTypeURL, []byte(resource.Cluster.URL()))
	s.under("a million versions of nothing", 512, func(s *siege) {
		var message []byte
		for _, name := range many(1_000_000) {
			message = append(message, field(5, append(field(1, []byte(name)), field(2, []byte("1"))...))...)
		}
		s.swollen(10, delta, append(message, url...), codes.ResourceExhausted)
	})
	s.under("millions of empty extensions", 512, func(s *siege) {
		node := bytes.Repeat(field(9, nil), 8<<20)
		s.swollen(10, delta, append(field(fieldNode, node), url...), codes.ResourceExhausted)
	})
	s.under("millions of empty names", 512, func(s *siege) {
		s.swollen(10, delta, append(bytes.Repeat(field(fieldSubscribe, nil), 8<<20), url...), codes.ResourceExhausted)
	})
	s.under("millions of empty reports", 512, func(s *siege) {
		s.swollen(10, "/envoy.service.load_stats.v3.LoadReportingService/StreamLoadStats",
			bytes.Repeat(field(2, nil), 8<<20), codes.ResourceExhausted)
	})
}
