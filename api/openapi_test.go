package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/source"
)

// document is openapi.yaml, with references that can be followed.
type document map[string]any

func readDocument(t *testing.T) document {
	t.Helper()
	var d map[string]any
	if err := yaml.Unmarshal(OpenAPI, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// follow returns what an object refers to, or the object.
func (d document) follow(v any) map[string]any {
	object, _ := v.(map[string]any)
	ref, ok := object["$ref"].(string)
	if !ok {
		return object
	}
	var at any = map[string]any(d)
	for part := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
		at = at.(map[string]any)[part]
	}
	if at == nil {
		panic("dangling " + ref)
	}
	return d.follow(at)
}

// queries lists the query parameters of an operation.
func (d document) queries(operation map[string]any) []string {
	var names []string
	parameters, _ := operation["parameters"].([]any)
	for _, p := range parameters {
		if parameter := d.follow(p); parameter["in"] == "query" {
			names = append(names, parameter["name"].(string))
		}
	}
	slices.Sort(names)
	return names
}

func TestEveryRouteIsDescribedAndNothingElse(t *testing.T) {
	d := readDocument(t)
	described := map[string][]string{}
	for path, item := range d["paths"].(map[string]any) {
		for method, operation := range item.(map[string]any) {
			if method != "parameters" {
				described[strings.ToUpper(method)+" "+path] = d.queries(operation.(map[string]any))
			}
		}
	}
	served := map[string][]string{}
	for _, r := range (&Server{}).routes() {
		served[r.method+" "+strings.ReplaceAll(r.path, "...}", "}")] = slices.Sorted(slices.Values(r.query))
	}
	for _, name := range slices.Sorted(maps.Keys(served)) {
		queries, ok := described[name]
		if !ok {
			t.Errorf("%s is served and not described", name)
		} else if !slices.Equal(queries, served[name]) {
			t.Errorf("%s takes %v and is described with %v", name, served[name], queries)
		}
		delete(described, name)
	}
	for name := range described {
		t.Errorf("%s is described and not served", name)
	}
}

// check compares a JSON value with a schema: as much of JSON Schema as
// openapi.yaml uses.
func (d document) check(at string, schema map[string]any, value any) error {
	schema = d.follow(schema)
	switch v := value.(type) {
	case map[string]any:
		return d.checkObject(at, schema, v)
	case []any:
		if schema["type"] != "array" {
			return fmt.Errorf("%s: an array, want %v", at, schema["type"])
		}
		for i, one := range v {
			if err := d.check(fmt.Sprintf("%s[%d]", at, i), d.follow(schema["items"]), one); err != nil {
				return err
			}
		}
		return nil
	case string:
		if allowed, ok := schema["enum"].([]any); ok && !slices.Contains(allowed, value) {
			return fmt.Errorf("%s: %q is none of %v", at, v, allowed)
		}
		return want(at, schema, "string")
	case bool:
		return want(at, schema, "boolean")
	case float64:
		return want(at, schema, "integer")
	}
	return fmt.Errorf("%s: unexpected %T", at, value)
}

func want(at string, schema map[string]any, kind string) error {
	if schema["type"] != kind {
		return fmt.Errorf("%s: %s, want %v", at, kind, schema["type"])
	}
	return nil
}

func (d document) checkObject(at string, schema, value map[string]any) error {
	if err := want(at, schema, "object"); err != nil {
		return err
	}
	required, _ := schema["required"].([]any)
	for _, name := range required {
		if _, ok := value[name.(string)]; !ok {
			return fmt.Errorf("%s lacks %s", at, name)
		}
	}
	properties, _ := schema["properties"].(map[string]any)
	for name, one := range value {
		property, ok := properties[name]
		if !ok {
			if schema["additionalProperties"] == false {
				return fmt.Errorf("%s.%s is not described", at, name)
			}
			continue
		}
		if err := d.check(at+"."+name, d.follow(property), one); err != nil {
			return err
		}
	}
	return nil
}

func TestRealAnswersHaveTheDescribedShapes(t *testing.T) {
	d := readDocument(t)
	board := &source.Board{}
	board.Add(source.Identity{Kind: "dir", From: "/conf", Namespace: "default", Owner: "files"}).Become(source.Broken,
		resource.Problems{{File: "/conf/a.yaml", Line: 7, Message: "no"}}, func(s *source.Status) { s.Applied, s.Version, s.Warnings = s.Since, 1, s.Problems })
	w := newWorld(t, func(c *Config) {
		c.Resync = func(node string) bool { return node == "edge-7" }
		c.Sources = board
	})
	now := w.store.Health().Since
	w.proxies.set(
		Proxy{Node: "edge-1", Cluster: "edge", Agent: "envoy 1.40.0", Connected: true, Since: now, Peer: "127.0.0.1:1", State: InSync, LastAck: now,
			Types: []ProxyType{{Type: "Cluster", State: InSync, Since: now, Wildcard: true, LastAck: now, LastSent: now}}},
		Proxy{Node: "edge-7", Fleet: "edge", Retained: true, Since: now, State: Refused,
			Types: []ProxyType{{Type: "Route", State: Refused, Names: 1, Refusal: &Refusal{Time: now, Reason: "no", Resources: []string{"edge"}}}}})
	for _, test := range []struct {
		method, target, path, body string
		status                     int
	}{
		{"POST", "/v1/apply?file=a.yaml&message=one", "/v1/apply", webCluster + "---\n" + edgeRoute + "---\n" + secretDocument, 200},
		{"POST", "/v1/apply?fields&wait=1s", "/v1/apply", strings.Replace(webCluster, "1s", "3s", 1), 200},
		{"POST", "/v1/apply", "/v1/apply", "nonsense: 1", 422},
		{"POST", "/v1/apply?if_version=9", "/v1/apply", webCluster, 409},
		{"POST", "/v1/diff", "/v1/diff", webCluster, 200},
		{"POST", "/v1/validate", "/v1/validate", edgeRoute, 200},
		{"POST", "/v1/patch/cluster/web", "/v1/patch/{type}/{name}", "merge: {connect_timeout: 4s}", 200},
		{"GET", "/v1/resources", "/v1/resources", "", 200},
		{"GET", "/v1/resources?content", "/v1/resources", "", 200},
		{"GET", "/v1/resources?limit=1&type=virtualhost", "/v1/resources", "", 200},
		{"GET", "/v1/resources/route/edge", "/v1/resources/{type}/{name}", "", 200},
		{"GET", "/v1/resources/route/none", "/v1/resources/{type}/{name}", "", 404},
		{"GET", "/v1/blame/route/edge", "/v1/blame/{type}/{name}", "", 200},
		{"GET", "/v1/versions?limit=1", "/v1/versions", "", 200},
		{"GET", "/v1/versions/2", "/v1/versions/{version}", "", 200},
		{"GET", "/v1/versions/0/diff/3", "/v1/versions/{version}/diff/{to}", "", 200},
		{"POST", "/v1/versions/3/revert", "/v1/versions/{version}/revert", "", 200},
		{"POST", "/v1/versions/1/rollback?all", "/v1/versions/{version}/rollback", "", 200},
		{"GET", "/v1/status?limit=1", "/v1/status", "", 200},
		{"GET", "/v1/status/edge-7", "/v1/status/{node}", "", 200},
		{"GET", "/v1/status/none", "/v1/status/{node}", "", 404},
		{"GET", "/v1/sources", "/v1/sources", "", 200},
		{"GET", "/v1/clock", "/v1/clock", "", 200},
		{"POST", "/v1/resync/edge-7", "/v1/resync/{node}", "", 200},
		{"POST", "/v1/resync/none", "/v1/resync/{node}", "", 404},
		{"DELETE", "/v1/resources/secret/tls", "/v1/resources/{type}/{name}", "", 200},
		{"POST", "/v1/delete", "/v1/delete", edgeRoute, 200},
	} {
		answer := w.ask(test.status, test.method, test.target, test.body, nil)
		operation := d["paths"].(map[string]any)[test.path].(map[string]any)[strings.ToLower(test.method)].(map[string]any)
		response := operation["responses"].(map[string]any)["200"]
		if test.status != 200 {
			response = operation["responses"].(map[string]any)["default"]
		}
		content := d.follow(response)["content"].(map[string]any)["application/json"].(map[string]any)
		var value any
		if err := json.Unmarshal(answer.Body.Bytes(), &value); err != nil {
			t.Fatalf("%s %s: %v", test.method, test.target, err)
		}
		if err := d.check("answer", d.follow(content["schema"]), value); err != nil {
			t.Errorf("%s %s: %v in %.500s", test.method, test.target, err, answer.Body)
		}
	}
	if got := w.ask(200, "GET", "/v1/openapi.yaml", "", nil).Body.String(); got != string(OpenAPI) {
		t.Error("the document served is not the document")
	}
}
