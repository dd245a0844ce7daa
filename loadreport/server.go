package loadreport

import (
	"cmp"
	"slices"
	"sync"
	"time"

	loadv3 "github.com/envoyproxy/go-control-plane/envoy/service/load_stats/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Config tunes a Server. The zero value of each field takes its default.
type Config struct {
	Interval time.Duration // between the reports of a client; default 10 s

	MaxStreams     int   // at a time; default 20,000
	MaxReportBytes int64 // kept of one stream's last report; default 4 MiB
	MaxBytes       int64 // kept of all of them; default 256 MiB
	MaxLabels      int   // clusters that metrics tell apart, the first ones seen; default 1,000
}

// Server is a LoadReportingService. What it knows of a node it forgets when
// the node's last stream ends. All methods may be called from any goroutine.
type Server struct {
	loadv3.UnimplementedLoadReportingServiceServer

	// Fixed at birth.
	cfg     Config
	metrics *metrics
	budget  *budget
	closing chan struct{}

	goroutines sync.WaitGroup // handlers, and what reads for them

	mu    sync.RWMutex // guards what follows; taken before any stream's
	ended bool
	open  int
	nodes map[string][]*stream // by id, those that have said who they are
}

// New makes a Server; Register makes it reachable.
func New(cfg Config) *Server {
	cfg.Interval = cmp.Or(cfg.Interval, 10*time.Second)
	cfg.MaxStreams = cmp.Or(cfg.MaxStreams, 20_000)
	cfg.MaxReportBytes = cmp.Or(cfg.MaxReportBytes, 4<<20)
	cfg.MaxBytes = cmp.Or(cfg.MaxBytes, 256<<20)
	cfg.MaxLabels = cmp.Or(cfg.MaxLabels, 1000)
	return &Server{
		cfg: cfg, metrics: newMetrics(cfg.MaxLabels), budget: &budget{limit: cfg.MaxBytes},
		closing: make(chan struct{}), nodes: map[string][]*stream{},
	}
}

// Register adds the service to r.
func (s *Server) Register(r grpc.ServiceRegistrar) { loadv3.RegisterLoadReportingServiceServer(r, s) }

// Close ends all streams with UNAVAILABLE and returns when none is left.
func (s *Server) Close() {
	s.mu.Lock()
	if !s.ended {
		s.ended = true
		close(s.closing)
	}
	s.mu.Unlock()
	s.goroutines.Wait()
}

var errClosing = status.Error(codes.Unavailable, "the control plane is shutting down")

// enter counts a stream in.
func (s *Server) enter() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.ended:
		return errClosing
	case s.open >= s.cfg.MaxStreams:
		return status.Errorf(codes.ResourceExhausted, "%d clients report their load, at most %d are allowed", s.open, s.cfg.MaxStreams)
	}
	s.open++
	s.goroutines.Add(1)
	return nil
}

// join makes a stream known under its node's id.
func (s *Server) join(st *stream, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st.node, st.joined = id, true
	s.nodes[id] = append(s.nodes[id], st)
}

// leave counts a stream out and forgets what it reported.
func (s *Server) leave(st *stream) {
	defer s.goroutines.Done()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open--
	if !st.joined {
		return
	}
	left := slices.DeleteFunc(s.nodes[st.node], func(o *stream) bool { return o == st })
	if s.nodes[st.node] = left; len(left) == 0 {
		delete(s.nodes, st.node)
	}
	st.forget(s.budget)
}

// Total is what the streams of a node reported last in all, and when; false
// before the first report. Cost: O(its streams).
func (s *Server) Total(id string) (total Rates, at time.Time, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, st := range s.nodes[id] {
		l := st.last()
		total.add(l.Total)
		if l.At.After(at) {
			at = l.At
		}
	}
	return total, at, !at.IsZero()
}

// Node is what the streams of a node reported last; false without any stream.
// Cost: O(what they reported).
func (s *Server) Node(id string) (Load, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	streams := s.nodes[id]
	if len(streams) == 0 {
		return Load{}, false
	}
	var l Load
	for _, st := range streams {
		l.add(st.last())
	}
	slices.SortFunc(l.Clusters, func(a, b Cluster) int { return cmp.Compare(a.Name, b.Name) })
	return l, true
}
