package api

import (
	"context"
	"io"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
)

// route is one endpoint. Its path is a ServeMux pattern and the name of the
// endpoint in metrics and in openapi.yaml.
type route struct {
	method, path string
	handle       func(http.ResponseWriter, *http.Request) error
	query        []string // parameters that it takes; others are refused
}

func (s *Server) routes() []route {
	changes := []string{"namespace", "owner", "author", "message", "if_version", "dry_run", "take_ownership", "allow_shrink",
		"strict_refs", "wait", "fields"}
	with := func(names ...string) []string { return append(names, changes...) }
	return []route{
		{"POST", "/v1/apply", s.apply, with("prune", "file")},
		{"POST", "/v1/delete", s.deleteFile, with("ignore_not_found", "file")},
		{"POST", "/v1/diff", s.diffFile, []string{"namespace", "owner", "prune", "file"}},
		{"POST", "/v1/validate", s.validate, []string{"file"}},
		{"POST", "/v1/patch", s.patchNamed, with("type", "name", "file")},
		{"POST", "/v1/patch/{type}/{name...}", s.patch, with("file")},
		{"GET", "/v1/resources", s.listResources, []string{"namespace", "type", "version", "limit", "after", "content"}},
		{"GET", "/v1/resources/{type}/{name...}", s.getResource, []string{"namespace", "version", "format"}},
		{"DELETE", "/v1/resources/{type}/{name...}", s.deleteResource, with("ignore_not_found")},
		{"GET", "/v1/blame/{type}/{name...}", s.blame, []string{"namespace"}},
		{"GET", "/v1/shapes/{name...}", s.explainShape, []string{"namespace", "version", "fleet", "host", "path"}},
		{"GET", "/v1/versions", s.listVersions, []string{"before", "limit"}},
		{"GET", "/v1/versions/{version}", s.getVersion, nil},
		{"GET", "/v1/versions/{version}/diff/{to}", s.diffVersions, []string{"namespace"}},
		{"POST", "/v1/versions/{version}/revert", s.revert, changes},
		{"POST", "/v1/versions/{version}/rollback", s.rollback, with("all")},
		{"GET", "/v1/status", s.status, []string{"watch", "timeout", "limit", "after"}},
		{"GET", "/v1/status/{node...}", s.nodeStatus, nil},
		{"GET", "/v1/sources", s.listSources, nil},
		{"GET", "/v1/clock", s.clock, nil},
		{"POST", "/v1/resync/{node...}", s.resync, nil},
		{"GET", "/v1/openapi.yaml", s.openAPI, nil},
	}
}

// dispatch sends a request to its endpoint. What has none is an error in JSON
// too, which ServeMux would answer as text.
func (s *Server) dispatch(w http.ResponseWriter, r *http.Request) {
	if _, pattern := s.mux.Handler(r); pattern != "" {
		s.mux.ServeHTTP(w, r)
		return
	}
	var allowed []string
	for _, method := range []string{"DELETE", "GET", "POST"} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := s.mux.Handler(other); pattern != "" {
			allowed = append(allowed, method)
		}
	}
	if allowed == nil {
		s.fail(w, r, refusal{http.StatusNotFound, "no_route", "no such route; /v1/openapi.yaml lists them"})
		return
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	s.fail(w, r, refusal{http.StatusMethodNotAllowed, "method", "this route takes " + strings.Join(allowed, ", ")})
}

// endpoint wraps a route with its deadline, its metrics, and errors as JSON.
func (s *Server) endpoint(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		answer := &answer{ResponseWriter: w, code: http.StatusOK}
		r, end := s.traced(r, rt)
		defer func() { end(answer.code) }()
		defer func() {
			s.metrics.requests.WithLabelValues(rt.method+" "+rt.path, strconv.Itoa(answer.code)).Observe(time.Since(start).Seconds())
		}()
		defer func() {
			// A bug must not look like a broken connection. The message of a
			// panic may hold configuration, so it goes to the log alone.
			if p := recover(); p != nil {
				s.cfg.Logger.ErrorContext(r.Context(), "panic", "route", rt.path, "panic", p, "stack", string(debug.Stack()))
				s.fail(answer, r, refusal{http.StatusInternalServerError, "internal", "internal error; the server's log has the details"})
			}
		}()
		if err := s.serve(answer, r, rt); err != nil {
			s.fail(answer, r, err)
		}
	})
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request, rt route) (err error) {
	defer func(body io.Reader) { s.discardExcess(w, r, body, err) }(r.Body)
	if err := knownQuery(r, rt.query); err != nil {
		return err
	}
	if coding := r.Header.Get("Content-Encoding"); coding != "" && coding != "identity" {
		return refusal{http.StatusUnsupportedMediaType, "encoding", "the body has the Content-Encoding " + strconv.Quote(coding) + ": send it as it is"}
	}
	if r.ContentLength > s.cfg.MaxBody { // before any of it is asked for
		return &http.MaxBytesError{Limit: s.cfg.MaxBody}
	}
	longest, err := s.patience(r)
	if err != nil {
		return err
	}
	// A client that dawdles over its body or over reading the answer must not
	// hold memory for longer than the request may take. Recorders in tests
	// have no deadlines.
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(longest))
	_ = control.SetWriteDeadline(time.Now().Add(longest + 5*time.Second))
	ctx, cancel := context.WithTimeout(r.Context(), longest)
	defer cancel()
	r.Body = http.MaxBytesReader(w, r.Body, s.cfg.MaxBody)
	return rt.handle(w, r.WithContext(ctx))
}

// longestWait bounds ?wait and ?timeout.
const longestWait = time.Hour

// patience is how long a request may take: the configured timeout, and on top
// of it what the caller is ready to wait for.
func (s *Server) patience(r *http.Request) (time.Duration, error) {
	q := query{values: r.URL.Query()}
	extra := max(q.duration("wait", 0), q.duration("timeout", 0))
	if q.err != nil {
		return 0, q.err
	}
	return s.cfg.Timeout + extra, nil
}

// answer remembers the status code for metrics.
type answer struct {
	http.ResponseWriter
	code    int
	started bool // the header is out
}

func (a *answer) WriteHeader(code int) {
	if !a.started {
		a.code, a.started = code, true
	}
	a.ResponseWriter.WriteHeader(code)
}

func (a *answer) Write(b []byte) (int, error) {
	a.started = true
	return a.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
