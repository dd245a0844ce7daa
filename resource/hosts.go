package resource

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// Field numbers that the byte-level code below relies on; a test compares
// them with the descriptors.
const (
	routeHosts = 2 // RouteConfiguration.virtual_hosts
	hostName   = 1 // VirtualHost.name and RouteConfiguration.name
	hostRoutes = 3 // VirtualHost.routes
)

// HostOf cuts a VirtualHost's name at its last slash. ok is false unless both
// parts are there.
func HostOf(name string) (route, host string, ok bool) {
	i := strings.LastIndexByte(name, '/')
	if i <= 0 || i == len(name)-1 {
		return "", "", false
	}
	return name[:i], name[i+1:], true
}

// SplitHosts takes the virtual hosts out of a RouteConfiguration: they become
// VirtualHost resources named "<route configuration>/<host>", in the order of
// their names, and shell is what remains. The order in the input is not kept,
// as it means nothing to Envoy. The shell keeps the TTL. Duplicate host names and names with a slash
// are errors; New lets neither pass.
// Cost: a copy of the bytes; nothing is parsed.
func (r *Resource) SplitHosts() (shell *Resource, hosts []*Resource, err error) {
	if r.typ != Route {
		return nil, nil, fmt.Errorf("%s %q: only route configurations have hosts", r.typ.Short(), r.name)
	}
	md, err := descriptorOf(VirtualHost)
	if err != nil {
		return nil, nil, err
	}
	var rest []byte
	seen := map[string]bool{}
	for b := r.Bytes(); len(b) > 0; {
		number, wire, n := protowire.ConsumeTag(b)
		size := protowire.ConsumeFieldValue(number, wire, b[max(n, 0):])
		if n < 0 || size < 0 {
			return nil, nil, fmt.Errorf("route %q: stored bytes are damaged", r.name)
		}
		if number != routeHosts {
			rest = append(rest, b[:n+size]...)
		} else {
			content, _ := protowire.ConsumeBytes(b[n:])
			short, after := hostNameOf(content)
			if problem := checkHost(short, seen); problem != "" {
				return nil, nil, fmt.Errorf("route %q: virtual host %q: name %s", r.name, short, problem)
			}
			full := r.name + "/" + short
			host := protowire.AppendTag(make([]byte, 0, len(content)+len(r.name)+4), hostName, protowire.BytesType)
			host = append(protowire.AppendString(host, full), after...)
			hosts = append(hosts, fromCanonical(VirtualHost, full, md, host))
		}
		b = b[n+size:]
	}
	shellType, err := descriptorOf(Route)
	if err != nil {
		return nil, nil, err
	}
	return fromCanonical(Route, r.name, shellType, rest).WithTTL(r.ttl), hosts, nil
}

// checkHost says what is wrong with a virtual host's name within its route
// configuration, and remembers it; "" if nothing is.
func checkHost(name string, seen map[string]bool) string {
	switch {
	case name == "":
		return "must not be empty"
	case strings.Contains(name, "/"):
		return `must not hold a slash: hosts are addressed as "<route configuration>/<host>"`
	case seen[name]:
		return fmt.Sprintf("%q stands twice: each virtual host needs a name of its own", name)
	}
	seen[name] = true
	return ""
}

// hostNameOf cuts the name off a VirtualHost's canonical bytes.
func hostNameOf(b []byte) (name string, after []byte) {
	number, wire, n := protowire.ConsumeTag(b)
	if n < 0 || number != hostName || wire != protowire.BytesType {
		return "", b
	}
	value, size := protowire.ConsumeString(b[n:])
	if size < 0 {
		return "", b
	}
	return value, b[n+size:]
}

// JoinHosts is the canonical bytes of a RouteConfiguration with the given
// hosts inlined under their short names ("rc/a" becomes "a"), in the order
// given. With the hosts in the order of their names it undoes SplitHosts.
// Cost: a copy of the bytes; nothing is parsed.
func JoinHosts(shell *Resource, hosts []*Resource) []byte {
	size := shell.Size()
	for _, h := range hosts {
		size += h.Size() + 8
	}
	rest := shell.Bytes()
	_, after := hostNameOf(rest)
	b := append(make([]byte, 0, size), rest[:len(rest)-len(after)]...)
	for _, h := range hosts {
		_, short, _ := HostOf(h.name)
		old, _ := hostNameOf(h.segments[0].Bytes)
		named := 1 + protowire.SizeBytes(len(short))
		skip := 1 + protowire.SizeBytes(len(old))
		b = protowire.AppendTag(b, routeHosts, protowire.BytesType)
		b = protowire.AppendVarint(b, uint64(h.Size()-skip+named))
		b = protowire.AppendTag(b, hostName, protowire.BytesType)
		b = protowire.AppendString(b, short)
		for i, s := range h.segments {
			if i == 0 {
				b = append(b, s.Bytes[skip:]...)
			} else {
				b = append(b, s.Bytes...)
			}
		}
	}
	return append(b, after...)
}

// FromCanonical makes a Resource of bytes that were put together of those of
// valid resources so that they are canonical too: fields in ascending order,
// each as it stood. It checks nothing; t must be a type of generated code.
// Cost: the digest of the bytes, which are shared.
func FromCanonical(t Type, name string, b []byte) *Resource {
	md, err := descriptorOf(t)
	if err != nil {
		panic(err) // every type in this package is of generated code
	}
	return fromCanonical(t, name, md, b)
}

// fromCanonical makes a Resource of canonical bytes that are known to be valid.
func fromCanonical(t Type, name string, md protoreflect.MessageDescriptor, b []byte) *Resource {
	segments := cut(md, b)
	return FromStored(t, name, digestOf(segments), 0, segments)
}

func descriptorOf(t Type) (protoreflect.MessageDescriptor, error) {
	mt, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(t))
	if err != nil {
		return nil, fmt.Errorf("type %q: %w", t, err)
	}
	return mt.Descriptor(), nil
}
