// Package cost holds the tests of what changes and proxies cost where it can be
// counted: bytes, encodings, allocations, memory, goroutines, messages. The
// server is the real one, with gRPC over TCP; the proxies are frames on
// connections that allocate nothing once they are open, so that what a test
// process allocates is the server's. Times are nobody's business here.
package cost
