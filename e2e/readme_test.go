package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/deltaplane/deltaplane/internal/envoy"
	"github.com/deltaplane/deltaplane/internal/envoytest"
)

// What the README has a newcomer type works as it stands there, but for the
// ports, which a test may not take.
func TestTheConfigurationInTheReadmeServesTraffic(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, begins := strings.Cut(string(text), "```yaml\n# web.yaml\n")
	documents, _, ends := strings.Cut(rest, "```")
	if !begins || !ends {
		t.Fatal("README.md has no web.yaml")
	}
	web := envoytest.Backend(t, "web")
	for old, now := range map[string]int{"port_value: 8080": web.Port(), "port_value: 10000": 0} {
		if strings.Count(documents, old) != 1 {
			t.Fatalf("web.yaml has %q %d times", old, strings.Count(documents, old))
		}
		documents = strings.Replace(documents, old, fmt.Sprintf("port_value: %d", now), 1)
	}
	plane, e := start(t, envoy.DeltaADS)
	plane.ApplyWait(documents)
	answer(t, e, "http", root, "web")
	nothingRefused(t, plane, e)
}
