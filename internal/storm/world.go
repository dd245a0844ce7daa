package storm

import (
	"encoding/pem"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"

	"github.com/deltaplane/deltaplane/internal/traffic"
)

// The listeners that get traffic.
const (
	Web    = "web"    // one route table, and another with the same hosts to change to
	Scoped = "scoped" // scoped routes: each tenant's host is in one of several tables
	Secure = "secure" // TLS with a secret
)

// Listeners are those that get traffic.
func Listeners() []string { return []string{Web, Scoped, Secure} }

const (
	hosts   = 4 // in the web's table
	tenants = 4 // with a scope each
	tables  = 3 // that scopes lead to
)

// Backend is where clusters may lead to, on 127.0.0.1. It answers with its name.
type Backend struct {
	Name string
	Port int
}

// Certificate is a server's, for the name example.test, in PEM.
type Certificate struct{ Chain, Key string }

// Raw is the certificate's DER form.
func (c Certificate) Raw() []byte {
	block, _ := pem.Decode([]byte(c.Chain))
	return block.Bytes
}

// World is the configuration after some steps. It is for one goroutine.
type World struct {
	// Fixed at birth.
	random *rand.Rand
	Config

	made      int                 // clusters, secrets and everything else that has a number
	clusters  map[string]*cluster // by name
	endpoints map[string]int      // index of a backend, by service name
	hosts     [hosts]string       // cluster of each of the web's hosts
	tenants   [tenants]tenant
	spare     map[string]int // listeners and scopes without traffic, with what they lead to
	web       listener
	scoped    listener
	secure    listener
	table     string // that the web's listener uses
	cluster   string // of the secure listener's only route
	secret    string // its secret's name
	served    int    // index of its certificate
}

type cluster struct {
	service string // name of its endpoints
	form    int    // anything that makes it another
}

type tenant struct {
	table   int
	cluster string
}

// listener is what distinguishes one form of a listener from another.
type listener struct {
	chain int // differs in a filter chain: Envoy updates the listener in place
	outer int // differs outside of it: Envoy replaces the listener
}

// Config is what a World is made of.
type Config struct {
	Source       string         // of configuration: where resources find each other, in YAML's flow style
	Address      string         // IP address of the listeners
	Ports        map[string]int // of the listeners that get traffic
	Backends     []Backend
	Certificates []Certificate
}

// New makes a world. The same random numbers make the same steps.
func New(random *rand.Rand, cfg Config) *World {
	w := &World{
		random: random, Config: cfg,
		clusters: map[string]*cluster{}, endpoints: map[string]int{}, spare: map[string]int{}, table: "web-0",
	}
	for i := range w.hosts {
		w.hosts[i] = w.newCluster()
	}
	for i := range w.tenants {
		w.tenants[i] = tenant{i % tables, w.newCluster()}
	}
	w.cluster = w.newCluster()
	w.secret = w.name("server")
	return w
}

// name is a name that nothing had before.
func (w *World) name(kind string) string {
	w.made++
	return fmt.Sprintf("%s-%d", kind, w.made)
}

func (w *World) newCluster() string {
	name := w.name("cluster")
	w.clusters[name] = &cluster{service: name}
	w.endpoints[name] = w.random.IntN(len(w.Backends))
	return name
}

// users are the places that name a cluster.
func (w *World) users() []*string {
	list := []*string{&w.cluster}
	for i := range w.hosts {
		list = append(list, &w.hosts[i])
	}
	for i := range w.tenants {
		list = append(list, &w.tenants[i].cluster)
	}
	return list
}

// sweep drops what nothing uses any more.
func (w *World) sweep() {
	users := w.users()
	services := map[string]bool{}
	for name, c := range w.clusters {
		if !slices.ContainsFunc(users, func(user *string) bool { return *user == name }) {
			delete(w.clusters, name)
			continue
		}
		services[c.service] = true
	}
	for name := range w.endpoints {
		if !services[name] {
			delete(w.endpoints, name)
		}
	}
}

// Request is the n-th to one of the listeners.
func Request(listener string, n uint64) traffic.Request {
	switch listener {
	case Web:
		return traffic.Request{Host: hostName(int(n % hosts)), Path: "/"}
	case Scoped:
		name := tenantName(int(n % tenants))
		return traffic.Request{Host: name + ".example.test", Path: "/", Header: http.Header{"Tenant": {name}}}
	}
	return traffic.Request{Host: "example.test", Path: "/"}
}

// Kinds is after how many requests those of a listener repeat.
func Kinds(listener string) uint64 {
	return map[string]uint64{Web: hosts, Scoped: tenants, Secure: 1}[listener]
}

// Answer is the backend that Request's answer must come from.
func (w *World) Answer(listener string, n uint64) string {
	name := w.cluster
	switch listener {
	case Web:
		name = w.hosts[n%hosts]
	case Scoped:
		name = w.tenants[n%tenants].cluster
	}
	return w.Backends[w.endpoints[w.clusters[name].service]].Name
}

// Certificate is what the secure listener must serve.
func (w *World) Certificate() Certificate { return w.Certificates[w.served] }

// Endpoints maps each cluster to the port that it leads to.
func (w *World) Endpoints() map[string]int {
	ports := map[string]int{}
	for name, c := range w.clusters {
		ports[name] = w.Backends[w.endpoints[c.service]].Port
	}
	return ports
}

func hostName(i int) string   { return fmt.Sprintf("host-%d.example.test", i) }
func tenantName(i int) string { return fmt.Sprintf("tenant-%d", i) }
