package xds

import (
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	tcpv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/tcp_proxy/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/deltaplane/deltaplane/resource"
)

// tcp is a listener that sends everything to a cluster.
func tcp(t *testing.T, name, cluster string) proto.Message {
	t.Helper()
	filter, err := anypb.New(&tcpv3.TcpProxy{StatPrefix: name, ClusterSpecifier: &tcpv3.TcpProxy_Cluster{Cluster: cluster}})
	if err != nil {
		t.Fatal(err)
	}
	return &listenerv3.Listener{Name: name,
		Address: &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{
			Address: "127.0.0.1", PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: 1}}}},
		FilterChains: []*listenerv3.FilterChain{{Filters: []*listenerv3.Filter{
			{Name: "tcp", ConfigType: &listenerv3.Filter_TypedConfig{TypedConfig: filter}}}}}}
}

// settled is an Envoy that holds what it subscribes to of the messages.
func settled(t *testing.T, messages ...proto.Message) *talker {
	k := newTalker(t, true)
	k.store.put(t, messages...)
	k.commit()
	k.subscribes(resource.Cluster)
	k.settles()
	k.subscribes(resource.Endpoint, "old", "new")
	k.settles()
	k.subscribes(resource.Listener)
	k.settles()
	return k
}

func TestAClusterOutlivesTheListenerWhoseConnectionsDrain(t *testing.T) {
	k := settled(t, cluster("old", 0), endpoints("old", 0), cluster("other", 0), tcp(t, "l", "old"))
	k.store.put(t, cluster("new", 0), endpoints("new", 0), tcp(t, "l", "new"))
	k.store.drop(resource.Cluster, "old")
	k.store.drop(resource.Cluster, "other")
	k.store.drop(resource.Endpoint, "old")
	k.commit()
	k.hears("Cluster +new")
	k.hears("Endpoint +new")
	k.accepts(resource.Endpoint)
	k.accepts(resource.Cluster)
	k.hears("Listener +l")
	k.accepts(resource.Listener)
	k.hears("Cluster -other") // which nothing mentions
	k.accepts(resource.Cluster)
	k.hears("")
	k.now = k.now.Add(5 * time.Second)
	k.hears("Cluster -old")
	k.accepts(resource.Cluster)
	k.hears("Endpoint -old")
}

func TestAClusterOutlivesRoutesThatAreGoneAndStillAskedFor(t *testing.T) {
	k := settled(t, cluster("old", 0), endpoints("old", 0), route("r", "old", 0))
	k.subscribes(resource.Route, "r")
	k.settles()
	k.store.drop(resource.Route, "r")
	k.store.drop(resource.Cluster, "old")
	k.commit()
	k.hears("Route -r")
	k.accepts(resource.Route)
	k.hears("")
	k.says(request{typeURL: resource.Route.URL(), unsubscribe: []string{"r"}}) // its last connection has ended
	k.hears("Cluster -old")
}

func TestWhatLingersKeepsNobodyWaiting(t *testing.T) {
	k := settled(t, cluster("old", 0), endpoints("old", 0), tcp(t, "l", "old"))
	var current []string
	k.talk.observe = func(e Event) {
		if e.Kind == Current && e.Version == k.view.Version() {
			current = append(current, e.Type.Short())
		}
	}
	k.store.drop(resource.Listener, "l")
	k.store.drop(resource.Cluster, "old")
	k.store.drop(resource.Endpoint, "old")
	k.commit()
	k.hears("Listener -l")
	k.accepts(resource.Listener)
	k.hears("")
	if len(current) != 3 {
		t.Errorf("current are %v, want all three types", current)
	}
	if at, ok := k.talk.wake(k.now); !ok || !at.Equal(k.now.Add(5*time.Second)) {
		t.Errorf("wakes at %v %v, want after 5 s", at, ok)
	}
}

func TestASecretOutlivesTheListenerThatHasNotAskedForIt(t *testing.T) {
	k := newTalker(t, true)
	secret := func(name string) proto.Message {
		return &tlsv3.Secret{Name: name, Type: &tlsv3.Secret_GenericSecret{GenericSecret: &tlsv3.GenericSecret{
			Secret: &corev3.DataSource{Specifier: &corev3.DataSource_InlineString{InlineString: name}}}}}
	}
	k.store.put(t, secret("old"), tcp(t, "l", "old")) // a listener that mentions it
	k.commit()
	k.subscribes(resource.Listener)
	k.hears("Listener +l")
	k.store.drop(resource.Secret, "old")
	k.store.put(t, secret("new"), tcp(t, "l", "new"))
	k.commit()
	k.subscribes(resource.Secret, "old")
	k.hears("Secret +old")
	k.accepts(resource.Secret)
	k.accepts(resource.Listener)
	k.hears("Listener +l")
	k.hears("")
	k.accepts(resource.Listener)
	k.hears("Secret -old")
}
