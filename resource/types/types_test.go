package types

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestImportsAreThoseOfTheModules fails when the modules have gained or lost
// v3 packages since the last "go generate".
func TestImportsAreThoseOfTheModules(t *testing.T) {
	out, err := exec.Command("go", "list", "github.com/envoyproxy/go-control-plane/envoy/...", "github.com/cncf/xds/go/xds/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	generated, err := os.ReadFile("types_gen.go")
	if err != nil {
		t.Fatal(err)
	}
	for path := range strings.FieldsSeq(string(out)) {
		if strings.HasSuffix(path, "/v3") && !strings.Contains(string(generated), `"`+path+`"`) {
			t.Errorf("%s is missing: run go generate ./resource/types", path)
		}
	}
}
