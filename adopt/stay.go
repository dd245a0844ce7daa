package adopt

import (
	"fmt"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"google.golang.org/protobuf/proto"
)

// stay finds out what remains in the bootstrap: what cannot be dynamic, and
// what such a thing refers to.
func (m *mover) stay() {
	m.listenersStay, m.clustersStay, m.secretsStay = map[int]string{}, map[string]string{}, map[string]string{}
	m.names()
	for i, l := range m.static.Listeners {
		if l.ApiListener != nil {
			m.listenersStay[i] = "Envoy takes API listeners from its bootstrap only"
		} else if why := m.refused(l); why != "" {
			m.listenersStay[i] = why
		}
	}
	for _, c := range m.static.Clusters {
		if why := m.refused(c); why != "" {
			m.clustersStay[c.Name] = why
		}
	}
	for _, s := range m.static.Secrets {
		if why := m.refused(s); why != "" {
			m.secretsStay[s.Name] = why
		}
	}
	m.needed()
	m.secretsMove = map[string]bool{}
	for _, s := range m.static.Secrets {
		m.secretsMove[s.Name] = m.refused(s) == ""
	}
}

// refused says why msg cannot be a resource, "" if it can.
func (m *mover) refused(msg proto.Message) string {
	if _, err := m.cfg.Decoder.New(msg); err != nil {
		return "it cannot be a resource: " + err.Error()
	}
	return ""
}

// needed extends what stays by what it refers to, until nothing is added.
func (m *mover) needed() {
	others := proto.CloneOf(m.rest) // all but the static resources and the node's own names
	others.StaticResources, others.Node = nil, nil
	m.refers("", others)
	for i, l := range m.static.Listeners {
		path := m.listenerPath(i)
		if _, stays := m.listenersStay[i]; stays {
			m.refers(path, l)
		} else {
			m.sourcesOf(path, l)
		}
	}
	for i, s := range m.static.Secrets {
		m.sourcesOf(fmt.Sprintf("static_resources.secrets[%d]", i), s)
	}
	for i, c := range m.static.Clusters {
		m.sourcesOf(m.clusterPath(i), c)
	}
	done := map[string]bool{}
	for again := true; again; {
		again = false
		for i, c := range m.static.Clusters {
			if _, stays := m.clustersStay[c.Name]; stays && !done[c.Name] {
				done[c.Name], again = true, true
				m.refers(m.clusterPath(i), c)
			}
		}
	}
}

// refers has everything stay that msg, which stays, names. Any text that is
// the name of a cluster counts: rather one too many than one too few.
func (m *mover) refers(path string, msg proto.Message) {
	clusters := map[string]bool{}
	for _, c := range m.static.Clusters {
		clusters[c.Name] = true
	}
	texts(path, msg, func(at, text string) {
		if clusters[text] && m.clustersStay[text] == "" {
			m.clustersStay[text] = "the bootstrap needs it in " + at
		}
	})
	walk(path, msg, func(at string, msg proto.Message) bool {
		if s, ok := msg.(*tlsv3.SdsSecretConfig); ok && s.SdsConfig == nil && m.secretsStay[s.Name] == "" {
			m.secretsStay[s.Name] = "the bootstrap needs it in " + at
		}
		return false
	})
}

// sourcesOf has the clusters stay that config sources in msg go over: Envoy
// takes them from static ones only.
func (m *mover) sourcesOf(path string, msg proto.Message) {
	walk(path, msg, func(at string, msg proto.Message) bool {
		if s, ok := msg.(*corev3.ApiConfigSource); ok {
			m.refers(at, s)
		}
		return false
	})
}

// names gives names to listeners without, and refuses those that stand twice.
func (m *mover) names() {
	taken := map[string]int{}
	for _, l := range m.static.Listeners {
		taken[l.Name]++
	}
	for i, l := range m.static.Listeners {
		path := m.listenerPath(i)
		if l.Name == "" && l.ApiListener == nil {
			l.Name = free(listenerName(l), func(name string) bool { return taken[name] > 0 })
			taken[l.Name] = 1
			m.note(path, fmt.Sprintf("has no name: it is now called %q", l.Name))
		} else if taken[l.Name] > 1 {
			m.problem(path+".name", fmt.Sprintf("%q stands twice: give one listener another name", l.Name))
		}
	}
	clusters, secrets := map[string]bool{}, map[string]bool{}
	for i, c := range m.static.Clusters {
		if clusters[c.Name] {
			m.problem(m.clusterPath(i)+".name", fmt.Sprintf("%q stands twice", c.Name))
		}
		clusters[c.Name] = true
	}
	for i, s := range m.static.Secrets {
		if secrets[s.Name] {
			m.problem(fmt.Sprintf("static_resources.secrets[%d].name", i), fmt.Sprintf("%q stands twice", s.Name))
		}
		secrets[s.Name] = true
	}
}

// free is name, or the first of name-2, name-3 … that is not taken.
func free(name string, taken func(string) bool) string {
	for n, candidate := 2, name; ; n++ {
		if !taken(candidate) {
			return candidate
		}
		candidate = fmt.Sprintf("%s-%d", name, n)
	}
}

// connect makes the control plane the source of the rest.
func (m *mover) connect() {
	cluster, ads := proto.CloneOf(m.cfg.ControlPlane), proto.CloneOf(m.cfg.ADS)
	old := cluster.Name
	cluster.Name = free(old, func(name string) bool {
		_, stays := m.clustersStay[name]
		return stays || m.made[place{clusterType, name}] != nil
	})
	if cluster.LoadAssignment != nil {
		cluster.LoadAssignment.ClusterName = cluster.Name
	}
	for _, s := range ads.GetGrpcServices() {
		if e := s.GetEnvoyGrpc(); e.GetClusterName() == old {
			e.ClusterName = cluster.Name
		}
	}
	m.static.Clusters = append(m.static.Clusters, cluster)
	m.rest.DynamicResources = &bootstrapv3.Bootstrap_DynamicResources{AdsConfig: ads, CdsConfig: overADS(), LdsConfig: overADS()}
	m.node()
}

// node fills in what Envoy does not start without when it has a control plane.
func (m *mover) node() {
	if m.rest.Node == nil {
		m.rest.Node = &corev3.Node{}
	}
	n := m.rest.Node
	for _, field := range []struct {
		at                 *string
		path, given, usual string
		hint               string
	}{
		{&n.Id, "node.id", m.cfg.Node, "envoy-1", "; give each Envoy its own"},
		{&n.Cluster, "node.cluster", m.cfg.Cluster, "envoy", ""},
	} {
		switch {
		case field.given != "":
			*field.at = field.given
		case *field.at == "":
			*field.at = field.usual
			m.note(field.path, fmt.Sprintf("is empty, and Envoy needs it now: it is %q%s", field.usual, field.hint))
		}
	}
}
