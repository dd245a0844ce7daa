package gateway_test

import (
	"bytes"
	"testing"

	"go.uber.org/goleak"

	"github.com/deltaplane/deltaplane/internal/gateway"
	"github.com/deltaplane/deltaplane/resource"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEveryHostCanBePatchedUnderItsName(t *testing.T) {
	for _, plain := range []bool{false, true} {
		g := gateway.Gateway{Hosts: 12, Routes: 3, Plain: plain, Clusters: []gateway.Cluster{{Name: "blue", Port: 1}, {Name: "green", Port: 2}}}
		var text bytes.Buffer
		if err := g.Write(&text); err != nil {
			t.Fatal(err)
		}
		docs, problems := resource.Decoder{}.Decode("gateway.yaml", text.Bytes())
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		hosts := map[string]*resource.Resource{}
		for _, d := range docs {
			if d.Resource.Type() != resource.Route {
				continue
			}
			_, split, err := d.Resource.SplitHosts()
			if err != nil {
				t.Fatal(err)
			}
			for _, h := range split {
				hosts[h.Name()] = h
			}
		}
		if len(hosts) != g.Hosts {
			t.Errorf("plain %v: %d hosts, want %d", plain, len(hosts), g.Hosts)
		}
		for i := range g.Hosts {
			host := hosts[g.HostResource(i)]
			if host == nil {
				t.Fatalf("plain %v: there is no host %q", plain, g.HostResource(i))
			}
			patched, problems := resource.ApplyPatch(host, g.Patch(1, "green"))
			if len(problems) > 0 || patched.Digest() == host.Digest() {
				t.Errorf("plain %v: the patch of %q changes nothing: %v", plain, host.Name(), problems)
			}
		}
	}
}
