package wire

import (
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/view"
)

// Field numbers; a test parses frames with the generated messages.
const (
	deltaVersion      protowire.Number = 1 // DeltaDiscoveryResponse
	deltaResources    protowire.Number = 2
	deltaTypeURL      protowire.Number = 4
	deltaNonce        protowire.Number = 5
	deltaRemoved      protowire.Number = 6
	deltaControlPlane protowire.Number = 7

	resourceVersion protowire.Number = 1 // Resource
	resourceBody    protowire.Number = 2
	resourceName    protowire.Number = 3
	resourceAliases protowire.Number = 4

	anyURL   protowire.Number = 1 // Any
	anyValue protowire.Number = 2

	controlPlaneID protowire.Number = 1 // ControlPlane.identifier
)

// Delta encodes c as a DeltaDiscoveryResponse. version is for debugging only
// (xDS protocol, "Incremental xDS"); what counts is each resource's own, its
// digest. A missing virtual host is an empty Resource under the name that was
// asked for (Envoy, "VHDS"); any other is a removal.
func Delta(t resource.Type, version, controlPlane string, c *view.Change) *Frame {
	b := &builder{}
	b.string(deltaVersion, version)
	b.string(deltaTypeURL, t.URL())
	b.controlPlane(deltaControlPlane, controlPlane)
	for _, u := range c.Upserts {
		b.deltaResource(t, u)
	}
	for _, name := range c.Removed {
		b.string(deltaRemoved, name)
	}
	for _, name := range c.Missing {
		if t != resource.VirtualHost {
			b.string(deltaRemoved, name)
			continue
		}
		b.bytesHeader(deltaResources, 2*stringSize(name))
		b.string(resourceName, name)
		b.string(resourceAliases, name)
	}
	return b.frame(deltaNonce, version)
}

func (b *builder) deltaResource(t resource.Type, u view.Upsert) {
	body := u.Body()
	version := u.Digest().String()
	size := lengthOf(body)
	wrapped := stringSize(t.URL()) + bytesSize(size)
	whole := stringSize(u.Name()) + stringSize(version) + bytesSize(wrapped)
	for _, alias := range u.Aliases {
		whole += stringSize(alias)
	}
	whole += ttlSize(u.TTL())
	b.bytesHeader(deltaResources, whole)
	b.string(resourceName, u.Name())
	b.string(resourceVersion, version)
	for _, alias := range u.Aliases {
		b.string(resourceAliases, alias)
	}
	b.ttl(u.TTL())
	b.bytesHeader(resourceBody, wrapped)
	b.any(t, body, size)
}

func (b *builder) any(t resource.Type, body [][]byte, size int) {
	b.string(anyURL, t.URL())
	b.bytesHeader(anyValue, size)
	for _, piece := range body {
		b.share(piece)
	}
}

func (b *builder) controlPlane(n protowire.Number, id string) {
	if id != "" {
		b.bytesHeader(n, stringSize(id))
		b.string(controlPlaneID, id)
	}
}
