package shapefuzz

import "testing"

// The model is fast: it looks at more tables and requests than an Envoy can.
func TestTheModelRoutesByLeavesAsByTheWholeTable(t *testing.T) {
	compared := 0
	for seed := range uint64(searched) {
		c, err := NewCase(seed)
		if err != nil {
			t.Fatal(err)
		}
		n, err := c.Search(2000)
		if err != nil {
			t.Error(err)
		}
		compared += n
	}
	if compared < searched*1500 {
		t.Errorf("only %d requests were compared", compared)
	}
}
