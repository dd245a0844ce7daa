package resource

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"

	"go.yaml.in/yaml/v3"
)

// MinTTL is the shortest TTL that a resource may have: clients are told that
// it lives on a few times within it.
const MinTTL = time.Second

// maxTTL is the longest one, about 100 years.
const maxTTL = 100 * 365 * 24 * time.Hour

// ttlDomain starts what is hashed for a resource with a TTL. Digests are
// compared between builds: never change what is hashed under one domain.
const ttlDomain = "resource-ttl-1\x00"

// TTL is for how long a client may keep the resource without hearing of it
// (xDS protocol, "TTL"); 0: for ever.
func (r *Resource) TTL() time.Duration { return r.ttl }

// WithTTL is r with another TTL. The digest covers it: a TTL that changes is
// sent. 0 is none. Cost: O(segments), which are shared.
func (r *Resource) WithTTL(ttl time.Duration) *Resource {
	if ttl == r.ttl {
		return r
	}
	d := digestOf(r.segments)
	if ttl > 0 {
		b := append([]byte(ttlDomain), d[:]...)
		d = sha256.Sum256(binary.BigEndian.AppendUint64(b, uint64(ttl)))
	}
	return FromStored(r.typ, r.name, d, ttl, r.segments)
}

// checkTTL says why a resource of type t cannot have the TTL; "" if it can.
func checkTTL(t Type, ttl time.Duration) string {
	switch {
	case t == Fleet:
		return "a fleet has no TTL: it is not sent to proxies"
	case t == Shape:
		return "a shape has no TTL: it is not sent to proxies"
	case t == VirtualHost:
		return "a virtual host cannot have a TTL: what says that another resource lives on tells Envoy that the host does not exist"
	case ttl < MinTTL || ttl > maxTTL:
		return fmt.Sprintf("must be between %s and %s", formatTTL(MinTTL), formatTTL(maxTTL))
	}
	return ""
}

// formatTTL writes a TTL as a Duration is written in JSON.
func formatTTL(ttl time.Duration) string {
	return formatDuration(int64(ttl/time.Second), int32(ttl%time.Second))
}

// ttl reads the TTL of a wrapped resource of type t; ok is false with a problem.
func (c *collector) ttl(n *yaml.Node, t Type) (ttl time.Duration, ok bool) {
	seconds, nanos, ok := parseDuration(n.Value)
	if n.Kind != yaml.ScalarNode || !ok {
		c.fail(n, `ttl: expected a duration such as "30s", got %s`, c.describe(n))
		return 0, false
	}
	ttl = maxTTL + 1
	if seconds <= int64(maxTTL/time.Second) {
		ttl = time.Duration(seconds)*time.Second + time.Duration(nanos)
	}
	if problem := checkTTL(t, ttl); problem != "" {
		c.fail(n, "ttl: %s", problem)
		return 0, false
	}
	return ttl, true
}

// wrapped is root, the nodes of r, in the form in which a TTL can be given:
// {name, ttl, resource}. Without a TTL it is root as it is.
func (r *Resource) wrapped(root *yaml.Node) *yaml.Node {
	if r.ttl == 0 {
		return root
	}
	return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: []*yaml.Node{
		text("@type"), text(wrapper.URL()), text("name"), text(r.name), text("ttl"), text(formatTTL(r.ttl)), text("resource"), root,
	}}
}

// ttl compares the TTLs, which stand beside the messages.
func (d *differ) ttl(old, now *Resource) {
	var before, after string
	if old != nil && old.ttl > 0 {
		before = formatTTL(old.ttl)
	}
	if now != nil && now.ttl > 0 {
		after = formatTTL(now.ttl)
	}
	kind := FieldChanged
	switch {
	case before == after:
		return
	case before == "":
		kind = FieldAdded
	case after == "":
		kind = FieldRemoved
	}
	d.changes = append(d.changes, FieldChange{"ttl", kind, before, after})
}
