package resource

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// URNScheme starts the names that say by themselves which authority and type
// they belong to (cncf/xds, TP1): xdstp://authority/type/id?key=value.
const URNScheme = "xdstp:"

// IsURN reports whether name is, or means to be, an xdstp:// name.
func IsURN(name string) bool { return strings.HasPrefix(name, URNScheme) }

// CanonicalName is the one form that all equal xdstp:// names share: context
// parameters in order, and percent encoding just where Envoy's own form has it.
// Any other name is returned as it is. Cost: O(1) for those.
func CanonicalName(name string) (string, error) {
	if !IsURN(name) {
		return name, nil
	}
	u, err := parseURN(name)
	if err != nil {
		return name, err
	}
	return u.String(), nil
}

// CanonicalNames is the canonical form of each name; names that have none stay
// as they are: no resource has them. It copies only if one changes.
func CanonicalNames(names []string) []string {
	copied := false
	for i, name := range names {
		if canonical, err := CanonicalName(name); err == nil && canonical != name {
			if !copied {
				names, copied = slices.Clone(names), true
			}
			names[i] = canonical
		}
	}
	return names
}

// IsCollection reports whether a canonical name stands for a glob collection:
// its last part is "*" (TP1, "Glob").
func IsCollection(name string) bool {
	if !IsURN(name) {
		return false
	}
	path, _ := cutContext(name)
	return strings.HasSuffix(path, "/*")
}

// CollectionOf is the glob collection that a canonical name is a member of:
// the same name with "*" as the last part of its id, and the same context
// parameters. It is "" for a name that is not xdstp://.
func CollectionOf(name string) string {
	if !IsURN(name) {
		return ""
	}
	path, context := cutContext(name)
	return path[:strings.LastIndexByte(path, '/')+1] + "*" + context
}

// CollectionPrefix is what the names of all members of a collection begin
// with; others may, too.
func CollectionPrefix(collection string) string {
	path, _ := cutContext(collection)
	return strings.TrimSuffix(path, "*")
}

// cutContext divides a canonical name before its "?".
func cutContext(name string) (path, context string) {
	if i := strings.IndexByte(name, '?'); i >= 0 {
		return name[:i], name[i:]
	}
	return name, ""
}

// urn is an xdstp:// name taken apart, without any encoding.
type urn struct {
	authority, typ, id string
	context            []string // "key=value", encoded, sorted
}

// What Envoy's canonical form encodes in each part, besides what is not
// printable ASCII.
const (
	authorityEscapes = "%/?#"
	idEscapes        = "%:?#[]"
	contextEscapes   = "%#[]&="
)

// String is u's canonical form.
func (u urn) String() string {
	name := URNScheme + "//" + escape(u.authority, authorityEscapes) + "/" + u.typ + "/" + escape(u.id, idEscapes)
	if len(u.context) > 0 {
		name += "?" + strings.Join(u.context, "&")
	}
	return name
}

var errURN = errors.New("is no xdstp:// name")

func parseURN(name string) (u urn, err error) {
	rest, ok := strings.CutPrefix(name, URNScheme+"//")
	if !ok {
		return u, fmt.Errorf("%w: expected xdstp://authority/type/id", errURN)
	}
	if strings.Contains(rest, "#") {
		return u, fmt.Errorf("%w: directives after a # belong to locators, not to names", errURN)
	}
	path, query, _ := strings.Cut(rest, "?")
	parts := strings.SplitN(path, "/", 3)
	if len(parts) < 3 || parts[1] == "" || parts[2] == "" {
		return u, fmt.Errorf("%w: expected xdstp://authority/type/id", errURN)
	}
	u.typ = parts[1]
	if u.authority, err = unescape(parts[0]); err != nil {
		return u, err
	}
	if u.id, err = unescape(parts[2]); err != nil {
		return u, err
	}
	u.context, err = parseContext(query)
	return u, err
}

