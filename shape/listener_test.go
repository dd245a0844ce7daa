package shape

import (
	"testing"

	"github.com/deltaplane/deltaplane/resource"
)

const plain = `
"@type": type.googleapis.com/envoy.config.listener.v3.Listener
name: web
address: {socket_address: {address: 127.0.0.1, port_value: 0}}
filter_chains:
- filters:
  - name: hcm
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
      stat_prefix: web
      rds: {route_config_name: table, config_source: {ads: {}, resource_api_version: V3}}
      http_filters: [{name: router, typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}]
`

func parsed(t *testing.T, text string) *resource.Resource {
	t.Helper()
	docs, problems := resource.Decoder{}.Decode("test.yaml", []byte(text))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return docs[0].Resource
}

func TestAListenerThatNamesASplitTableIsRewritten(t *testing.T) {
	l := parsed(t, plain)
	s := &Split{Leaves: []Leaf{{ID: 1}, {ID: 2, Host: "m"}}}
	got, uses := Listener(l, func(table string) *Split {
		if table == "table" {
			return s
		}
		return nil
	})
	if got == l || len(uses) != 1 || uses[0] != (Use{Table: "table", Where: "filter_chains[0]"}) {
		t.Errorf("rewritten: %v, uses %+v", got != l, uses)
	}
	if again, _ := Listener(l, func(string) *Split { return nil }); again != l {
		t.Error("a listener without split tables is not returned as it is")
	}
}
