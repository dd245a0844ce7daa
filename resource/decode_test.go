package resource

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

const clusterType = `"@type": type.googleapis.com/envoy.config.cluster.v3.Cluster`

func decodeNames(t *testing.T, d Decoder, file, text string) string {
	t.Helper()
	docs, problems := d.Decode(file, []byte(text))
	if len(problems) > 0 {
		t.Fatalf("%s", problems)
	}
	var names []string
	for _, doc := range docs {
		names = append(names, fmt.Sprintf("%s/%s:%d", doc.Resource.Type().Short(), doc.Resource.Name(), doc.Line))
	}
	return strings.Join(names, " ")
}

func TestEachFormOfInputIsRead(t *testing.T) {
	cluster := `{"@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster", "name": %q}`
	one, two := fmt.Sprintf(cluster, "a"), fmt.Sprintf(cluster, "b")
	for name, c := range map[string]struct{ file, text, want string }{
		"YAML documents":       {"x.yaml", "---\n" + clusterType + "\nname: a\n---\n# nothing\n---\n" + clusterType + "\nname: b\n", "Cluster/a:2 Cluster/b:7"},
		"a JSON value":         {"x.json", one, "Cluster/a:1"},
		"JSON values":          {"-", one + "\n" + two, "Cluster/a:1 Cluster/b:2"},
		"JSON with YAML marks": {"-", one + "\n---\n" + two, "Cluster/a:1 Cluster/b:3"},
		"a byte order mark":    {"x.json", "\ufeff" + one, "Cluster/a:1"},
		"resources":            {"x.yaml", "resources:\n- " + one + "\n- " + two, "Cluster/a:2 Cluster/b:3"},
		"a DiscoveryResponse": {"x.json", `{"@type": "type.googleapis.com/envoy.service.discovery.v3.DiscoveryResponse",
			"versionInfo": "7", "nonce": "x", "typeUrl": "type.googleapis.com/envoy.config.cluster.v3.Cluster", "resources": [` + one + `, {"name": "c"}]}`, "Cluster/a:2 Cluster/c:2"},
		"a wrapped resource":      {"x.yaml", "name: a\nversion: v7\nresource: " + one, "Cluster/a:3"},
		"a list of wrapped ones":  {"x.yaml", "resources:\n- {name: a, version: '1', resource: " + one + "}\n", "Cluster/a:2"},
		"a wrapper with its type": {"x.yaml", "'@type': type.googleapis.com/envoy.service.discovery.v3.Resource\nname: a\nresource: " + one, "Cluster/a:3"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := decodeNames(t, Decoder{}, c.file, c.text); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestEachSpellingOfOneResourceHasOneDigest(t *testing.T) {
	want := decodeOne(t, clusterType+`
name: a
connect_timeout: 1.5s
type: EDS
eds_cluster_config: {eds_config: {ads: {}}}
max_requests_per_connection: 10
preconnect_policy: {per_upstream_preconnect_ratio: 1.5}
metadata: {filter_metadata: {x: {n: 1000}}}
`)
	for name, text := range map[string]string{
		"camel case": clusterType + "\nname: a\nconnectTimeout: 1.500s\ntype: EDS\nedsClusterConfig: {edsConfig: {ads: {}}}\nmaxRequestsPerConnection: 10\npreconnectPolicy: {perUpstreamPreconnectRatio: 1.5}\nmetadata: {filterMetadata: {x: {n: 1e3}}}\n",
		"numbers":    clusterType + "\nname: 'a'\nconnect_timeout: '1.5s'\ntype: 3\neds_cluster_config: {eds_config: {ads: {}}}\nmax_requests_per_connection: 1.0e1\npreconnect_policy: {per_upstream_preconnect_ratio: '1.5'}\nmetadata: {filter_metadata: {x: {n: 1_000}}}\n",
		"defaults":   clusterType + "\nname: a\nalt_stat_name: ''\nlb_policy: ROUND_ROBIN\nlrs_server: null\nhealth_checks: []\nconnect_timeout: 1.5s\ntype: EDS\neds_cluster_config: {eds_config: {ads: {}, resource_api_version: AUTO}}\nmax_requests_per_connection: 0xa\npreconnect_policy: {per_upstream_preconnect_ratio: 1.5}\nmetadata: {filter_metadata: {x: {n: 0x3e8}}}\n",
		"anchors":    "metadata: {filter_metadata: &m {x: &x {n: 1000}}}\n<<: [{connect_timeout: 1.5s, type: EDS}, {type: STATIC, max_requests_per_connection: 10}]\n" + clusterType + "\nname: a\neds_cluster_config: {eds_config: {ads: {}}}\npreconnect_policy: {per_upstream_preconnect_ratio: 1.5}\n",
	} {
		t.Run(name, func(t *testing.T) {
			if got := decodeOne(t, text); got.Digest() != want.Digest() {
				t.Errorf("%v\nwant\n%v", mustMessage(t, got), mustMessage(t, want))
			}
		})
	}
}

func TestWhatMeansSomethingToEnvoyKeepsItsOwnDigest(t *testing.T) {
	seen := map[Digest]string{}
	for _, text := range []string{
		"", "common_lb_config: {}", "respect_dns_ttl: true", "wait_for_warm_on_init: false", "wait_for_warm_on_init: true",
		"per_connection_buffer_limit_bytes: 0", "type: STATIC", "http2_protocol_options: {}", "metadata: {}",
		"dns_resolvers: []\nhealth_checks: []\nalt_stat_name: x",
	} {
		d := decodeOne(t, clusterType+"\nname: a\n"+text).Digest()
		if other, ok := seen[d]; ok {
			t.Errorf("%q and %q have the same digest", text, other)
		}
		seen[d] = text
	}
}

func TestHostileInputIsRefusedInBoundedMemory(t *testing.T) {
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'k'; c++ {
		bomb += fmt.Sprintf("%c: &%c [%s*%c]\n", c, c, strings.Repeat(fmt.Sprintf("*%c,", c-1), 8), c-1)
	}
	for name, c := range map[string]struct{ file, text, want string }{
		"a billion laughs":         {"x.yaml", bomb, "aliases expand to more than 1048576 nodes"},
		"an alias of itself":       {"x.yaml", clusterType + "\nname: a\nmetadata: &m {filter_metadata: {x: *m}}\n", "alias *m contains itself"},
		"20,000 lists in YAML":     {"x.yaml", "a: " + strings.Repeat("[", 20_000), "exceeded max depth"},
		"20,000 - in YAML":         {"x.yaml", strings.Repeat("- ", 20_000), "exceeded max depth"},
		"5,000 lists in YAML":      {"x.yaml", "a: " + strings.Repeat("[", 5_000) + strings.Repeat("]", 5_000), "nests deeper than 200"},
		"20,000 lists in JSON":     {"x.json", strings.Repeat("[", 20_000), "nests deeper than 200"},
		"20,000 objects in JSON":   {"-", strings.Repeat(`{"a":`, 20_000), "nests deeper than 200"},
		"9,000,000 values in YAML": {"x.yaml", "a: [" + strings.Repeat("1,", 9_000_000) + "1]", "may hold more than 8388608 values"},
		"9,000,000 values in JSON": {"x.json", "[" + strings.Repeat("1,", 9_000_000) + "1]", "may hold more than 8388608 values"},
		"nesting by aliases":       {"x.yaml", nestedAliases(30, 10), "nests deeper than 200"},
		"no UTF-8":                 {"x.yaml", "name: a\nb: \xff\n", "x.yaml:2:4: is not valid UTF-8"},
		"UTF-16":                   {"x.yaml", "\xff\xfea\x00", "is not valid UTF-8"},
		"half a surrogate":         {"x.json", `{"a": "\ud800"}`, "half of a surrogate pair"},
		"unknown anchor":           {"x.yaml", "a: *b\n", "unknown anchor"},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			docs, problems := Decoder{}.Decode(c.file, []byte(c.text))
			runtime.ReadMemStats(&after)
			if len(docs) > 0 || !strings.Contains(problems.Error(), c.want) {
				t.Errorf("%d documents, problems %v; want %q", len(docs), problems, c.want)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 32<<20 {
				t.Errorf("allocated %d MiB for %d bytes of input", used>>20, len(c.text))
			}
		})
	}
}

// nestedAliases is a document of mappings, each nesting the one before deeper.
func nestedAliases(n, deep int) string {
	var b strings.Builder
	b.WriteString("a0: &a0 x\n")
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&b, "a%d: &a%d %s*a%d%s\n", i, i, strings.Repeat("[", deep), i-1, strings.Repeat("]", deep))
	}
	return b.String()
}

