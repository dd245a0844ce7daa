package wire

import (
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/view"
)

const (
	sotwVersion      protowire.Number = 1 // DiscoveryResponse
	sotwResources    protowire.Number = 2
	sotwTypeURL      protowire.Number = 4
	sotwNonce        protowire.Number = 5
	sotwControlPlane protowire.Number = 6
)

// SotW encodes resources as a DiscoveryResponse: all of them for types of full
// state, those to be sent for others. One whose TTL is sent is
// wrapped.
func SotW(t resource.Type, version, controlPlane string, resources []*view.Resource) *Frame {
	b := &builder{}
	b.string(sotwVersion, version)
	b.string(sotwTypeURL, t.URL())
	b.controlPlane(sotwControlPlane, controlPlane)
	for _, r := range resources {
		if r.TTL() > 0 && ExpiresInSotW(t) {
			b.wrapped(t, r)
			continue
		}
		body := r.Body()
		size := lengthOf(body)
		b.bytesHeader(sotwResources, stringSize(t.URL())+bytesSize(size))
		b.any(t, body, size)
	}
	return b.frame(sotwNonce, version)
}
