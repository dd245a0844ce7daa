package api

import (
	"net"
	"net/http"
	"strings"
)

// guard refuses what must not reach any endpoint: callers without a token,
// requests that a web page made a browser send (CrossOriginProtection), and,
// where no token protects the API, host names that are not loopback (DNS
// rebinding).
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if err := s.origins.Check(r); err != nil {
			s.fail(w, r, refusal{http.StatusForbidden, "cross_origin", "requests from web pages of other origins are refused"})
			return
		}
		if len(s.cfg.Tokens) == 0 {
			if !s.cfg.AnyHost && !LoopbackHost(r.Host) {
				s.fail(w, r, refusal{http.StatusForbidden, "host",
					"without API tokens the server answers only to localhost and loopback addresses; use one of those, or start it with --token-file"})
				return
			}
			next.ServeHTTP(w, r)
			return
		}
		secret, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		name, known := s.cfg.Tokens.find(secret)
		if !ok || !known {
			w.Header().Set("WWW-Authenticate", `Bearer realm="deltaplane"`)
			s.fail(w, r, refusal{http.StatusUnauthorized, "token", "a valid API token is needed: Authorization: Bearer TOKEN, or --token-file on the command line"})
			return
		}
		next.ServeHTTP(w, r.WithContext(withCaller(r.Context(), name)))
	})
}

// Authorized wraps a handler outside /v1, such as pprof, with the same checks.
func (s *Server) Authorized(h http.Handler) http.Handler { return s.guard(h) }

// LoopbackHost reports whether host, with or without a port, is "localhost" or
// a loopback address.
func LoopbackHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
