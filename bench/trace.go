package bench

import (
	"bytes"
	"context"
	"crypto/rand"
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

	"github.com/deltaplane/deltaplane/bench/probe"
)

// trace is that of one change. The bench begins it, the control plane goes on
// with it, and it ends with the first request under the new configuration. The
// zero trace is none.
type trace struct{ id, root string } // bytes

func newTrace() trace { return trace{random(16), random(8)} }

func random(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return string(b)
}

// parent is the header by which the control plane goes on with the trace (W3C
// Trace Context, section 3.2); "" for none.
func (t trace) parent() string {
	if t.id == "" {
		return ""
	}
	return fmt.Sprintf("00-%x-%x-01", t.id, t.root)
}

// spans are those that the bench itself has of a change: the change from when
// it was sent until the last Envoy routed by it, and below it of each Envoy the
// last request under the old configuration and the first one under the new.
func (t trace) spans(sent time.Time, seen []probe.Switch, node func(i int) string) []*tracev1.Span {
	root := &tracev1.Span{TraceId: []byte(t.id), SpanId: []byte(t.root), Name: "change", Kind: tracev1.Span_SPAN_KIND_CLIENT, StartTimeUnixNano: unixNano(sent)}
	all := []*tracev1.Span{root}
	for i, s := range seen {
		for _, one := range []struct {
			name string
			a    probe.Answer
		}{{"last old request", s.LastOld}, {"first request", s.FirstNew}} {
			if one.a.Sent.Before(sent) {
				continue // there was none, or it tells nothing of the change
			}
			all = append(all, &tracev1.Span{
				TraceId: root.TraceId, SpanId: []byte(random(8)), ParentSpanId: root.SpanId, Name: one.name, Kind: tracev1.Span_SPAN_KIND_CLIENT,
				StartTimeUnixNano: unixNano(one.a.Sent), EndTimeUnixNano: unixNano(one.a.Received),
				Attributes: []*common.KeyValue{text("deltaplane.node", node(i))},
			})
			root.EndTimeUnixNano = max(root.EndTimeUnixNano, unixNano(one.a.Received))
		}
	}
	return all
}

func unixNano(t time.Time) uint64 { return uint64(t.UnixNano()) }

func text(key, value string) *common.KeyValue {
	return &common.KeyValue{Key: key, Value: &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: value}}}
}

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
		return nil, fmt.Errorf("%w: no receiver of traces (OTLP over HTTP) at %s; --otlp-endpoint names another, OTEL_TRACES_EXPORTER=none turns traces off: %w", ErrConfig, redacted(endpoint), err)
	}
	return f, nil
}

// redacted is a URL without its password.
func redacted(endpoint string) string {
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
