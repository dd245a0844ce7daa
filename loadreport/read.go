package loadreport

import (
	"net"
	"strconv"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	loadv3 "github.com/envoyproxy/go-control-plane/envoy/service/load_stats/v3"
)

const (
	maxText = 4 << 10 // bytes of any name that is kept, as resource names have
	perItem = 128     // bytes that a cluster, locality or endpoint takes besides its texts
)

// reader takes a request apart, as far as there is room: what is beyond that
// is counted and not kept.
type reader struct {
	elapsed time.Duration // since the report before
	room    int64         // left for this report
	cost    int64         // taken of it
	budget  *budget
}

func (r *reader) read(q *loadv3.LoadStatsRequest, into *Load) {
	for _, c := range q.GetClusterStats() {
		if !r.take(c.GetClusterName(), c.GetClusterServiceName()) {
			into.Omitted++
			continue
		}
		one := Cluster{
			Name: c.GetClusterName(), Service: c.GetClusterServiceName(),
			Interval: r.interval(c), Dropped: c.GetTotalDroppedRequests(),
		}
		for _, l := range c.GetUpstreamLocalityStats() {
			into.Omitted += r.locality(l, &one)
		}
		into.Clusters = append(into.Clusters, one)
		into.Total.add(one.Rates())
	}
}

// locality adds one to c. It returns how much was omitted.
func (r *reader) locality(l *endpointv3.UpstreamLocalityStats, c *Cluster) (omitted int) {
	counts := Requests{l.GetTotalIssuedRequests(), l.GetTotalSuccessfulRequests(), l.GetTotalErrorRequests(), l.GetTotalRequestsInProgress()}
	c.add(counts)
	at := l.GetLocality()
	if !r.take(at.GetRegion(), at.GetZone(), at.GetSubZone()) {
		return 1 + len(l.GetUpstreamEndpointStats())
	}
	one := Locality{Region: at.GetRegion(), Zone: at.GetZone(), SubZone: at.GetSubZone(), Priority: l.GetPriority(), Requests: counts}
	for _, e := range l.GetUpstreamEndpointStats() {
		address := addressOf(e.GetAddress())
		if !r.take(address) {
			omitted++
			continue
		}
		one.Endpoints = append(one.Endpoints, Endpoint{address, Requests{
			e.GetTotalIssuedRequests(), e.GetTotalSuccessfulRequests(), e.GetTotalErrorRequests(), e.GetTotalRequestsInProgress(),
		}})
	}
	c.Localities = append(c.Localities, one)
	return omitted
}

// interval is what the client says, unless that cannot be.
func (r *reader) interval(c *endpointv3.ClusterStats) time.Duration {
	said := c.GetLoadReportInterval()
	if d := said.AsDuration(); said.IsValid() && d >= time.Millisecond && d <= 24*time.Hour {
		return d
	}
	return max(r.elapsed, time.Millisecond)
}

// take asks for room for one item with these texts.
func (r *reader) take(texts ...string) bool {
	cost := int64(perItem)
	for _, t := range texts {
		if len(t) > maxText {
			return false
		}
		cost += int64(len(t))
	}
	if cost > r.room || !r.budget.take(cost) {
		return false
	}
	r.room -= cost
	r.cost += cost
	return true
}

func addressOf(a *corev3.Address) string {
	switch {
	case a.GetSocketAddress() != nil:
		return net.JoinHostPort(a.GetSocketAddress().GetAddress(), strconv.Itoa(int(a.GetSocketAddress().GetPortValue())))
	case a.GetPipe() != nil:
		return a.GetPipe().GetPath()
	}
	return a.GetEnvoyInternalAddress().GetServerListenerName()
}

// clip shortens a text that a client chose, so that it is safe to keep.
func clip(s string) string { return s[:min(len(s), maxText)] }
