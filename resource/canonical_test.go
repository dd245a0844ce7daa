package resource

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "rewrite golden files")

// canonicalOf is the canonical form without any validation.
func canonicalOf(t interface{ Fatalf(string, ...any) }, m protoreflect.Message) []byte {
	e := encoder{allowUnknown: true, allowOpaque: true}
	b := e.encode(nil, m)
	if len(e.problems) > 0 {
		t.Fatalf("%s: %v", m.Descriptor().FullName(), e.problems)
	}
	return b
}

// opened is m with every Any marshalled in one way, so that proto.Equal
// compares what they hold.
func opened(m protoreflect.Message) proto.Message {
	c := proto.Clone(m.Interface()).ProtoReflect()
	open(c)
	return c.Interface()
}

func open(m protoreflect.Message) {
	if planOf(m.Descriptor()).any {
		if content := unpacked(m); content != nil {
			open(content)
			b, _ := proto.MarshalOptions{Deterministic: true}.Marshal(content.Interface())
			url, _ := anyParts(m)
			setAny(m, TypeOfURL(url), b)
		}
		return
	}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.IsMap() && f.MapValue().Message() != nil:
			v.Map().Range(func(_ protoreflect.MapKey, v protoreflect.Value) bool { open(v.Message()); return true })
		case f.IsList() && f.Message() != nil:
			for i := range v.List().Len() {
				open(v.List().Get(i).Message())
			}
		case f.Message() != nil && !f.IsMap():
			open(v.Message())
		}
		return true
	})
}

func TestCanonicalFormParsesToAnEqualMessage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := randomMessage(t)
		b := canonicalOf(t, m)
		again := m.New()
		if err := proto.Unmarshal(b, again.Interface()); err != nil {
			t.Fatal(err)
		}
		if m.Descriptor().FullName() != Route.fullName() && !proto.Equal(opened(m), opened(again)) {
			t.Fatalf("%v\nbecame\n%v", m, again)
		}
		if twice := canonicalOf(t, again); !bytes.Equal(b, twice) {
			t.Fatalf("canonical form of the canonical form differs:\n%x\n%x", b, twice)
		}
	})
}

func TestEveryWireFormOfOneMessageHasOneCanonicalForm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := randomMessage(t)
		wire, err := proto.Marshal(m.Interface())
		if err != nil {
			t.Fatal(err)
		}
		other := m.New()
		if err := proto.Unmarshal(scramble(t, m.Descriptor(), wire), other.Interface()); err != nil {
			t.Fatal(err)
		}
		if want, got := canonicalOf(t, m), canonicalOf(t, other); !bytes.Equal(want, got) {
			t.Fatalf("%v\nwant %x\ngot  %x", m, want, got)
		}
	})
}

func TestYAMLAndJSONKeepTheCanonicalForm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := randomMessage(t)
		want := canonicalOf(t, m)
		stored := FromStored(Type(m.Descriptor().FullName()), "", Digest{}, 0, []Segment{{Bytes: want}})
		for format, write := range map[string]func(*Resource, bool) ([]byte, error){"x.yaml": ToYAML, "x.json": ToJSON} {
			text, err := write(stored, false)
			if err != nil {
				t.Fatal(err)
			}
			r := &reader{file: format}
			roots, problem := r.parse(text)
			if problem != nil || len(roots) != 1 {
				t.Fatalf("%s: %d documents, %v\n%s", format, len(roots), problem, text)
			}
			again := m.New()
			r.fields(r.pairs(roots[0]), again)
			if len(r.problems) > 0 {
				t.Fatalf("%s: %v\n%s", format, r.problems, text)
			}
			if got := canonicalOf(t, again); !bytes.Equal(got, want) {
				t.Fatalf("%s: %v\nbecame\n%v\nthrough\n%s", format, m, again, text)
			}
		}
	})
}

func TestAnyChangeOfMeaningChangesTheCanonicalForm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := randomMessage(t), randomMessage(t)
		if a.Descriptor() != b.Descriptor() {
			b = a.New()
			proto.Merge(b.Interface(), a.Interface())
			fill(t, b, 3)
		}
		if a.Descriptor().FullName() == Route.fullName() {
			return // the order of its hosts is no meaning; TestOrderOfHostsMeansNothing
		}
		same := bytes.Equal(canonicalOf(t, a), canonicalOf(t, b))
		if equal := proto.Equal(opened(a), opened(b)); equal != same {
			t.Fatalf("equal: %v, one canonical form: %v\n%v\n%v", equal, same, a, b)
		}
	})
}

// TestCanonicalBytesNeverChange pins bytes and digests: what is stored must
// have the same digest in every later build.
func TestCanonicalBytesNeverChange(t *testing.T) {
	inputs, err := filepath.Glob("testdata/canonical/*.yaml")
	if err != nil || len(inputs) == 0 {
		t.Fatalf("no inputs: %v", err)
	}
	for _, input := range inputs {
		data, err := os.ReadFile(input)
		if err != nil {
			t.Fatal(err)
		}
		docs, problems := Decoder{}.Decode(filepath.Base(input), data)
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		var b strings.Builder
		for _, d := range docs {
			fmt.Fprintf(&b, "%s %s\n%s\n", d.Resource.Type().Short(), d.Resource.Name(), d.Resource.Digest())
			for _, s := range d.Resource.Segments() {
				fmt.Fprintf(&b, "segment %s %d bytes\n", s.Digest, len(s.Bytes))
			}
			if d.Resource.Size() < 4096 {
				b.WriteString(hex.Dump(d.Resource.Bytes()))
			}
		}
		golden(t, strings.TrimSuffix(input, ".yaml")+".golden", b.String())
	}
}

