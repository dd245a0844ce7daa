package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/api"
	"github.com/deltaplane/deltaplane/clientstatus"
	"github.com/deltaplane/deltaplane/fleet"
	"github.com/deltaplane/deltaplane/internal/telemetry"
	"github.com/deltaplane/deltaplane/loadreport"
	"github.com/deltaplane/deltaplane/xds"
)

// server is a running control plane: the store, the xDS side and the API, with
// the only wiring between them.
type server struct {
	xdsAddress string // as bound: with the real port
	apiURL     string

	settings settings
	log      *slog.Logger
	store    *deltaplane.Store
	fleet    *fleet.Fleet
	xds      *xds.Server
	load     *loadreport.Server
	clients  *clientstatus.Server
	grpc     *grpc.Server
	api      *api.Server
	http     *http.Server
	sources  sources

	tracing *telemetry.Tracing // nil: off

	failed  chan error // a listener that ended by itself
	serving sync.WaitGroup
	closing sync.Once
	closed  error
}

// startServer opens the store and listens. ctx bounds the start; Close ends
// what was started. Nothing is left behind when it returns an error.
func startServer(ctx context.Context, s settings, log *slog.Logger) (_ *server, err error) {
	srv := &server{settings: s, log: log, failed: make(chan error, 2)}
	tokens, err := s.tokens()
	if err != nil {
		return nil, err
	}
	xdsListener, apiListener, err := srv.listen()
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			xdsListener.Close()
			apiListener.Close()
			err = errors.Join(err, srv.stopTracing())
		}
	}()
	xdsTLS, err := srv.xdsTLS()
	if err != nil {
		return nil, err
	}
	etcdTLS, err := s.etcdTLS()
	if err != nil {
		return nil, err
	}
	if err := srv.startTracing(ctx); err != nil {
		return nil, err
	}
	registry := newRegistry()
	srv.store, err = deltaplane.Open(ctx, deltaplane.Config{
		DataDir: s.DataDir, Endpoints: s.EtcdEndpoints, TLS: etcdTLS, Prefix: s.EtcdPrefix,
		MaxCommits: s.HistoryCommits, MaxAge: s.HistoryAge, QuotaBytes: s.EtcdQuotaBytes, LeafDrain: s.LeafDrain,
		Logger: srv.log.With("part", "store"), Registerer: registry, Tracer: srv.tracing.Store(),
	})
	if err != nil {
		return nil, err
	}
	srv.wire(registry, tokens, xdsTLS)
	if err = srv.watch(registry); err != nil {
		return nil, errors.Join(err, srv.store.Close())
	}
	srv.start(xdsListener, apiListener)
	return srv, nil
}

// wire makes the parts and ties them together.
func (srv *server) wire(registry *prometheus.Registry, tokens api.Tokens, xdsTLS credentials.TransportCredentials) {
	s := srv.settings
	srv.fleet = fleet.New(fleet.Config{Latest: func() deltaplane.Version { return srv.store.Latest().Version() }})
	registry.MustRegister(srv.fleet)
	config := xds.Config{
		Observer: srv.fleet, Tracer: srv.tracing.XDS(), Logger: srv.log.With("part", "xds"), Registerer: registry, Drain: s.EnvoyDrain,
	}
	rules, _ := s.identities() // checked when the settings were read
	if rules != nil {
		config.Authorize = rules.check
	}
	srv.xds = xds.NewServer(srv.store, config)
	options := srv.xds.GRPCOptions()
	if xdsTLS != nil {
		options = append(options, grpc.Creds(srv.xds.Credentials(xdsTLS)))
	}
	srv.grpc = grpc.NewServer(options...)
	srv.xds.Register(srv.grpc)
	srv.load = loadreport.New(loadreport.Config{Interval: s.LoadReportInterval})
	registry.MustRegister(srv.load)
	srv.load.Register(srv.grpc)
	srv.clients = clientstatus.New(clientstatus.Config{Streams: srv.xds, Fleet: srv.fleet})
	if rules == nil { // it shows each client what all others hold
		srv.clients.Register(srv.grpc)
	}
	known := proxies{srv.fleet, srv.load}
	srv.api = api.New(api.Config{
		Store: srv.store, Proxies: known, Waiter: known, Sources: &srv.sources.board, Resync: srv.xds.Resync, Decoder: s.decoder(), Tokens: tokens,
		AnyHost: !api.LoopbackHost(s.APIAddress), Logger: srv.log.With("part", "api"), Registerer: registry, Tracer: srv.tracing.API(),
	})
	srv.http = &http.Server{
		Handler:           srv.pages(registry),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(srv.log.Handler(), slog.LevelWarn),
	}
	srv.http.RegisterOnShutdown(srv.api.Close)
}

