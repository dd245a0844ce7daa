package deltaplane

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/deltaplane/deltaplane/resource"
)

// apply applies YAML and fails the test when that fails.
func apply(t testing.TB, s *Store, yaml string, o Options) *Plan {
	t.Helper()
	p, err := s.Apply(t.Context(), documents(t, yaml), false, o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestEveryVersionThatIsKeptCanBeReadAgain(t *testing.T) {
	s := open(t, Config{})
	was := []*Snapshot{s.Latest()}
	for i := range 25 {
		commit(t, s, func(b *Batch) error {
			if i%5 == 4 {
				b.Delete(clusterKey("a"))
			}
			return put(t, i, fmt.Sprint("c", i%4), []string{"a", "b"}[i%5/4])(b)
		})
		was = append(was, s.Latest())
	}
	for _, v := range []Version{3, 25, 24, 0, 7, 6, 5, 1, 12} {
		got, err := s.At(t.Context(), v)
		if err != nil {
			t.Fatal(err)
		}
		if got.Version() != v || got.Tree().Hash() != was[v].Tree().Hash() || v > 0 && !got.Time().Equal(was[v].Time()) {
			t.Errorf("version %d is not what it was", v)
		}
		for path, e := range got.Tree().All() {
			if old, _ := was[v].Tree().Get(path); old == nil || old.Since != e.Since || string(old.Resource.Bytes()) != string(e.Resource.Bytes()) {
				t.Errorf("version %d: %s differs", v, KeyOf(path))
			}
		}
	}
	if _, err := s.At(t.Context(), 26); !errors.Is(err, ErrNotFound) {
		t.Errorf("a version to come: %v", err)
	}
}

func TestHistoryGoesBackPageByPage(t *testing.T) {
	s := open(t, Config{})
	const n = 7
	for i := range n {
		commit(t, s, by(fmt.Sprint("author", i+1), put(t, i, "a")))
	}
	for _, c := range []struct {
		before Version
		limit  int
		want   string
	}{
		{0, 0, "7 6 5 4 3 2 1"}, {0, 2, "7 6"}, {6, 3, "5 4 3"}, {2, 10, "1"}, {1, 0, ""}, {99, 1, "7"},
	} {
		commits, err := s.History(t.Context(), c.before, c.limit)
		var got []string
		for _, c := range commits {
			got = append(got, fmt.Sprint(c.Version))
			if c.Author != fmt.Sprint("author", c.Version) || len(c.Changes) != 1 || c.Changes[0].Key != clusterKey("a") {
				t.Errorf("commit %+v", c)
			}
		}
		if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("before %d, limit %d: %v, %v; want %s", c.before, c.limit, got, err, c.want)
		}
	}
}

func TestRevertUndoesOneCommit(t *testing.T) {
	team := Options{Owner: "team"}
	for name, c := range map[string]struct {
		applied []string // versions 1, 2, …
		later   Options  // of the last one
		revert  Version
		as      Options // of the revert
		plan    string
		err     error
		names   string // in the error
	}{
		"a change":              {applied: []string{clusterYAML("a", 1), clusterYAML("a", 2)}, revert: 2, plan: "~Cluster/a"},
		"an addition":           {applied: []string{clusterYAML("a", 1), clusterYAML("b", 2)}, revert: 2, plan: "-Cluster/b"},
		"what others followed":  {applied: []string{clusterYAML("a", 1), clusterYAML("a", 2), clusterYAML("b", 3)}, revert: 2, plan: "~Cluster/a"},
		"what changed since":    {applied: []string{clusterYAML("a", 1), clusterYAML("a", 2), clusterYAML("a", 3)}, revert: 2, err: ErrConflict, names: "default/Cluster/a"},
		"what is undone":        {applied: []string{clusterYAML("a", 1), clusterYAML("a", 2), clusterYAML("a", 1)}, revert: 2, plan: "=Cluster/a"},
		"a host of a route":     {applied: []string{clusterYAML("a", 1) + routeYAML("rc", "x=a", "y=a"), routeYAML("rc", "x=a")}, revert: 2, plan: "+VirtualHost/rc/y"},
		"what another took":     {applied: []string{clusterYAML("a", 1), clusterYAML("a", 2), clusterYAML("a", 2)}, later: Options{Owner: "team", TakeOwnership: true}, revert: 2, err: ErrOwned, names: `default/Cluster/a belongs to "team"`},
		"that, on purpose":      {applied: []string{clusterYAML("a", 1), clusterYAML("a", 2), clusterYAML("a", 2)}, later: Options{Owner: "team", TakeOwnership: true}, revert: 2, as: Options{TakeOwnership: true}, plan: "~Cluster/a"},
		"a version to come":     {applied: []string{clusterYAML("a", 1)}, revert: 2, err: ErrNotFound},
		"a version before time": {applied: []string{clusterYAML("a", 1)}, revert: 0, err: ErrVersionGone},
		"the first one":         {applied: []string{clusterYAML("a", 1)}, later: team, revert: 1, as: team, plan: "-Cluster/a"},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, Config{})
			for i, y := range c.applied {
				o := Options{}
				if i == len(c.applied)-1 {
					o = c.later
				}
				apply(t, s, y, o)
			}
			owners := contents(s.Latest())
			p, err := s.Revert(t.Context(), c.revert, c.as)
			if c.err != nil {
				if !errors.Is(err, c.err) || !strings.Contains(err.Error(), c.names) {
					t.Fatalf("error is %v, want %v", err, c.err)
				}
				return
			}
			if err != nil || summary(p) != c.plan {
				t.Fatalf("plan is %q, %v; want %q", summary(p), err, c.plan)
			}
			if strings.HasPrefix(c.plan, "~") && contents(s.Latest()) != owners {
				t.Errorf("owners were %s, are %s", owners, contents(s.Latest()))
			}
		})
	}
}

