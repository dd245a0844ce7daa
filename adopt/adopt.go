package adopt

import (
	"cmp"
	"slices"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/protobuf/proto"

	"github.com/deltaplane/deltaplane/resource"
)

// Config says how Envoy will reach the control plane, and what is to move.
type Config struct {
	ControlPlane *clusterv3.Cluster      // static in the new bootstrap; renamed if its name is taken
	ADS          *corev3.ApiConfigSource // over that cluster

	Node, Cluster string // of the bootstrap's node; they replace what it says, "" leaves that

	KeepRoutes    bool // inline routes and scopes stay in their listeners
	KeepEndpoints bool // STATIC clusters keep their endpoints

	// ReadFile reads what a config source names. Default: such sources stay.
	ReadFile func(name string) ([]byte, error)
	Decoder  resource.Decoder // for those files, and for limits
}

// Note is something that somebody who moves should know: what stays, why, and
// what got a name.
type Note struct {
	Path    string `json:"path"` // in the bootstrap
	Message string `json:"message"`
}

// Result is a configuration in two parts.
type Result struct {
	Resources []*resource.Resource   // by type in the order of serving, then by name
	Bootstrap *bootstrapv3.Bootstrap // what remains, with the control plane as its source
	Notes     []Note
}

// Bootstrap divides b, which must be valid and is not changed. The same b and
// cfg give the same result. The error, if any, is resource.Problems: what
// cannot be had both ways, such as another control plane.
func Bootstrap(b *bootstrapv3.Bootstrap, cfg Config) (*Result, error) {
	m := &mover{cfg: cfg, rest: proto.CloneOf(b), made: map[place]*resource.Resource{}}
	if m.rest.StaticResources == nil {
		m.rest.StaticResources = &bootstrapv3.Bootstrap_StaticResources{}
	}
	m.static = m.rest.StaticResources
	m.sources()
	m.stay()
	if len(m.problems) > 0 {
		return nil, m.problems
	}
	m.secrets()
	m.clusters()
	m.listeners()
	m.layers()
	m.connect()
	if len(m.problems) > 0 {
		return nil, m.problems
	}
	slices.SortFunc(m.resources, func(a, b *resource.Resource) int {
		return cmp.Or(cmp.Compare(rank(a.Type()), rank(b.Type())), cmp.Compare(a.Name(), b.Name()))
	})
	return &Result{Resources: m.resources, Bootstrap: m.rest, Notes: m.notes}, nil
}

func rank(t resource.Type) int { return slices.Index(resource.Served(), t) }

// place is where a resource goes.
type place struct {
	typ  resource.Type
	name string
}

// mover is one division under way.
type mover struct {
	cfg    Config
	rest   *bootstrapv3.Bootstrap
	static *bootstrapv3.Bootstrap_StaticResources // of rest
	files  map[string]*file

	ownListeners, ownClusters int // of the bootstrap itself; those of files follow

	// What stays in the bootstrap, by name, and because of what. Listeners
	// are by index, as they need no names.
	listenersStay map[int]string
	clustersStay  map[string]string
	secretsStay   map[string]string
	secretsMove   map[string]bool
	scopes        *hcmv3.ScopedRouteConfigurationsList // the one that moves; nil: none

	resources []*resource.Resource
	made      map[place]*resource.Resource
	notes     []Note
	problems  resource.Problems
}

func (m *mover) note(path, message string) { m.notes = append(m.notes, Note{path, message}) }

func (m *mover) problem(path, message string) {
	m.problems = append(m.problems, resource.Problem{Path: path, Message: message})
}

// add makes a resource of msg. It reports false, and nothing has happened,
// when there is another one of its name, or none can be made: why says so.
func (m *mover) add(msg proto.Message) (why string, ok bool) {
	r, err := m.cfg.Decoder.New(msg)
	if err != nil {
		return err.Error(), false
	}
	at := place{r.Type(), r.Name()}
	if other := m.made[at]; other != nil {
		return "another " + at.typ.Short() + " is called " + at.name, other.Digest() == r.Digest()
	}
	m.made[at] = r
	m.resources = append(m.resources, r)
	return "", true
}

// overADS is the control plane as a source.
func overADS() *corev3.ConfigSource {
	return &corev3.ConfigSource{
		ConfigSourceSpecifier: &corev3.ConfigSource_Ads{Ads: &corev3.AggregatedConfigSource{}},
		ResourceApiVersion:    corev3.ApiVersion_V3,
	}
}
