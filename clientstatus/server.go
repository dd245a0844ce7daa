package clientstatus

import (
	"cmp"
	"context"
	"errors"
	"io"
	"sync"

	statusv3 "github.com/envoyproxy/go-control-plane/envoy/service/status/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/deltaplane/deltaplane/fleet"
	"github.com/deltaplane/deltaplane/xds"
)

// Config says whom a Server asks. The zero value of the limits takes their
// defaults.
type Config struct {
	Streams Streams // required
	Fleet   Fleet   // required

	MaxResponseBytes int // default 64 MiB; many clients need their own limit raised from 4 MiB
	MaxConcurrent    int // answers in the making, each with its bytes; others wait; default 2
}

// Streams tells what every stream is at, from any goroutine; *xds.Server is
// one.
type Streams interface {
	Inspect(ctx context.Context) ([]xds.Inspection, error)
}

// Fleet tells why a node refused something, from any goroutine, without
// blocking; *fleet.Fleet is one.
type Fleet interface {
	Node(id string) (fleet.NodeStatus, bool)
}

// Server is a ClientStatusDiscoveryService of the connected nodes. All methods
// may be called from any goroutine.
type Server struct {
	statusv3.UnimplementedClientStatusDiscoveryServiceServer
	cfg     Config
	slots   chan struct{}
	closing chan struct{}

	mu         sync.Mutex // guards what follows
	ended      bool
	goroutines sync.WaitGroup
}

// New makes a Server; Register makes it reachable.
func New(cfg Config) *Server {
	cfg.MaxResponseBytes = cmp.Or(cfg.MaxResponseBytes, 64<<20)
	cfg.MaxConcurrent = cmp.Or(cfg.MaxConcurrent, 2)
	return &Server{cfg: cfg, slots: make(chan struct{}, cfg.MaxConcurrent), closing: make(chan struct{})}
}

// Register adds the service to r.
func (s *Server) Register(r grpc.ServiceRegistrar) {
	statusv3.RegisterClientStatusDiscoveryServiceServer(r, s)
}

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

// enter counts a goroutine in, unless the server is closing.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return false
	}
	s.goroutines.Add(1)
	return true
}

var errClosing = status.Error(codes.Unavailable, "the control plane is shutting down")

// FetchClientStatus answers one request.
func (s *Server) FetchClientStatus(ctx context.Context, q *statusv3.ClientStatusRequest) (*statusv3.ClientStatusResponse, error) {
	if !s.enter() {
		return nil, errClosing
	}
	defer s.goroutines.Done()
	return s.answer(ctx, q)
}

// StreamClientStatus answers each request with one response.
func (s *Server) StreamClientStatus(g statusv3.ClientStatusDiscoveryService_StreamClientStatusServer) error {
	if !s.enter() {
		return errClosing
	}
	defer s.goroutines.Done()
	requests, failed := make(chan *statusv3.ClientStatusRequest), make(chan error, 1)
	s.goroutines.Go(func() { receive(g, requests, failed) })
	for {
		select {
		case q := <-requests:
			response, err := s.answer(g.Context(), q)
			if err != nil {
				return err
			}
			if err := g.Send(response); err != nil {
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

// receive reads requests until the stream ends; nil stands for a client that
// hung up.
func receive(g statusv3.ClientStatusDiscoveryService_StreamClientStatusServer, requests chan<- *statusv3.ClientStatusRequest, failed chan<- error) {
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

// answer makes one response, when there is room for it.
func (s *Server) answer(ctx context.Context, q *statusv3.ClientStatusRequest) (*statusv3.ClientStatusResponse, error) {
	var c compiler
	matches, err := c.nodes(q.GetNodeMatchers())
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return nil, status.FromContextError(ctx.Err()).Err()
	case <-s.closing:
		return nil, errClosing
	}
	streams, err := s.cfg.Streams.Inspect(ctx)
	if err != nil {
		return nil, status.FromContextError(err).Err()
	}
	r := report{fleet: s.cfg.Fleet, room: s.cfg.MaxResponseBytes, contents: !q.GetExcludeResourceContents()}
	for _, i := range streams {
		if matches(i.Node) {
			if err := r.add(ctx, i); err != nil {
				return nil, err
			}
		}
	}
	return r.response(), nil
}
