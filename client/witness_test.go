package client_test

import (
	"context"
	"maps"
	"sync"
	"testing"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"

	"github.com/deltaplane/deltaplane/client"
)

// witness listens on all streams of a client, and finds what it is sent
// although it has said that it holds it.
type witness struct {
	t     testing.TB
	heard chan int // resources in each response, unless it is nil or full

	mu        sync.Mutex
	resumed   int // resources that clients came back with
	upserts   int // received
	responses int
}

// attach has the witness listen.
func (x *witness) attach(c *client.Config) {
	c.DialOptions = append(c.DialOptions, grpc.WithStreamInterceptor(
		func(ctx context.Context, desc *grpc.StreamDesc, conn *grpc.ClientConn, method string, open grpc.Streamer, o ...grpc.CallOption) (grpc.ClientStream, error) {
			s, err := open(ctx, desc, conn, method, o...)
			return &witnessed{ClientStream: s, witness: x, holds: map[string]string{}}, err
		}))
}

type witnessed struct {
	grpc.ClientStream
	witness *witness
	mu      sync.Mutex
	holds   map[string]string // by the client's own word, and what came since
}

func (s *witnessed) SendMsg(m any) error {
	s.mu.Lock()
	versions := m.(*discoveryv3.DeltaDiscoveryRequest).InitialResourceVersions
	maps.Copy(s.holds, versions)
	s.mu.Unlock()
	s.witness.mu.Lock()
	s.witness.resumed += len(versions)
	s.witness.mu.Unlock()
	return s.ClientStream.SendMsg(m)
}

func (s *witnessed) RecvMsg(m any) error {
	if err := s.ClientStream.RecvMsg(m); err != nil {
		return err
	}
	response := m.(*discoveryv3.DeltaDiscoveryResponse)
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case s.witness.heard <- len(response.Resources):
	default:
	}
	for _, r := range response.Resources {
		if r.Resource == nil {
			continue // a heartbeat
		}
		if s.holds[r.Name] == r.Version {
			s.witness.t.Errorf("%s is sent, which the client holds at that version", r.Name)
		}
		s.holds[r.Name] = r.Version
	}
	for _, name := range response.RemovedResources {
		delete(s.holds, name)
	}
	s.witness.mu.Lock()
	defer s.witness.mu.Unlock()
	s.witness.responses++
	s.witness.upserts += len(response.Resources)
	return nil
}
