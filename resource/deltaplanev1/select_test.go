package deltaplanev1

import (
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/types/known/structpb"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestFleetSelectsNodesByAllThatIsGiven(t *testing.T) {
	metadata, err := structpb.NewStruct(map[string]any{
		"app": "pay", "weight": 3, "canary": true,
		"labels": map[string]any{"tier": "edge", "topology.io/zone": "z1"}, "list": []any{"x"},
	})
	if err != nil {
		t.Fatal(err)
	}
	node := &corev3.Node{
		Id: "edge-7", Cluster: "gateway", Metadata: metadata,
		Locality: &corev3.Locality{Region: "eu", Zone: "eu-1", SubZone: "a"},
	}
	for name, c := range map[string]struct {
		fleet *Fleet
		want  bool
	}{
		"no selector":           {&Fleet{}, false},
		"the empty selector":    {one(&Selector{}), true},
		"an exact id":           {one(&Selector{NodeIds: []string{"x", "edge-7"}}), true},
		"a prefix":              {one(&Selector{NodeIds: []string{"edge-*"}}), true},
		"every id":              {one(&Selector{NodeIds: []string{"*"}}), true},
		"another prefix":        {one(&Selector{NodeIds: []string{"core-*"}}), false},
		"a prefix is no infix":  {one(&Selector{NodeIds: []string{"dge-*"}}), false},
		"id and cluster":        {one(&Selector{NodeIds: []string{"edge-*"}, Clusters: []string{"gateway"}}), true},
		"id but not cluster":    {one(&Selector{NodeIds: []string{"edge-*"}, Clusters: []string{"sidecar"}}), false},
		"any selector":          {&Fleet{Selectors: []*Selector{{Clusters: []string{"x"}}, {Clusters: []string{"gate*"}}}}, true},
		"part of the locality":  {one(&Selector{Locality: &Locality{Zone: "eu-1"}}), true},
		"another sub-zone":      {one(&Selector{Locality: &Locality{Zone: "eu-1", SubZone: "b"}}), false},
		"metadata":              {one(&Selector{Metadata: map[string]string{"app": "pay", "labels.tier": "edge"}}), true},
		"a number and a bool":   {one(&Selector{Metadata: map[string]string{"weight": "3", "canary": "true"}}), true},
		"a field name of dots":  {one(&Selector{Metadata: map[string]string{"labels.topology.io/zone": "z1"}}), true},
		"other metadata":        {one(&Selector{Metadata: map[string]string{"app": "pay", "labels.tier": "core"}}), false},
		"metadata not there":    {one(&Selector{Metadata: map[string]string{"labels.none": ""}}), false},
		"metadata that is list": {one(&Selector{Metadata: map[string]string{"list": "x"}}), false},
	} {
		if got := c.fleet.Selects(node); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if one(&Selector{NodeIds: []string{"x"}}).Selects(nil) || !one(&Selector{}).Selects(nil) {
		t.Error("a node that says nothing of itself")
	}
}

func one(s *Selector) *Fleet { return &Fleet{Selectors: []*Selector{s}} }
