package resource

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
	panic("contract: to be written")
}
