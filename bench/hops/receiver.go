package hops

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/deltaplane/deltaplane/bench/histogram"
	"github.com/deltaplane/deltaplane/bench/probe"
	"github.com/deltaplane/deltaplane/bench/relay"
	"github.com/deltaplane/deltaplane/resource"
)

// Receiver receives the traces of one control plane, as a collector does over
// HTTP (OTLP), sends them on, and keeps what tells the hops of commits apart.
type Receiver struct {
	listen  net.Listener
	server  http.Server
	serving sync.WaitGroup
	forward *forwarder

	mu      sync.Mutex // guards what follows
	commits map[string]*commitSpans
	lost    error // why the first spans could not be sent on
}

// commitSpans are those of one commit, by its trace.
type commitSpans struct {
	request time.Time // when the API was called
	pushed  time.Time // when the first stream was handed the response
	sends   []time.Duration
	acks    []time.Duration

	pushes   map[string]push      // by their spans
	written  map[string]time.Time // when the connection had taken each of them
	received map[push]time.Time   // when it had arrived, as a relay says
}

// push is a response of a commit to a stream, by the attributes of its span.
type push struct{ node, typ string }

// Receive starts to receive; endpoint, if any, gets all spans, too. That it does
// not is ErrNoReceiver. The caller must call Close.
func Receive(ctx context.Context, endpoint string) (*Receiver, error) {
	forward, err := newForwarder(ctx, endpoint)
	if err != nil {
		return nil, err
	}
	listen, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("receiver of traces: %w", err)
	}
	r := &Receiver{listen: listen, forward: forward, commits: map[string]*commitSpans{}}
	r.server = http.Server{Handler: http.HandlerFunc(r.post), ReadHeaderTimeout: time.Minute}
	r.serving.Go(func() { _ = r.server.Serve(listen) }) // until it is closed
	return r, nil
}

// SendOnly sends the bench's own spans to endpoint: a control plane elsewhere has
// a receiver of its own. That nobody takes them there is ErrNoReceiver. The
// caller must call Close.
func SendOnly(ctx context.Context, endpoint string) (*Receiver, error) {
	forward, err := newForwarder(ctx, endpoint)
	if err != nil {
		return nil, err
	}
	return &Receiver{forward: forward}, nil
}

// URL is where it receives.
func (r *Receiver) URL() string { return "http://" + r.listen.Addr().String() }

// spansLimit bounds what is read of one request.
const spansLimit = 64 << 20

func (r *Receiver) post(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, spansLimit))
	var export collector.ExportTraceServiceRequest
	if err != nil || proto.Unmarshal(body, &export) != nil {
		http.Error(w, "no traces", http.StatusBadRequest)
		return
	}
	err = r.forward.send(req.Context(), body)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.loseLocked(err)
	for _, of := range export.ResourceSpans {
		for _, scope := range of.ScopeSpans {
			for _, span := range scope.Spans {
				r.take(span)
			}
		}
	}
}

// loseLocked takes note of spans that could not be sent on. r.mu is held.
func (r *Receiver) loseLocked(err error) {
	if r.lost == nil && err != nil {
		r.lost = fmt.Errorf("traces were lost: %w", err)
	}
}

// Add sends on what the bench itself saw of a change that was sent then: node
// names the Envoys.
func (r *Receiver) Add(ctx context.Context, t Trace, sent time.Time, seen []probe.Switch, node func(i int) string) {
	err := r.forward.spans(ctx, t.spans(sent, seen, node))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.loseLocked(err)
}

func newCommitSpans() *commitSpans {
	return &commitSpans{pushes: map[string]push{}, written: map[string]time.Time{}, received: map[push]time.Time{}}
}

// attribute is one of a span, "" if it is not there.
func attribute(span *tracev1.Span, key string) string {
	for _, a := range span.Attributes {
		if a.Key == key {
			return a.Value.GetStringValue()
		}
	}
	return ""
}

// Received takes in what relays have dated of a change: the first response of
// each type to each Envoy.
func (r *Receiver) Received(of Trace, passed [][]relay.Response, node func(i int) string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.commits == nil || passed == nil {
		return
	}
	c := r.commits[of.id]
	if c == nil {
		c = newCommitSpans()
		r.commits[of.id] = c
	}
	for i, responses := range passed {
		for _, one := range responses {
			_, name, _ := strings.Cut(one.Type, "/")
			to := push{node(i), resource.Type(name).Short()}
			if _, known := c.received[to]; !known {
				c.received[to] = one.Received
			}
		}
	}
}

// take keeps what is of use in a span. r.mu is held.
func (r *Receiver) take(span *tracev1.Span) {
	c := r.commits[string(span.TraceId)]
	if c == nil {
		c = newCommitSpans()
		r.commits[string(span.TraceId)] = c
	}
	began, took := time.Unix(0, int64(span.StartTimeUnixNano)), time.Duration(span.EndTimeUnixNano-span.StartTimeUnixNano)
	switch {
	case strings.HasPrefix(span.Name, "POST "):
		c.request = began
	case span.Name == "push":
		if c.pushed.IsZero() || began.Before(c.pushed) {
			c.pushed = began
		}
		c.pushes[string(span.SpanId)] = push{attribute(span, "deltaplane.node"), attribute(span, "deltaplane.type")}
	case span.Name == "send":
		c.sends = append(c.sends, took)
		c.written[string(span.ParentSpanId)] = began.Add(took)
	case span.Name == "ack":
		c.acks = append(c.acks, took)
	}
}

// Times are the parts of the way of a change, in microseconds, as the control
// plane's traces tell them.
type Times struct {
	// Dispatch is from the call of the API until the first stream was handed
	// the response: what etcd takes is in it.
	Dispatch histogram.Distribution `json:"cp_dispatch_us"`
	// Server is from there until the connection had taken all of it.
	Server histogram.Distribution `json:"grpc_server_us"`
	// Receive is from there until it had arrived at Envoy's machine, if relays
	// date that.
	Receive histogram.Distribution `json:"client_receive_us"`
	// Ack is from the connection's having taken it until Envoy's acknowledgement had been read.
	Ack histogram.Distribution `json:"ack_us"`
}

// Since sums up the commits that were asked for from then on.
func (r *Receiver) Since(then time.Time) *Times {
	r.mu.Lock()
	defer r.mu.Unlock()
	dispatch, server, receive, ack := histogram.New(), histogram.New(), histogram.New(), histogram.New()
	for _, c := range r.commits {
		if c.request.Before(then) || c.pushed.IsZero() {
			continue
		}
		dispatch.Record(c.pushed.Sub(c.request))
		for _, d := range c.sends {
			server.Record(d)
		}
		for id, to := range c.pushes {
			written, received := c.written[id], c.received[to]
			if !written.IsZero() && !received.IsZero() {
				receive.Record(received.Sub(written))
			}
		}
		for _, d := range c.acks {
			ack.Record(d)
		}
	}
	return &Times{dispatch.Microseconds(), server.Microseconds(), receive.Microseconds(), ack.Microseconds()}
}

// Close ends it. The error says as well if spans could not be sent on.
func (r *Receiver) Close() error {
	err := r.server.Close()
	r.serving.Wait()
	r.forward.close()
	r.mu.Lock()
	defer r.mu.Unlock()
	return errors.Join(err, r.lost)
}
