package bench

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
	"github.com/deltaplane/deltaplane/bench/relay"
	"github.com/deltaplane/deltaplane/resource"
)

// spans receives the traces of one control plane, as a collector does over
// HTTP (OTLP), sends them on, and keeps what tells the hops of commits apart.
type spans struct {
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

// receiveSpans starts to receive; endpoint, if any, gets all spans, too. The
// caller must call close.
func receiveSpans(ctx context.Context, endpoint string) (*spans, error) {
	forward, err := newForwarder(ctx, endpoint)
	if err != nil {
		return nil, err
	}
	listen, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("receiver of traces: %w", err)
	}
	s := &spans{listen: listen, forward: forward, commits: map[string]*commitSpans{}}
	s.server = http.Server{Handler: http.HandlerFunc(s.post), ReadHeaderTimeout: time.Minute}
	s.serving.Go(func() { _ = s.server.Serve(listen) }) // until it is closed
	return s, nil
}

// sendSpans only sends the bench's own to endpoint: a control plane elsewhere
// has its own receiver. The caller must call close.
func sendSpans(ctx context.Context, endpoint string) (*spans, error) {
	forward, err := newForwarder(ctx, endpoint)
	if err != nil {
		return nil, err
	}
	return &spans{forward: forward}, nil
}

func (s *spans) url() string { return "http://" + s.listen.Addr().String() }

// spansLimit bounds what is read of one request.
const spansLimit = 64 << 20

func (s *spans) post(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, spansLimit))
	var export collector.ExportTraceServiceRequest
	if err != nil || proto.Unmarshal(body, &export) != nil {
		http.Error(w, "no traces", http.StatusBadRequest)
		return
	}
	err = s.forward.send(r.Context(), body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loseLocked(err)
	for _, of := range export.ResourceSpans {
		for _, scope := range of.ScopeSpans {
			for _, span := range scope.Spans {
				s.take(span)
			}
		}
	}
}

// loseLocked takes note of spans that could not be sent on. s.mu is held.
func (s *spans) loseLocked(err error) {
	if s.lost == nil && err != nil {
		s.lost = fmt.Errorf("traces were lost: %w", err)
	}
}

// add sends on what the bench itself saw of a change.
func (s *spans) add(ctx context.Context, own []*tracev1.Span) {
	err := s.forward.spans(ctx, own)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loseLocked(err)
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

// received takes in what relays have dated of a change: the first response of
// each type to each Envoy.
func (s *spans) received(of trace, proxies []*proxy, passed [][]relay.Response) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.commits == nil || passed == nil {
		return
	}
	c := s.commits[of.id]
	if c == nil {
		c = newCommitSpans()
		s.commits[of.id] = c
	}
	for i, responses := range passed {
		for _, one := range responses {
			_, name, _ := strings.Cut(one.Type, "/")
			to := push{proxies[i].node, resource.Type(name).Short()}
			if _, known := c.received[to]; !known {
				c.received[to] = one.Received
			}
		}
	}
}

// take keeps what is of use in a span. s.mu is held.
func (s *spans) take(span *tracev1.Span) {
	c := s.commits[string(span.TraceId)]
	if c == nil {
		c = newCommitSpans()
		s.commits[string(span.TraceId)] = c
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

// Hops are the parts of the way of a change, in microseconds, as the control
// plane's traces tell them.
type Hops struct {
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

// hops sums up the commits that were asked for since.
func (s *spans) hops(since time.Time) *Hops {
	s.mu.Lock()
	defer s.mu.Unlock()
	dispatch, server, receive, ack := histogram.New(), histogram.New(), histogram.New(), histogram.New()
	for _, c := range s.commits {
		if c.request.Before(since) || c.pushed.IsZero() {
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
	return &Hops{micro(dispatch), micro(server), micro(receive), micro(ack)}
}

// micro sums h up in microseconds.
func micro(h histogram.Histogram) histogram.Distribution {
	us := func(percent float64) float64 { return float64(h.At(percent)) / float64(time.Microsecond) }
	return histogram.Distribution{Count: int64(h.Count()), P50: us(50), P90: us(90), P99: us(99), P999: us(99.9), Max: us(100)}
}

// close ends it. The error says as well if spans could not be sent on.
func (s *spans) close() error {
	err := s.server.Close()
	s.serving.Wait()
	s.forward.close()
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(err, s.lost)
}