func TestRevertOfADeletionBringsBackWhatWasThere(t *testing.T) {
	s := open(t, Config{})
	apply(t, s, clusterYAML("a", 1)+routeYAML("rc", "x=a", "y=a"), Options{Owner: "team"})
	was := s.Latest().Tree().Hash()
	if _, err := s.Delete(t.Context(), []Key{{DefaultNamespace, resource.Route, "rc"}, clusterKey("a")}, false, Options{Owner: "team"}); err != nil {
		t.Fatal(err)
	}
	if n := s.Latest().Tree().Len(); n != 0 {
		t.Fatalf("%d entries are left", n)
	}
	if _, err := s.Revert(t.Context(), 2, Options{}); err != nil {
		t.Fatal(err)
	}
	if s.Latest().Tree().Hash() != was {
		t.Fatal("not what it was")
	}
}

func TestRollbackRestoresANamespaceAndNoOther(t *testing.T) {
	s := open(t, Config{})
	other := Options{Namespace: "other"}
	apply(t, s, clusterYAML("a", 1), Options{})
	apply(t, s, clusterYAML("a", 1), other)
	one, err := s.At(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	apply(t, s, clusterYAML("a", 2)+clusterYAML("b", 1), Options{})
	apply(t, s, clusterYAML("a", 2), other)
	p, err := s.Rollback(t.Context(), 2, false, Options{})
	if err != nil || summary(p) != "~Cluster/a -Cluster/b" {
		t.Fatalf("plan is %s, %v", summary(p), err)
	}
	if got, _ := s.Latest().Get(Key{"other", resource.Cluster, "a"}); got.Since != 4 {
		t.Error("another namespace was rolled back, too")
	}
	if p, err = s.Rollback(t.Context(), 2, true, Options{}); err != nil || summary(p) != "~Cluster/a" {
		t.Fatalf("of everything: plan is %s, %v", summary(p), err)
	}
	if s.Latest().Tree().Hash() != one.Tree().Hash() {
		t.Error("everything is not as it was")
	}
}

func TestRollbackOfWhatAnotherOwnsNeedsIntent(t *testing.T) {
	s := open(t, Config{})
	team := Options{Owner: "team"}
	apply(t, s, clusterYAML("a", 1), team)
	apply(t, s, clusterYAML("a", 2), team)
	if _, err := s.Rollback(t.Context(), 1, false, Options{}); !errors.Is(err, ErrOwned) || !strings.Contains(err.Error(), `belongs to "team"`) {
		t.Fatalf("error is %v", err)
	}
	p, err := s.Rollback(t.Context(), 1, false, Options{TakeOwnership: true})
	if err != nil || summary(p) != "~Cluster/a" {
		t.Fatalf("on purpose: plan is %s, %v", summary(p), err)
	}
	if e, _ := s.Latest().Get(clusterKey("a")); e.Owner != "team" {
		t.Errorf("the owner is %q", e.Owner)
	}
}

func TestASyncThatRemovesTooMuchIsStopped(t *testing.T) {
	clusters := func(n int) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(clusterYAML(fmt.Sprint("c", i), 1))
		}
		return b.String()
	}
	for _, c := range []struct {
		had, keeps int
		stopped    bool
	}{{12, 1, true}, {11, 1, false}, {100, 80, false}, {100, 79, true}, {12, 2, false}} {
		t.Run(fmt.Sprintf("%d of %d", c.keeps, c.had), func(t *testing.T) {
			s := open(t, Config{})
			apply(t, s, clusters(c.had), Options{})
			docs := documents(t, clusters(c.keeps))
			_, err := s.Apply(t.Context(), docs, true, Options{})
			if errors.Is(err, ErrShrink) != c.stopped {
				t.Fatalf("error is %v", err)
			}
			if !c.stopped {
				return
			}
			if want := fmt.Sprintf("%d of %d Clusters", c.had-c.keeps, c.had); !strings.Contains(err.Error(), want) {
				t.Errorf("error is %v, want the counts %q", err, want)
			}
			if _, err := s.Apply(t.Context(), docs, true, Options{AllowShrink: true}); err != nil {
				t.Errorf("on purpose: %v", err)
			}
			if _, err := s.Rollback(t.Context(), 0, false, Options{}); c.keeps > 10 && !errors.Is(err, ErrShrink) {
				t.Errorf("rollback: %v", err)
			}
		})
	}
}

