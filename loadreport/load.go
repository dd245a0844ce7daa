package loadreport

import "time"

// Load is what one node reported last. It is shared: do not change it.
type Load struct {
	Since    time.Time // of the oldest stream
	At       time.Time // of the last report; zero before the first
	Total    Rates     // of all clusters
	Clusters []Cluster // by name; those that the client had something to say about
	Omitted  int       // clusters, localities and endpoints of which there were too many to keep
}

// Requests counts requests of one interval by what became of them.
type Requests struct {
	Issued     uint64
	Succeeded  uint64
	Failed     uint64
	InProgress uint64 // at the end of the interval
}

func (r *Requests) add(o Requests) {
	r.Issued, r.Succeeded = sum(r.Issued, o.Issued), sum(r.Succeeded, o.Succeeded)
	r.Failed, r.InProgress = sum(r.Failed, o.Failed), sum(r.InProgress, o.InProgress)
}

// sum does not wrap: clients choose the numbers.
func sum(a, b uint64) uint64 {
	if a+b < a {
		return 1<<64 - 1
	}
	return a + b
}

// Cluster is the load of one cluster.
type Cluster struct {
	Name     string
	Service  string        // for EDS, "" if that is the name
	Interval time.Duration // that the counts are of
	Requests
	Dropped    uint64 // on purpose: overload, circuit breaking
	Localities []Locality
}

// Rates are counts per second, over an interval.
type Rates struct {
	Issued, Succeeded, Failed float64
	Dropped                   float64
	InProgress                uint64 // at the end of the interval
}

func (r *Rates) add(o Rates) {
	r.Issued += o.Issued
	r.Succeeded += o.Succeeded
	r.Failed += o.Failed
	r.Dropped += o.Dropped
	r.InProgress = sum(r.InProgress, o.InProgress)
}

// Rates are those of the whole cluster.
func (c Cluster) Rates() Rates {
	r := c.RatesOf(c.Requests)
	r.Dropped = float64(c.Dropped) / c.Interval.Seconds()
	return r
}

// RatesOf are those of a part of the cluster.
func (c Cluster) RatesOf(part Requests) Rates {
	s := c.Interval.Seconds()
	return Rates{
		Issued: float64(part.Issued) / s, Succeeded: float64(part.Succeeded) / s, Failed: float64(part.Failed) / s,
		InProgress: part.InProgress,
	}
}

// Locality is the part of a cluster's load that one locality and priority has.
type Locality struct {
	Region, Zone, SubZone string
	Priority              uint32
	Requests
	Endpoints []Endpoint
}

// Endpoint is the part of a locality's load that one endpoint has.
type Endpoint struct {
	Address string // host:port, or the path of a pipe
	Requests
}

// add merges another stream's report into l.
func (l *Load) add(o Load) {
	if l.Since.IsZero() || o.Since.Before(l.Since) {
		l.Since = o.Since
	}
	if o.At.After(l.At) {
		l.At = o.At
	}
	l.Total.add(o.Total)
	l.Clusters = append(l.Clusters[:len(l.Clusters):len(l.Clusters)], o.Clusters...)
	l.Omitted += o.Omitted
}
