package resource

import (
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"pgregory.net/rapid"
)

// contents are the types that random Any values hold.
var contents = []Type{
	Cluster, Listener, Route,
	"envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
	"envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
	"envoy.extensions.filters.http.rbac.v3.RBAC",
	"xds.type.v3.TypedStruct", "google.protobuf.Struct", "google.protobuf.StringValue", "google.protobuf.Duration",
}

// randomMessage draws a message of one of the served types, a Fleet or a Shape. It
// need not be valid for Envoy, but JSON can express it.
func randomMessage(t *rapid.T) protoreflect.Message {
	all := append([]Type{Fleet, Shape}, Served()...)
	return randomOf(t, rapid.SampledFrom(all).Draw(t, "type"), 6)
}

func randomOf(t *rapid.T, typ Type, depth int) protoreflect.Message {
	mt, err := protoregistry.GlobalTypes.FindMessageByName(typ.fullName())
	if err != nil {
		t.Fatal(err)
	}
	m := mt.New()
	fill(t, m, depth)
	return m
}

// fill sets some fields of m.
func fill(t *rapid.T, m protoreflect.Message, depth int) {
	fields := m.Descriptor().Fields()
	switch m.Descriptor().FullName() {
	case "google.protobuf.Any":
		content := randomOf(t, rapid.SampledFrom(contents).Draw(t, "content"), depth-1)
		b, err := proto.Marshal(content.Interface())
		if err != nil {
			t.Fatal(err)
		}
		setAny(m, Type(content.Descriptor().FullName()), b)
		return
	case "google.protobuf.Duration", "google.protobuf.Timestamp":
		setTime(m, rapid.Int64Range(0, 1e9).Draw(t, "seconds"), rapid.Int32Range(0, 999_999_999).Draw(t, "nanos"))
		return
	case "google.protobuf.Value":
		if depth <= 0 {
			m.Set(fields.ByName("bool_value"), protoreflect.ValueOfBool(true))
			return
		}
		f := fields.Get(rapid.IntRange(0, fields.Len()-1).Draw(t, "kind"))
		m.Set(f, randomValue(t, m.NewField(f), f, depth-1))
		return
	case "google.protobuf.FieldMask":
		m.Mutable(fields.ByNumber(1)).List().Append(protoreflect.ValueOfString("some_field.other"))
		return
	}
	if depth <= 0 || fields.Len() == 0 {
		return
	}
	for range rapid.IntRange(0, 4).Draw(t, "fields") {
		f := fields.Get(rapid.IntRange(0, fields.Len()-1).Draw(t, "field"))
		switch {
		case f.IsList():
			list := m.Mutable(f).List()
			for range rapid.IntRange(0, 3).Draw(t, "elements") {
				list.Append(randomValue(t, list.NewElement(), f, depth-1))
			}
		case f.IsMap():
			entries := m.Mutable(f).Map()
			for range rapid.IntRange(0, 3).Draw(t, "entries") {
				k := randomValue(t, protoreflect.Value{}, f.MapKey(), 0).MapKey()
				entries.Set(k, randomValue(t, entries.NewValue(), f.MapValue(), depth-1))
			}
		default:
			m.Set(f, randomValue(t, m.NewField(f), f, depth-1))
		}
	}
}

// randomValue draws one value; empty is the message to fill, if f has one.
func randomValue(t *rapid.T, empty protoreflect.Value, f protoreflect.FieldDescriptor, depth int) protoreflect.Value {
	if f.Message() != nil {
		fill(t, empty.Message(), depth)
		return empty
	}
	switch f.Kind() {
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(rapid.Bool().Draw(t, "bool"))
	case protoreflect.EnumKind:
		values := f.Enum().Values()
		return protoreflect.ValueOfEnum(values.Get(rapid.IntRange(0, values.Len()-1).Draw(t, "enum")).Number())
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		return protoreflect.ValueOfInt32(rapid.Int32().Draw(t, "int32"))
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		return protoreflect.ValueOfInt64(rapid.Int64().Draw(t, "int64"))
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return protoreflect.ValueOfUint32(rapid.Uint32().Draw(t, "uint32"))
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return protoreflect.ValueOfUint64(rapid.Uint64().Draw(t, "uint64"))
	case protoreflect.FloatKind:
		return protoreflect.ValueOfFloat32(rapid.Float32().Draw(t, "float"))
	case protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64(rapid.Float64().Draw(t, "double"))
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes(rapid.SliceOfN(rapid.Byte(), 0, 8).Draw(t, "bytes"))
	}
	return protoreflect.ValueOfString(rapid.StringN(0, 8, 32).Draw(t, "string"))
}

