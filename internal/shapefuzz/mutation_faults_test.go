//go:build faults

package shapefuzz

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// mutation is a compiler with one rule broken. What replaces a line of it asks
// broken(name), so that all mutations are built at once.
type mutation struct {
	name  string
	file  string
	lines [][2]string // each stands once in the file
	envoy bool        // shows on an Envoy alone
}

// mutations have a % where the question whether they are asked for stands.
var mutations = []mutation{
	{name: "suffix wildcards stand everywhere", file: "domain.go", lines: [][2]string{
		{"		return []span{{}}\n", "		if % {\n			return []span{under(domain[1:])}\n		}\n		return []span{{}}\n"}}},
	{name: "prefix wildcards stand wherever they can match", file: "domain.go", lines: [][2]string{
		{"		return []span{under(domain[:len(domain)-1])}\n", "		if % {\n			return []span{point(domain[:len(domain)-1])}\n		}\n		return []span{under(domain[:len(domain)-1])}\n"}}},
	{name: "a domain covers its ports", file: "domain.go", lines: [][2]string{
		{"	return []span{point(domain), under(domain + \":\")}\n", "	if % {\n		return []span{point(domain)}\n	}\n	return []span{point(domain), under(domain + \":\")}\n"}}},
	{name: "domains are in lower case", file: "domain.go", lines: [][2]string{
		{"	domain = lower(domain)\n", "	if !% {\n		domain = lower(domain)\n	}\n"}}},
	{name: "what has no case stands in all ranges", file: "route.go", lines: [][2]string{
		{"	if insensitive ||", "	if insensitive && !% ||"}}},
	{name: "a prefix stands up to its successor", file: "route.go", lines: [][2]string{
		{"&& (from <= r.literal || strings.HasPrefix(from, r.literal))", "&& (from <= r.literal || !% && strings.HasPrefix(from, r.literal))"},
		{"return from <= r.literal || strings.HasPrefix(from, r.literal) })", "return from <= r.literal || !% && strings.HasPrefix(from, r.literal) })"}}},
	{name: "a separated prefix has more segments after it", file: "route.go", lines: [][2]string{
		{"		return (to == \"\" || r.literal < to) && compareWith", "		return (to == \"\" || r.literal < to) && (!% || from <= r.literal) && compareWith"},
		{"		return [2]place{{max(at, 0), after(tail)}}\n", "		if % {\n			return [2]place{{max(at, 0), at + 1}}\n		}\n		return [2]place{{max(at, 0), after(tail)}}\n"}}},
	{name: "a pattern stands in all ranges", file: "route.go", lines: [][2]string{
		{"		return [2]place{{0, len(paths)}}\n", "		if % {\n			return [2]place{{0, 1}}\n		}\n		return [2]place{{0, len(paths)}}\n"},
		{"	return true\n", "	return !% || from == \"\"\n"}}},
	{name: "routes keep their order", file: "edit.go", lines: [][2]string{
		{"			all = append(all, &r.routes[i])\n", "			if % {\n				all = append([]*route{&r.routes[i]}, all...)\n				continue\n			}\n			all = append(all, &r.routes[i])\n"}}},
	{name: "a host without routes stays", file: "piece.go", lines: [][2]string{
		{"			c.visit(paths.leaves[i].ID, resource.FromCanonical(resource.VirtualHost, c.now.Name(), b))\n",
			"			piece := resource.FromCanonical(resource.VirtualHost, c.now.Name(), b)\n			if % && Routes(piece) == 0 {\n				piece = nil\n			}\n			c.visit(paths.leaves[i].ID, piece)\n"}}},
	{name: "a host that is gone leaves its leaves", file: "piece.go", lines: [][2]string{
		{"	case !has:\n", "	case !has && %:\n		return\n	case !has:\n"}}},
	{name: "a changed route reaches its leaves", file: "piece.go", lines: [][2]string{
		{"!bytes.Equal(was[i], is[i])", "!% && !bytes.Equal(was[i], is[i])"}}},
	{name: "retired leaves are kept up to date", file: "piece.go", lines: [][2]string{
		{"	for _, r := range s.Retired {\n", "	for _, r := range s.Retired {\n		if % {\n			break\n		}\n"}}},
	{name: "only a whole range of authorities is cut by host", file: "resplit.go", lines: [][2]string{
		{"alone := leaf.Path == \"\" &&", "alone := (leaf.Path == \"\" || %) &&"}}},
	{name: "what stands behind the routes of a host stays", file: "piece.go", lines: [][2]string{
		{"	each(func(r *run) []byte { return r.after })\n", "	if !% {\n		each(func(r *run) []byte { return r.after })\n	}\n"}}},
	{name: "what a table says stands in its leaves", file: "shell.go", envoy: true, lines: [][2]string{
		{"		b = append(b, f.whole...)\n", "		if % && f.number > tableRemovals {\n			continue\n		}\n		b = append(b, f.whole...)\n"}}},
	{name: "limits of their own keep a table whole", file: "extension.go", envoy: true, lines: [][2]string{
		{"	case limits(content):\n", "	case limits(content) && !%:\n"}}},
	{name: "path parameters keep a table whole", file: "extension.go", envoy: true, lines: [][2]string{
		{"v != 0 {\n		return \"ignores path", "v != 0 && !% {\n		return \"ignores path"}}},
	{name: "redirects that are followed keep a table whole", file: "rules.go", envoy: true, lines: [][2]string{
		{"	34: {whole: redirects},\n", "	34: {check: func([]byte) string { return map[bool]string{false: redirects}[%] }},\n"}}},
	{name: "hosts by another header keep a table whole", file: "rules.go", envoy: true, lines: [][2]string{
		{"	18: {whole: \"finds", "	18: {check: func([]byte) string { return map[bool]string{false: \"is\"}[%] }, safe: \"finds"}}},
	{name: "backends do not see the header", file: "shell.go", envoy: true, lines: [][2]string{
		{"		if !removed {\n", "		if !removed && !% {\n"}}},
	{name: "what a client sends is overwritten", file: "mutation.go", envoy: true, lines: [][2]string{
		{"corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD", "map[bool]corev3.HeaderValueOption_HeaderAppendAction{true: corev3.HeaderValueOption_ADD_IF_ABSENT, false: corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD}[%]"}}},
	{name: "authorities with capitals have trees of their own", file: "mutation.go", envoy: true, lines: [][2]string{
		{"	if end == \"\" {\n", "	if end == \"\" || % {\n"}}},
	{name: "what capitals misplace is set aside", file: "capital.go", envoy: true, lines: [][2]string{
		{"	if a.end == \"\" {\n		return", "	if a.end == \"\" || % {\n		return"}}},
	{name: "a part of the next point and a capital is misplaced", file: "capital.go", envoy: true, lines: [][2]string{
		{"		a.end = to[:i] + \"[\"\n", "		a.end = to[:i] + \"[\"\n		if % {\n			break\n		}\n"}}},
	{name: "these trees match in any case", file: "fold.go", envoy: true, lines: [][2]string{
		{"		return \"[\" + string(c) + string(c-'a'+'A') + \"]\"\n", "		if % {\n			return string(c)\n		}\n		return \"[\" + string(c) + string(c-'a'+'A') + \"]\"\n"}}},
	{name: "a range begins with its authority", file: "tree.go", envoy: true, lines: [][2]string{
		{"return \"request.host>=\" + literal(host) }", "return map[bool]string{true: \"request.host>\", false: \"request.host>=\"}[%] + literal(host) }"}}},
	{name: "a range begins with its path", file: "tree.go", envoy: true, lines: [][2]string{
		{"append(append(b, \"request.url_path>=\"...)", "append(append(b, map[bool]string{true: \"request.url_path>\", false: \"request.url_path>=\"}[%]...)"}}},
}

