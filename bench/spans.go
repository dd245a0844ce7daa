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
}

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

// take keeps what is of use in a span. s.mu is held.
func (s *spans) take(span *tracev1.Span) {
	c := s.commits[string(span.TraceId)]
	if c == nil {
		c = &commitSpans{}
		s.commits[string(span.TraceId)] = c
	}
	began, took := time.Unix(0, int64(span.StartTimeUnixNano)), time.Duration(span.EndTimeUnixNano-span.StartTimeUnixNano)
	switch {
	case strings.HasPrefix(span.Name, "POST "):
		c.request = began
	case span.Name == "push" && (c.pushed.IsZero() || began.Before(c.pushed)):
		c.pushed = began
	case span.Name == "send":
		c.sends = append(c.sends, took)
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
	// Ack is from there until Envoy's acknowledgement had been read.
	Ack histogram.Distribution `json:"ack_us"`
}

// hops sums up the commits that were asked for since.
func (s *spans) hops(since time.Time) *Hops {
	s.mu.Lock()
	defer s.mu.Unlock()
	dispatch, server, ack := histogram.New(), histogram.New(), histogram.New()
	for _, c := range s.commits {
		if c.request.Before(since) || c.pushed.IsZero() {
			continue
		}
		dispatch.Record(c.pushed.Sub(c.request))
		for _, d := range c.sends {
			server.Record(d)
		}
		for _, d := range c.acks {
			ack.Record(d)
		}
	}
	return &Hops{micro(dispatch), micro(server), micro(ack)}
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
