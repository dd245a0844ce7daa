package fleet_test

import (
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"go.uber.org/goleak"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/fleet"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/xds"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start is when scenes begin.
var start = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

// scene tells a fleet what streams do. Its clock moves by a second per event.
type scene struct {
	*fleet.Fleet
	now  time.Time
	next uint64
}

func newScene(cfg fleet.Config) *scene { return &scene{Fleet: fleet.New(cfg), now: start} }

func (s *scene) tell(e xds.Event) {
	s.now = s.now.Add(time.Second)
	e.Time = s.now
	s.Observe(e)
}

// open is a new aggregated delta stream of a node, subscribed by wildcard.
func (s *scene) open(node string, types ...resource.Type) uint64 {
	s.next++
	s.tell(xds.Event{Kind: xds.Opened, Stream: s.next, ADS: true, Delta: true, Peer: "192.0.2.1:4711", Node: &corev3.Node{
		Id: node, Cluster: "edge", UserAgentName: "envoy",
		UserAgentVersionType: &corev3.Node_UserAgentBuildVersion{UserAgentBuildVersion: &corev3.BuildVersion{
			Version: &typev3.SemanticVersion{MajorNumber: 1, MinorNumber: 40},
		}},
	}})
	for _, t := range types {
		s.tell(xds.Event{Kind: xds.Subscribed, Stream: s.next, Type: t, Wildcard: true})
	}
	return s.next
}

func (s *scene) does(stream uint64, k xds.Kind, t resource.Type, v deltaplane.Version) {
	s.tell(xds.Event{Kind: k, Stream: stream, Type: t, Version: v, Bytes: 100})
}

// arrives is an acknowledgement after which nothing is left to send.
func (s *scene) arrives(stream uint64, t resource.Type, v deltaplane.Version) {
	s.does(stream, xds.Acked, t, v)
	s.does(stream, xds.Current, t, v)
}

func (s *scene) close(stream uint64) { s.tell(xds.Event{Kind: xds.Closed, Stream: stream}) }

func (s *scene) refuse(stream uint64, t resource.Type, v deltaplane.Version, detail string, names ...string) {
	s.tell(xds.Event{Kind: xds.Refused, Stream: stream, Type: t, Version: v, Detail: detail, Resources: names})
}

// status of a node that must be known.
func (s *scene) status(t *testing.T, node string) fleet.NodeStatus {
	t.Helper()
	st, ok := s.Node(node)
	if !ok {
		t.Fatalf("node %q is not known", node)
	}
	return st
}
