package keys

import (
	"strings"
	"testing"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/source"
)

func TestTheStoreFollowsTheKeys(t *testing.T) {
	r := one(t)
	status := r.wait("an empty prefix to be told", func(s source.Status) bool { return s.State == source.Broken })
	if text := status.Problems.Error(); !strings.HasPrefix(text, prefix+": there are no keys") {
		t.Errorf("an empty prefix is told as %q", text)
	}
	for _, step := range []struct {
		pairs []string
		want  string
	}{
		{[]string{"a", clusters("a=1")}, "a=1"},
		{[]string{"b", clusters("b=1 c=1"), "d", clusters("d=1")}, "a=1 b=1 c=1 d=1"},
		{[]string{"b", clusters("c=2")}, "a=1 c=2 d=1"},
		{[]string{"a", "", "d", clusters("a=2")}, "a=2 c=2"}, // moved to another key
		{[]string{"b", ""}, "a=2"},
		{[]string{"d", ""}, ""},
		{[]string{"e", clusters("e=1")}, "e=1"},
	} {
		r.put(step.pairs...)
		r.becomes(source.InSync, step.want)
	}
	if v := r.store.Latest().Version(); v != 7 {
		t.Errorf("7 transactions made %d commits", v)
	}
}

func TestABrokenKeyKeepsItsLastGoodStateAndTheOthersGoOn(t *testing.T) {
	r := one(t)
	r.put("a", clusters("a=1"), "b", clusters("b=1"), "c", clusters("c=1"))
	r.becomes(source.InSync, "a=1 b=1 c=1")
	r.put("b", clusters("b=2")+"lb_policy: FOO\n", "a", clusters("a=2"))
	status := r.becomes(source.Broken, "a=2 b=1 c=1")
	if text := status.Problems.Error(); !strings.HasPrefix(text, prefix+`b:5:12: Cluster "b": lb_policy`) {
		t.Errorf("it is told as %q, want key, line and column first", text)
	}
	r.put("c", "") // known not to be b's
	r.becomes(source.Broken, "a=2 b=1")

	// Also after a restart, when nobody remembers what b had.
	r.stop()
	again := watch(t, r.store, r.etcd)
	again.becomes(source.Broken, "a=2 b=1")
	again.put("a", clusters("d=1"))
	again.becomes(source.Broken, "b=1 d=1")
	again.put("b", clusters("b=3"))
	again.becomes(source.InSync, "b=3 d=1")
	// A key that breaks and then goes takes its resources along.
	again.put("b", "[")
	again.becomes(source.Broken, "b=3 d=1")
	again.put("b", "")
	again.becomes(source.InSync, "d=1")
}

// What moves to a key that cannot be read must not be lost on the way.
func TestWhatMovesToABrokenKeyStays(t *testing.T) {
	r := one(t)
	r.put("a", clusters("a=1 b=1"))
	r.becomes(source.InSync, "a=1 b=1")
	r.put("a", clusters("a=1"), "b", clusters("b=1")+"oh no: 1\n")
	r.becomes(source.Broken, "a=1 b=1")
	r.put("b", clusters("c=1"))
	r.becomes(source.InSync, "a=1 c=1")
}

func TestKeysWithTheSameResourceAreBothTold(t *testing.T) {
	r := one(t)
	r.put("b", clusters("x=1 b=1"))
	r.becomes(source.InSync, "b=1 x=1")
	r.put("a", clusters("x=2"), "c", clusters("c=1"))
	status := r.becomes(source.Broken, "b=1 c=1 x=1")
	if text := status.Problems.Error(); !strings.Contains(text, `/conf/a:2: Cluster "x": stands in /conf/b, too`) || !strings.Contains(text, "/conf/b:2:") {
		t.Errorf("it is told as %q, want both keys", text)
	}
	r.put("b", clusters("b=2"))
	r.becomes(source.InSync, "b=2 c=1 x=2")
}

func TestUsersWorkPastKeysOnPurposeOnly(t *testing.T) {
	r := one(t)
	r.put("a", clusters("a=1"))
	r.becomes(source.InSync, "a=1")
	key := deltaplane.Key{Namespace: deltaplane.DefaultNamespace, Type: "envoy.config.cluster.v3.Cluster", Name: "a"}
	_, err := r.store.Delete(t.Context(), []deltaplane.Key{key}, false, deltaplane.Options{TakeOwnership: true})
	must(t, err)
	r.becomes(source.Overridden, "")
	r.put("b", clusters("b=1"))
	r.becomes(source.InSync, "a=1 b=1")
}
