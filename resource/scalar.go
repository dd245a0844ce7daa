package resource

import (
	"encoding/base64"
	"fmt"
	"math"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// scalar reads a value that is no message.
func (r *reader) scalar(n *yaml.Node, f protoreflect.FieldDescriptor) (v protoreflect.Value, ok bool) {
	if n.Kind == yaml.ScalarNode {
		switch f.Kind() {
		case protoreflect.EnumKind:
			return r.enum(n, f)
		case protoreflect.BytesKind:
			b, ok := r.base64(n)
			return protoreflect.ValueOfBytes(b), ok
		case protoreflect.StringKind:
			v, ok = protoreflect.ValueOfString(n.Value), isText(n)
		case protoreflect.BoolKind:
			v, ok = protoreflect.ValueOfBool(strings.EqualFold(n.Value, "true")), n.Tag == "!!bool"
		default:
			v, ok = number(n, f.Kind())
		}
	}
	if !ok {
		r.wrong(n, f)
	}
	return v, ok
}

// isText reports whether n is a string. Plain dates are: no field takes them
// as anything else.
func isText(n *yaml.Node) bool { return n.Tag == "!!str" || n.Tag == "!!timestamp" }

// wrong reports a value of the wrong type, and how to write it right.
func (r *reader) wrong(n *yaml.Node, f protoreflect.FieldDescriptor) {
	hint := ""
	if f.Kind() == protoreflect.StringKind && n.Kind == yaml.ScalarNode && n.Tag != "!!null" && r.secret == 0 {
		hint = fmt.Sprintf(": write it in quotes, %q", n.Value)
	}
	r.fail(n, "expected %s, got %s%s", expected(f), r.describe(n), hint)
}

// number reads any of protobuf's number types from a YAML or JSON number, or
// from a string as JSON writes 64-bit ones. Fractions that are whole (1e3) are
// integers too.
func number(n *yaml.Node, k protoreflect.Kind) (protoreflect.Value, bool) {
	if n.Tag != "!!int" && n.Tag != "!!float" && n.Tag != "!!str" {
		return protoreflect.Value{}, false
	}
	switch k {
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		v, ok := signed(n, 32)
		return protoreflect.ValueOfInt32(int32(v)), ok
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		v, ok := signed(n, 64)
		return protoreflect.ValueOfInt64(v), ok
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		v, ok := unsigned(n, 32)
		return protoreflect.ValueOfUint32(uint32(v)), ok
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		v, ok := unsigned(n, 64)
		return protoreflect.ValueOfUint64(v), ok
	case protoreflect.FloatKind:
		v, ok := float(n)
		return protoreflect.ValueOfFloat32(float32(v)), ok && (math.IsInf(v, 0) || math.IsNaN(v) || math.Abs(v) <= math.MaxFloat32)
	}
	v, ok := float(n)
	return protoreflect.ValueOfFloat64(v), ok
}

func signed(n *yaml.Node, bits int) (int64, bool) {
	text, base := digits(n)
	if v, err := strconv.ParseInt(text, base, bits); err == nil {
		return v, true
	}
	v, ok := float(n)
	if ok = ok && v == math.Trunc(v) && math.Abs(v) < 1<<53; !ok || bits == 32 && (v > math.MaxInt32 || v < math.MinInt32) {
		return 0, false
	}
	return int64(v), true
}

func unsigned(n *yaml.Node, bits int) (uint64, bool) {
	text, base := digits(n)
	if v, err := strconv.ParseUint(strings.TrimPrefix(text, "+"), base, bits); err == nil {
		return v, true
	}
	v, ok := float(n)
	if ok = ok && v == math.Trunc(v) && v >= 0 && v < 1<<53; !ok || bits == 32 && v > math.MaxUint32 {
		return 0, false
	}
	return uint64(v), true
}

// digits is a number's text and base as YAML has them: 0x10, 0o17, 1_000.
// Strings and JSON numbers are decimal.
func digits(n *yaml.Node) (string, int) {
	if n.Tag == "!!int" {
		return strings.ReplaceAll(n.Value, "_", ""), 0
	}
	return n.Value, 10
}

func float(n *yaml.Node) (float64, bool) {
	switch n.Value {
	case "NaN", ".nan", ".NaN", ".NAN":
		return math.NaN(), true
	case "Infinity", ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF":
		return math.Inf(1), true
	case "-Infinity", "-.inf", "-.Inf", "-.INF":
		return math.Inf(-1), true
	}
	if strings.Trim(n.Value, "+-.0123456789eE_") != "" {
		whole, err := strconv.ParseInt(strings.ReplaceAll(n.Value, "_", ""), 0, 64)
		return float64(whole), err == nil && n.Tag == "!!int"
	}
	v, err := strconv.ParseFloat(strings.ReplaceAll(n.Value, "_", ""), 64)
	return v, err == nil
}

// enum reads a value by name or number. Numbers that the schema lacks pass:
// Envoy's own rules decide on them.
func (r *reader) enum(n *yaml.Node, f protoreflect.FieldDescriptor) (protoreflect.Value, bool) {
	if n.Tag == "!!null" {
		return protoreflect.ValueOfEnum(0), true // google.protobuf.NullValue
	}
	if v := f.Enum().Values().ByName(protoreflect.Name(enumName(n.Value, f.Enum()))); v != nil {
		return protoreflect.ValueOfEnum(v.Number()), true
	}
	if v, ok := signed(n, 32); ok && n.Tag == "!!int" {
		return protoreflect.ValueOfEnum(protoreflect.EnumNumber(v)), true
	}
	var names []string
	for i := range f.Enum().Values().Len() {
		names = append(names, string(f.Enum().Values().Get(i).Name()))
	}
	hint := ""
	if near := closest(n.Value, names); near != "" && r.secret == 0 {
		hint = fmt.Sprintf(": did you mean %q?", near)
	}
	r.fail(n, "expected %s, got %s%s", expected(f), r.describe(n), hint)
	return protoreflect.Value{}, false
}

// base64 reads bytes in the standard or the URL alphabet, padded or not.
func (r *reader) base64(n *yaml.Node) ([]byte, bool) {
	if n.Kind == yaml.ScalarNode && (isText(n) || n.Tag == "!!binary" || n.Tag == "!!int") {
		text := strings.TrimRight(strings.Join(strings.Fields(n.Value), ""), "=")
		encoding := base64.RawStdEncoding
		if strings.ContainsAny(text, "-_") {
			encoding = base64.RawURLEncoding
		}
		if b, err := encoding.DecodeString(text); err == nil {
			return b, true
		}
	}
	r.fail(n, "expected bytes in base64, got %s", r.describe(n))
	return nil, false
}

// expected says in words what f takes: one of its values, for a list.
func expected(f protoreflect.FieldDescriptor) string {
	switch f.Kind() {
	case protoreflect.StringKind:
		return "a string"
	case protoreflect.BytesKind:
		return "bytes in base64"
	case protoreflect.BoolKind:
		return "true or false"
	case protoreflect.FloatKind, protoreflect.DoubleKind:
		return "a number"
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		return "a whole number from -2147483648 to 2147483647"
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return "a whole number from 0 to 4294967295"
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		return "a whole number of 64 bits"
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return "a whole number of 64 bits, not negative"
	case protoreflect.EnumKind:
		return "one of " + enumNames(f.Enum())
	}
	switch name := f.Message().FullName(); name {
	case "google.protobuf.Duration":
		return `a duration such as "1.5s"`
	case "google.protobuf.Timestamp":
		return `a time such as "2026-01-02T15:04:05Z"`
	case "google.protobuf.Value":
		return "any value"
	case "google.protobuf.ListValue":
		return "a list"
	default:
		if inner := wrapped(f.Message()); inner != nil {
			return expected(inner)
		}
		return fmt.Sprintf("a mapping (%s)", name.Name())
	}
}

func enumNames(e protoreflect.EnumDescriptor) string {
	var names []string
	for i := range e.Values().Len() {
		if i == 24 {
			names = append(names, "…")
			break
		}
		names = append(names, string(e.Values().Get(i).Name()))
	}
	return strings.Join(names, ", ")
}

// describe says what n is, for "expected …, got …". Key material is not repeated.
func (r *reader) describe(n *yaml.Node) string {
	n = target(n)
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Tag == "!!null":
		return "null"
	case r.secret > 0:
		return "something else"
	}
	text := n.Value
	if len(text) > 60 {
		text = strings.ToValidUTF8(text[:60], "") + "…"
	}
	switch n.Tag {
	case "!!int", "!!float":
		return "the number " + text
	case "!!bool":
		return text
	}
	return fmt.Sprintf("the string %q", text)
}
