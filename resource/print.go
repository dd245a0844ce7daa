package resource

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// ToYAML is r as Decode reads it: "@type" first, then the fields under their
// proto names in the order of their numbers; with a TTL, wrapped. With masked, key material reads
// "[redacted]".
// Unmasked, Decode of it yields r's digest.
func ToYAML(r *Resource, masked bool) ([]byte, error) {
	root, err := r.tree(masked)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(root); err != nil {
		return nil, err
	}
	return b.Bytes(), e.Close()
}

// ToJSON is like ToYAML, on one line.
func ToJSON(r *Resource, masked bool) ([]byte, error) {
	root, err := r.tree(masked)
	if err != nil {
		return nil, err
	}
	return appendJSON(nil, root), nil
}

// tree is r as nodes, with "@type" first.
func (r *Resource) tree(masked bool) (*yaml.Node, error) {
	m, err := r.Message()
	if err != nil {
		return nil, err
	}
	p := printer{masked: masked}
	root := p.message(m.ProtoReflect())
	root.Content = append([]*yaml.Node{text("@type"), text(r.typ.URL())}, root.Content...)
	root.Style = 0
	return r.wrapped(root), nil
}

// printer turns messages into nodes.
type printer struct {
	masked bool
	secret int // > 0 within a field that hides
}

// older is what YAML 1.1 takes for a boolean or a number to the base of 60
// (yaml.org/type/bool, yaml.org/type/int), and YAML 1.2 for a string.
var older = regexp.MustCompile(`^(?i:y|yes|n|no|on|off)$|^[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?$`)

// Ambiguous reports whether some readers of YAML take s for something else than
// a string where it stands without quotes: Envoy does so with n, for one.
func Ambiguous(s string) bool { return s == "<<" || older.MatchString(s) }

// text is a string. Several lines become a literal block, unless its reader
// would lose something of it.
func text(s string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
	if Ambiguous(s) || strings.Contains(s, "\n") && (strings.ContainsAny(s[:1], " \t\n") || strings.ContainsFunc(s, unprintable)) {
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

func unprintable(c rune) bool { return c != '\n' && c != '\t' && !unicode.IsPrint(c) }

func (p *printer) message(m protoreflect.Message) *yaml.Node {
	if n := p.special(m); n != nil {
		return n
	}
	n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	for _, f := range planOf(m.Descriptor()).fields {
		if !m.Has(f) {
			continue
		}
		hidden := p.masked && hides(m, f)
		if hidden {
			p.secret++
		}
		n.Content = append(n.Content, text(string(f.Name())), p.field(m.Get(f), f))
		if hidden {
			p.secret--
		}
	}
	if raw := m.GetUnknown(); len(raw) > 0 {
		n.Content = append(n.Content, text("@unknown"), p.bytes(raw, true))
	}
	if len(n.Content) == 0 {
		n.Style = yaml.FlowStyle
	}
	return n
}

func (p *printer) field(v protoreflect.Value, f protoreflect.FieldDescriptor) *yaml.Node {
	switch {
	case f.IsMap():
		n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		for _, k := range sortedKeys(v.Map()) {
			n.Content = append(n.Content, text(k.String()), p.value(v.Map().Get(k), f.MapValue()))
		}
		return n
	case f.IsList():
		n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		for i := range v.List().Len() {
			n.Content = append(n.Content, p.value(v.List().Get(i), f))
		}
		return n
	}
	return p.value(v, f)
}

func (p *printer) value(v protoreflect.Value, f protoreflect.FieldDescriptor) *yaml.Node {
	if f.Message() != nil {
		return p.message(v.Message())
	}
	switch f.Kind() {
	case protoreflect.BoolKind:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: strconv.FormatBool(v.Bool())}
	case protoreflect.EnumKind:
		if f.Enum().FullName() == "google.protobuf.NullValue" {
			return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}
		}
		if named := f.Enum().Values().ByNumber(v.Enum()); named != nil {
			return text(string(named.Name()))
		}
		return numeral(strconv.Itoa(int(v.Enum())))
	case protoreflect.StringKind:
		if p.secret > 0 && !harmless[f.FullName()] {
			return text(Redacted)
		}
		return text(v.String())
	case protoreflect.BytesKind:
		return p.bytes(v.Bytes(), false)
	case protoreflect.FloatKind:
		return floating(v.Float(), 32)
	case protoreflect.DoubleKind:
		return floating(v.Float(), 64)
	}
	return numeral(v.String())
}

