package conformance

import (
	"slices"
	"testing"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"

	"github.com/deltaplane/deltaplane/resource"
)

// aliased is a virtual host that serves two domains, neither its own name.
func aliased(content string) *routev3.VirtualHost {
	return &routev3.VirtualHost{
		Name: "r/shop", Domains: []string{"shop.example", "www.shop.example"},
		Routes: []*routev3.Route{{
			Name:   content,
			Match:  &routev3.RouteMatch{PathSpecifier: &routev3.RouteMatch_Prefix{Prefix: "/"}},
			Action: &routev3.Route_DirectResponse{DirectResponse: &routev3.DirectResponseAction{Status: 200}},
		}},
	}
}

// A client asks for the host of a request by its domain: "Both the names and
// aliases of resources should be checked", and the answer lists the alias, or
// Envoy does not know that the request which it holds was answered.
func TestAVirtualHostIsFoundByItsAliases(t *testing.T) {
	for _, v := range []Variant{{Delta: true, Aggregated: true}, {Delta: true}} {
		t.Run(v.String(), func(t *testing.T) {
			s := newScene(t, v, specs("route/r>vhds"), messages(aliased("1")))
			for _, alias := range []string{"r/shop.example", "r/www.shop.example"} {
				s.must(s.client.Subscribe(t.Context(), resource.VirtualHost, alias))
				s.oneHost(alias)
			}
			s.must(s.world.CommitMessages(aliased("2")))
			s.oneHost("r/shop.example")
			s.must(s.client.Unsubscribe(t.Context(), resource.VirtualHost, "r/shop.example"))
			s.must(s.world.CommitMessages(aliased("3")))
			s.oneHost("r/www.shop.example")
		})
	}
}

// oneHost expects the host under its own name, with the alias asked for.
func (s *scene) oneHost(alias string) {
	s.Helper()
	r := s.accept(s.client, resource.VirtualHost)
	if len(r.Resources) != 1 || len(r.Removed) != 0 {
		s.Fatalf("%s came", describe(r))
	}
	item := r.Resources[0]
	if item.Name != "r/shop" || item.Body == nil || !slices.Contains(item.Aliases, alias) {
		s.Errorf("%q came with aliases %v, asked for was %q", item.Name, item.Aliases, alias)
	}
}

// An unknown host is told as an empty resource with the name as its alias:
// "the resource unpopulated. This will allow Envoy to match the requested
// resource to the response" (VHDS, Subscribing to Resources).
func TestAnUnknownVirtualHostIsAnEmptyResource(t *testing.T) {
	s := newScene(t, Variant{Delta: true, Aggregated: true}, specs("route/r>vhds"))
	s.must(s.client.Subscribe(t.Context(), resource.VirtualHost, "r/nobody.example"))
	r := s.accept(s.client, resource.VirtualHost)
	if len(r.Resources) != 1 {
		t.Fatalf("%s came", describe(r))
	}
	item := r.Resources[0]
	if item.Name != "r/nobody.example" || item.Body != nil || !slices.Contains(item.Aliases, "r/nobody.example") {
		t.Errorf("%+v came", item)
	}
}
