package shapefuzz

import (
	"flag"
	"testing"
)

var searchCount = flag.Int("searched", searched, "how many tables the model looks at")

// The model is fast: it looks at more tables and requests than an Envoy can.
func TestTheModelRoutesByLeavesAsByTheWholeTable(t *testing.T) {
	compared := 0
	for seed := range uint64(*searchCount) {
		c, err := NewCase(seed)
		if err != nil {
			t.Fatal(err)
		}
		n, err := c.Search(2000)
		if err != nil {
			t.Fatal(err)
		}
		compared += n
	}
	if compared < *searchCount*1500 {
		t.Errorf("only %d requests were compared", compared)
	}
}
