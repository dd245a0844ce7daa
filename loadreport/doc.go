// Package loadreport takes in what proxies report of their upstreams (the Load
// Reporting Service, envoy.service.load_stats.v3): for each node and cluster
// how many requests it made in the last interval, and what became of them.
package loadreport
