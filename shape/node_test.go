package shape_test

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"

	"github.com/deltaplane/deltaplane/shape"
)

func TestOnlyAnEnvoyThatListsAllOfItHasSplitTables(t *testing.T) {
	good := &corev3.Node{
		UserAgentName: "envoy",
		UserAgentVersionType: &corev3.Node_UserAgentBuildVersion{UserAgentBuildVersion: &corev3.BuildVersion{
			Version: &typev3.SemanticVersion{MajorNumber: 1, MinorNumber: 36, Patch: 2}}},
		Extensions: []*corev3.Extension{
			{Name: "envoy.filters.network.http_connection_manager"}, {Name: "envoy.http.early_header_mutation.header_mutation"},
			{Name: "envoy.built_in_formatters.cel"}, {Name: "envoy.srds_factory.default"}, {Name: "other"}},
	}
	if reason := shape.Eligible(good); reason != "" {
		t.Errorf("refused: %s", reason)
	}
	for want, change := range map[string]func(*corev3.Node){
		"no Envoy":     func(n *corev3.Node) { n.UserAgentName = "gRPC Go" },
		"Envoy 1.35.9": func(n *corev3.Node) { v := n.GetUserAgentBuildVersion().Version; v.MinorNumber, v.Patch = 35, 9 },
		"Envoy 0.0.0": func(n *corev3.Node) {
			n.UserAgentVersionType = &corev3.Node_UserAgentVersion{UserAgentVersion: "1.40.0"}
		},
		"extension envoy.filters":   func(n *corev3.Node) { n.Extensions = nil },
		"built_in_formatters.cel.":  func(n *corev3.Node) { n.Extensions[2].Disabled = true },
		"header_mutation":           func(n *corev3.Node) { n.Extensions[1].Name = "" },
		"it calls itself \"\"":      func(n *corev3.Node) { proto.Reset(n) },
		"extension envoy.srds_fact": func(n *corev3.Node) { n.Extensions = n.Extensions[:3] },
	} {
		node := proto.Clone(good).(*corev3.Node)
		change(node)
		if reason := shape.Eligible(node); !strings.Contains(reason, want) {
			t.Errorf("reason is %q, want one with %q", reason, want)
		}
	}
	if reason := shape.Eligible(nil); reason == "" {
		t.Error("a client without a node is eligible")
	}
}
