package hops

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	resourcev1 "go.opentelemetry.io/proto/otlp/resource/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// ErrNoReceiver is why traces are not made that nobody takes; its text says
// what to do.
var ErrNoReceiver = errors.New("no receiver of traces (OTLP over HTTP)")

// tracesPath is where receivers of OTLP over HTTP take traces.
const tracesPath = "/v1/traces"

// forwarder sends traces on to a receiver of the user's, over HTTP. The zero
// forwarder drops them.
type forwarder struct {
	url  string
	http http.Client
}

// forwardPatience is for how long a receiver may take.
const forwardPatience = 5 * time.Second

// newForwarder sends to endpoint, if it is not "". It sends nothing but a
// greeting, so that a wrong endpoint is known before all else.
func newForwarder(ctx context.Context, endpoint string) (*forwarder, error) {
	f := &forwarder{http: http.Client{Timeout: forwardPatience}}
	if endpoint == "" {
		return f, nil
	}
	f.url = strings.TrimSuffix(strings.TrimSuffix(endpoint, "/"), tracesPath) + tracesPath
	if err := f.send(ctx, nil); err != nil {
		return nil, fmt.Errorf("%w at %s; --otlp-endpoint names another, OTEL_TRACES_EXPORTER=none turns traces off: %w", ErrNoReceiver, Redacted(endpoint), err)
	}
	return f, nil
}

// Redacted is a URL without its password.
func Redacted(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil {
		return "(no URL)"
	}
	return u.Redacted()
}

// spans sends spans of the bench's own.
func (f *forwarder) spans(ctx context.Context, spans []*tracev1.Span) error {
	body, err := proto.Marshal(&collector.ExportTraceServiceRequest{ResourceSpans: []*tracev1.ResourceSpans{{
		Resource:   &resourcev1.Resource{Attributes: []*common.KeyValue{text("service.name", "deltaplane-bench")}},
		ScopeSpans: []*tracev1.ScopeSpans{{Spans: spans}},
	}}})
	return errors.Join(err, f.send(ctx, body))
}

// send sends an ExportTraceServiceRequest.
func (f *forwarder) send(ctx context.Context, body []byte) error {
	if f.url == "" {
		return nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, f.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	resp, err := f.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", f.url, resp.Status)
	}
	return nil
}

func (f *forwarder) close() { f.http.CloseIdleConnections() }