func TestSizesAreLimited(t *testing.T) {
	text := clusterType + "\nname: a\nalt_stat_name: " + strings.Repeat("x", 5000)
	_, problems := Decoder{MaxResourceBytes: 4096}.Decode("x.yaml", []byte(text))
	if want := "x.yaml:1:1: Cluster \"a\": takes 5007 bytes, but the limit is 4096: split it, or raise --max-resource-bytes"; problems.Error() != want {
		t.Errorf("got %v, want %s", problems, want)
	}
	_, problems = Decoder{MaxInputBytes: 4096}.Decode("x.yaml", []byte(text))
	if !strings.Contains(problems.Error(), "one input may have 4096") {
		t.Errorf("got %v", problems)
	}
	_, problems = Decoder{}.Decode("x.yaml", []byte(clusterType+"\nname: "+strings.Repeat("x", 4097)))
	if !strings.Contains(problems.Error(), "names may have 4096") {
		t.Errorf("got %v", problems)
	}
}

func TestManyProblemsAreCountedNotListed(t *testing.T) {
	var b strings.Builder
	for range 3000 {
		b.WriteString("---\nname: x\n")
	}
	_, problems := Decoder{}.Decode("x.yaml", []byte(b.String()))
	if len(problems) != maxProblems+1 || problems[maxProblems].Message != "and 2000 more problems" {
		t.Errorf("%d problems, the last %v", len(problems), problems[len(problems)-1])
	}
}