func parseContext(query string) (pairs []string, err error) {
	if query == "" {
		return nil, nil
	}
	seen := map[string]bool{}
	for pair := range strings.SplitSeq(query, "&") {
		key, value, _ := strings.Cut(pair, "=")
		if key, err = unescape(key); err != nil {
			return nil, err
		}
		if value, err = unescape(value); err != nil {
			return nil, err
		}
		if key == "" || seen[key] {
			return nil, fmt.Errorf("%w: context parameter %q is empty or stands twice", errURN, key)
		}
		seen[key] = true
		pairs = append(pairs, escape(key, contextEscapes)+"="+escape(value, contextEscapes))
	}
	slices.Sort(pairs)
	return pairs, nil
}

const hexDigits = "0123456789ABCDEF"

// escape encodes the bytes of s in reserved, and those outside of printable
// ASCII; "~" counts as such, as in Envoy.
func escape(s, reserved string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if c < ' ' || c >= '~' || strings.IndexByte(reserved, c) >= 0 {
			b.Write([]byte{'%', hexDigits[c>>4], hexDigits[c&15]})
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func unescape(s string) (string, error) {
	if !strings.Contains(s, "%") {
		return s, nil
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			b.WriteByte(s[i])
			continue
		}
		if i+2 >= len(s) || hexValue(s[i+1]) < 0 || hexValue(s[i+2]) < 0 {
			return "", fmt.Errorf("%w: a %% must be followed by two hexadecimal digits", errURN)
		}
		b.WriteByte(byte(hexValue(s[i+1])<<4 | hexValue(s[i+2])))
		i += 2
	}
	return b.String(), nil
}

// hexValue is -1 for anything but a hexadecimal digit.
func hexValue(c byte) int {
	if 'a' <= c && c <= 'f' {
		c -= 'a' - 'A'
	}
	return strings.IndexByte(hexDigits, c)
}

// checkURN says what is wrong with the name of a resource of type t; "" if
// nothing is. A virtual host is named after its route configuration.
func checkURN(t Type, name string) string {
	if route, _, ok := HostOf(name); t == VirtualHost && ok {
		t, name = Route, route
	}
	if !IsURN(name) {
		return ""
	}
	u, err := parseURN(name)
	switch {
	case err != nil:
		return err.Error()
	case u.typ != string(t):
		return fmt.Sprintf("is a name of type %s, but the resource is a %s: expected xdstp://%s/%s/%s",
			u.typ, t, escape(u.authority, authorityEscapes), t, escape(u.id, idEscapes))
	case u.String() != name:
		return "must be written " + u.String()
	case IsCollection(name):
		return "stands for a collection, as its last part is *: a resource needs a name of its own"
	}
	return ""
}

// canonicallyNamed is m, or where its xdstp:// name has another canonical
// form, a copy with that.
func canonicallyNamed(t Type, m proto.Message) proto.Message {
	name := nameOf(t, m.ProtoReflect())
	canonical, err := CanonicalName(name)
	if err != nil || canonical == name || t == VirtualHost {
		return m
	}
	m = proto.Clone(m)
	pm := m.ProtoReflect()
	pm.Set(pm.Descriptor().Fields().ByName(nameField(t)), protoreflect.ValueOfString(canonical))
	return m
}

// checkReferredURNs says what is wrong with the xdstp:// names that m refers
// to: they must be of the type that is wanted there, and in canonical form, as
// Envoy compares what it gets with what stands here byte by byte.
func checkReferredURNs(m protoreflect.Message) (problems Problems) {
	for _, ref := range referencesIn(m) {
		switch problem := checkURN(ref.Type, ref.Name); {
		case problem == "":
		case ref.Type == Endpoint && ref.Path == "name":
			problems = append(problems, Problem{Path: "eds_cluster_config.service_name",
				Message: "must be set: without it the endpoints would have the cluster's xdstp:// name, which is of another type"})
		default:
			problems = append(problems, Problem{Path: ref.Path, Message: problem})
		}
	}
	return problems
}

// ParseCollection is the canonical name of a glob collection of resources of
// type t.
func ParseCollection(t Type, name string) (string, error) {
	u, err := parseURN(name)
	switch {
	case err != nil:
		return "", fmt.Errorf("%q %w", name, err)
	case u.typ != string(t) || !IsCollection(u.String()):
		return "", fmt.Errorf("%q is no collection of this type: expected %s//authority/%s/directory/*", name, URNScheme, t)
	}
	return u.String(), nil
}
