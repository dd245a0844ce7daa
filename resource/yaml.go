package resource

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxExpanded is how many nodes a document may have once every alias is
// replaced by what it stands for, beyond those that are written out.
const maxExpanded = 1 << 20

// readYAML parses YAML documents into nodes. Aliases are still in place.
func readYAML(text string) (roots []*yaml.Node, problem *syntaxError) {
	defer func() {
		if v := recover(); v != nil {
			problem = &syntaxError{message: fmt.Sprint("cannot be read as YAML: ", v)}
		}
	}()
	d := yaml.NewDecoder(strings.NewReader(text))
	for {
		var doc yaml.Node
		switch err := d.Decode(&doc); {
		case errors.Is(err, io.EOF):
			return roots, nil
		case err != nil:
			return roots, yamlError(err)
		}
		if len(doc.Content) == 1 && doc.Content[0].Tag != "!!null" {
			roots = append(roots, doc.Content[0])
		}
	}
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)`)

// yamlError takes the line out of one of the YAML library's messages.
func yamlError(err error) *syntaxError {
	m := yamlLine.FindStringSubmatch(err.Error())
	if m == nil {
		return &syntaxError{message: err.Error()}
	}
	line, _ := strconv.Atoi(m[1])
	return &syntaxError{line: line, message: m[2]}
}

// extent is how large a node is with its aliases replaced.
type extent struct{ nodes, depth int }

// measurer finds out whether a document can be walked in bounded time.
// Cost: one visit for each node that is written out.
type measurer struct {
	known map[*yaml.Node]extent // of anchored nodes; zero while being measured
	limit int
}

// measure reports why root cannot be walked; nil if it can.
func measure(root *yaml.Node) *syntaxError {
	m := measurer{known: map[*yaml.Node]extent{}, limit: maxExpanded}
	_, err := m.extent(root, 0)
	return err
}

func (m *measurer) extent(n *yaml.Node, depth int) (extent, *syntaxError) {
	if depth > maxNesting {
		return extent{}, &syntaxError{n.Line, n.Column, fmt.Sprintf("nests deeper than %d", maxNesting), true}
	}
	if n.Kind == yaml.AliasNode {
		target, measured := m.known[n.Alias]
		switch {
		case !measured:
			return extent{}, &syntaxError{n.Line, n.Column, fmt.Sprintf("alias *%s stands before its anchor", n.Value), true}
		case target.nodes == 0:
			return extent{}, &syntaxError{n.Line, n.Column, fmt.Sprintf("alias *%s contains itself", n.Value), true}
		}
		if m.limit -= target.nodes; m.limit < 0 {
			return extent{}, &syntaxError{n.Line, n.Column, fmt.Sprintf(
				"aliases expand to more than %d nodes, here by *%s: write fewer copies", maxExpanded, n.Value), true}
		}
		if depth+target.depth > maxNesting {
			return extent{}, &syntaxError{n.Line, n.Column, fmt.Sprintf("nests deeper than %d, here by *%s", maxNesting, n.Value), true}
		}
		return target, nil
	}
	if n.Anchor != "" {
		m.known[n] = extent{}
	}
	size := extent{nodes: 1}
	for _, c := range n.Content {
		e, err := m.extent(c, depth+1)
		if err != nil {
			return size, err
		}
		size.nodes += e.nodes
		size.depth = max(size.depth, e.depth+1)
	}
	if n.Anchor != "" {
		m.known[n] = size
	}
	return size, nil
}

// target is what an alias stands for; any other node is itself.
func target(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func isMerge(key *yaml.Node) bool { return key.Tag == "!!merge" }

// pairs lists a mapping's keys and values, alternating, with "<<" merged in:
// a key of its own wins over a merged one, and an earlier merged one over a
// later. Keys that stand twice are reported.
func (r *reader) pairs(n *yaml.Node) []*yaml.Node {
	merged, odd := false, false
	for i := 0; i < len(n.Content); i += 2 {
		key := target(n.Content[i])
		merged = merged || isMerge(key)
		if key.Kind != yaml.ScalarNode {
			odd = true
			r.fail(n.Content[i], "expected a field name, got %s", r.describe(key))
		}
	}
	if odd {
		return nil
	}
	if !merged {
		return r.distinct(n.Content)
	}
	var own, from []*yaml.Node
	for i := 0; i < len(n.Content); i += 2 {
		if key, value := target(n.Content[i]), target(n.Content[i+1]); !isMerge(key) {
			own = append(own, key, value)
		} else {
			from = append(from, r.mergedPairs(value)...)
		}
	}
	own = r.distinct(own)
	seen := map[string]bool{}
	for i := 0; i < len(own); i += 2 {
		seen[own[i].Value] = true
	}
	for i := 0; i < len(from); i += 2 {
		if !seen[from[i].Value] {
			seen[from[i].Value] = true
			own = append(own, from[i], from[i+1])
		}
	}
	return own
}

// mergedPairs is what "<<: value" brings in.
func (r *reader) mergedPairs(value *yaml.Node) []*yaml.Node {
	switch value.Kind {
	case yaml.MappingNode:
		return r.pairs(value)
	case yaml.SequenceNode:
		var all []*yaml.Node
		for _, one := range value.Content {
			if target(one).Kind != yaml.MappingNode {
				r.fail(one, `"<<" merges mappings, got %s`, r.describe(one))
				continue
			}
			all = append(all, r.pairs(target(one))...)
		}
		return all
	}
	r.fail(value, `"<<" merges a mapping or a list of them, got %s`, r.describe(value))
	return nil
}

// distinct reports keys that stand twice. Small mappings cost no allocation.
func (r *reader) distinct(pairs []*yaml.Node) []*yaml.Node {
	repeated := func(i, j int) {
		r.fail(pairs[i], "key %q stands twice in this mapping: first on line %d", target(pairs[i]).Value, pairs[j].Line)
	}
	if len(pairs) <= 2*12 {
		for i := 2; i < len(pairs); i += 2 {
			for j := 0; j < i; j += 2 {
				if target(pairs[i]).Value == target(pairs[j]).Value {
					repeated(i, j)
					break
				}
			}
		}
		return pairs
	}
	first := make(map[string]int, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		if j, ok := first[target(pairs[i]).Value]; ok {
			repeated(i, j)
		} else {
			first[target(pairs[i]).Value] = i
		}
	}
	return pairs
}
