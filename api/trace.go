package api

import (
	"context"
	"net/http"
)

// Tracer puts requests that may change something into traces. Its methods are
// called from any goroutine, and do not block.
type Tracer interface {
	// Request begins a request's part of a trace: of the one that its headers
	// name, if they do. end is called once, with the status of the answer.
	Request(r *http.Request, route string) (ctx context.Context, end func(status int))
	// Validate begins the reading and checking of an input. end is called
	// once, with what was wrong.
	Validate(ctx context.Context) (end func(error))
}

// traced begins r's part of a trace; it does nothing without a Tracer, and
// for what only looks.
func (s *Server) traced(r *http.Request, rt route) (*http.Request, func(status int)) {
	if s.cfg.Tracer == nil || rt.method == http.MethodGet {
		return r, func(int) {}
	}
	ctx, end := s.cfg.Tracer.Request(r, rt.method+" "+rt.path)
	return r.WithContext(ctx), end
}

// validating begins the checks of an input.
func (s *Server) validating(ctx context.Context) func(error) {
	if s.cfg.Tracer == nil {
		return func(error) {}
	}
	return s.cfg.Tracer.Validate(ctx)
}
