package examples

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/deltaplane/deltaplane/internal/envoy"
	"github.com/deltaplane/deltaplane/internal/envoytest"
	"github.com/deltaplane/deltaplane/internal/gateway"
	"github.com/deltaplane/deltaplane/internal/traffic"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		envoytest.CleanUp()
		os.Exit(code)
	}))
}

// node is the id of every Envoy in these tests.
const node = "envoy-1"

// listens marks the ports that a test may not take: it takes free ones.
var listens = regexp.MustCompile(`port_value: \d+\}\} # listen`)

// read is all that stands in an example's directory, as one file.
func read(t *testing.T, example string) (documents string, listeners int) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(example, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in %s: %v", example, err)
	}
	var all []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		listeners += len(listens.FindAll(text, -1))
		all = append(all, string(listens.ReplaceAll(text, []byte("port_value: 0}}"))))
	}
	return strings.Join(all, "\n---\n"), listeners
}

// show applies documents to a real Envoy and waits until it has them all.
func show(t *testing.T, documents string, listeners int) *envoytest.Envoy {
	t.Helper()
	plane := envoytest.StartPlane(t)
	e := envoytest.Start(t, envoy.Bootstrap{XDS: plane.XDS, Mode: envoy.DeltaADS, NodeID: node, Cluster: "examples", RTDS: []string{"rtds0"}})
	plan := plane.ApplyWait(documents)
	if len(plan.Warnings) > 0 {
		t.Errorf("applied with warnings: %v", plan.Warnings)
	}
	e.WaitReady()
	e.WaitStat("listener_manager.total_listeners_active", func(n uint64) bool { return n == uint64(listeners) })
	e.WaitStat("cluster_manager.warming_clusters", func(n uint64) bool { return n == 0 })
	plane.WaitInSync(node, plan.Version)
	proxy, err := plane.Status(envoytest.Context(t), node)
	if err != nil {
		t.Fatal(err)
	}
	if proxy.Refusals != 0 {
		t.Errorf("Envoy refused %d responses: %+v", proxy.Refusals, proxy)
	}
	for name, n := range e.StatsMatching(`update_rejected$`) {
		if n != 0 {
			t.Errorf("%s is %d", name, n)
		}
	}
	return e
}

func TestEnvoyAcceptsEveryExample(t *testing.T) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	shown := 0
	for _, entry := range entries {
		if !entry.IsDir() || entry.Name() == "gateway10k" {
			continue
		}
		shown++
		t.Run(entry.Name(), func(t *testing.T) {
			documents, listeners := read(t, entry.Name())
			show(t, documents, listeners)
		})
	}
	if shown < 5 {
		t.Errorf("there are only %d examples", shown)
	}
}

func TestEnvoyAcceptsTheGatewayWith10000Routes(t *testing.T) {
	for _, plain := range []bool{false, true} {
		t.Run(fmt.Sprintf("plain=%v", plain), func(t *testing.T) {
			blue, green := envoytest.Backend(t, "blue"), envoytest.Backend(t, "green")
			g := gateway.Gateway{Hosts: 1000, Routes: 10, Plain: plain,
				Clusters: []gateway.Cluster{{Name: "blue", Port: blue.Port()}, {Name: "green", Port: green.Port()}}}
			var documents bytes.Buffer
			if err := g.Write(&documents); err != nil {
				t.Fatal(err)
			}
			e := show(t, documents.String(), 1)
			client := envoytest.Client(t, e.WaitListener(gateway.Listener), nil)
			for _, i := range []int{0, 999} {
				if _, err := client.Until(envoytest.Context(t), traffic.Request{Host: g.Host(i), Path: g.Path(9)}, "blue"); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestTheSidecarExampleIsWhatItsGeneratorMakes(t *testing.T) {
	made := filepath.Join(t.TempDir(), "sidecar.yaml")
	if output, err := exec.Command("go", "run", "./sidecar/generate", made).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	want, err := os.ReadFile(made)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("sidecar/sidecar.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("sidecar/sidecar.yaml is not what `go generate ./examples` makes")
	}
}
