package resource

import (
	"fmt"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
)

// Unwrap is New for the resource that w wraps, with w's TTL. The name of the
// wrapper, if it has one, must be that of the resource; its version is a label
// and is not kept. The error, if any, is Problems.
func (d Decoder) Unwrap(w *discoveryv3.Resource) (*Resource, error) {
	if w.GetResource() == nil {
		return nil, Problems{{Name: w.GetName(), Message: fmt.Sprintf(`"resource" is missing: a %s wraps one`, wrapper)}}
	}
	m, err := w.Resource.UnmarshalNew()
	if err != nil {
		return nil, Problems{{Name: w.Name, Message: fmt.Sprintf("%s cannot be read: it is of no known v3 type, or damaged", w.Resource.TypeUrl)}}
	}
	r, err := d.New(m)
	if err != nil {
		return nil, err
	}
	fail := func(format string, args ...any) error {
		return Problems{{Type: r.typ.Short(), Name: r.name, Message: fmt.Sprintf(format, args...)}}
	}
	if w.Name != "" {
		if given, err := CanonicalName(w.Name); err != nil || given != r.name {
			return nil, fail("the wrapper's name %q differs from the resource's own name %q", w.Name, r.name)
		}
	}
	if w.Ttl == nil {
		return r, nil
	}
	ttl := w.Ttl.AsDuration()
	if problem := checkTTL(r.typ, ttl); problem != "" {
		return nil, fail("ttl: %s", problem)
	}
	return r.WithTTL(ttl), nil
}
