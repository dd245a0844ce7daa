package conformance

import (
	"fmt"
	"maps"
	"testing"

	"github.com/deltaplane/deltaplane/resource"
)

// oneOfEach are resources of all types that have both protocols.
var oneOfEach = []string{
	"cluster/c>e", "endpoint/e", "listener/l>r", "route/r>c", "scope/s>r", "secret/s", "runtime/rt", "extension/x",
}

// versions has a new client subscribe to oneOfEach and returns what versions
// it was told: in state of the world by type, in delta by resource.
func (s *scene) versions(v Variant, server string) map[string]string {
	s.Helper()
	c := s.connect(v, "envoy-2", server)
	defer c.Close()
	told := map[string]string{}
	for _, word := range oneOfEach {
		spec, err := ParseSpec(word)
		s.must(err)
		s.must(c.Subscribe(s.Context(), spec.Type, spec.Name))
		r := s.accept(c, spec.Type)
		told[kindOf(spec.Type)] = r.Version
		if v.Delta {
			told[kindOf(spec.Type)] = r.Resources[0].Version
		}
	}
	return told
}

func TestVersionsAreEqualOnEveryReplicaAndAfterARestart(t *testing.T) {
	for _, v := range Variants {
		t.Run(v.String(), func(t *testing.T) {
			s := newScene(t, v, specs(oneOfEach...))
			first := s.versions(v, "cp-1")
			s.commitSeen("cluster/passing>e", "route/passing")
			s.commitSeen("-cluster/passing", "-route/passing")
			if replica := s.versions(v, "cp-2"); !maps.Equal(first, replica) {
				t.Errorf("a replica tells\n%v\ninstead of\n%v", replica, first)
			}
			s.world.Stop("cp-1")
			if restarted := s.versions(v, "cp-1"); !maps.Equal(first, restarted) {
				t.Errorf("a restarted server tells\n%v\ninstead of\n%v", restarted, first)
			}
		})
	}
}

func TestARollbackBringsBackTheVersionsOfEachType(t *testing.T) {
	for _, v := range Variants {
		t.Run(v.String(), func(t *testing.T) {
			s := newScene(t, v, specs(oneOfEach...))
			first := s.versions(v, "cp-1")
			s.commitSeen("cluster/c=2>e")
			changed := s.versions(v, "cp-1")
			s.commitSeen("cluster/c=1>e")
			if again := s.versions(v, "cp-1"); !maps.Equal(first, again) {
				t.Errorf("after the rollback versions are\n%v\ninstead of\n%v", again, first)
			}
			for kind := range first {
				if (first[kind] != changed[kind]) != (kind == "cluster") {
					t.Errorf("%s went from %q to %q when only a cluster changed", kind, first[kind], changed[kind])
				}
			}
		})
	}
}

func TestTheVersionChangesWithTheSubscribedResources(t *testing.T) {
	s := newScene(t, Variant{Delta: false, Aggregated: true}, specs("endpoint/a", "endpoint/b"))
	seen := map[string]bool{}
	s.must(s.client.Subscribe(t.Context(), resource.Endpoint, "a"))
	for _, change := range []string{"endpoint/a=2", "endpoint/a=3", "endpoint/a=4"} {
		r := s.accept(s.client, resource.Endpoint)
		if seen[r.Version] {
			t.Errorf("version %s stands for two contents", r.Version)
		}
		seen[r.Version] = true
		s.commit(change)
	}
}

func TestNoncesAreNewOnEveryResponse(t *testing.T) {
	for _, v := range Variants {
		t.Run(v.String(), func(t *testing.T) {
			s := newScene(t, v, specs("cluster/c", "endpoint/e"))
			s.must(s.client.Subscribe(t.Context(), resource.Cluster, "*"))
			s.must(s.client.Subscribe(t.Context(), resource.Endpoint, "e"))
			seen := map[string]bool{}
			for i := range 20 {
				for _, typ := range []resource.Type{resource.Cluster, resource.Endpoint} {
					r := s.accept(s.client, typ)
					key := r.Nonce
					if !v.Aggregated {
						key += string(typ) // a stream of its own
					}
					if r.Nonce == "" || seen[key] {
						t.Fatalf("nonce %q is empty or not new", r.Nonce)
					}
					seen[key] = true
				}
				s.commit(fmt.Sprintf("cluster/c=%d", i+2), fmt.Sprintf("endpoint/e=%d", i+2))
			}
		})
	}
}
