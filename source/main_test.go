package source

import (
	"log/slog"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/resource"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func openStore(t *testing.T) *deltaplane.Store {
	t.Helper()
	s, err := deltaplane.Open(t.Context(), deltaplane.Config{DataDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// scene is a store with sources, and users who work past them.
type scene struct {
	*testing.T
	store *deltaplane.Store
	board Board
}

func newScene(t *testing.T) *scene { return &scene{T: t, store: openStore(t)} }

// one is a source of a scene.
type one struct {
	*Syncer
	scene *scene
}

// source adds a source of the given name, which is also its owner.
func (sc *scene) source(name string) *one {
	report := sc.board.Add(Identity{Kind: "test", From: name, Namespace: deltaplane.DefaultNamespace, Owner: name})
	return &one{NewSyncer(Config{Store: sc.store, Report: report, Logger: slog.New(slog.DiscardHandler)}), sc}
}

// docs reads clusters "name=timeout name=timeout …".
func docs(t *testing.T, clusters string) []resource.Document {
	t.Helper()
	var yaml strings.Builder
	for one := range strings.FieldsSeq(clusters) {
		name, timeout, _ := strings.Cut(one, "=")
		yaml.WriteString("---\n\"@type\": type.googleapis.com/envoy.config.cluster.v3.Cluster\nname: " + name + "\nconnect_timeout: " + timeout + "s\n")
	}
	if yaml.Len() == 0 {
		return nil
	}
	docs, problems := resource.Decoder{}.Decode("test.yaml", []byte(yaml.String()))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return docs
}

// has syncs the source with the clusters.
func (o *one) has(clusters string) {
	o.scene.Helper()
	if err := o.Sync(o.scene.Context(), Input{Documents: docs(o.scene.T, clusters), Inputs: 1}); err != nil {
		o.scene.Fatal(err)
	}
}

// looks has the source follow the store.
func (o *one) looks() {
	o.scene.Helper()
	if err := o.Follow(o.scene.Context()); err != nil {
		o.scene.Fatal(err)
	}
}

// is checks the state of the source, and that all that is told contains says.
func (o *one) is(state State, says ...string) {
	o.scene.Helper()
	status := o.cfg.Report.Status()
	if status.State != state {
		o.scene.Errorf("source %s is %s, want %s: %v", status.From, status.State, state, status.Problems)
	}
	for _, s := range says {
		if !strings.Contains(status.Problems.Error(), s) {
			o.scene.Errorf("source %s says %q, want %q in it", status.From, status.Problems, s)
		}
	}
}

// user applies clusters from the command line.
func (sc *scene) user(clusters string, o deltaplane.Options) error {
	_, err := sc.store.Apply(sc.Context(), docs(sc.T, clusters), false, o)
	return err
}

// take is what a user does with --take-ownership.
var take = deltaplane.Options{TakeOwnership: true}

// holds checks the store's clusters, "name=timeout@owner …".
func (sc *scene) holds(want string) {
	sc.Helper()
	var parts []string
	for k, e := range sc.store.Latest().List(deltaplane.DefaultNamespace, resource.Cluster) {
		text, err := resource.ToJSON(e.Resource, true)
		if err != nil {
			sc.Fatal(err)
		}
		_, timeout, _ := strings.Cut(string(text), `imeout":"`)
		timeout, _, _ = strings.Cut(timeout, "s\"")
		parts = append(parts, k.Name+"="+timeout+"@"+e.Owner)
	}
	if got := strings.Join(parts, " "); got != want {
		sc.Errorf("the store holds %q, want %q", got, want)
	}
}

// must fails the test on an error.
func (sc *scene) must(err error) {
	sc.Helper()
	if err != nil {
		sc.Fatal(err)
	}
}

// delete removes one cluster as a user.
func (sc *scene) delete(name string, o deltaplane.Options) error {
	_, err := sc.store.Delete(sc.Context(), []deltaplane.Key{{Namespace: deltaplane.DefaultNamespace, Type: resource.Cluster, Name: name}}, false, o)
	return err
}
