package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/internal/etcdclient"
	"github.com/deltaplane/deltaplane/source"
	"github.com/deltaplane/deltaplane/source/dir"
	"github.com/deltaplane/deltaplane/source/keys"
)

// watched is one --watch or --watch-etcd: what, and for whom.
type watched struct {
	source.Identity
	allowShrink bool
}

// sources are the running sources of a server.
type sources struct {
	board   source.Board
	etcd    *clientv3.Client // of another cluster than the store's; else nil
	stop    context.CancelFunc
	running sync.WaitGroup
}

// watches reads --watch and --watch-etcd.
func (s *settings) watches() ([]watched, error) {
	var all []watched
	for _, value := range s.Watch {
		w, err := watchOf("dir", "--watch", value)
		if err != nil {
			return nil, err
		}
		if w.From, err = filepath.Abs(w.From); err != nil {
			return nil, fmt.Errorf("--watch %s: %w", value, err)
		}
		all = append(all, w)
	}
	for _, value := range s.WatchEtcd {
		w, err := watchOf("etcd", "--watch-etcd", value)
		if err != nil {
			return nil, err
		}
		if own := s.EtcdPrefix; len(s.WatchEtcdServers) == 0 && (strings.HasPrefix(own, w.From) || strings.HasPrefix(w.From, own)) {
			return nil, usageError{fmt.Sprintf("--watch-etcd %s: the store keeps its own keys below %s (--etcd-prefix): choose another prefix", value, own)}
		}
		all = append(all, w)
	}
	return all, ownOnly(all)
}

// ownOnly gives sources their owners, and refuses two that would remove what
// the other has.
func ownOnly(all []watched) error {
	seen, owners := map[string]bool{}, map[string]bool{}
	for i := range all {
		w := &all[i]
		if w.Owner == "" {
			w.Owner = w.String()
		}
		if seen[w.String()] || owners[w.Namespace+"\x00"+w.Owner] {
			return usageError{fmt.Sprintf("%s is watched twice, or for the same owner in the same namespace: each would remove what the other has", w.From)}
		}
		seen[w.String()], owners[w.Namespace+"\x00"+w.Owner] = true, true
	}
	return nil
}

// watchOf reads WHAT[,namespace=NAME][,owner=NAME][,allow-shrink].
func watchOf(kind, flag, value string) (watched, error) {
	w := watched{Identity: source.Identity{Kind: kind, Namespace: deltaplane.DefaultNamespace}}
	parts := strings.Split(value, ",")
	if w.From = parts[0]; w.From == "" {
		return w, usageError{flag + ": expected something to watch"}
	}
	for _, option := range parts[1:] {
		name, given, _ := strings.Cut(option, "=")
		switch {
		case name == "namespace" && given != "":
			w.Namespace = given
		case name == "owner" && given != "":
			w.Owner = given
		case option == "allow-shrink":
			w.allowShrink = true
		default:
			return w, usageError{fmt.Sprintf("%s %s: %q: expected namespace=NAME, owner=NAME or allow-shrink after a comma", flag, value, option)}
		}
	}
	return w, nil
}

// runner is a source that runs until ctx ends.
type runner interface {
	Run(ctx context.Context)
}

// watch starts the sources. They run until sources.close.
func (srv *server) watch(registry *prometheus.Registry) error {
	all, err := srv.settings.watches()
	if err != nil {
		return err
	}
	if srv.sources.etcd, err = srv.watchedEtcd(); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	srv.sources.stop = stop
	registry.MustRegister(&srv.sources.board)
	for _, w := range all {
		r := srv.runner(w)
		srv.sources.running.Go(func() { r.Run(ctx) })
	}
	return nil
}

// watchedEtcd is the client for --watch-etcd when that is not the store's
// cluster; nil when it is.
func (srv *server) watchedEtcd() (*clientv3.Client, error) {
	s := srv.settings
	if len(s.WatchEtcd) == 0 || len(s.WatchEtcdServers) == 0 {
		return nil, nil
	}
	tls, err := s.etcdTLS()
	if err != nil {
		return nil, err
	}
	return etcdclient.New(s.WatchEtcdServers, tls)
}

// runner makes one source.
func (srv *server) runner(w watched) runner {
	log := srv.log.With("part", "source", "source", w.String())
	sync := source.NewSyncer(source.Config{
		Store: srv.store, Report: srv.sources.board.Add(w.Identity), AllowShrink: w.allowShrink, Logger: log,
	})
	if w.Kind == "dir" {
		return dir.New(dir.Config{Path: w.From, Decoder: srv.settings.decoder(), Settle: srv.settings.WatchSettle, Logger: log}, sync)
	}
	client := srv.sources.etcd
	if client == nil {
		client = srv.store.Etcd()
	}
	return keys.New(keys.Config{Client: client, Prefix: w.From, Namespace: w.Namespace, Decoder: srv.settings.decoder(), Logger: log}, srv.store, sync)
}

// close stops the sources and returns when none runs any more.
func (s *sources) close() {
	s.stop()
	s.running.Wait()
	if s.etcd != nil {
		_ = s.etcd.Close() // says only that the client's context has ended
	}
}
