package adopt_test

import (
	"testing"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"

	"github.com/deltaplane/deltaplane/adopt"
	"github.com/deltaplane/deltaplane/resource"
)

func FuzzNoBootstrapPanics(f *testing.F) {
	f.Add([]byte(`static_resources: {listeners: [` + listener("", routes("", "a")) + `], clusters: [{name: a, ` + endpoints("10.0.0.1") + `}]}`))
	f.Add([]byte(`dynamic_resources: {lds_config: {path: /f}, cds_config: {path_config_source: {path: /f}}}`))
	f.Add([]byte(`cluster_manager: {local_cluster_name: a}
static_resources: {secrets: [{name: s}], clusters: [{name: a, type: EDS, eds_cluster_config: {eds_config: {path: /f}}}]}`))
	files := withFiles(map[string]string{"/f": `resources:
- {"@type": type.googleapis.com/envoy.config.cluster.v3.Cluster, name: a}
- {"@type": type.googleapis.com/envoy.config.listener.v3.Listener, name: l}`})
	f.Fuzz(func(t *testing.T, text []byte) {
		var b bootstrapv3.Bootstrap
		if problems := (resource.Decoder{}).ReadMessage("envoy.yaml", text, &b); len(problems) > 0 {
			return
		}
		result, err := adopt.Bootstrap(&b, files)
		if err != nil {
			return
		}
		if err := result.Bootstrap.ValidateAll(); err != nil {
			t.Errorf("%q becomes invalid: %v", text, err)
		}
	})
}
