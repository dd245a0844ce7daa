package shape_test

import (
	"testing"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/shape"
)

func TestAShellIsTheTablesUnderTheNameOfTheLeaf(t *testing.T) {
	for _, table := range []*routev3.RouteConfiguration{
		{Name: "table"},
		{Name: "a/b", RequestHeadersToRemove: []string{"x-a", "x-b"}},
		{
			Name: "full", InternalOnlyHeaders: []string{"x"}, ResponseHeadersToRemove: []string{"y"},
			RequestHeadersToRemove: []string{"z"}, ValidateClusters: wrapperspb.Bool(true), IgnorePortInHostMatching: true,
		},
	} {
		want := proto.CloneOf(table)
		want.Name = shape.Name(table.Name, 7)
		want.RequestHeadersToRemove = append(want.RequestHeadersToRemove, shape.Header)
		made, err := resource.New(want)
		if err != nil {
			t.Fatal(err)
		}
		got := shape.Shell(tableOf(t, table).shell, 7)
		if got.Digest() != made.Digest() || got.Name() != want.Name || got.Type() != resource.Route {
			t.Errorf("the shell of a leaf of %q differs from what New makes of it", table.Name)
		}
	}
}

func TestAScopeLeadsFromTheKeyToTheTableOfItsName(t *testing.T) {
	name := shape.Name("a/b", 12)
	want, err := resource.New(&routev3.ScopedRouteConfiguration{
		Name: name, RouteConfigurationName: name,
		Key: &routev3.ScopedRouteConfiguration_Key{Fragments: []*routev3.ScopedRouteConfiguration_Key_Fragment{{
			Type: &routev3.ScopedRouteConfiguration_Key_Fragment_StringKey{StringKey: shape.Key("a/b", 12)},
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := shape.Scope("a/b", 12); got.Digest() != want.Digest() || got.Name() != name || got.Type() != resource.ScopedRoute {
		t.Errorf("the scope differs from what New makes of it")
	}
	if table, ok := shape.TableOf(name); !ok || table != "a/b" {
		t.Errorf("%q is of %q", name, table)
	}
}
