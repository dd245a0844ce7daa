package keys

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/goleak"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/source"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience says when a test gives up, not how fast anything must be.
const patience = 30 * time.Second

// prefix is that of the keys.
const prefix = "/conf/"

// replica is a store with a source on the prefix.
type replica struct {
	*testing.T
	store  *deltaplane.Store
	etcd   *clientv3.Client // of the keys
	board  source.Board
	report *source.Report
	stop   func()
}

// open opens a store that closes with the test.
func open(t *testing.T, cfg deltaplane.Config) *deltaplane.Store {
	t.Helper()
	cfg.DataDir = t.TempDir()
	s, err := deltaplane.Open(t.Context(), cfg)
	must(t, err)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// watch runs a source on the prefix until the test ends, or stop.
func watch(t *testing.T, store *deltaplane.Store, etcd *clientv3.Client) *replica {
	t.Helper()
	r := &replica{T: t, store: store, etcd: etcd}
	r.report = r.board.Add(source.Identity{Kind: "etcd", From: prefix, Namespace: deltaplane.DefaultNamespace, Owner: "keys"})
	log := slog.New(slog.DiscardHandler)
	syncer := source.NewSyncer(source.Config{Store: store, Report: r.report, Logger: log})
	s := New(Config{Client: etcd, Prefix: prefix, Namespace: deltaplane.DefaultNamespace, Logger: log}, store, syncer)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { s.Run(ctx) })
	r.stop = func() {
		cancel()
		running.Wait()
	}
	t.Cleanup(r.stop)
	return r
}

// one is a replica on an etcd of its own.
func one(t *testing.T) *replica {
	t.Helper()
	store := open(t, deltaplane.Config{})
	return watch(t, store, store.Etcd())
}

// wait returns when the status is as accept wants it.
func (r *replica) wait(what string, accept func(source.Status) bool) source.Status {
	r.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for {
		changed := r.board.Changed()
		status := r.report.Status()
		if accept(status) {
			return status
		}
		select {
		case <-changed:
		case <-deadline.C:
			r.Fatalf("waited for %s; the source is %+v and the store holds %q", what, status, r.holds())
		}
	}
}

// becomes waits until the source is in the state, and the store holds want.
func (r *replica) becomes(state source.State, want string) source.Status {
	r.Helper()
	return r.wait(fmt.Sprintf("%s with %q", state, want), func(s source.Status) bool { return s.State == state && r.holds() == want })
}

// holds lists the clusters in the store: "name=seconds …".
func (r *replica) holds() string {
	var parts []string
	for k, e := range r.store.Latest().List(deltaplane.DefaultNamespace, resource.Cluster) {
		text, err := resource.ToJSON(e.Resource, true)
		if err != nil {
			return err.Error()
		}
		_, timeout, _ := strings.Cut(string(text), `imeout":"`)
		timeout, _, _ = strings.Cut(timeout, "s\"")
		parts = append(parts, k.Name+"="+timeout)
	}
	return strings.Join(parts, " ")
}

// put changes keys, "name" and value in turns, in one transaction; an empty
// value deletes.
func (r *replica) put(pairs ...string) {
	r.Helper()
	var ops []clientv3.Op
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			ops = append(ops, clientv3.OpDelete(prefix+pairs[i]))
		} else {
			ops = append(ops, clientv3.OpPut(prefix+pairs[i], pairs[i+1]))
		}
	}
	_, err := r.etcd.Txn(r.Context()).Then(ops...).Commit()
	must(r.T, err)
}

// clusters are YAML documents: "name=seconds …".
func clusters(list string) string {
	var yaml strings.Builder
	for one := range strings.FieldsSeq(list) {
		name, timeout, _ := strings.Cut(one, "=")
		yaml.WriteString("---\n\"@type\": type.googleapis.com/envoy.config.cluster.v3.Cluster\nname: " + name + "\nconnect_timeout: " + timeout + "s\n")
	}
	return yaml.String()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
