package view

import (
	"crypto/sha256"
	"sync"
	"time"

	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
)

// Resource is one resource as clients get it. It is immutable, and shared by
// every view, stream and response that has it.
type Resource struct {
	// Fixed at birth.
	typ    resource.Type
	name   string
	digest resource.Digest
	source *resource.Resource   // the shell, for a composed route configuration
	hosts  []*resource.Resource // inlined; nil unless composed

	once sync.Once
	body [][]byte // set by once
}

// Table maps names to what is served under them.
type Table = radix.Tree[*Resource]

// of is r as it stands.
func of(r *resource.Resource) *Resource {
	return &Resource{typ: r.Type(), name: r.Name(), digest: r.Digest(), source: r}
}

// Made is a resource that no user wrote, but the control plane did.
func Made(r *resource.Resource) *Resource { return of(r) }

// compose is the route configuration of a shell and its hosts, which are in
// the order of their names. Its digest covers the digests of both, so it is
// the same on every replica without looking at the bytes.
func compose(shell *resource.Resource, hosts []*resource.Resource) *Resource {
	if len(hosts) == 0 {
		return of(shell)
	}
	h := sha256.New()
	sum := shell.Digest()
	h.Write(sum[:])
	for _, host := range hosts {
		sum = host.Digest()
		h.Write(sum[:])
	}
	r := &Resource{typ: shell.Type(), name: shell.Name(), source: shell, hosts: hosts}
	h.Sum(r.digest[:0])
	return r
}

// Type is the resource's type.
func (r *Resource) Type() resource.Type { return r.typ }

// Name is the resource's own name.
func (r *Resource) Name() string { return r.name }

// Digest identifies the content that is served: the version of the resource
// on the wire.
func (r *Resource) Digest() resource.Digest { return r.digest }

// TTL is for how long a client may keep the resource without hearing of it;
// 0: for ever. A virtual host has none.
func (r *Resource) TTL() time.Duration {
	if r.typ == resource.VirtualHost {
		return 0
	}
	return r.source.TTL()
}

// Sum is Digest, for the tree.
func (r *Resource) Sum() [32]byte { return r.digest }

// Body is the serialized message in pieces, not wrapped in an Any. Do not
// change it. The hosts of a route configuration are joined by the first call,
// once for all who have r; any goroutine may call.
func (r *Resource) Body() [][]byte {
	r.once.Do(func() {
		if len(r.hosts) > 0 {
			r.body = [][]byte{resource.JoinHosts(r.source, r.hosts)}
			return
		}
		for _, s := range r.source.Segments() {
			r.body = append(r.body, s.Bytes)
		}
	})
	return r.body
}

// Size is about the length of the body in bytes, without making it.
func (r *Resource) Size() int {
	n := r.source.Size()
	for _, h := range r.hosts {
		n += h.Size() + 8
	}
	return n
}