func (srv *server) listen() (xdsListener, apiListener net.Listener, err error) {
	s := srv.settings
	if xdsListener, err = net.Listen("tcp", s.XDSAddress); err != nil {
		return nil, nil, fmt.Errorf("--xds-address: %w", err)
	}
	if apiListener, err = net.Listen("tcp", s.APIAddress); err != nil {
		xdsListener.Close()
		return nil, nil, fmt.Errorf("--api-address: %w", err)
	}
	srv.xdsAddress, srv.apiURL = xdsListener.Addr().String(), "http://"+apiListener.Addr().String()
	if s.TLSCert == "" {
		return xdsListener, apiListener, nil
	}
	cert, err := newCertificate(s.TLSCert, s.TLSKey, "", []string{"h2", "http/1.1"}, srv.log)
	if err != nil {
		xdsListener.Close()
		apiListener.Close()
		return nil, nil, err
	}
	srv.apiURL = "https://" + apiListener.Addr().String()
	return xdsListener, tlsListener(apiListener, cert), nil
}

// xdsTLS is how xDS is protected: nil on a plain-text listener.
func (srv *server) xdsTLS() (credentials.TransportCredentials, error) {
	s := srv.settings
	if s.TLSCert == "" {
		return nil, nil
	}
	cert, err := newCertificate(s.TLSCert, s.TLSKey, s.TLSClientCA, []string{"h2"}, srv.log)
	if err != nil {
		return nil, err
	}
	return credentials.NewTLS(cert.tlsConfig()), nil
}

func (srv *server) start(xdsListener, apiListener net.Listener) {
	srv.serving.Go(func() {
		if err := srv.grpc.Serve(xdsListener); err != nil {
			srv.failed <- fmt.Errorf("xDS listener: %w", err)
		}
	})
	srv.serving.Go(func() {
		if err := srv.http.Serve(apiListener); !errors.Is(err, http.ErrServerClosed) {
			srv.failed <- fmt.Errorf("API listener: %w", err)
		}
	})
	srv.log.Info("serving", "version", version, "xds", srv.xdsAddress, "api", srv.apiURL, "store_version", uint64(srv.store.Latest().Version()))
}

// Close drains streams and requests for at most the drain timeout, then stops
// etcd. When it returns nothing runs any more. It may be called again.
func (srv *server) Close() error {
	srv.closing.Do(func() { srv.closed = srv.close() })
	return srv.closed
}

func (srv *server) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), srv.settings.DrainTimeout)
	defer cancel()
	err := srv.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(fmt.Errorf("requests still open after %s", srv.settings.DrainTimeout), srv.http.Close())
	}
	srv.xds.Close()
	srv.load.Close()
	srv.clients.Close()
	drained := make(chan struct{})
	go func() {
		srv.grpc.GracefulStop()
		close(drained)
	}()
	select {
	case <-drained:
	case <-ctx.Done():
		srv.grpc.Stop()
		<-drained
	}
	srv.serving.Wait()
	srv.sources.close()
	return errors.Join(err, srv.store.Close(), srv.stopTracing())
}

func newRegistry() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "deltaplane_build_info", Help: "1, with the version that runs.",
		ConstLabels: prometheus.Labels{"version": version, "go": goVersion()},
	})
	build.Set(1)
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), build)
	return registry
}

func goVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.GoVersion
	}
	return "unknown"
}
