package loadreport

import (
	"errors"
	"io"
	"sync"
	"time"

	loadv3 "github.com/envoyproxy/go-control-plane/envoy/service/load_stats/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
)

// conversation is a client's stream.
type conversation = grpc.BidiStreamingServer[loadv3.LoadStatsRequest, loadv3.LoadStatsResponse]

// stream is one client that reports.
type stream struct {
	node   string // guarded by the server's mu, as joined
	joined bool

	mu     sync.Mutex // guards what follows
	report Load
	cost   int64 // of report, taken from the budget
}

// StreamLoadStats serves one client: its first request says who it is, the
// answer asks for all clusters with their endpoints, and each request from
// then on is a report of one interval.
func (s *Server) StreamLoadStats(g conversation) error {
	if err := s.enter(); err != nil {
		return err
	}
	st := &stream{report: Load{Since: time.Now()}}
	defer s.leave(st)
	requests, failed := make(chan *loadv3.LoadStatsRequest), make(chan error, 1)
	s.goroutines.Go(func() { receive(g, requests, failed) })
	for {
		select {
		case q := <-requests:
			if st.joined {
				s.take(st, q)
				continue
			}
			s.join(st, clip(q.GetNode().GetId()))
			if err := g.Send(s.ask()); err != nil {
				return err
			}
		case err := <-failed:
			return err
		case <-g.Context().Done():
			return status.FromContextError(g.Context().Err()).Err()
		case <-s.closing:
			return errClosing
		}
	}
}

// ask is what every client is asked for.
func (s *Server) ask() *loadv3.LoadStatsResponse {
	return &loadv3.LoadStatsResponse{
		SendAllClusters:           true,
		LoadReportingInterval:     durationpb.New(s.cfg.Interval),
		ReportEndpointGranularity: true,
	}
}

// receive reads requests until the stream ends; nil stands for a client that
// hung up.
func receive(g conversation, requests chan<- *loadv3.LoadStatsRequest, failed chan<- error) {
	for {
		q, err := g.Recv()
		if errors.Is(err, io.EOF) {
			err = nil
		} else if err == nil {
			select {
			case requests <- q:
				continue
			case <-g.Context().Done():
				return
			}
		}
		failed <- err
		return
	}
}

// take keeps a report in place of the last one.
func (s *Server) take(st *stream, q *loadv3.LoadStatsRequest) {
	now := time.Now()
	st.mu.Lock()
	defer st.mu.Unlock()
	elapsed := now.Sub(st.report.At)
	if st.report.At.IsZero() {
		elapsed = now.Sub(st.report.Since)
	}
	s.budget.give(st.cost)
	r := reader{elapsed: elapsed, room: s.cfg.MaxReportBytes, budget: s.budget}
	st.report = Load{Since: st.report.Since, At: now}
	r.read(q, &st.report)
	st.cost = r.cost
	s.metrics.count(st.report)
}

// last is the last report. Its parts are shared and never changed.
func (st *stream) last() Load {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.report
}

func (st *stream) forget(b *budget) {
	st.mu.Lock()
	defer st.mu.Unlock()
	b.give(st.cost)
	st.report, st.cost = Load{}, 0
}
