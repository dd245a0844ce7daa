package keys

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/deltaplane/deltaplane/resource"
)

// decode reads the value of a key, by what it looks like: text is YAML or
// JSON, all else a serialized google.protobuf.Any or DiscoveryResponse.
func decode(d resource.Decoder, key string, data []byte) ([]resource.Document, resource.Problems) {
	if isText(data) {
		return d.Decode(key, data)
	}
	b := binary{decoder: d, key: key}
	switch a, response := anyOf(data), responseOf(data); {
	case a != nil:
		b.any(a, false)
	case response != nil:
		b.response(response)
	default:
		b.fail(resource.Problem{Message: "is neither YAML nor JSON, nor a serialized google.protobuf.Any or DiscoveryResponse"})
	}
	if len(b.docs) == 0 && len(b.problems) == 0 {
		b.fail(resource.Problem{Message: "holds no resources"})
	}
	return b.docs, b.problems
}

// isText reports whether data may be YAML. A serialized message with any
// content has control characters, which YAML has not.
func isText(data []byte) bool {
	return utf8.Valid(data) && !strings.ContainsFunc(string(data), func(c rune) bool {
		return c < ' ' && c != '\n' && c != '\r' && c != '\t'
	})
}

// isURL reports whether s can be a type URL.
func isURL(s string) bool {
	slash := strings.LastIndexByte(s, '/')
	return slash >= 0 && strings.Contains(s[slash:], ".") && !strings.ContainsAny(s, " \n")
}

// anyOf is data as an Any; nil when it is none.
func anyOf(data []byte) *anypb.Any {
	a := &anypb.Any{}
	if proto.Unmarshal(data, a) != nil || len(a.ProtoReflect().GetUnknown()) > 0 || !isURL(a.TypeUrl) {
		return nil
	}
	return a
}

// responseOf is data as a DiscoveryResponse; nil when it is none.
func responseOf(data []byte) *discoveryv3.DiscoveryResponse {
	r := &discoveryv3.DiscoveryResponse{}
	if proto.Unmarshal(data, r) != nil || len(r.ProtoReflect().GetUnknown()) > 0 {
		return nil
	}
	for _, a := range r.Resources {
		if !isURL(a.GetTypeUrl()) {
			return nil
		}
	}
	return r
}

// binary is one serialized value.
type binary struct {
	decoder  resource.Decoder
	key      string
	docs     []resource.Document
	problems resource.Problems
}

func (b *binary) fail(p resource.Problem) {
	p.File = b.key
	b.problems = append(b.problems, p)
}

// any reads an Any: a resource, wrapped or not, or a response, which may not
// stand in another one.
func (b *binary) any(a *anypb.Any, inResponse bool) {
	m, err := a.UnmarshalNew()
	if err != nil {
		b.fail(resource.Problem{Message: fmt.Sprintf("%s cannot be read: it is of no known v3 type, or damaged", a.TypeUrl)})
		return
	}
	var r *resource.Resource
	switch m := m.(type) {
	case *discoveryv3.DiscoveryResponse:
		if inResponse {
			b.fail(resource.Problem{Message: "a response stands in another one"})
			return
		}
		b.response(m)
		return
	case *discoveryv3.Resource:
		r, err = b.decoder.Unwrap(m)
	default:
		r, err = b.decoder.New(m)
	}
	if err != nil {
		b.refuse(err)
		return
	}
	b.docs = append(b.docs, resource.Document{Resource: r, File: b.key})
}

// response reads all resources of a response.
func (b *binary) response(r *discoveryv3.DiscoveryResponse) {
	for i, a := range r.Resources {
		if r.TypeUrl != "" && a.TypeUrl != r.TypeUrl && !strings.HasSuffix(a.TypeUrl, ".Resource") {
			b.fail(resource.Problem{Path: fmt.Sprintf("resources[%d]", i), Message: fmt.Sprintf("its type is %s, but type_url says %s", a.TypeUrl, r.TypeUrl)})
			continue
		}
		b.any(a, true)
	}
}

// refuse notes what is wrong with a resource.
func (b *binary) refuse(err error) {
	problems, ok := errors.AsType[resource.Problems](err)
	if !ok {
		problems = resource.Problems{{Message: err.Error()}}
	}
	for _, p := range problems {
		b.fail(p)
	}
}
