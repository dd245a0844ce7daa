package loadreport

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	loadv3 "github.com/envoyproxy/go-control-plane/envoy/service/load_stats/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
)

func TestClientsAreAskedForAllClustersAndEndpoints(t *testing.T) {
	_, c := serve(t, Config{Interval: 3 * time.Second})
	_, asked := dial(t, c, "a")
	if !asked.SendAllClusters || !asked.ReportEndpointGranularity || asked.LoadReportingInterval.AsDuration() != 3*time.Second {
		t.Errorf("asked for %v", asked)
	}
}

func TestANodesLoadIsWhatItsStreamsReportedLastAndGoesWithThem(t *testing.T) {
	s, c := serve(t, Config{})
	one, _ := dial(t, c, "a")
	two, _ := dial(t, c, "a")
	one.report(load("x", 1, 0))
	one.report(load("x", 10, 4), load("y", 5, 0))
	two.report(load("x", 100, 0))
	eventually(t, "both reports", func() bool { total, _, _ := s.Total("a"); return total.Issued == 115 })
	l, _ := s.Node("a")
	if len(l.Clusters) != 3 || l.Clusters[2].Name != "y" || l.Total.Failed != 4 || l.Total.Succeeded != 111 {
		t.Errorf("load is %+v", l)
	}
	if e := l.Clusters[2].Localities[0].Endpoints; len(e) != 1 || e[0].Address != "10.0.0.1:80" || e[0].Issued != 5 {
		t.Errorf("endpoints of y are %+v", e)
	}
	one.hangUp()
	eventually(t, "the first stream to be forgotten", func() bool { total, _, _ := s.Total("a"); return total.Issued == 100 })
	two.hangUp()
	eventually(t, "the node to be forgotten", func() bool { _, known := s.Node("a"); return !known })
	if used := s.budget.used.Load(); used != 0 {
		t.Errorf("%d bytes are still taken", used)
	}
}

func TestAReportBeyondTheLimitsIsKeptInPart(t *testing.T) {
	s, c := serve(t, Config{MaxReportBytes: 64 << 10, MaxBytes: 100 << 10})
	var many []*endpointv3.ClusterStats
	for i := range 5000 {
		many = append(many, load(fmt.Sprint("cluster-", i), 1, 0))
	}
	many = append(many, load(strings.Repeat("x", 5000), 1, 0))
	for i := range 3 {
		hostile, _ := dial(t, c, fmt.Sprint("hostile-", i))
		hostile.report(many...)
		hostile.report(many...)
	}
	eventually(t, "all to be taken in", func() bool {
		return gather(t, s)["deltaplane_load_reports_total"] == 6
	})
	if used := s.budget.used.Load(); used > 100<<10 || used < 90<<10 {
		t.Errorf("%d bytes are taken, of %d", used, 100<<10)
	}
	if l, _ := s.Node("hostile-0"); l.Omitted+len(l.Clusters) < 5001 || len(l.Clusters) == 0 {
		t.Errorf("%d kept, %d omitted", len(l.Clusters), l.Omitted)
	}
}

func TestNumbersThatCannotBeDoNoHarm(t *testing.T) {
	s, c := serve(t, Config{})
	a, _ := dial(t, c, "a")
	for _, interval := range []*durationpb.Duration{nil, {}, {Seconds: -5}, {Seconds: math.MaxInt64}, {Nanos: -1}, {Nanos: math.MaxInt32}} {
		odd := load("x", math.MaxUint64, 0)
		odd.LoadReportInterval = interval
		odd.TotalDroppedRequests = math.MaxUint64
		odd.UpstreamLocalityStats = append(odd.UpstreamLocalityStats, odd.UpstreamLocalityStats[0], nil)
		a.report(odd, nil, &endpointv3.ClusterStats{})
	}
	eventually(t, "all reports", func() bool { return gather(t, s)["deltaplane_load_reports_total"] == 6 })
	l, _ := s.Node("a")
	for _, rate := range []float64{l.Total.Issued, l.Total.Dropped, l.Clusters[0].Rates().Succeeded} {
		if math.IsNaN(rate) || math.IsInf(rate, 0) || rate < 0 {
			t.Errorf("a rate is %f", rate)
		}
	}
	for _, cluster := range l.Clusters {
		if cluster.Name == "x" && cluster.Issued != math.MaxUint64 {
			t.Errorf("the sum has wrapped to %d", cluster.Issued)
		}
	}
}

func TestClientsMakeOnlySoManyLabels(t *testing.T) {
	s, c := serve(t, Config{MaxLabels: 2})
	a, _ := dial(t, c, "a")
	for i := range 50 {
		a.report(load(fmt.Sprint("cluster-", i), 2, 0))
	}
	eventually(t, "all reports", func() bool { return gather(t, s)["deltaplane_load_reports_total"] == 50 })
	samples := gather(t, s)
	if n := samples["deltaplane_upstream_requests_total other issued"]; n != 96 {
		t.Errorf("%f requests of other clusters, want 96", n)
	}
	if n := len(samples); n != 4+3*4+1 { // the server's own, requests by outcome, and those in progress
		t.Errorf("%d samples: %v", n, samples)
	}
}

func TestOnlySoManyClientsMayReport(t *testing.T) {
	_, c := serve(t, Config{MaxStreams: 1})
	first, _ := dial(t, c, "a")
	stream, err := c.StreamLoadStats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("the second gets %v", err)
	}
	first.report(load("x", 1, 0))
}

func TestCloseEndsStreams(t *testing.T) {
	s, c := serve(t, Config{})
	a, _ := dial(t, c, "a")
	s.Close()
	if _, err := a.stream.Recv(); status.Code(err) != codes.Unavailable {
		t.Errorf("the stream ended with %v", err)
	}
	stream, err := c.StreamLoadStats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_ = stream.Send(&loadv3.LoadStatsRequest{}) // it may have ended
	if _, err := stream.Recv(); status.Code(err) != codes.Unavailable {
		t.Errorf("a new stream gets %v", err)
	}
}
