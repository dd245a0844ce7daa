package shape_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/deltaplane/deltaplane/shape"
)

func TestASplitIsExplained(t *testing.T) {
	table := wide(t, 500, 10)
	table.put(host(t, "all", []string{"*"}, prefix("/"), prefix("")))
	table.put(host(t, "large", []string{"h00250a.example.com"}, append(prefixes(5000), everywhere(30)...)...))
	s := fresh(t, table, shape.Defaults())
	e := s.Explain(table.shell, table.all())
	sum, largest := sizes(s, table)
	if e.Table != "table" || e.By != "host+path" || e.Hosts != 502 || e.Routes != 10_032 || e.Whole != "" {
		t.Errorf("explained as %+v", e)
	}
	if len(e.Shards) != len(s.Leaves) || e.PerShard.Max != largest || e.Duplication != float64(sum)/10_032 {
		t.Errorf("%d shards, %+v, %v times, want %d, %d and %v", len(e.Shards), e.PerShard, e.Duplication, len(s.Leaves), largest, float64(sum)/10_032)
	}
	if e.PerShard.Min > e.PerShard.Median || e.PerShard.Median > e.PerShard.Max {
		t.Errorf("routes per shard: %+v", e.PerShard)
	}
	if !slices.Equal(e.HostsEverywhere.Names, []string{"all"}) || e.HostsEverywhere.Count != 1 {
		t.Errorf("hosts everywhere: %+v", e.HostsEverywhere)
	}
	if n := e.RoutesEverywhere; n.Count != 31 || len(n.Names) != 20 || n.Names[0] != "all/all-1" || n.Names[1] != "large/large-5000" {
		t.Errorf("routes everywhere: %+v", n)
	}
	for _, shard := range e.Shards {
		if id := s.Find(shard.HostFrom, shard.PathFrom); id != shard.ID || shard.Name != shape.Name("table", id) {
			t.Errorf("shard %+v begins in leaf %d", shard, id)
		}
	}
	b, err := json.Marshal(e)
	if err != nil || !strings.HasPrefix(string(b), `{"table":"table","by":"host+path","hosts":502,`) {
		t.Errorf("%s, %v", b, err)
	}
}

func TestATableThatStaysWholeIsExplained(t *testing.T) {
	table := wide(t, 10, 10)
	var never *shape.Split
	if e := never.Explain(table.shell, table.all()); !strings.Contains(e.Whole, "100 routes") || e.Routes != 100 || len(e.Shards) > 0 {
		t.Errorf("explained as %+v", e)
	}
}
