// Package resource gives meaning to configuration as users write it: it reads
// Envoy's v3 messages from YAML and JSON, validates them, brings them into one
// canonical form and fingerprints that.
package resource

import (
	"sync"
	"time"
)

// Resource is one valid v3 resource in canonical form. It is immutable and
// only New and Decoder make one, or FromStored and FromCanonical of the bytes of
// such, so nothing downstream validates again.
type Resource struct {
	typ      Type
	name     string
	digest   Digest
	ttl      time.Duration // 0: none
	segments []Segment

	once       sync.Once // fills references
	references []Reference
}

// Segment is a run of canonical bytes with its own digest. Most resources
// have one. A large one is cut along its longest repeated field at places
// that its content decides, so that a small change leaves all other segments,
// and what is stored of them, as they were. The concatenation of all segments
// parses as the whole message.
type Segment struct {
	Digest Digest
	Bytes  []byte

	routes *routeIndex // once a patch has looked for a route; never changed in place
}

// Type is the resource's type.
func (r *Resource) Type() Type { return r.typ }

// Name is the resource's own name; for a VirtualHost, "<route configuration>/<host>".
func (r *Resource) Name() string { return r.name }

// Digest identifies the resource's content and its TTL.
func (r *Resource) Digest() Digest { return r.digest }

// Segments are the canonical bytes in order. Do not change them.
func (r *Resource) Segments() []Segment { return r.segments }

// Size is the length of the canonical bytes.
func (r *Resource) Size() int { return sizeOf(r.segments) }

// Bytes is the serialized message, not wrapped in an Any. With one segment it
// is shared, so do not change it; with several it is a new copy.
func (r *Resource) Bytes() []byte { return joined(r.segments) }

// FromStored makes a Resource of bytes that New once made. It checks nothing:
// the digests were agreed on when the resource was committed. d covers ttl.
func FromStored(t Type, name string, d Digest, ttl time.Duration, segments []Segment) *Resource {
	return &Resource{typ: t, name: name, digest: d, ttl: ttl, segments: segments}
}
