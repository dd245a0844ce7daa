package api

import "time"

// Load is what an Envoy reported of its upstreams last (Load Reporting
// Service), in all.
type Load struct {
	At time.Time `json:"at"` // of the report
	Rates
	Clusters []ClusterLoad `json:"clusters,omitempty"` // by name; for a single node only
	Omitted  int           `json:"omitted,omitempty"`  // clusters, localities and endpoints that there was no room for
}

// Rates are requests per second over the last interval, and those in progress
// at its end.
type Rates struct {
	Issued     float64 `json:"issued_per_second"`
	Succeeded  float64 `json:"succeeded_per_second"`
	Failed     float64 `json:"failed_per_second"`
	Dropped    float64 `json:"dropped_per_second"`
	InProgress uint64  `json:"in_progress"`
}

// ClusterLoad is the load of one cluster.
type ClusterLoad struct {
	Cluster  string  `json:"cluster"`
	Interval float64 `json:"interval_seconds"`
	Rates
	Localities []LocalityLoad `json:"localities,omitempty"`
}

// LocalityLoad is the part that one locality and priority of a cluster has.
type LocalityLoad struct {
	Region   string `json:"region,omitempty"`
	Zone     string `json:"zone,omitempty"`
	SubZone  string `json:"sub_zone,omitempty"`
	Priority uint32 `json:"priority"`
	Rates
	Endpoints []EndpointLoad `json:"endpoints,omitempty"`
}

// EndpointLoad is the part that one endpoint has.
type EndpointLoad struct {
	Address string `json:"address"`
	Rates
}
