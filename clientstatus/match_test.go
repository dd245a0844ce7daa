package clientstatus

import (
	"strings"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
)

// target is the node that matchers are tried on.
func target(t testing.TB) *corev3.Node {
	t.Helper()
	metadata, err := structpb.NewStruct(map[string]any{
		"tier": "Front", "weight": 3, "on": true, "none": nil, "tags": []any{"a", "b"}, "labels": map[string]any{"app": "shop"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return &corev3.Node{Id: "edge-7", Metadata: metadata}
}

func TestMatchersMeanWhatEnvoySaysTheyMean(t *testing.T) {
	at := func(path, value string) string {
		var steps strings.Builder
		for _, step := range strings.Split(path, ".") {
			steps.WriteString("path {key: \"" + step + "\"} ")
		}
		return "node_metadatas {" + steps.String() + "value {" + value + "}}"
	}
	for text, want := range map[string]bool{
		`node_id {exact: "edge-7"}`:                                   true,
		`node_id {exact: "edge"}`:                                     false,
		`node_id {exact: "EDGE-7" ignore_case: true}`:                 true,
		`node_id {prefix: "edge"}`:                                    true,
		`node_id {suffix: "-7"}`:                                      true,
		`node_id {contains: "ge-"}`:                                   true,
		`node_id {safe_regex {regex: "edge-[0-9]"}}`:                  true,
		`node_id {safe_regex {regex: "edge"}}`:                        false, // the whole
		at("tier", `string_match {prefix: "Fr"}`):                     true,
		at("tier", `string_match {exact: "front"}`):                   false,
		at("weight", `string_match {exact: "3"}`):                     false,
		at("weight", `double_match {exact: 3}`):                       true,
		at("weight", `double_match {range {start: 1 end: 3}}`):        false, // half open
		at("weight", `double_match {range {start: 3 end: 4}}`):        true,
		at("on", `bool_match: true`):                                  true,
		at("on", `bool_match: false`):                                 false,
		at("none", `null_match {}`):                                   true,
		at("tier", `null_match {}`):                                   false,
		at("tier", `present_match: true`):                             true,
		at("labels", `present_match: true`):                           false,
		at("absent", `present_match: false`):                          true,
		at("labels.app", `string_match {exact: "shop"}`):              true,
		at("labels.app.more", `string_match {exact: "shop"}`):         false,
		at("tags", `list_match {one_of {string_match {exact: "b"}}}`): true,
		at("tags", `list_match {one_of {string_match {exact: "c"}}}`): false,
		at("tier", `or_match {value_matchers {bool_match: true} value_matchers {string_match {suffix: "nt"}}}`): true,
		`node_id {exact: "edge-7"} ` + at("on", `bool_match: false`):                                            false, // both must
		``: true,
	} {
		var m matcherv3.NodeMatcher
		if err := prototext.Unmarshal([]byte(text), &m); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		var c compiler
		matches, err := c.nodes([]*matcherv3.NodeMatcher{&m})
		if err != nil || matches(target(t)) != want {
			t.Errorf("%s: want %v, error %v", text, want, err)
		}
	}
}

func TestMatchersThatCannotBeTriedAreRefused(t *testing.T) {
	many := &matcherv3.OrMatcher{}
	for range maxMatchers + 1 {
		many.ValueMatchers = append(many.ValueMatchers, &matcherv3.ValueMatcher{MatchPattern: &matcherv3.ValueMatcher_BoolMatch{}})
	}
	value := func(v *matcherv3.ValueMatcher) *matcherv3.NodeMatcher {
		return &matcherv3.NodeMatcher{NodeMetadatas: []*matcherv3.StructMatcher{{
			Path: []*matcherv3.StructMatcher_PathSegment{{Segment: &matcherv3.StructMatcher_PathSegment_Key{Key: "x"}}}, Value: v,
		}}}
	}
	regex := func(text string) *matcherv3.NodeMatcher {
		return &matcherv3.NodeMatcher{NodeId: &matcherv3.StringMatcher{
			MatchPattern: &matcherv3.StringMatcher_SafeRegex{SafeRegex: &matcherv3.RegexMatcher{Regex: text}},
		}}
	}
	for name, m := range map[string]*matcherv3.NodeMatcher{
		"no expression":     regex("("),
		"a long expression": regex(strings.Repeat("a", maxRegex+1)),
		"no pattern":        {NodeId: &matcherv3.StringMatcher{}},
		"no path":           {NodeMetadatas: []*matcherv3.StructMatcher{{}}},
		"no value":          value(&matcherv3.ValueMatcher{}),
		"too many":          value(&matcherv3.ValueMatcher{MatchPattern: &matcherv3.ValueMatcher_OrMatch{OrMatch: many}}),
	} {
		var c compiler
		if _, err := c.nodes([]*matcherv3.NodeMatcher{m}); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func FuzzNoMatcherPanics(f *testing.F) {
	f.Add([]byte{})
	seed, err := proto.Marshal(&matcherv3.NodeMatcher{NodeId: &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_Exact{Exact: "x"}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	node := target(f)
	f.Fuzz(func(_ *testing.T, b []byte) {
		var m matcherv3.NodeMatcher
		if proto.Unmarshal(b, &m) != nil {
			return
		}
		var c compiler
		if matches, err := c.nodes([]*matcherv3.NodeMatcher{&m}); err == nil {
			matches(node)
		}
	})
}