// bytes writes base64; undescribed are bytes that no schema covers.
func (p *printer) bytes(b []byte, undescribed bool) *yaml.Node {
	if p.secret > 0 || p.masked && undescribed {
		return text(Redacted)
	}
	return text(base64.StdEncoding.EncodeToString(b))
}

// numeral is a number as it stands; one that JSON readers would round is quoted.
func numeral(s string) *yaml.Node {
	if len(s) > 15 {
		return text(s)
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: s}
}

func floating(v float64, bits int) *yaml.Node {
	s := strconv.FormatFloat(v, 'g', -1, bits)
	switch s {
	case "NaN":
		return text("NaN")
	case "+Inf":
		return text("Infinity")
	case "-Inf":
		return text("-Infinity")
	}
	tag := "!!int"
	if strings.ContainsAny(s, ".e") {
		tag = "!!float"
	} else if s == "-0" {
		tag, s = "!!float", "-0.0"
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: s}
}

// special writes messages that have a form of their own; nil for the rest.
func (p *printer) special(m protoreflect.Message) *yaml.Node {
	fields := m.Descriptor().Fields()
	if inner := wrapped(m.Descriptor()); inner != nil {
		return p.value(m.Get(inner), inner)
	}
	switch m.Descriptor().FullName() {
	case "google.protobuf.Any":
		return p.any(m)
	case "google.protobuf.Duration":
		return text(formatDuration(m.Get(fields.ByNumber(1)).Int(), int32(m.Get(fields.ByNumber(2)).Int())))
	case "google.protobuf.Timestamp":
		return text(time.Unix(m.Get(fields.ByNumber(1)).Int(), m.Get(fields.ByNumber(2)).Int()).UTC().Format(time.RFC3339Nano))
	case "google.protobuf.Struct", "google.protobuf.ListValue":
		f := fields.ByNumber(1)
		n := p.field(m.Get(f), f)
		if len(n.Content) == 0 {
			n.Style = yaml.FlowStyle
		}
		return n
	case "google.protobuf.Value":
		if f := m.WhichOneof(m.Descriptor().Oneofs().Get(0)); f != nil {
			return p.value(m.Get(f), f)
		}
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}
	case "google.protobuf.FieldMask":
		var paths []string
		for i := range m.Get(fields.ByNumber(1)).List().Len() {
			paths = append(paths, lowerCamel(m.Get(fields.ByNumber(1)).List().Get(i).String()))
		}
		return text(strings.Join(paths, ","))
	}
	return nil
}

func (p *printer) any(m protoreflect.Message) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	url, value := anyParts(m)
	if url == "" {
		n.Style = yaml.FlowStyle
		return n
	}
	n.Content = append(n.Content, text("@type"), text(url))
	content := unpacked(m)
	if content == nil {
		n.Content = append(n.Content, text("value"), p.bytes(value, true))
		return n
	}
	inner := p.message(content)
	if _, special := wellKnown[content.Descriptor().FullName()]; special {
		n.Content = append(n.Content, text("value"), inner)
	} else {
		n.Content = append(n.Content, inner.Content...)
	}
	return n
}

// appendJSON writes a tree that printer made.
func appendJSON(b []byte, n *yaml.Node) []byte {
	switch n.Kind {
	case yaml.MappingNode:
		b = append(b, '{')
		for i := 0; i < len(n.Content); i += 2 {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendJSON(b, n.Content[i])
			b = append(b, ':')
			b = appendJSON(b, n.Content[i+1])
		}
		return append(b, '}')
	case yaml.SequenceNode:
		b = append(b, '[')
		for i, c := range n.Content {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendJSON(b, c)
		}
		return append(b, ']')
	}
	if n.Tag != "!!str" {
		return append(b, n.Value...)
	}
	var quoted bytes.Buffer
	e := json.NewEncoder(&quoted)
	e.SetEscapeHTML(false)
	if err := e.Encode(n.Value); err != nil {
		return append(b, `""`...) // strings always encode
	}
	return append(b, bytes.TrimSuffix(quoted.Bytes(), []byte("\n"))...)
}
