package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/api"
	"github.com/deltaplane/deltaplane/shape"
)

func TestAShapeSaysWhoseItIsAndWhatOtherFleetsHave(t *testing.T) {
	var out bytes.Buffer
	term := &terminal{out: &out, err: &out}
	term.printShape(api.Shape{TableShape: deltaplane.TableShape{
		Explanation: shape.Explanation{Table: "gateway", By: "host", Shards: []shape.Shard{{ID: 7}}},
		Fleet:       "edge",
		Fleets: []deltaplane.FleetShape{
			{Fleet: "core", Shards: 64, By: "best", Duplication: 2, Retired: 9},
			{Fleet: "edge", Shards: 8, By: "host", Duplication: 1.5, Parts: 1},
		},
	}})
	for _, want := range []string{
		"fleet core has it as written, and 9 that drain\n",
		"fleet edge has 1 part, as it asks for 8 by host with duplication 1.5; this is what follows\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}
