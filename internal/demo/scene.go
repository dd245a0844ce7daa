package demo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/deltaplane/deltaplane/internal/envoy"
	"github.com/deltaplane/deltaplane/internal/gateway"
	"github.com/deltaplane/deltaplane/internal/traffic"
)

// setUpPatience bounds how long Envoy may take to come up with the gateway.
const setUpPatience = time.Minute

// scene is all that runs beside the control plane while the demo does.
type scene struct {
	cfg     Config
	gateway gateway.Gateway
	api     *api
	proxy   *envoy.Process
	address string // of the gateway's listener
	probe   *traffic.Client
	load    *traffic.Generator

	closers []func() error // in the order of opening; closed in reverse
}

// open starts the backends, commits the gateway, starts an Envoy that gets it,
// and the traffic. Close what it returns even if there is an error.
func open(ctx context.Context, cfg Config) (*scene, error) {
	s := &scene{cfg: cfg, api: &api{url: cfg.API}}
	s.closers = append(s.closers, func() error { s.api.close(); return nil })
	lasting := context.WithoutCancel(ctx) // for what is closed when ctx is done
	ctx, cancel := context.WithTimeoutCause(ctx, setUpPatience, fmt.Errorf("not up after %v", setUpPatience))
	defer cancel()
	s.gateway = gateway.Gateway{Hosts: cfg.Hosts, Routes: cfg.Routes, Plain: cfg.Plain}
	for _, name := range []string{"blue", "green"} {
		backend, err := traffic.NewBackend(name)
		if err != nil {
			return s, err
		}
		s.closers = append(s.closers, func() error { return closeBackend(lasting, backend) })
		s.gateway.Clusters = append(s.gateway.Clusters, gateway.Cluster{Name: name, Port: backend.Port()})
	}
	if err := s.api.apply(ctx, s.gateway); err != nil {
		return s, err
	}
	if err := s.startEnvoy(ctx); err != nil {
		return s, err
	}
	s.probe = traffic.NewClient(s.address, 1, nil)
	s.closers = append(s.closers, func() error { s.probe.Close(); return nil })
	first := traffic.Request{Host: s.gateway.Host(0), Path: s.gateway.Path(0)}
	_, err := s.probe.Until(ctx, first, s.gateway.Clusters[0].Name)
	return s, err
}

func (s *scene) startEnvoy(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "deltaplane-demo-envoy-")
	if err != nil {
		return err
	}
	s.closers = append(s.closers, func() error { return os.RemoveAll(dir) })
	s.proxy, err = envoy.Start(ctx, envoy.Config{Dir: dir, Bootstrap: s.cfg.Bootstrap})
	if err != nil {
		return err
	}
	s.closers = append(s.closers, s.proxy.Stop)
	s.address, err = s.listener(ctx)
	return err
}

// listener waits until the gateway accepts.
func (s *scene) listener(ctx context.Context) (string, error) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		listeners, err := s.proxy.Listeners(ctx)
		if address := listeners[gateway.Listener]; address != "" {
			_, port, err := net.SplitHostPort(address)
			if n, _ := strconv.Atoi(port); err == nil && n > 0 {
				return address, nil
			}
		}
		select {
		case <-tick.C:
		case <-s.proxy.Done():
			return "", s.proxy.Stop()
		case <-ctx.Done():
			return "", errors.Join(fmt.Errorf("the gateway's listener: %w; Envoy's log ends with:\n%s", context.Cause(ctx), s.proxy.LogTail(10)), err)
		}
	}
}

// startTraffic sends requests to all routes, far apart from each other.
func (s *scene) startTraffic(ctx context.Context) {
	client := traffic.NewClient(s.address, 8, nil)
	step := stride(s.gateway.Hosts)
	s.load = traffic.Start(ctx, traffic.Config{Client: client, Rate: s.cfg.Rate, Next: func(n uint64) traffic.Request {
		i := int(n % uint64(s.gateway.Hosts*s.gateway.Routes))
		return traffic.Request{Host: s.gateway.Host(i * step % s.gateway.Hosts), Path: s.gateway.Path(i % s.gateway.Routes)}
	}})
	s.closers = append(s.closers, func() error { s.load.Stop(); client.Close(); return nil })
}

// close ends everything, last started first.
func (s *scene) close() error {
	var err error
	for i := len(s.closers) - 1; i >= 0; i-- {
		err = errors.Join(err, s.closers[i]())
	}
	return err
}

// closeBackend waits for the requests under way, but not for long.
func closeBackend(ctx context.Context, b *traffic.Backend) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return b.Close(ctx)
}