func TestWhatIsMeantByAFieldIsLookedForOnlyWhereItIsListed(t *testing.T) {
	text := func(fields int) []byte {
		var b strings.Builder
		b.WriteString(clusterType + "\nname: x\n")
		for i := range fields {
			fmt.Fprintf(&b, "k%d: 1\n", i)
		}
		return []byte(b.String())
	}
	var last string
	cost := func(text []byte) float64 {
		return testing.AllocsPerRun(1, func() {
			_, problems := Decoder{}.Decode("x.yaml", text)
			last = problems[len(problems)-1].Message
		})
	}
	listed, twice := cost(text(maxProblems)), cost(text(2*maxProblems))
	if last != "and 1000 more problems" {
		t.Errorf("the last problem is %q", last)
	}
	if more := twice - listed; more > listed/3 {
		t.Errorf("%.0f allocations for those beyond, %.0f for those that are listed", more, listed)
	}
}

func TestEveryEnvoyTypeResolvesInsideAny(t *testing.T) {
	messages := 0
	protoregistry.GlobalTypes.RangeMessages(func(mt protoreflect.MessageType) bool {
		if name := string(mt.Descriptor().FullName()); strings.HasPrefix(name, "envoy.") && strings.Contains(name, ".v3.") {
			messages++
		}
		return true
	})
	if messages < 1300 {
		t.Errorf("only %d messages of Envoy's v3 packages are known", messages)
	}
}

func TestExamplesAreRead(t *testing.T) {
	examples, err := filepath.Glob("../examples/*/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range examples {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(data), "@type") || strings.Contains(string(data), "static_resources") {
			continue
		}
		if _, problems := (Decoder{}).Decode(file, data); len(problems) > 0 {
			t.Errorf("%v", problems)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, pattern := range []string{"testdata/problems/*", "testdata/canonical/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(filepath.Base(file), data)
		}
	}
	f.Fuzz(func(t *testing.T, file string, data []byte) {
		d := Decoder{AllowOpaqueTypes: true, AllowUnknown: true}
		docs, problems := d.Decode(file, data)
		if len(docs) == 0 && len(problems) == 0 {
			t.Fatal("neither documents nor problems")
		}
		for _, doc := range docs {
			doc.Resource.References()
			text, err := ToYAML(doc.Resource, false)
			if err != nil {
				t.Fatal(err)
			}
			again, problems := d.Decode("again.yaml", text)
			if len(problems) > 0 || len(again) != 1 || again[0].Resource.Digest() != doc.Resource.Digest() {
				t.Fatalf("does not survive YAML: %v\n%s", problems, text)
			}
			if _, err := New(mustMessage(t, doc.Resource)); err != nil && !strings.Contains(err.Error(), "unknown") {
				t.Fatalf("its own message is refused: %v", err)
			}
		}
	})
}

func TestAResourceOfTooManyValuesIsNotMade(t *testing.T) {
	text := `{"@type": "` + Cluster.URL() + `", "name": "a", "metadata": {"filter_metadata": {"x": {"l": [` + strings.Repeat("1,", maxResourceValues) + `1]}}}}`
	if docs, problems := (Decoder{}).Decode("x.json", []byte(text)); len(docs) > 0 || !strings.Contains(problems.Error(), "holds more than 2097152 values") {
		t.Errorf("%d documents, problems %.300v", len(docs), problems)
	}
}
