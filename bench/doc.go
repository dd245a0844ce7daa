// Package bench measures how long a change takes from the API of a real
// control plane to requests through real Envoys, and what it costs on the way.
//
// Run starts, for each side of a comparison, a control plane as a child process
// and its Envoys, and backends in this process. Then it makes one change after
// the other (pattern.go), each while a paced probe asks for the route that
// changes (package probe), and adds up what each cost (package proc). The
// Report has all of it as histograms, and the verdict; page.go makes a page of it
// (package report). With a Load, many requests (package traffic) take the place of
// the probe, and traces and access logs tell the hops apart.
package bench
