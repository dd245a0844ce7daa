package resource

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// locate finds the node that a field path leads to: for a problem found in a
// message, where it stands in the input. It stops at the deepest that exists;
// exact is false if that is not the whole path.
func locate(n *yaml.Node, path string) (at *yaml.Node, exact bool) {
	n = target(n)
	for path != "" {
		var next *yaml.Node
		if path[0] == '[' {
			next, path = item(n, path)
		} else {
			path = strings.TrimPrefix(path, ".")
			end := strings.IndexAny(path, ".[")
			if end < 0 {
				end = len(path)
			}
			next, path = child(n, path[:end]), path[end:]
		}
		if next == nil {
			return n, false
		}
		n = next
	}
	return n, true
}

// item follows "[3]" or `["key"]` and returns what is left of path.
func item(n *yaml.Node, path string) (*yaml.Node, string) {
	if quoted, err := strconv.QuotedPrefix(path[1:]); err == nil {
		key, _ := strconv.Unquote(quoted)
		return child(n, key), strings.TrimPrefix(path[1+len(quoted):], "]")
	}
	digits, rest, _ := strings.Cut(path[1:], "]")
	i, err := strconv.Atoi(digits)
	if err != nil || n.Kind != yaml.SequenceNode || i < 0 || i >= len(n.Content) {
		return nil, ""
	}
	return target(n.Content[i]), rest
}

// child is the value of a field in either spelling, merged ones included.
func child(n *yaml.Node, name string) *yaml.Node {
	if n.Kind != yaml.MappingNode {
		return nil
	}
	pairs := peek(n)
	if value := lookup(pairs, name); value != nil {
		return value
	}
	return lookup(pairs, lowerCamel(name))
}

// lowerCamel is protobuf's JSON spelling of a field name.
func lowerCamel(name string) string {
	parts := strings.Split(name, "_")
	for i, p := range parts {
		if i > 0 && p != "" {
			parts[i] = strings.ToUpper(p[:1]) + p[1:]
		}
	}
	return strings.Join(parts, "")
}
