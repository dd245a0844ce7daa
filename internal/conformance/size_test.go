package conformance

import (
	"fmt"
	"testing"

	"google.golang.org/grpc"

	"github.com/deltaplane/deltaplane/resource"
)

const (
	grpcLimit = 4 << 20 // what a gRPC client takes by default
	padding   = 100 << 10
	bulky     = 60 // resources: 6 MB together
)

// bulk are resources which together exceed the limit, and their names.
func bulk(typ resource.Type) (specs []Spec, names []string) {
	for i := range bulky {
		name := fmt.Sprintf("bulk-%02d", i)
		names = append(names, name)
		specs = append(specs, Spec{Namespace: "default", Type: typ, Name: name, Content: 1, Padding: padding})
	}
	return specs, names
}

func TestAResponseAboveTheClientsLimitIsSplit(t *testing.T) {
	for _, v := range Variants {
		typ := resource.Cluster
		if !v.Delta {
			typ = resource.Runtime // clusters must come all at once
		}
		t.Run(v.String(), func(t *testing.T) {
			specs, names := bulk(typ)
			s := newScene(t, v, func(w *World) error { return w.Commit(specs, nil) })
			s.must(s.client.Subscribe(t.Context(), typ, names...))
			for len(s.client.Held(typ)) < bulky {
				r := s.accept(s.client, typ)
				if r.Size > grpcLimit || len(r.Resources) == 0 {
					t.Fatalf("a response of %d bytes and %d resources", r.Size, len(r.Resources))
				}
			}
			s.must(s.client.Barrier(t.Context(), s.world))
		})
	}
}

// "the server must include the complete state of the world": clusters cannot
// be split, and a client must be set up to take them.
func TestAFullStateIsNeverSplit(t *testing.T) {
	specs, _ := bulk(resource.Cluster)
	s := newScene(t, Variant{Aggregated: true}, func(w *World) error { return w.Commit(specs, nil) })
	server, err := s.world.Server("cp-1")
	s.must(err)
	conn, err := server.Dial(grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64 << 20)))
	s.must(err)
	defer conn.Close()
	s.client.Connect(conn)
	defer s.client.Close()
	s.must(s.client.Subscribe(t.Context(), resource.Cluster))
	if r := s.accept(s.client, resource.Cluster); len(r.Resources) != bulky {
		t.Errorf("%d of %d clusters came", len(r.Resources), bulky)
	}
}
