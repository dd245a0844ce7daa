package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"

	"github.com/deltaplane/deltaplane/client"
)

func TestAFloorSendsNothingButChangesToWhoSaysWhatItHas(t *testing.T) {
	s := startProcess(t, "floor")
	s.ask(http.StatusNoContent, "PUT", "/resources", world()...)
	p := dialDelta(t, s.at.XDS, "back-again")
	for _, typeURL := range servedTypes {
		r := &discoveryv3.DeltaDiscoveryRequest{TypeUrl: typeURL, InitialResourceVersions: map[string]string{"a": "1", "b": "1"}}
		if err := p.stream.Send(r); err != nil {
			t.Fatal(err)
		}
	}
	// A request of an unknown type is answered, so what comes before it has been read.
	if err := p.stream.Send(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: "last"}); err != nil {
		t.Fatal(err)
	}
	if a, err := p.next(); err != nil || a.typeURL != "last" {
		t.Fatalf("%q arrived (%v), want nothing before the last answer", a.typeURL, err)
	}
	s.change([]proxy{p}, 2, []string{"b"}, nil, nil)
}

func TestAFloorReadsOfARequestWhatItNeeds(t *testing.T) {
	node, versions := &corev3.Node{Id: "n"}, map[string]string{"a": "1", "b": "2"}
	for _, c := range []struct {
		message *discoveryv3.DeltaDiscoveryRequest
		want    request
	}{
		{&discoveryv3.DeltaDiscoveryRequest{}, request{}},
		{&discoveryv3.DeltaDiscoveryRequest{Node: node, TypeUrl: servedTypes[1]}, request{typeURL: servedTypes[1]}},
		{&discoveryv3.DeltaDiscoveryRequest{Node: node, TypeUrl: "other", ResponseNonce: "7"}, request{typeURL: "other", acknowledges: true}},
		{&discoveryv3.DeltaDiscoveryRequest{TypeUrl: servedTypes[0], InitialResourceVersions: versions, ResponseNonce: "7"}, request{servedTypes[0], true, 2}},
	} {
		b, err := proto.Marshal(c.message)
		if err != nil {
			t.Fatal(err)
		}
		for cut := range len(b) + 1 { // in one buffer and in two
			var got request
			data := mem.BufferSlice{mem.SliceBuffer(b[:cut]), mem.SliceBuffer(b[cut:])}
			if err := newFloorCodec().Unmarshal(data, &got); err != nil || got != c.want {
				t.Errorf("%v is read as %+v (%v), want %+v", c.message, got, err, c.want)
			}
		}
		for cut := range len(b) { // input never panics
			var got request
			_ = newFloorCodec().Unmarshal(mem.BufferSlice{mem.SliceBuffer(b[:cut])}, &got)
		}
	}
}

func TestARealClientFollowsTheFloor(t *testing.T) {
	s := startProcess(t, "floor")
	s.ask(http.StatusNoContent, "PUT", "/resources", world()...)
	c, err := client.New(client.Config{Targets: []string{s.at.XDS}, Node: &corev3.Node{Id: "real"}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	src, err := c.Aggregated(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	for u, err := range client.Watch[*clusterv3.Cluster](ctx, src) {
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range u.Resources {
			seen = append(seen, fmt.Sprint(r.Name, r.Message.ConnectTimeout.GetSeconds()))
		}
		if seen = append(seen, u.Removed...); len(seen) == 2 {
			s.ask(http.StatusOK, "POST", "/change?remove="+servedTypes[0]+"/a", cluster("b", 2))
		}
		if len(seen) >= 4 {
			break
		}
	}
	if want := []string{"a1", "b1", "b2", "a"}; !slices.Equal(seen, want) {
		t.Errorf("the client saw %q, want %q", seen, want)
	}
}
