package adopt

import (
	"fmt"

	"github.com/deltaplane/deltaplane/resource"
)

// layers moves runtime layers that come from files.
func (m *mover) layers() {
	for i, l := range m.rest.GetLayeredRuntime().GetLayers() {
		if rtds := l.GetRtdsLayer(); rtds != nil {
			m.fetched(fmt.Sprintf("layered_runtime.layers[%d].rtds_layer.rtds_config", i), rtds.RtdsConfig, resource.Runtime, rtds.Name)
		}
	}
}
