package resource

import (
	"fmt"
	"math"
	"strings"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/deltaplane/deltaplane/resource/deltaplanev1"
)

// Bounds of what users may say of shapes.
const (
	minShards, maxShards = 2, 4096
	maxDuplication       = 100
)

// checkShape says what is wrong with options whose fields stand under at.
func checkShape(at string, o *deltaplanev1.ShapeOptions) (faults []fault) {
	if o == nil {
		return nil
	}
	if s := o.Shards; s != 0 && (s < minShards || s > maxShards) {
		faults = append(faults, fault{at + "shards", fmt.Sprintf("must be between %d and %d, or not given", minShards, maxShards)})
	}
	if d := o.Duplication; d != 0 && (math.IsNaN(d) || d < 1 || d > maxDuplication) {
		faults = append(faults, fault{at + "duplication", fmt.Sprintf("must be between 1, which duplicates nothing, and %d, or not given", maxDuplication)})
	}
	if _, ok := deltaplanev1.ShapeOptions_Mode_name[int32(o.Mode)]; !ok {
		faults = append(faults, fault{at + "mode", "must be auto or off"})
	}
	if _, ok := deltaplanev1.ShapeOptions_By_name[int32(o.By)]; !ok {
		faults = append(faults, fault{at + "by", "must be best, host, path or host+path"})
	}
	return faults
}

// shorthands are messages of ours that can be written as one word.
var shorthands map[protoreflect.FullName]func(*reader, *yaml.Node, protoreflect.Message)

func init() {
	shorthands = map[protoreflect.FullName]func(*reader, *yaml.Node, protoreflect.Message){
		"deltaplane.v1.ShapeOptions": (*reader).shapeOptions,
	}
}

// shapeOptions reads "auto", "off" or a mapping.
func (r *reader) shapeOptions(n *yaml.Node, m protoreflect.Message) {
	switch {
	case n.Kind == yaml.MappingNode:
		r.set(r.pairs(n), planOf(m.Descriptor()), m)
	case n.Kind != yaml.ScalarNode:
		r.fail(n, "expected auto, off or a mapping (ShapeOptions), got %s", r.describe(n))
	default:
		mode := m.Descriptor().Fields().ByName("mode")
		if v, ok := r.scalar(n, mode); ok && v.Enum() != 0 {
			m.Set(mode, v)
		}
	}
}

// enumName is the name of a value as its enum has it: of our own enums it can
// be written in lower case, and with a plus.
func enumName(written string, e protoreflect.EnumDescriptor) string {
	if strings.HasPrefix(string(e.FullName()), "deltaplane.") {
		return strings.ReplaceAll(strings.ToUpper(written), "+", "_")
	}
	return written
}
