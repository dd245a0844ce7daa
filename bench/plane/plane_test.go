package plane

import (
	"slices"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestABenchDoesNotReachWhatTheEnvironmentNames(t *testing.T) {
	own := []string{"HOME=/h", "DELTAPLANE_ETCD_ENDPOINTS=https://etcd.prod:2379", "DELTAPLANE_CONFIG=prod.yaml", "OTEL_TRACES_EXPORTER=otlp"}
	got := environment(own, false)
	if want := []string{"HOME=/h", "OTEL_TRACES_EXPORTER=otlp", "OTEL_SDK_DISABLED=true"}; !slices.Equal(got, want) {
		t.Errorf("environment %q, want %q", got, want)
	}
	got = environment(own, true)
	if want := []string{"HOME=/h", "OTEL_BSP_SCHEDULE_DELAY=200"}; !slices.Equal(got, want) {
		t.Errorf("traced: environment %q, want %q", got, want)
	}
}

func TestAControlPlaneThatDoesNotStartIsAnError(t *testing.T) {
	for _, binary := range []string{"/no/such/binary", "false"} {
		if p, err := Start(t.Context(), binary, t.TempDir()); err == nil || p != nil {
			t.Errorf("%s: error is %v", binary, err)
		}
	}
}
