package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/deltaplane/deltaplane/internal/envoy"
	"github.com/deltaplane/deltaplane/internal/envoytest"
)

// bootstrap is what `deltaplane bootstrap` prints for a control plane.
func bootstrap(t *testing.T, plane *envoytest.Plane, args ...string) string {
	t.Helper()
	args = append([]string{"bootstrap", "--node-id", node, "--cluster", "e2e", "--xds", plane.XDS, "--admin-port", "0"}, args...)
	output, err := exec.Command(envoytest.Binary(t), args...).Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(output)
}

func TestThePrintedBootstrapConnectsAnEnvoy(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		mode envoy.Mode
	}{
		"delta":              {nil, envoy.DeltaADS},
		"state of the world": {[]string{"--sotw"}, envoy.SotwADS},
	} {
		t.Run(name, func(t *testing.T) {
			blue := envoytest.Backend(t, "blue")
			plane := envoytest.StartPlane(t)
			plane.Apply(documents(c.mode, listener("web", rds("table"), ""), table("table", to("one")), cluster("one"), endpoints("one", blue.Port())))
			e := envoytest.StartYAML(t, bootstrap(t, plane, c.args...))
			answer(t, e, "web", root, "blue")
			nothingRefused(t, plane, e)
		})
	}
}

// Both sides show a certificate; here it is the same one, which is its own
// authority.
func TestThePrintedBootstrapConnectsAnEnvoyOverMutualTLS(t *testing.T) {
	dir := t.TempDir()
	certificate, key := envoytest.Certificate(t, "control.example.test")
	for name, content := range map[string]string{"tls.pem": certificate, "tls.key": key} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cert, private := filepath.Join(dir, "tls.pem"), filepath.Join(dir, "tls.key")
	blue := envoytest.Backend(t, "blue")
	plane := envoytest.StartPlane(t, "--tls-cert", cert, "--tls-key", private, "--tls-client-ca", cert)
	plane.Apply(documents(envoy.DeltaADS, listener("web", rds("table"), ""), table("table", to("one")), cluster("one"), endpoints("one", blue.Port())))
	e := envoytest.StartYAML(t, bootstrap(t, plane, "--tls-ca", cert, "--tls-cert", cert, "--tls-key", private, "--tls-server-name", "control.example.test"))
	answer(t, e, "web", root, "blue")
	nothingRefused(t, plane, e)

	// Without a certificate of its own an Envoy gets nothing.
	stranger := envoytest.StartYAML(t, bootstrap(t, plane, "--node-id", "stranger", "--tls-ca", cert, "--tls-server-name", "control.example.test"))
	stranger.WaitStat("cluster.deltaplane.upstream_cx_total", func(n uint64) bool { return n > 1 })
	if _, err := plane.Status(envoytest.Context(t), "stranger"); err == nil {
		t.Error("an Envoy without a certificate is known to the control plane")
	}
	if n := stranger.Stat("listener_manager.lds.update_success"); n != 0 {
		t.Errorf("an Envoy without a certificate got its listeners")
	}
}
