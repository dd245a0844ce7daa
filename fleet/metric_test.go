package fleet_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/deltaplane/deltaplane/fleet"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/xds"
)

// gather reads a collector: series by name and label values.
func gather(t *testing.T, c prometheus.Collector) map[string]float64 {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(c)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	series := map[string]float64{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			labels := []string{}
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetValue())
			}
			slices.Sort(labels)
			name := family.GetName() + " " + strings.Join(labels, " ")
			switch {
			case m.GetHistogram() != nil:
				h := m.GetHistogram()
				series[name+" count"] = float64(h.GetSampleCount())
				series[name+" sum"] = h.GetSampleSum()
				series[name+" classic buckets"] = float64(len(h.GetBucket()))
				series[name+" native spans"] = float64(len(h.GetPositiveSpan()))
			case m.GetCounter() != nil:
				series[name] = m.GetCounter().GetValue()
			default:
				series[name] = m.GetGauge().GetValue()
			}
		}
	}
	return series
}

func TestMetricsCountResponsesByTypeAndProxiesByState(t *testing.T) {
	s := newScene(fleet.Config{})
	a, b := s.open("a", resource.Cluster), s.open("b", resource.Cluster)
	s.does(a, xds.Sent, resource.Cluster, 1)
	s.arrives(a, resource.Cluster, 1) // a second later by the scene's clock
	s.does(b, xds.Sent, resource.Cluster, 1)
	s.refuse(b, resource.Cluster, 1, "no")
	s.close(s.open("c"))
	got := gather(t, s)
	for name, want := range map[string]float64{
		"deltaplane_proxies in_sync":                           1,
		"deltaplane_proxies behind":                            0,
		"deltaplane_proxies refused":                           1,
		"deltaplane_proxies disconnected":                      1,
		"deltaplane_responses_total Cluster sent":              2,
		"deltaplane_responses_total Cluster acked":             1,
		"deltaplane_responses_total Cluster refused":           1,
		"deltaplane_response_bytes_total Cluster":              200,
		"deltaplane_ack_seconds Cluster count":                 1,
		"deltaplane_ack_seconds Cluster sum":                   1,
		"deltaplane_ack_seconds Cluster classic buckets":       14,
		"deltaplane_ack_seconds Cluster native spans":          1,
		"deltaplane_responses_total Listener sent":             0,
		"deltaplane_ack_seconds Listener count":                0,
		"deltaplane_response_bytes_total Listener":             0,
		"deltaplane_responses_total other sent":                0,
		"deltaplane_ack_seconds other count":                   0,
		"deltaplane_responses_total VirtualHost refused":       0,
		"deltaplane_responses_total ClusterLoadAssignment ack": 0,
	} {
		if got[name] != want {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
}

func TestClientsCannotMakeNewSeries(t *testing.T) {
	s := newScene(fleet.Config{})
	before := slices.Sorted(maps.Keys(gather(t, s)))
	for i := range 100 {
		id := s.open(fmt.Sprint("node-", i))
		s.does(id, xds.Sent, resource.Type(fmt.Sprint("hostile.Type", i)), 1)
		s.does(id, xds.Acked, resource.Type(fmt.Sprint("hostile.Type", i)), 1)
	}
	got := gather(t, s)
	if after := slices.Sorted(maps.Keys(got)); !slices.Equal(before, after) {
		t.Errorf("series before: %q; after: %q", before, after)
	}
	if n := got["deltaplane_responses_total other sent"]; n != 100 {
		t.Errorf("%v responses of other types, want 100", n)
	}
}
