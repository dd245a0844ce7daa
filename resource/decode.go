package resource

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/anypb"
)

// Decoder reads resources as users write them. The zero value is strict.
type Decoder struct {
	MaxResourceBytes int  // canonical size of one resource; 0: 4 MiB
	AllowOpaqueTypes bool // keep Any values of unknown type as they are
	AllowUnknown     bool // keep unknown fields
}

// Document is one resource of an input and where it stood.
type Document struct {
	Resource *Resource
	File     string
	Line     int // of the document's first key
}

// Decode reads every resource in data: YAML or JSON, one per document with
// @type, or under "resources:", or a DiscoveryResponse, wrapped (name, version,
// resource) or not. A RouteConfiguration comes with its hosts inlined.
// file is for messages. It returns all problems, not the first; with any that
// is not a warning the documents must not be used.
func (d Decoder) Decode(file string, data []byte) ([]Document, Problems) {
	var docs []Document
	var problems Problems
	yd := yaml.NewDecoder(bytes.NewReader(data))
	for {
		var node yaml.Node
		if err := yd.Decode(&node); errors.Is(err, io.EOF) {
			return docs, problems
		} else if err != nil {
			return docs, append(problems, Problem{File: file, Message: err.Error()})
		}
		var v map[string]any
		if err := node.Decode(&v); err != nil {
			problems = append(problems, Problem{File: file, Message: err.Error()})
			continue
		}
		all := []any{v}
		if list, ok := v["resources"].([]any); ok && v["@type"] == nil {
			all = list
		}
		for _, one := range all {
			b, err := json.Marshal(one)
			if err != nil {
				problems = append(problems, Problem{File: file, Message: err.Error()})
				continue
			}
			var any anypb.Any
			if err := protojson.Unmarshal(b, &any); err != nil {
				problems = append(problems, Problem{File: file, Message: err.Error()})
				continue
			}
			m, err := any.UnmarshalNew()
			if err != nil {
				problems = append(problems, Problem{File: file, Message: err.Error()})
				continue
			}
			r, ps := d.build(m)
			if len(ps) > 0 {
				problems = append(problems, ps...)
				continue
			}
			docs = append(docs, Document{r, file, node.Line})
		}
	}
}
