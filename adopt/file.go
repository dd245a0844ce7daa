package adopt

import (
	"fmt"
	"slices"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"google.golang.org/protobuf/proto"

	"github.com/deltaplane/deltaplane/resource"
)

// file is what a config source names, read once.
type file struct {
	docs []resource.Document
	err  error
}

// pathOf is the file that s names, "" if none.
func pathOf(s *corev3.ConfigSource) string {
	if p := s.GetPathConfigSource(); p != nil {
		return p.GetPath()
	}
	return s.GetPath() //nolint:staticcheck // Envoy still reads it.
}

func (m *mover) file(name string) *file {
	if f := m.files[name]; f != nil {
		return f
	}
	f := &file{}
	data, err := m.cfg.ReadFile(name)
	if err != nil {
		f.err = err
	} else if docs, problems := m.cfg.Decoder.Decode(name, data); slices.ContainsFunc(problems, func(p resource.Problem) bool { return !p.Warning }) {
		f.err = problems
	} else {
		f.docs = docs
	}
	if m.files == nil {
		m.files = map[string]*file{}
	}
	m.files[name] = f
	return f
}

// fromFile brings a reference to a file onto ADS, and what the file holds
// under that name among the resources. It reports whether msg has changed.
func (m *mover) fromFile(path string, msg proto.Message) bool {
	switch x := msg.(type) {
	case *hcmv3.Rds:
		return m.fetched(path+".config_source", x.ConfigSource, resource.Route, x.RouteConfigName)
	case *tlsv3.SdsSecretConfig:
		return m.fetched(path+".sds_config", x.SdsConfig, resource.Secret, x.Name)
	case *clusterv3.Cluster:
		eds := x.GetEdsClusterConfig()
		name := x.Name
		if eds.GetServiceName() != "" {
			name = eds.GetServiceName()
		}
		return m.fetched(path+".eds_cluster_config.eds_config", eds.GetEdsConfig(), resource.Endpoint, name)
	}
	return false
}

// fetched makes ADS of source if that is a file which holds the resource.
func (m *mover) fetched(path string, source *corev3.ConfigSource, t resource.Type, name string) bool {
	from := pathOf(source)
	if from == "" || m.cfg.ReadFile == nil {
		return false
	}
	stays := func(why string) bool {
		m.note(path, fmt.Sprintf("%s %q still comes from %s: %s", t.Short(), name, from, why))
		return false
	}
	f := m.file(from)
	if f.err != nil {
		return stays(f.err.Error())
	}
	i := slices.IndexFunc(f.docs, func(d resource.Document) bool { return d.Resource.Type() == t && d.Resource.Name() == name })
	if i < 0 {
		return stays("the file does not hold it")
	}
	r, err := f.docs[i].Resource.Message()
	if err != nil {
		return stays(err.Error())
	}
	if why, ok := m.add(r); !ok {
		return stays(why)
	}
	m.note(path, fmt.Sprintf("%s %q is now in the control plane: changes of %s have no effect any more", t.Short(), name, from))
	source.ConfigSourceSpecifier = overADS().ConfigSourceSpecifier
	source.ResourceApiVersion = corev3.ApiVersion_V3
	return true
}

// sources takes in the files that listeners and clusters come from, and
// refuses what another control plane sends: it is not in the input.
func (m *mover) sources() {
	d := m.rest.DynamicResources
	m.ownListeners, m.ownClusters = len(m.static.Listeners), len(m.static.Clusters)
	if d.GetAdsConfig() != nil {
		m.problem("dynamic_resources.ads_config", "another control plane: what it sends is not in this file; import its configuration, and take ads_config out")
	}
	m.listed("dynamic_resources.lds_config", d.GetLdsConfig(), func(r proto.Message) bool {
		l, ok := r.(*listenerv3.Listener)
		if ok {
			m.static.Listeners = append(m.static.Listeners, l)
		}
		return ok
	})
	m.listed("dynamic_resources.cds_config", d.GetCdsConfig(), func(r proto.Message) bool {
		c, ok := r.(*clusterv3.Cluster)
		if ok {
			m.static.Clusters = append(m.static.Clusters, c)
		}
		return ok
	})
	m.rest.DynamicResources = nil
}

// listed takes every resource in a file that is a source of its own.
func (m *mover) listed(path string, source *corev3.ConfigSource, take func(proto.Message) bool) {
	from := pathOf(source)
	switch {
	case source == nil || source.GetAds() != nil:
		return
	case from == "" || m.cfg.ReadFile == nil:
		m.problem(path, "another source: what it sends is not in this file; import its configuration, and take it out")
		return
	}
	f := m.file(from)
	if f.err != nil {
		m.problem(path, f.err.Error())
		return
	}
	for _, d := range f.docs {
		msg, err := d.Resource.Message()
		if err != nil || !take(msg) {
			m.note(path, fmt.Sprintf("%s %q in %s is left out: Envoy ignores it there", d.Resource.Type().Short(), d.Resource.Name(), from))
		}
	}
	m.note(path, "its resources are now in the control plane: changes of "+from+" have no effect any more")
}

// listenerPath is where the i-th of the listeners stands: after those of the
// bootstrap itself come those of a file.
func (m *mover) listenerPath(i int) string {
	if i >= m.ownListeners {
		return fmt.Sprintf("dynamic_resources.lds_config[%d]", i-m.ownListeners)
	}
	return fmt.Sprintf("static_resources.listeners[%d]", i)
}

// clusterPath is the same for clusters.
func (m *mover) clusterPath(i int) string {
	if i >= m.ownClusters {
		return fmt.Sprintf("dynamic_resources.cds_config[%d]", i-m.ownClusters)
	}
	return fmt.Sprintf("static_resources.clusters[%d]", i)
}
