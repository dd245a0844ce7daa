package deltaplane

import (
	"errors"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/deltaplane/deltaplane/resource"
)

func TestAPatchChangesAPartAndSaysWhich(t *testing.T) {
	s := open(t, Config{})
	apply(t, s, clusterYAML("a", 1)+clusterYAML("b", 1)+routeYAML("rc", "x=a", "y=a")+hostYAML("rc/own", "a"), Options{})
	merge := func(doc string) func(*resource.Resource) (*resource.Resource, error) {
		return func(r *resource.Resource) (*resource.Resource, error) {
			patched, problems := resource.ApplyPatch(r, []byte(doc))
			if patched == nil {
				return nil, problems
			}
			return patched, nil
		}
	}
	key := func(t resource.Type, name string) Key { return Key{DefaultNamespace, t, name} }
	for _, c := range []struct {
		name string
		k    Key
		doc  string
		o    Options
		plan string
		err  error
	}{
		{"a field", clusterKey("a"), `merge: {connect_timeout: 2s}`, Options{}, "~Cluster/a", nil},
		{"nothing", clusterKey("a"), `merge: {connect_timeout: 2s}`, Options{}, "=Cluster/a", nil},
		{"a host of its own", key(resource.VirtualHost, "rc/own"), `merge: {domains: [own.test]}`, Options{}, "~VirtualHost/rc/own", nil},
		{"a host inside its route", key(resource.VirtualHost, "rc/x"), `merge: {domains: [x.test]}`, Options{}, "~VirtualHost/rc/x", nil},
		{"a host, to no change", key(resource.VirtualHost, "rc/x"), `merge: {domains: [x.test]}`, Options{}, "=VirtualHost/rc/x", nil},
		{"a route configuration", key(resource.Route, "rc"), `merge: {most_specific_header_mutations_wins: true}`, Options{}, "~Route/rc", nil},
		{"what is not there", clusterKey("none"), `merge: {connect_timeout: 2s}`, Options{}, "", ErrNotFound},
		{"what another owns", clusterKey("a"), `merge: {connect_timeout: 3s}`, Options{Owner: "team"}, "", ErrOwned},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := s.Patch(t.Context(), c.k, merge(c.doc), c.o)
			if !errors.Is(err, c.err) || err == nil && summary(p) != c.plan {
				t.Fatalf("plan %v, error %v; want %s, %v", p, err, c.plan, c.err)
			}
		})
	}
	x, _ := s.Latest().Get(key(resource.VirtualHost, "rc/x"))
	own, _ := s.Latest().Get(key(resource.VirtualHost, "rc/own"))
	if !x.Inline || own.Inline {
		t.Errorf("inline: x %v, own %v", x.Inline, own.Inline)
	}
}

func TestADryRunPlansAndChangesNothing(t *testing.T) {
	s := open(t, Config{})
	apply(t, s, clusterYAML("a", 1)+clusterYAML("b", 1), Options{})
	p, err := s.Apply(t.Context(), documents(t, clusterYAML("a", 2)+clusterYAML("c", 1)), true, Options{DryRun: true})
	if err != nil || summary(p) != "~Cluster/a -Cluster/b +Cluster/c" || p.Version != 1 || s.Latest().Version() != 1 {
		t.Fatalf("plan %+v, %v", p, err)
	}
}

func TestAChangeForAnotherVersionConflicts(t *testing.T) {
	s := open(t, Config{})
	apply(t, s, clusterYAML("a", 1), Options{})
	at := func(v Version) Options { return Options{IfVersion: &v} }
	if _, err := s.Apply(t.Context(), documents(t, clusterYAML("a", 2)), false, at(0)); !errors.Is(err, ErrConflict) {
		t.Errorf("for version 0: %v", err)
	}
	if _, err := s.Delete(t.Context(), []Key{clusterKey("a")}, false, at(2)); !errors.Is(err, ErrConflict) {
		t.Errorf("for version 2: %v", err)
	}
	if p := apply(t, s, clusterYAML("a", 2), at(1)); p.Base != 1 || p.Version != 2 {
		t.Errorf("for version 1: %+v", p)
	}
}

func TestAPlanShowsARouteConfigurationWithItsHosts(t *testing.T) {
	s := open(t, Config{})
	apply(t, s, routeYAML("rc", "x=a", "y=a"), Options{})
	p := apply(t, s, routeYAML("rc", "y=b", "z=a"), Options{})
	if len(p.Steps) != 1 {
		t.Fatalf("steps are %s", summary(p))
	}
	names := func(r *resource.Resource) string {
		_, hosts, err := r.SplitHosts()
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, h := range hosts {
			all = append(all, h.Name())
		}
		return strings.Join(all, " ")
	}
	if old, now := names(p.Steps[0].Old), names(p.Steps[0].New); old != "rc/x rc/y" || now != "rc/y rc/z" {
		t.Fatalf("hosts were %s, are %s", old, now)
	}
}

func TestANamespaceHasAPlainName(t *testing.T) {
	s := open(t, Config{})
	docs := documents(t, clusterYAML("a", 1))
	for name, ok := range map[string]bool{"team-1": true, "a.b_c": true, "a/b": false, "-a": false, "a b": false, strings.Repeat("x", 64): false} {
		if _, err := s.Apply(t.Context(), docs, false, Options{Namespace: name}); (err == nil) != ok {
			t.Errorf("namespace %q: %v", name, err)
		}
	}
}

func TestMetricsCountCommits(t *testing.T) {
	r := prometheus.NewPedanticRegistry()
	dir := t.TempDir()
	s := open(t, Config{DataDir: dir, Registerer: r})
	commit(t, s, put(t, 1, "a"))
	if _, err := s.Commit(t.Context(), func(*Batch) error { return errors.New("no") }); err == nil {
		t.Error("a change that fails is committed")
	}
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		for _, m := range f.Metric {
			name := f.GetName()
			for _, l := range m.Label {
				name += " " + l.GetValue()
			}
			got[name] = m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	for name, want := range map[string]float64{
		"deltaplane_commits_total ok": 1, "deltaplane_commits_total refused": 1, "deltaplane_commit_seconds": 1,
		"deltaplane_store_version": 1, "deltaplane_etcd_connected": 1, "deltaplane_commit_group_size": 1, "deltaplane_commit_conflicts_total": 0,
	} {
		if v, ok := got[name]; !ok || v != want {
			t.Errorf("%s is %v, want %v", name, v, want)
		}
	}
	if got["deltaplane_store_bytes"] <= 0 {
		t.Error("deltaplane_store_bytes is not there")
	}
	shut(t, s)
	open(t, Config{DataDir: dir, Registerer: r}) // the metrics of the closed one are gone
}
