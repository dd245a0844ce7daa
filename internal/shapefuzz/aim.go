package shapefuzz

import (
	"slices"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/shape"
)

// requests makes one request for the case after another: the same ones each
// time.
func (c *Case) requests() *aim {
	a := &aim{random: newRandom(c.Seed, requestStream), mode: c.Mode}
	for _, h := range c.Table.VirtualHosts {
		host := aimAt(h)
		a.table = append(a.table, host)
		a.anyPath = append(a.anyPath, host.paths...)
	}
	for _, s := range []*shape.Split{c.Split, c.Before} {
		if s == nil {
			continue
		}
		for _, l := range s.Leaves {
			if l.Host != "" {
				a.hosts = append(a.hosts, l.Host)
			}
			if l.Path != "" {
				a.paths = append(a.paths, l.Path)
			}
		}
	}
	slices.Sort(a.hosts)
	a.hosts = slices.Compact(a.hosts)
	return a
}

// hostOf is what there is to aim at in a host as it is stored.
func hostOf(host *resource.Resource) aimHost {
	m, err := host.Message()
	if err != nil {
		return aimHost{}
	}
	return aimAt(m.(*routev3.VirtualHost))
}

func aimAt(h *routev3.VirtualHost) aimHost {
	a := aimHost{domains: h.Domains}
	for _, r := range h.Routes {
		switch p := r.Match.PathSpecifier.(type) {
		case *routev3.RouteMatch_Prefix:
			a.paths = append(a.paths, p.Prefix)
		case *routev3.RouteMatch_Path:
			a.paths = append(a.paths, p.Path)
		case *routev3.RouteMatch_PathSeparatedPrefix:
			a.paths = append(a.paths, p.PathSeparatedPrefix)
		}
	}
	return a
}