// askedFor says which mutation a process is.
const askedFor = "DELTAPLANE_SHAPE_BROKEN"

func TestEachBrokenRuleOfTheCompilerIsCaught(t *testing.T) {
	binary := buildMutations(t)
	run := func(name, pattern string, args ...string) (output string, failed bool) {
		cmd := exec.CommandContext(t.Context(), binary, append([]string{"-test.run", "^" + pattern + "$"}, args...)...)
		cmd.Env = append(os.Environ(), askedFor+"="+name)
		b, err := cmd.CombinedOutput()
		return string(b), err != nil
	}
	const byModel, onEnvoy = "TestTheModelRoutesByLeavesAsByTheWholeTable", "TestSplitTablesRouteAsWholeOnes"
	if output, failed := run("none", onEnvoy, "-tables=2"); failed {
		t.Fatalf("with nothing broken:\n%s", output)
	}
	for _, m := range mutations {
		pattern := byModel
		if m.envoy {
			pattern = onEnvoy
		}
		if output, failed := run(m.name, pattern, "-tables=60", "-searched=1000"); !failed || !strings.Contains(output, "see it again") {
			t.Errorf("%q is broken, and nothing shows it:\n%s", m.name, output)
		}
	}
}

// buildMutations builds this package's tests with all mutations in them.
func buildMutations(t *testing.T) (binary string) {
	t.Helper()
	source, err := filepath.Abs("../../shape")
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{"broken.go": "package shape\n\nimport \"os\"\n\nvar asked = os.Getenv(\"" + askedFor + "\")\n\nfunc broken(name string) bool { return name == asked }\n"}
	for _, m := range mutations {
		if texts[m.file] == "" {
			b, err := os.ReadFile(filepath.Join(source, m.file))
			if err != nil {
				t.Fatal(err)
			}
			texts[m.file] = string(b)
		}
		for _, line := range m.lines {
			if n := strings.Count(texts[m.file], line[0]); n != 1 {
				t.Fatalf("%q: %s has %d times:\n%s\nbring the mutation up to date", m.name, m.file, n, line[0])
			}
			texts[m.file] = strings.Replace(texts[m.file], line[0], strings.Replace(line[1], "%", "broken(\""+m.name+"\")", 1), 1)
		}
	}
	dir := t.TempDir()
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	write := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, text := range texts {
		overlay.Replace[filepath.Join(source, name)] = write(name, []byte(text))
	}
	b, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	binary = filepath.Join(dir, "mutations.test")
	cmd := exec.CommandContext(t.Context(), "go", "test", "-c", "-overlay", write("overlay.json", b), "-o", binary, ".")
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build of the mutations: %v\n%s", err, output)
	}
	return binary
}
