// Package swarm simulates a fleet of proxies for load tests: any number of
// them, each one goroutine and one TCP connection, on which it speaks just as
// much HTTP/2 and gRPC as an aggregated discovery stream needs.
//
// It is built to cost little, so that what is measured is the server: a
// response is never put together, much less parsed. It streams through a
// decoder (response.go) that counts its resources, and finds in them which
// change of package fixture has arrived; then it is acknowledged. When each
// change arrived at each proxy stands in an Arrivals.
package swarm
