package view

import (
	"crypto/sha256"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
)

// Resource is one resource as clients get it. It is immutable, and shared by
// every view, stream and response that has it. There is one for each resource of
// each view: most are served as they stand, and have nothing of their own.
type Resource struct {
	source *resource.Resource // the shell, for a composed route configuration
	own    *own               // nil: it is served as it stands
}

// own is what a resource has besides its source.
type own struct {
	// Fixed at birth.
	digest resource.Digest
	inside Table    // has the hosts of a composed route configuration below shelfOf(name); else empty
	leads  []string // sorted: the leaves that a listener leads to

	bodyOnce sync.Once
	body     [][]byte // set by bodyOnce
	sizeOnce sync.Once
	size     int // set by sizeOnce
}

// Table maps names to what is served under them.
type Table = radix.Tree[*Resource]

// of is r as it stands.
func of(r *resource.Resource) *Resource { return &Resource{source: r} }

// Made is a resource that no user wrote, but the control plane did.
func Made(r *resource.Resource) *Resource { return of(r) }

// compose is a route configuration with those of the virtual hosts in inside
// that stand below shelfOf(its name). Its digest covers the parts, so that
// knowing whether it changed takes no bytes.
// Cost: O(1); the bytes are made when someone needs them.
func compose(shell *resource.Resource, inside Table) *Resource {
	hosts := inside.PrefixHash(shelfOf(shell.Name()))
	if hosts.IsZero() {
		return of(shell)
	}
	digest := shell.Digest()
	return &Resource{shell, &own{inside: inside, digest: sha256.Sum256(append(digest[:], hosts[:]...))}}
}

// shelfOf starts the keys of the virtual hosts inside of a route
// configuration: names have no NUL.
func shelfOf(route string) string { return route + "\x00" }

// composed reports whether r has virtual hosts that are kept apart from it.
func (r *Resource) composed() bool { return r.own != nil && r.own.inside.Len() > 0 }

// inside has the hosts of a composed route configuration; it is empty for any
// other resource.
func (r *Resource) inside() Table {
	if r.own == nil {
		return Table{}
	}
	return r.own.inside
}

// hosts are those of a composed route configuration, by name.
func (r *Resource) hosts() iter.Seq[*resource.Resource] {
	return func(yield func(*resource.Resource) bool) {
		if !r.composed() {
			return
		}
		for _, h := range r.own.inside.Prefix(shelfOf(r.Name())) {
			if !yield(h.source) {
				return
			}
		}
	}
}

// Type is the resource's type.
func (r *Resource) Type() resource.Type { return r.source.Type() }

// Name is the resource's own name.
func (r *Resource) Name() string { return r.source.Name() }

// Leads are the leaves that a listener of a shaped view leads to: the names of
// their scopes and route configurations, ascending. Do not change them.
func (r *Resource) Leads() []string {
	if r.own == nil {
		return nil
	}
	return r.own.leads
}

// Digest identifies the content that is served: the version of the resource
// on the wire.
func (r *Resource) Digest() resource.Digest {
	if r.own != nil {
		return r.own.digest
	}
	return r.source.Digest()
}

// TTL is for how long a client may keep the resource without hearing of it;
// 0: for ever. A virtual host has none.
func (r *Resource) TTL() time.Duration {
	if r.Type() == resource.VirtualHost {
		return 0
	}
	return r.source.TTL()
}

// Sum is Digest, for the tree.
func (r *Resource) Sum() [32]byte { return r.Digest() }

// Body is the serialized message in pieces, not wrapped in an Any. Do not
// change it. The hosts of a route configuration are joined by the first call,
// once for all who have r; any goroutine may call.
func (r *Resource) Body() [][]byte {
	if !r.composed() {
		segments := r.source.Segments()
		body := make([][]byte, len(segments))
		for i := range segments {
			body[i] = segments[i].Bytes
		}
		return body
	}
	r.own.bodyOnce.Do(func() {
		r.own.body = [][]byte{resource.JoinHosts(r.source, slices.Collect(r.hosts()))}
	})
	return r.own.body
}

// Size is about the length of the body in bytes, without making it.
func (r *Resource) Size() int {
	if !r.composed() {
		return r.source.Size()
	}
	r.own.sizeOnce.Do(func() {
		r.own.size = r.source.Size()
		for h := range r.hosts() {
			r.own.size += h.Size() + 8
		}
	})
	return r.own.size
}
