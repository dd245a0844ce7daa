package resource

import (
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// trail is where a walk stands in a message: fields, list indices and map
// keys, outermost first. What an Any holds follows without a step of its own.
type trail []step

type step struct {
	field protoreflect.Name
	index int
	key   string
	kind  stepKind
}

type stepKind uint8

const (
	fieldStep stepKind = iota
	indexStep
	keyStep
)

func (t *trail) push(f protoreflect.FieldDescriptor) { *t = append(*t, step{field: f.Name()}) }
func (t *trail) pushIndex(i int)                     { *t = append(*t, step{index: i, kind: indexStep}) }
func (t *trail) pushKey(k string)                    { *t = append(*t, step{key: k, kind: keyStep}) }
func (t *trail) pop()                                { *t = (*t)[:len(*t)-1] }

// String is the path as users read it: virtual_hosts[3].routes[0].match.
func (t trail) String() string {
	var b strings.Builder
	for _, s := range t {
		switch s.kind {
		case indexStep:
			b.WriteByte('[')
			b.WriteString(strconv.Itoa(s.index))
			b.WriteByte(']')
		case keyStep:
			b.WriteByte('[')
			b.WriteString(strconv.Quote(s.key))
			b.WriteByte(']')
		default:
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(string(s.field))
		}
	}
	return b.String()
}