func TestBlameNamesTheCommitOfEachPart(t *testing.T) {
	s := open(t, Config{})
	route := func(name, cluster string) string {
		return fmt.Sprintf("{name: %s, match: {prefix: /%s}, route: {cluster: %s}}", name, name, cluster)
	}
	host := func(routes ...string) string {
		return fmt.Sprintf("---\n'@type': type.googleapis.com/envoy.config.route.v3.VirtualHost\nname: rc/h\ndomains: ['*']\nroutes: [%s]\n", strings.Join(routes, ", "))
	}
	apply(t, s, host(route("a", "x"), route("b", "x")), Options{Author: "ana"})
	apply(t, s, host(route("a", "x"), route("b", "y")), Options{Author: "bob"})
	apply(t, s, clusterYAML("x", 1), Options{})
	apply(t, s, host(route("c", "x"), route("a", "x"), route("b", "y")), Options{Author: "cid"})
	apply(t, s, routeYAML("rc", "i=x"), Options{Author: "dan"})
	for k, want := range map[Key]string{
		{DefaultNamespace, resource.VirtualHost, "rc/h"}: `:4:cid name:1:ana domains:1:ana routes["c"]:4:cid routes["a"]:1:ana routes["b"]:2:bob`,
		{DefaultNamespace, resource.Route, "rc"}:         `:5:dan name:5:dan virtual_hosts["h"]:4:cid virtual_hosts["i"]:5:dan`,
	} {
		lines, err := s.Blame(t.Context(), k)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, l := range lines {
			got = append(got, fmt.Sprintf("%s:%d:%s", l.Path, l.Commit.Version, l.Commit.Author))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s:\n got %s\nwant %s", k, strings.Join(got, " "), want)
		}
	}
	if _, err := s.Blame(t.Context(), clusterKey("none")); !errors.Is(err, ErrNotFound) {
		t.Errorf("a missing key: %v", err)
	}
}
