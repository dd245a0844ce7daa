package resource

import (
	"fmt"
	"slices"
	"strings"

	"github.com/deltaplane/deltaplane/resource/deltaplanev1"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/proto"
)

// validator collects what Envoy would refuse in one resource.
type validator struct{ problems Problems }

func (v *validator) report(at trail, faults ...fault) {
	for _, f := range faults {
		path := at.String()
		if f.path != "" {
			path = strings.TrimPrefix(path+"."+f.path, ".")
		}
		v.problems = append(v.problems, Problem{Path: path, Message: f.message})
	}
}

// root checks what holds for a resource itself: its name, its hosts, and the
// generated rules down to where an Any begins.
func (v *validator) root(t Type, name string, m proto.Message) {
	v.rules(nil, m)
	if problem := checkName(t, name); problem != "" {
		field := string(nameField(t))
		v.problems = slices.DeleteFunc(v.problems, func(p Problem) bool { return p.Path == field })
		v.report(nil, fault{field, problem})
	}
	switch m := m.(type) {
	case *routev3.RouteConfiguration:
		seen := map[string]bool{}
		for i, host := range m.VirtualHosts {
			if problem := checkHost(host.Name, seen); problem != "" {
				v.report(nil, fault{fmt.Sprintf("virtual_hosts[%d].name", i), problem})
			}
		}
	case *routev3.VirtualHost:
		seen := map[string]bool{}
		for i, domain := range m.Domains {
			if key := strings.ToLower(domain); seen[key] {
				v.report(nil, fault{fmt.Sprintf("domains[%d]", i), fmt.Sprintf("%q stands twice", domain)})
			} else {
				seen[key] = true
			}
		}
	case *deltaplanev1.Fleet:
		v.report(nil, checkFleet(m)...)
	case *deltaplanev1.Shape:
		v.report(nil, checkShape("", m.Options())...)
	}
}

// rules runs the checks that are generated from Envoy's protos. They do not
// look into an Any.
func (v *validator) rules(at trail, m proto.Message) {
	checked, ok := m.(interface{ ValidateAll() error })
	if !ok {
		return
	}
	if err := checked.ValidateAll(); err != nil {
		v.problems = append(v.problems, flatten(at.String(), m.ProtoReflect().Descriptor(), err)...)
	}
}
