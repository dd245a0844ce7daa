package resource

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Decoder reads resources as users write them. The zero value is strict. It
// holds no state: any number of goroutines may use one.
type Decoder struct {
	MaxInputBytes    int  // of one Decode; 0: 64 MiB
	MaxResourceBytes int  // canonical size of one resource; 0: 4 MiB
	AllowOpaqueTypes bool // keep Any values of unknown type, given as {"@type": …, "value": <base64>}
	AllowUnknown     bool // keep fields that no schema has, given as "@unknown": <base64 of their wire form>
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
// Several YAML documents or JSON values may follow each other. Names of fields
// may be in either of protobuf's spellings (connect_timeout, connectTimeout).
//
// file is for messages; with the extension .json nothing but JSON is read. It
// returns all problems, not the first (at most 1,000); with any that is not a
// warning the documents must not be used. It never panics. Cost: linear in
// data, which may have about 8 million values; aliases may expand to about a
// million nodes and nesting to 200 levels.
func (d Decoder) Decode(file string, data []byte) ([]Document, Problems) {
	r := &reader{Decoder: d, file: file}
	roots, problem := r.parse(data)
	if problem != nil {
		r.report(Problem{Line: problem.line, Column: problem.column, Message: problem.message})
		return nil, r.problems
	}
	c := collector{reader: r, first: map[place]Document{}}
	for _, root := range roots {
		if problem := measure(root); problem != nil {
			r.report(Problem{Line: problem.line, Column: problem.column, Message: problem.message})
			continue
		}
		c.document(root)
	}
	if len(c.docs) == 0 && len(r.problems) == 0 {
		r.report(Problem{Message: `holds no resources: expected at least one document with "@type"`})
	}
	slices.SortStableFunc(r.problems, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
	if r.suppressed > 0 {
		r.problems = append(r.problems, Problem{File: file, Message: fmt.Sprintf("and %d more problems", r.suppressed)})
	}
	return c.docs, r.problems
}

// parse turns data into nodes, by the format that it is in.
func (r *reader) parse(data []byte) ([]*yaml.Node, *syntaxError) {
	limit := r.MaxInputBytes
	if limit == 0 {
		limit = 64 << 20
	}
	if len(data) > limit {
		return nil, &syntaxError{message: fmt.Sprintf("takes %d bytes, but one input may have %d: split it", len(data), limit)}
	}
	if !utf8.Valid(data) {
		return nil, notUTF8(data)
	}
	text := strings.TrimPrefix(string(data), "\ufeff")
	if bulky(text) {
		return nil, errBulky
	}
	named := strings.EqualFold(filepath.Ext(r.file), ".json")
	if start := strings.TrimLeft(text, " \t\r\n"); named || strings.HasPrefix(start, "{") || strings.HasPrefix(start, "[") {
		roots, problem := readJSON(text)
		if problem == nil || problem.deep || named {
			return roots, problem
		}
	}
	return readYAML(text)
}

// notUTF8 points to the first byte that is no part of a character.
func notUTF8(data []byte) *syntaxError {
	line, column := 1, 1
	for len(data) > 0 {
		c, size := utf8.DecodeRune(data)
		if c == utf8.RuneError && size == 1 {
			break
		}
		column++
		if c == '\n' {
			line, column = line+1, 1
		}
		data = data[size:]
	}
	return &syntaxError{line: line, column: column, message: "is not valid UTF-8: save it in this encoding"}
}
