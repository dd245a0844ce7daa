//go:build faults

package xds

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// mutant is the order without one of its rules: file with one text in place
// of another.
type mutant struct{ rule, file, was, is string }

var mutants = []mutant{
	{"clusters go before what mentions them", "conversation.go",
		"return cmp.Compare(rankOf(a.typ), rankOf(b.typ))", "return cmp.Compare(rankOf(b.typ), rankOf(a.typ))"},
	{"what mentions a cluster of an unanswered response waits", "sequence.go",
		"(g.flight.adds(s.Want) || ", "("},
	{"what mentions a cluster that is still to be sent waits", "sequence.go",
		" || g.pending.adds(s.Want)", ""},
	{"endpoints go again with each modified cluster", "conversation.go",
		"if l.typ == resource.Cluster {\n\t\tc.rewarm(p)", "if l.typ == \"\" {\n\t\tc.rewarm(p)"},
	{"removals go after additions have been accepted", "sequence.go",
		"case s.adds || s.inFlight:", "case false:"},
	{"what refers is removed before what it refers to", "sequence.go",
		"case breaksBefore(s.typ, t) && s.removes:", "case false:"},
	{"clusters stay while hosts of the past mention them", "sequence.go",
		"case t == resource.Cluster && s.bridged:", "case false:"},
	{"clusters stay while an older state mentions them that is in force since a refusal", "sequence.go",
		"case t == resource.Cluster && s.refused.stillUses(p):", "case false:"},
	{"refused clusters hold back what mentions them", "sequence.go",
		" || s.Held() && g.refused.adds(s.Want)", ""},
	{"scopes follow the tables that they lead to", "bridge.go",
		"return !slices.ContainsFunc(all, func(s standing) bool { return s.typ == resource.Route && s.adds })", "return slices.Contains([]string{}, \"\") || true"},
	{"tables keep the hosts that move until scopes have followed", "warm.go",
		"if l.bridge.needed {", "if false {"},
	{"a scope moves when its table is loaded", "preload.go",
		"if !c.envoy || routes == nil ||", "if true || routes == nil ||"},
	{"no scope leaves a table that others move to", "preload.go",
		"if (early || ", "if (early && false || "},
	{"no scope leaves a table that a new one leads to", "preload.go",
		"range c.arrivals(l, target, moves) {", "range map[string]bool{} {"},
	{"clusters outlive what drains", "linger.go",
		"if l.typ != resource.Cluster || c.lingering == nil {", "if true {"},
	{"endpoints outlive what warms with them", "warm.go",
		"table = l.warmClusters.over(l, c.warmingClusters(), table)", ""},
	{"secrets outlive the listener that asks late", "warm.go",
		"table = l.warmListeners.over(l, c.warmingListeners(), table)", ""},
	{"scopes are a type of full state", "../resource/type.go",
		"|| t == ScopedRoute }", "}"},
	{"nothing is held of what was not subscribed to", "../view/held.go",
		"if was.Contains(name) {", "if true {"},
}

// TestTheModelNoticesEachRuleThatIsMissing runs TestNoRequestToAModelOfEnvoyFails
// in builds that lack one rule each. In each of them a request must fail.
func TestTheModelNoticesEachRuleThatIsMissing(t *testing.T) {
	for _, m := range mutants {
		t.Run(m.rule, func(t *testing.T) {
			output, err := exec.Command(m.build(t), "-test.run=^TestNoRequestToAModelOfEnvoyFails$", "-rapid.checks=5000", "-rapid.nofailfile", "-rapid.shrinktime=0s").CombinedOutput()
			_, why, found := strings.Cut(string(output), "VIOLATION: ")
			if err == nil || !found {
				t.Fatalf("nothing fails without it: %v\n%.2000s", err, output)
			}
			why, _, _ = strings.Cut(why, "\n")
			t.Log(why)
		})
	}
}

// build returns the path of this package's tests without the rule.
func (m mutant) build(t *testing.T) string {
	t.Helper()
	source, err := os.ReadFile(m.file)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(source), m.was); n != 1 {
		t.Fatalf("%s has %q %d times: the mutant must follow the code", m.file, m.was, n)
	}
	dir := t.TempDir()
	mutated, overlay, binary := filepath.Join(dir, "mutated.go"), filepath.Join(dir, "overlay.json"), filepath.Join(dir, "mutant.test")
	original, err := filepath.Abs(m.file)
	if err != nil {
		t.Fatal(err)
	}
	replaced, err := json.Marshal(map[string]map[string]string{"Replace": {original: mutated}})
	if err != nil {
		t.Fatal(err)
	}
	for path, content := range map[string]string{mutated: strings.Replace(string(source), m.was, m.is, 1), overlay: string(replaced)} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if output, err := exec.Command("go", "test", "-c", "-vet=off", "-overlay", overlay, "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("it does not build: %v\n%s", err, output)
	}
	return binary
}
