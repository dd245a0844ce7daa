package deltaplanev1

import (
	"encoding/json"
	"strconv"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"google.golang.org/protobuf/types/known/structpb"
)

// Selects reports whether node belongs to the fleet: whether any selector
// matches. Within a selector every field that is given must match.
// Cost: linear in the patterns; nothing is kept.
func (x *Fleet) Selects(node *corev3.Node) bool {
	for _, s := range x.GetSelectors() {
		if selects(s, node) {
			return true
		}
	}
	return false
}

func selects(s *Selector, node *corev3.Node) bool {
	if len(s.GetNodeIds()) > 0 && !anyGlob(s.GetNodeIds(), node.GetId()) ||
		len(s.GetClusters()) > 0 && !anyGlob(s.GetClusters(), node.GetCluster()) {
		return false
	}
	want, have := s.GetLocality(), node.GetLocality()
	for _, part := range [][2]string{
		{want.GetRegion(), have.GetRegion()}, {want.GetZone(), have.GetZone()}, {want.GetSubZone(), have.GetSubZone()},
	} {
		if part[0] != "" && part[0] != part[1] {
			return false
		}
	}
	for path, want := range s.GetMetadata() {
		if have, ok := metadataAt(node.GetMetadata(), path); !ok || have != want {
			return false
		}
	}
	return true
}

// anyGlob reports whether one of the patterns matches s: exactly, or as a
// prefix if it ends in "*".
func anyGlob(patterns []string, s string) bool {
	for _, p := range patterns {
		if prefix, glob := strings.CutSuffix(p, "*"); p == s || glob && strings.HasPrefix(s, prefix) {
			return true
		}
	}
	return false
}

// metadataAt is the text of a node's metadata under a dotted path. At each
// level the longest field name that fits is taken, so that names with dots
// ("topology.kubernetes.io/zone") can be reached.
func metadataAt(s *structpb.Struct, path string) (string, bool) {
	for end := len(path); end > 0; end = strings.LastIndexByte(path[:end], '.') {
		v, ok := s.GetFields()[path[:end]]
		if !ok {
			continue
		}
		if end == len(path) {
			return metadataText(v)
		}
		if text, ok := metadataAt(v.GetStructValue(), path[end+1:]); ok {
			return text, true
		}
	}
	return "", false
}

func metadataText(v *structpb.Value) (string, bool) {
	switch k := v.GetKind().(type) {
	case *structpb.Value_StringValue:
		return k.StringValue, true
	case *structpb.Value_BoolValue:
		return strconv.FormatBool(k.BoolValue), true
	case *structpb.Value_NumberValue:
		b, err := json.Marshal(k.NumberValue)
		return string(b), err == nil
	}
	return "", false
}
