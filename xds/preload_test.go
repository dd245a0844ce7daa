package xds

import (
	"testing"
	"time"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/proto"

	"github.com/deltaplane/deltaplane/resource"
)

// scope is one of a tenant, called like him, that leads to routes.
func scope(tenant, routes string) proto.Message {
	return &routev3.ScopedRouteConfiguration{Name: tenant, RouteConfigurationName: routes, Key: &routev3.ScopedRouteConfiguration_Key{
		Fragments: []*routev3.ScopedRouteConfiguration_Key_Fragment{{Type: &routev3.ScopedRouteConfiguration_Key_Fragment_StringKey{StringKey: tenant}}},
	}}
}

// scoped is a client whose only scope has just been moved from r1 to r2.
func scoped(t *testing.T, envoy bool) *talker {
	k := newTalker(t, envoy)
	k.store.put(t, scope("ana", "r1"), route("r1", "c", 0), route("r2", "c", 0))
	k.commit()
	k.subscribes(resource.ScopedRoute)
	k.settles()
	k.subscribes(resource.Route, "r1")
	k.settles()
	k.store.put(t, scope("ana", "r2"))
	k.store.drop(resource.Route, "r1")
	k.commit()
	return k
}

func TestAScopeMovesWhenItsRoutesAreThere(t *testing.T) {
	k := scoped(t, true)
	k.hears("ScopedRoute +deltaplane/preload/r2")
	k.accepts(resource.ScopedRoute)
	k.hears("") // nor the removal of the routes that the scope still leads to
	k.subscribes(resource.Route, "r2")
	k.hears("Route +r2")
	k.hears("")
	k.accepts(resource.Route)
	k.hears("ScopedRoute +ana")
	k.hears("")
	k.accepts(resource.ScopedRoute)
	k.hears("ScopedRoute -deltaplane/preload/r2")
	k.hears("Route -r1")
}

func TestAScopeMovesAtOnceForClientsThatAreNoEnvoy(t *testing.T) {
	k := scoped(t, false)
	k.hears("ScopedRoute +ana")
}

func TestAScopeMovesAnywayWhenNobodyAsksForItsRoutes(t *testing.T) {
	k := scoped(t, true)
	k.hears("ScopedRoute +deltaplane/preload/r2")
	k.accepts(resource.ScopedRoute)
	k.hears("")
	if at, ok := k.talk.wake(k.now); !ok || !at.Equal(k.now.Add(15*time.Second)) {
		t.Errorf("wakes at %v %v, want after 15 s", at, ok)
	}
	k.now = k.now.Add(15 * time.Second)
	k.hears("ScopedRoute +ana")
}

func TestAScopeThatMovesBackIsLeftAlone(t *testing.T) {
	k := scoped(t, true)
	k.hears("ScopedRoute +deltaplane/preload/r2")
	k.accepts(resource.ScopedRoute)
	k.store.put(t, scope("ana", "r1"), route("r1", "c", 0))
	k.commit()
	k.hears("ScopedRoute -deltaplane/preload/r2")
}

// Envoy would drop r1 with its last scope, and a state-of-the-world request
// could not tell that it wants it again.
func TestNoScopeLeavesATableInTheResponseInWhichAnotherOneComes(t *testing.T) {
	for name, arrives := range map[string]string{"a new one": "new", "one that moves": "ben"} {
		t.Run(name, func(t *testing.T) {
			k := newTalker(t, true)
			k.store.put(t, scope("ana", "r1"), scope("ben", "r3"), route("r1", "c", 0), route("r2", "c", 0), route("r3", "c", 0))
			k.commit()
			k.subscribes(resource.ScopedRoute)
			k.settles()
			k.subscribes(resource.Route, "r1", "r2", "r3")
			k.settles()
			k.store.put(t, scope("ana", "r2"))
			k.commit()
			k.hears("ScopedRoute +deltaplane/preload/r2")
			k.store.put(t, scope(arrives, "r1"))
			k.commit()
			k.accepts(resource.ScopedRoute)
			if arrives == "new" {
				k.hears("ScopedRoute +deltaplane/preload/r1 +new")
			} else {
				k.hears("ScopedRoute +deltaplane/preload/r1")
			}
			k.hears("")
			k.accepts(resource.ScopedRoute)
			if arrives == "new" {
				k.hears("ScopedRoute +ana -deltaplane/preload/r1")
			} else {
				k.hears("ScopedRoute +ana +ben")
			}
		})
	}
}
