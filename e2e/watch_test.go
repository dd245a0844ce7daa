package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/deltaplane/deltaplane/internal/envoy"
	"github.com/deltaplane/deltaplane/internal/envoytest"
	"github.com/deltaplane/deltaplane/internal/faulttest"
	"github.com/deltaplane/deltaplane/internal/traffic"
	"github.com/deltaplane/deltaplane/source"
)

// write puts a file where it may be there already, as an editor would.
func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestTrafficFollowsTheFilesOfAWatchedDirectory(t *testing.T) {
	blue, green := envoytest.Backend(t, "blue"), envoytest.Backend(t, "green")
	mode := envoy.DeltaADS
	dir := t.TempDir()
	base, ends := filepath.Join(dir, "base.yaml"), filepath.Join(dir, "endpoints.yaml")
	write(t, base, documents(mode, listener("web", rds("table"), ""), table("table", to("one")), cluster("one")))
	write(t, ends, endpoints("one", blue.Port()))
	plane := envoytest.StartPlane(t, "--watch", dir+",owner=files")
	e := startEnvoy(t, plane, mode)
	answer(t, e, "web", root, "blue")
	load := envoytest.Traffic(t, e.WaitListener("web"), 200, func(uint64) traffic.Request { return root })

	// A file that cannot be used changes nothing, and says so.
	write(t, ends, "resources: [oh")
	status := plane.WaitSource(source.Broken)
	if text := status.Problems.Error(); !strings.HasPrefix(text, ends+":1") {
		t.Errorf("the problem is told as %q, want the file and the line first", text)
	}
	answer(t, e, "web", root, "blue")

	write(t, ends, endpoints("one", green.Port()))
	answer(t, e, "web", root, "green")
	plane.WaitSource(source.InSync)

	// What changes while the control plane is away is there when it is back.
	plane.Kill()
	write(t, ends, endpoints("one", blue.Port()))
	plane.Start()
	answer(t, e, "web", root, "blue")
	if r := load.Stop(); r.Failures > 0 {
		t.Errorf("%d requests failed: %v", r.Failures, r.Reasons)
	}
}

// swap puts files into a directory as Kubernetes mounts a ConfigMap: they lead
// through the link ..data, which a rename leads elsewhere.
func swap(t *testing.T, dir, generation string, files map[string]string) {
	t.Helper()
	data := filepath.Join(dir, generation)
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		write(t, filepath.Join(data, name), content)
	}
	next := filepath.Join(dir, "..data_tmp")
	if err := os.Symlink(generation, next); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, filepath.Join(dir, "..data")); err != nil {
		t.Fatal(err)
	}
	for name := range files {
		if err := os.Symlink(filepath.Join("..data", name), filepath.Join(dir, name)); err != nil && !os.IsExist(err) {
			t.Fatal(err)
		}
	}
}

func TestTrafficFollowsAConfigMap(t *testing.T) {
	blue, green := envoytest.Backend(t, "blue"), envoytest.Backend(t, "green")
	mode := envoy.DeltaADS
	dir := t.TempDir()
	base := documents(mode, listener("web", rds("table"), ""), table("table", to("one")), cluster("one"))
	swap(t, dir, "..1", map[string]string{"base.yaml": base, "ends.yaml": endpoints("one", blue.Port())})
	plane := envoytest.StartPlane(t, "--watch", dir)
	e := startEnvoy(t, plane, mode)
	answer(t, e, "web", root, "blue")
	load := envoytest.Traffic(t, e.WaitListener("web"), 200, func(uint64) traffic.Request { return root })
	swap(t, dir, "..2", map[string]string{"base.yaml": base, "ends.yaml": endpoints("one", green.Port())})
	if err := os.RemoveAll(filepath.Join(dir, "..1")); err != nil {
		t.Fatal(err)
	}
	answer(t, e, "web", root, "green")
	if status := plane.WaitSource(source.InSync); status.Version != 2 || status.Inputs != 2 || status.Resources != 4 {
		t.Errorf("the source is %+v, want two commits, two files and four resources", status)
	}
	if r := load.Stop(); r.Failures > 0 {
		t.Errorf("%d requests failed: %v", r.Failures, r.Reasons)
	}
}

func TestTrafficFollowsTheKeysOfAnEtcd(t *testing.T) {
	blue, green := envoytest.Backend(t, "blue"), envoytest.Backend(t, "green")
	mode := envoy.DeltaADS
	etcd := faulttest.StartEtcd(t, "")
	put := func(key, value string) {
		t.Helper()
		if _, err := etcd.Client.Put(t.Context(), key, value); err != nil {
			t.Fatal(err)
		}
	}
	put("/gateway/base", documents(mode, listener("web", rds("table"), ""), table("table", to("one")), cluster("one")))
	put("/gateway/ends", endpoints("one", blue.Port()))
	plane := envoytest.StartPlane(t, "--watch-etcd", "/gateway/", "--watch-etcd-endpoints", etcd.URL)
	e := startEnvoy(t, plane, mode)
	answer(t, e, "web", root, "blue")

	put("/gateway/ends", "{")
	if status := plane.WaitSource(source.Broken); !strings.HasPrefix(status.Problems.Error(), "/gateway/ends:1") {
		t.Errorf("the problem is told as %q, want the key and the line first", status.Problems)
	}
	answer(t, e, "web", root, "blue")
	put("/gateway/ends", endpoints("one", green.Port()))
	answer(t, e, "web", root, "green")
	plane.WaitSource(source.InSync)
}
