package main

import (
	"crypto/tls"
	"encoding/json"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/deltaplane/deltaplane"
)

// readiness is the JSON of /readyz.
type readiness struct {
	Ready bool              `json:"ready"`
	Stuck string            `json:"stuck,omitempty"` // why versions do not reach the proxies
	Store deltaplane.Health `json:"store"`
}

// pages is what the API's listener serves. Metrics and health need no token:
// they hold no configuration.
func (srv *server) pages(registry *prometheus.Registry) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", srv.api)
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{Registry: registry, EnableOpenMetrics: true}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		sendJSON(w, http.StatusOK, map[string]string{"status": "ok", "version": version})
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		// With etcd away the last known state is served, so proxies that
		// connect get what they need. Where versions do not reach the
		// proxies, another replica is the better one.
		health, stuck := srv.store.Health(), srv.xds.Stuck()
		ready := readiness{stuck == "" && (health.Connected || health.FromDisk || health.Version > 0), stuck, health}
		status := http.StatusOK
		if !ready.Ready {
			status = http.StatusServiceUnavailable
		}
		sendJSON(w, status, ready)
	})
	profiles := http.NewServeMux()
	profiles.HandleFunc("/debug/pprof/", pprof.Index)
	waits := &contention{asking: map[string]int{}}
	profiles.HandleFunc("/debug/pprof/mutex", waits.profile("mutex"))
	profiles.HandleFunc("/debug/pprof/block", waits.profile("block"))
	profiles.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	profiles.HandleFunc("/debug/pprof/profile", pprof.Profile)
	profiles.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	profiles.HandleFunc("/debug/pprof/trace", pprof.Trace)
	mux.Handle("/debug/pprof/", srv.api.Authorized(profiles))
	return bodiesWithin(10*time.Second, mux)
}

// bodiesWithin bounds how long the server waits for the rest of a request's
// body before it answers, also where h refuses the request without reading
// any. What reads a body sets a bound of its own.
func bodiesWithin(longest time.Duration, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 { // else the deadline would end the request, not its body
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(longest)) // recorders in tests have none
		}
		h.ServeHTTP(w, r)
	})
}

func sendJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // an error means that the client is gone
}

func tlsListener(l net.Listener, c *certificate) net.Listener {
	return tls.NewListener(l, c.tlsConfig())
}