// scramble writes a message's wire form in another way that means the same:
// fields and map entries in another order, padded varints, lists packed or
// not, defaults written out; inside of Any too.
func scramble(t *rapid.T, md protoreflect.MessageDescriptor, b []byte) []byte {
	type chunk struct {
		number protowire.Number
		bytes  []byte
	}
	isAny := md.FullName() == "google.protobuf.Any"
	var url string
	var chunks []chunk
	for len(b) > 0 {
		number, wire, n := protowire.ConsumeTag(b)
		size := protowire.ConsumeFieldValue(number, wire, b[n:])
		value := b[n : n+size]
		b = b[n+size:]
		f := md.Fields().ByNumber(number)
		content, _ := protowire.ConsumeBytes(value)
		switch {
		case isAny && number == 1:
			url = string(content)
			host := rapid.SampledFrom([]string{"type.googleapis.com/", "type.example/", "a/b/"}).Draw(t, "host")
			value = protowire.AppendString(nil, host+string(TypeOfURL(url)))
		case isAny && number == 2:
			if inner, err := descriptorOf(TypeOfURL(url)); err == nil {
				value = padded(t, scramble(t, inner, content))
			}
		case f.Message() != nil:
			value = padded(t, scramble(t, f.Message(), content))
		case wire == protowire.BytesType && f.IsPacked() && rapid.Bool().Draw(t, "unpack"):
			for element := range elementsOf(content, wireTypes[f.Kind()]) {
				chunks = append(chunks, chunk{number, append(tag(t, number, wireTypes[f.Kind()]), element...)})
			}
			continue
		case wire == protowire.VarintType:
			v, _ := protowire.ConsumeVarint(value)
			value = varint(t, v)
		case wire == protowire.BytesType:
			value = padded(t, content)
		}
		chunks = append(chunks, chunk{number, append(tag(t, number, wire), value...)})
	}
	mapLike := func(n protowire.Number) bool { f := md.Fields().ByNumber(n); return f != nil && f.IsMap() }
	for i := len(chunks) - 1; i > 0; i-- {
		j := rapid.IntRange(0, i).Draw(t, "swap")
		for k := i; k > j; k-- { // moves chunk i before j, past others of its own number only in maps
			if chunks[k].number == chunks[k-1].number && !mapLike(chunks[k].number) {
				break
			}
			chunks[k], chunks[k-1] = chunks[k-1], chunks[k]
		}
	}
	var out []byte
	for _, c := range chunks {
		out = append(out, c.bytes...)
	}
	return out
}

func elementsOf(b []byte, wire protowire.Type) func(func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for len(b) > 0 {
			n := protowire.ConsumeFieldValue(1, wire, b)
			if !yield(b[:n:n]) {
				return
			}
			b = b[n:]
		}
	}
}

// varint pads v with bytes that add nothing.
func varint(t *rapid.T, v uint64) []byte {
	b := protowire.AppendVarint(nil, v)
	for range min(rapid.IntRange(0, 2).Draw(t, "padding"), 9-len(b)) {
		b[len(b)-1] |= 0x80
		b = append(b, 0)
	}
	return b
}

func padded(t *rapid.T, content []byte) []byte {
	return append(varint(t, uint64(len(content))), content...)
}

func tag(_ *rapid.T, n protowire.Number, wire protowire.Type) []byte {
	return protowire.AppendTag(nil, n, wire)
}
