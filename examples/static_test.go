package examples

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/deltaplane/deltaplane/resource"
)

// object is a JSON object.
type object = map[string]any

// static is the bootstrap of an Envoy that has all of documents in it, as if
// there were no control plane: routes in their listeners, endpoints in their
// clusters. upstream finds the port to use for each endpoint's own address.
func static(t *testing.T, documents string, upstream func(address string, port float64) int) string {
	t.Helper()
	decoded, problems := resource.Decoder{}.Decode("example.yaml", []byte(documents))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	s := statics{byType: map[resource.Type]map[string]object{}, upstream: upstream}
	for _, d := range decoded {
		text, err := resource.ToJSON(d.Resource, false)
		if err != nil {
			t.Fatal(err)
		}
		var o object
		if err := json.Unmarshal(text, &o); err != nil {
			t.Fatal(err)
		}
		delete(o, "@type")
		if s.byType[d.Resource.Type()] == nil {
			s.byType[d.Resource.Type()] = map[string]object{}
		}
		s.byType[d.Resource.Type()][d.Resource.Name()] = o
	}
	bootstrap := object{
		"node":  object{"id": node, "cluster": "examples"},
		"admin": object{"address": object{"socket_address": object{"address": "127.0.0.1", "port_value": 0}}},
		"static_resources": object{
			"listeners": s.all(resource.Listener), "clusters": s.all(resource.Cluster), "secrets": s.all(resource.Secret),
		},
	}
	var layers []any
	for _, layer := range s.all(resource.Runtime) {
		layers = append(layers, object{"name": "was-rtds", "static_layer": layer["layer"]})
	}
	if layers != nil {
		bootstrap["layered_runtime"] = object{"layers": layers}
	}
	text, err := json.Marshal(bootstrap)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// statics rewrites resources as parts of a bootstrap.
type statics struct {
	byType   map[resource.Type]map[string]object
	upstream func(address string, port float64) int
}

// all are the resources of one type by name. One of Envoy's few differences:
// an API listener may be there only once, and for clients, so it is left out.
func (s statics) all(t resource.Type) []object {
	var list []object
	for _, name := range slices.Sorted(maps.Keys(s.byType[t])) {
		if o := s.byType[t][name]; o["api_listener"] == nil {
			list = append(list, s.object(o))
		}
	}
	return list
}

func (s statics) object(o object) object {
	for key, value := range o {
		switch v := value.(type) {
		case object:
			o[key] = s.object(v)
		case []any:
			for i := range v {
				if inner, ok := v[i].(object); ok {
					v[i] = s.object(inner)
				}
			}
		}
	}
	if rds, ok := o["rds"].(object); ok {
		delete(o, "rds")
		o["route_config"] = s.byType[resource.Route][rds["route_config_name"].(string)]
	}
	delete(o, "sds_config")
	if _, eds := o["eds_cluster_config"]; eds {
		delete(o, "eds_cluster_config")
		o["type"], o["load_assignment"] = "STATIC", s.object(s.byType[resource.Endpoint][o["name"].(string)])
	}
	if address, ok := o["socket_address"].(object); ok && address["port_value"] != 0.0 {
		address["port_value"] = s.upstream(address["address"].(string), address["port_value"].(float64))
		address["address"] = "127.0.0.1"
	}
	return o
}
