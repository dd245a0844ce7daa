package conformance

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/deltaplane/deltaplane/resource"
)

// Spec is a resource as scripts write it: [namespace:]kind/name[=content][>reference][@ttl].
//
// The content is a number that ends up somewhere inside the resource, so that
// two specs that differ in it are two versions; without one it is 1. What the
// reference means depends on the kind: an EDS service name of a cluster (none:
// a static cluster), the route of a listener or scope, the cluster of a route
// or host, and "vhds" for a route whose hosts come over VHDS. A name written
// ~authority/id?key&key is xdstp://authority/type/id?key=&key=.
type Spec struct {
	Namespace string
	Type      resource.Type
	Name      string
	Content   int
	Reference string
	TTL       time.Duration
	Padding   int // extra bytes inside the resource, for tests of size; not written in scripts
}

// ParseSpec reads the form above.
func ParseSpec(s string) (Spec, error) {
	spec := Spec{Namespace: "default", Content: 1}
	if ns, rest, ok := strings.Cut(s, ":"); ok {
		spec.Namespace, s = ns, rest
	}
	if head, ttl, ok := strings.Cut(s, "@"); ok {
		d, err := time.ParseDuration(ttl)
		if err != nil {
			return Spec{}, err
		}
		spec.TTL, s = d, head
	}
	if head, reference, ok := strings.Cut(s, ">"); ok {
		spec.Reference, s = reference, head
	}
	if head, content, ok := strings.Cut(s, "="); ok {
		n, err := strconv.Atoi(content)
		if err != nil || n < 1 {
			return Spec{}, fmt.Errorf("%q: content must be a positive number", s)
		}
		spec.Content, s = n, head
	}
	kind, name, ok := strings.Cut(s, "/")
	if !ok || name == "" {
		return Spec{}, fmt.Errorf("%q: want kind/name", s)
	}
	t, err := typeOf(kind)
	if err != nil {
		return Spec{}, err
	}
	spec.Type, spec.Name, spec.Reference = t, spelled(t, name), spelled(referred(t), spec.Reference)
	return spec, nil
}

// Token is "kind/name=content", and with a TTL "kind/name=content@ttl": what
// expectations compare.
func (s Spec) Token() string {
	token := fmt.Sprintf("%s/%s=%d", kindOf(s.Type), s.Name, s.Content)
	if s.TTL > 0 {
		token += "@" + s.TTL.String()
	}
	return token
}
