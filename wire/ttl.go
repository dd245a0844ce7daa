package wire

import (
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/view"
)

const (
	resourceTTL protowire.Number = 6 // Resource.ttl

	durationSeconds protowire.Number = 1 // Duration
	durationNanos   protowire.Number = 2

	wrapperURL = "type.googleapis.com/envoy.service.discovery.v3.Resource"
)

// ExpiresInSotW reports whether resources of type t have TTLs in state of the
// world. Envoy crashes when one of another type expires there: seen in 1.40
// with endpoints and routes.
func ExpiresInSotW(t resource.Type) bool {
	return t.FullState() || t == resource.Runtime
}

// Heartbeat encodes a DeltaDiscoveryResponse that tells a client that what it
// has of these resources lives on. Those in bare are told of by name, version
// and TTL, without a body (xDS protocol, "TTL"), those in whole with it.
func Heartbeat(t resource.Type, version, controlPlane string, bare, whole []*view.Resource) *Frame {
	b := &builder{}
	b.string(deltaVersion, version)
	b.string(deltaTypeURL, t.URL())
	b.controlPlane(deltaControlPlane, controlPlane)
	for _, r := range bare {
		digest := r.Digest().String()
		b.bytesHeader(deltaResources, stringSize(r.Name())+stringSize(digest)+ttlSize(r.TTL()))
		b.string(resourceName, r.Name())
		b.string(resourceVersion, digest)
		b.ttl(r.TTL())
	}
	for _, r := range whole {
		b.deltaResource(t, view.Upsert{Resource: r})
	}
	return b.frame(deltaNonce, version)
}

// wrapped appends r as an Any that holds a Resource: in state of the world
// there is no other place for a TTL.
func (b *builder) wrapped(t resource.Type, r *view.Resource) {
	body := r.Body()
	size := lengthOf(body)
	content := stringSize(t.URL()) + bytesSize(size)
	version := r.Digest().String()
	whole := stringSize(r.Name()) + stringSize(version) + bytesSize(content) + ttlSize(r.TTL())
	b.bytesHeader(sotwResources, stringSize(wrapperURL)+bytesSize(whole))
	b.string(anyURL, wrapperURL)
	b.bytesHeader(anyValue, whole)
	b.string(resourceName, r.Name())
	b.string(resourceVersion, version)
	b.ttl(r.TTL())
	b.bytesHeader(resourceBody, content)
	b.any(t, body, size)
}

// ttl appends a Resource's ttl; nothing for 0.
func (b *builder) ttl(ttl time.Duration) {
	if ttl == 0 {
		return
	}
	d := duration(ttl)
	b.bytesHeader(resourceTTL, len(d))
	b.tail = append(b.tail, d...)
}

// ttlSize is what ttl appends.
func ttlSize(ttl time.Duration) int {
	if ttl == 0 {
		return 0
	}
	return bytesSize(len(duration(ttl)))
}

// duration is the wire form of a Duration.
func duration(d time.Duration) (b []byte) {
	if seconds := d / time.Second; seconds != 0 {
		b = protowire.AppendVarint(protowire.AppendTag(b, durationSeconds, protowire.VarintType), uint64(seconds))
	}
	if nanos := d % time.Second; nanos != 0 {
		b = protowire.AppendVarint(protowire.AppendTag(b, durationNanos, protowire.VarintType), uint64(nanos))
	}
	return b
}
