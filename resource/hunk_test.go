package resource

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestHunksLeadFromOneResourceToTheOther(t *testing.T) {
	_, hosts, err := decodeOne(t, gateway(900)).SplitHosts()
	if err != nil {
		t.Fatal(err)
	}
	old := hosts[0]
	rapid.Check(t, func(t *rapid.T) {
		now := old
		for range rapid.IntRange(0, 4).Draw(t, "patches") {
			at := rapid.IntRange(0, 850).Draw(t, "at")
			patch := rapid.SampledFrom([]string{
				fmt.Sprintf("{remove_route: %d}", at),
				fmt.Sprintf("{route: {name: n%d, match: {prefix: /%s}, route: {cluster: c}}, before: %d}", at, strings.Repeat("x", at), at),
				fmt.Sprintf("{merge: {domains: [d%d]}}", at),
				fmt.Sprintf("{merge: {include_request_attempt_count: %t}}", at%2 == 0),
			}).Draw(t, "patch")
			var problems Problems
			if now, problems = ApplyPatch(now, []byte(patch)); len(problems) > 0 {
				t.Fatal(problems)
			}
		}
		var b []byte
		was, done := old.Bytes(), 0
		for h := range Hunks(old, now) {
			if !bytes.HasPrefix(was[h.At:], h.Gone) || h.At < done || h.empty() {
				t.Fatalf("at %d, %q does not go", h.At, h.Gone)
			}
			b = append(append(b, was[done:h.At]...), h.Came...)
			done = h.At + len(h.Gone)
		}
		if b = append(b, was[done:]...); !bytes.Equal(b, now.Bytes()) {
			t.Fatalf("the hunks lead to other bytes")
		}
	})
}

func TestHunksAreTheChangedRoutesAlone(t *testing.T) {
	for _, n := range []int{100, 1000, 10_000} {
		_, hosts, err := decodeOne(t, gateway(n)).SplitHosts()
		if err != nil {
			t.Fatal(err)
		}
		one := mustPatch(t, hosts[0], fmt.Sprintf("{remove_route: r%d}", n/2))
		if h := slices.Collect(Hunks(hosts[0], one)); len(h) != 1 || elements(hostRoutes, h[0].Gone) != 1 || len(h[0].Came) != 0 {
			t.Errorf("of %d routes one went: %v", n, h)
		}
		two := mustPatch(t, one, "{route: {name: r3, match: {prefix: /new}, route: {cluster: other}}}")
		h := slices.Collect(Hunks(hosts[0], two))
		if n == 10_000 && (len(h) != 2 || elements(hostRoutes, h[0].Gone)+elements(hostRoutes, h[1].Gone) != 2) {
			t.Errorf("of %d routes two changed, far from each other: %d hunks", n, len(h))
		}
	}
}