// golden compares text with a file, or rewrites it by -update.
func golden(t *testing.T, file, text string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if text != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", file, text, want)
	}
}

func TestUnknownFieldsStayWhenTheyMay(t *testing.T) {
	m := mustMessage(t, decodeOne(t, "\"@type\": type.googleapis.com/envoy.config.cluster.v3.Cluster\nname: a\n"))
	m.ProtoReflect().SetUnknown([]byte{0x98, 0x3f, 5, 0x90, 0x3f, 1}) // 1011: 5, 1010: 1
	if _, err := New(m); err == nil || !strings.Contains(err.Error(), "unknown field number 1010") {
		t.Errorf("without AllowUnknown: %v", err)
	}
	r, err := Decoder{AllowUnknown: true}.New(m)
	if err != nil {
		t.Fatal(err)
	}
	if want := "\n\x01a\x90\x3f\x01\x98\x3f\x05"; string(r.Bytes()) != want {
		t.Errorf("bytes %q, want %q", r.Bytes(), want)
	}
	text, err := ToYAML(r, false)
	if err != nil {
		t.Fatal(err)
	}
	docs, problems := Decoder{AllowUnknown: true}.Decode("x.yaml", text)
	if len(problems) > 0 || docs[0].Resource.Digest() != r.Digest() {
		t.Errorf("through YAML:\n%s\n%v", text, problems)
	}
}

func TestOpaqueTypesStayWhenTheyMay(t *testing.T) {
	text := []byte(`
"@type": type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig
name: x
typed_config: {"@type": own.example/acme.Filter, value: AQID}
`)
	if _, problems := (Decoder{}).Decode("x.yaml", text); !strings.Contains(problems.Error(), `x.yaml:4:25: Extension "x": typed_config: unknown type "acme.Filter"`) {
		t.Errorf("without AllowOpaqueTypes: %v", problems)
	}
	docs, problems := Decoder{AllowOpaqueTypes: true}.Decode("x.yaml", text)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if b := docs[0].Resource.Bytes(); !bytes.Contains(b, []byte("type.googleapis.com/acme.Filter\x12\x03\x01\x02\x03")) {
		t.Errorf("bytes %q", b)
	}
}

func mustMessage(t testing.TB, r *Resource) proto.Message {
	t.Helper()
	m, err := r.Message()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestOrderOfHostsMeansNothing(t *testing.T) {
	whole := decodeOne(t, threeHosts)
	m := mustMessage(t, whole).(*routev3.RouteConfiguration)
	slices.Reverse(m.VirtualHosts)
	r, err := New(m)
	if err != nil {
		t.Fatal(err)
	}
	if r.Digest() != whole.Digest() {
		t.Error("another order of hosts has another digest")
	}
	if m.VirtualHosts[0].Name != "c" {
		t.Error("New changed its argument")
	}
	m.VirtualHosts[0].Domains = []string{"other"}
	if r, err = New(m); err != nil || r.Digest() == whole.Digest() {
		t.Errorf("another domain has the same digest (error %v)", err)
	}
}

func TestCanonicalFormIsWhatItsDefinitionSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := randomMessage(t)
		if got, want := canonicalOf(t, m), (&oracle{}).message(nil, m); !bytes.Equal(got, want) {
			t.Fatalf("%v\ngot  %x\nwant %x", m, got, want)
		}
	})
}

func FuzzCanonicalForm(f *testing.F) {
	for i := range Served() {
		f.Add(uint8(i), []byte("\n\x01a"))
		f.Add(uint8(i), []byte("\x12\x03\x0a\x01x\x0a\x01a"))
	}
	f.Fuzz(func(t *testing.T, kind uint8, wire []byte) {
		md, err := descriptorOf(Served()[int(kind)%len(Served())])
		if err != nil {
			t.Fatal(err)
		}
		mt, err := protoregistry.GlobalTypes.FindMessageByName(md.FullName())
		if err != nil {
			t.Fatal(err)
		}
		m := mt.New()
		if proto.Unmarshal(wire, m.Interface()) != nil {
			return
		}
		e := encoder{allowUnknown: true, allowOpaque: true, validator: &validator{}}
		b := e.encode(nil, m)
		if len(e.problems) > 0 {
			return
		}
		again := mt.New()
		if err := proto.Unmarshal(b, again.Interface()); err != nil {
			t.Fatalf("%x: %v", b, err)
		}
		twice := encoder{allowUnknown: true, allowOpaque: true}
		if c := twice.encode(nil, again); !bytes.Equal(b, c) {
			t.Fatalf("canonical form of the canonical form differs:\n%x\n%x", b, c)
		}
	})
}
