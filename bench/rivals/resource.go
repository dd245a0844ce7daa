package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/known/anypb"
)

// key names a resource.
type key struct{ typeURL, name string }

// resource is one that a side serves.
type resource struct {
	key
	any *anypb.Any
}

// readResources reads google.protobuf.Any messages, each after its length as a
// varint, as package protodelim writes them.
func readResources(r io.Reader) ([]resource, error) {
	var all []resource
	in := bufio.NewReader(r)
	options := protodelim.UnmarshalOptions{MaxSize: -1}
	for {
		m := &anypb.Any{}
		if err := options.UnmarshalFrom(in, m); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, fmt.Errorf("resource %d: %w", len(all), err)
		}
		name, err := nameOf(m.Value)
		if err != nil {
			return nil, fmt.Errorf("resource %d, a %s: %w", len(all), m.TypeUrl, err)
		}
		all = append(all, resource{key{m.TypeUrl, name}, m})
	}
}

// nameOf reads the name of an encoded resource, which is field 1 in all of
// xDS's types.
func nameOf(b []byte) (string, error) {
	for len(b) > 0 {
		number, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return "", protowire.ParseError(n)
		}
		b = b[n:]
		if number == 1 && typ == protowire.BytesType {
			name, n := protowire.ConsumeBytes(b)
			return string(name), protowire.ParseError(min(n, 0))
		}
		if n = protowire.ConsumeFieldValue(number, typ, b); n < 0 {
			return "", protowire.ParseError(n)
		}
		b = b[n:]
	}
	return "", errors.New("it has no name")
}

// parseKey reads TYPE_URL/NAME. Type URLs have one slash; names may have some.
func parseKey(text string) (key, error) {
	host, rest, _ := strings.Cut(text, "/")
	typ, name, ok := strings.Cut(rest, "/")
	if !ok || name == "" {
		return key{}, fmt.Errorf("%q is no TYPE_URL/NAME", text)
	}
	return key{host + "/" + typ, name}, nil
}

// byType divides resources and removals, and lists the types in the order in
// which clients need them: clusters, their endpoints, listeners, their routes.
func byType(changed []resource, removed []key) []typeChange {
	var all []typeChange
	at := map[string]int{}
	of := func(typeURL string) *typeChange {
		i, ok := at[typeURL]
		if !ok {
			i = len(all)
			at[typeURL] = i
			all = append(all, typeChange{typeURL: typeURL})
		}
		return &all[i]
	}
	for _, typeURL := range servedTypes {
		of(typeURL)
	}
	for _, r := range changed {
		t := of(r.typeURL)
		t.changed = append(t.changed, r)
	}
	for _, k := range removed {
		t := of(k.typeURL)
		t.removed = append(t.removed, k.name)
	}
	return all
}

// typeChange is what changes of one type; it may be nothing.
type typeChange struct {
	typeURL string
	changed []resource
	removed []string
}

func (t typeChange) empty() bool { return len(t.changed) == 0 && len(t.removed) == 0 }
