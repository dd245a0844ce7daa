// Package traffic is a load of requests through a proxy: clients that label each
// request, over HTTP/1.1 or gRPC, and backends that say which version of the
// configuration sent it to them.
//
// Unlike package probe, which dates single requests and is as lean as can be, it
// makes requests as services do: with bodies, headers and trace context, over
// net/http.
package traffic
