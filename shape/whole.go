package shape

import (
	"bytes"
	"fmt"
	"iter"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/deltaplane/deltaplane/resource"
)

// Whole says why a table with this shell must go out as written; "" if it may
// be split, as far as its shell is concerned. It is a sentence for users,
// about the table.
// Cost: one pass over the bytes.
func Whole(shell *resource.Resource) string {
	if shell.TTL() > 0 {
		return "it has a TTL, which counts for a resource as a whole"
	}
	if strings.HasPrefix(shell.Name(), resource.URNScheme) {
		return "its name is a URN, which its listeners find it by"
	}
	if reason := tableRules.reason(shell.Bytes()); reason != "" {
		return "it " + reason
	}
	return ""
}

// WholeHost says why a table with this virtual host must go out as written;
// "" if it may be split, as far as that host is concerned.
// Cost: one pass over the bytes.
func WholeHost(host *resource.Resource) string {
	_, name, _ := resource.HostOf(host.Name())
	route := 0
	for _, s := range host.Segments() {
		for f := range fields(s.Bytes) {
			if f.number == hostRoutes {
				if reason := routeRules.reason(f.value); reason != "" {
					return fmt.Sprintf("virtual host %q: route %d %s", name, route, reason)
				}
				route++
				continue
			}
			if reason := hostRules.reason(f.whole); reason != "" {
				return fmt.Sprintf("virtual host %q %s", name, reason)
			}
		}
	}
	return ""
}

// wholeTable is Whole and WholeHost for a table: the reason of the first host
// that has one.
func wholeTable(shell *resource.Resource, hosts iter.Seq[*resource.Resource]) string {
	if reason := Whole(shell); reason != "" {
		return reason
	}
	for h := range hosts {
		if reason := WholeHost(h); reason != "" {
			return reason
		}
	}
	return ""
}

// suspicious reports whether WholeHost may have a reason for the host that is
// now which it did not have before.
func (e *edit) suspicious() bool {
	if !e.framed {
		return true
	}
	for _, h := range e.hunks {
		for _, r := range h.came {
			for f := range fields(r.whole) { // the one that holds the route
				if routeRules.reason(f.value) != "" {
					return true
				}
			}
		}
	}
	return false
}

// rules are what is known of a message's fields, by their numbers: every field
// is there, and what is not is left to Envoy with the whole table.
type rules map[protowire.Number]rule

// rule is why a field does no harm in a table that is split, or when it does.
type rule struct {
	safe  string                      // why it does none
	whole string                      // what it does
	check func(content []byte) string // which of the two it is: what it does, or ""
}

// reason says why a table with a message of these fields must go out as
// written, by the rules or as Header stands in it; "" if it may be split.
func (r rules) reason(b []byte) string {
	if reason := r.content(b); reason != "" {
		return reason
	}
	if mentions(b) {
		return fmt.Sprintf("mentions the header %s, which deltaplane uses itself", Header)
	}
	return ""
}

// content is reason by the rules alone.
func (r rules) content(b []byte) string {
	for f := range fields(b) {
		if reason := r.judge(f); reason != "" {
			return reason
		}
	}
	return ""
}

// judge is content for one field.
func (r rules) judge(f field) string {
	known, ok := r[f.number]
	switch {
	case !ok:
		return fmt.Sprintf("has field %d, which this version of deltaplane does not know", f.number)
	case known.whole != "":
		return known.whole
	case known.check != nil:
		return known.check(f.value)
	}
	return ""
}

// mentions reports whether Header stands in b, in any case.
func mentions(b []byte) bool {
	const hyphen = 1 // of Header, where the search looks
	for i := 0; ; {
		n := bytes.IndexByte(b[i:], '-')
		if n < 0 {
			return false
		}
		start := i + n - hyphen
		if start >= 0 && start+len(Header) <= len(b) && strings.EqualFold(string(b[start:start+len(Header)]), Header) {
			return true
		}
		i += n + 1
	}
}
