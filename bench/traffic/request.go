package traffic

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/deltaplane/deltaplane/bench/probe"
)

// Protocol is what clients and backends speak.
type Protocol string

const (
	HTTP Protocol = "http" // HTTP/1.1
	GRPC Protocol = "grpc" // unary calls, over HTTP/2
)

// Headers that requests, answers and routes carry beside those of Envoy.
const (
	RequestID   = "x-request-id"
	SLATarget   = "x-sla-target"
	BenchmarkID = "x-benchmark-id"
	TraceParent = "traceparent" // W3C Trace Context
	// Version is set by a route on its way to the backend, which answers it:
	// the version of the configuration that the route is from.
	Version = "x-config-version"
	// Received is how many bytes of a body the backend has got.
	Received = "x-body-bytes"
)

// Config says what a load's requests are like. The zero value makes POST
// requests without a body, over HTTP.
type Config struct {
	Protocol Protocol
	Method   string // of HTTP; gRPC has POST alone
	Body     []byte // of gRPC: the message
	Header   http.Header
	Patience time.Duration // for the whole of a request; default 10 s
	Labels   probe.Labels
}

// grpcCall follows the path of a route, which is then a service's name.
const grpcCall = "Call"

// request is the n-th one, labelled.
func (c Config) request(ctx context.Context, address string, n int, t probe.Target) (*http.Request, error) {
	method, path, body := c.Method, t.Path, c.Body
	if method == "" {
		method = http.MethodPost
	}
	if c.Protocol == GRPC {
		method, path, body = http.MethodPost, path+grpcCall, frame(c.Body)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+address+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("request: %w", err)
	}
	req.Host = t.Host
	for name, values := range c.Header {
		req.Header[http.CanonicalHeaderKey(name)] = values
	}
	if c.Protocol == GRPC {
		req.Header.Set("Content-Type", "application/grpc")
		req.Header.Set("TE", "trailers")
	}
	req.Header.Set(RequestID, c.ID(n))
	req.Header.Set(SLATarget, c.Labels.SLA)
	req.Header.Set(BenchmarkID, c.Labels.ID)
	req.Header.Set(TraceParent, newTraceParent())
	return req, nil
}

// ID is the x-request-id of the n-th request.
func (c Config) ID(n int) string { return fmt.Sprintf("%s-%d", c.Labels.ID, n) }

// newTraceParent begins a trace that is sampled. The ids must be distinct, not
// secret.
func newTraceParent() string {
	var id [24]byte
	for i := 0; i < len(id); i += 8 {
		for k, word := 0, rand.Uint64()|1; k < 8; k++ { // never all zero
			id[i+k] = byte(word >> (8 * k))
		}
	}
	return "00-" + hex.EncodeToString(id[:16]) + "-" + hex.EncodeToString(id[16:]) + "-01"
}
