package client

import (
	"errors"
	"fmt"
	"hash/maphash"
	"strings"
	"time"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/protobuf/types/known/anypb"
)

// response is what a server said about one type.
type response struct {
	nonce   string
	changes []change
	faults  []error // what the client refuses by itself
}

// change is what became of one resource.
type change struct {
	name    string
	version string
	aliases []string
	body    *anypb.Any // nil: removed
	hash    uint64     // of body
	expires time.Time  // zero: never
	beat    bool       // a heartbeat: nothing changed but expires
	dropped bool       // unsubscribed from while it was with the application
	forced  bool       // the application has the resource, but it is no longer held: it expired, or was unsubscribed from
}

var seed = maphash.MakeSeed()

// parse reads a response about the type of that URL. What is wrong with one
// resource is a fault, which does not keep the others out.
func parse(m *discoveryv3.DeltaDiscoveryResponse, url string, now time.Time) response {
	r := response{nonce: m.GetNonce()}
	seen := make(map[string]bool, len(m.GetResources()))
	for _, resource := range m.GetResources() {
		c := change{name: resource.GetName(), version: resource.GetVersion(), aliases: resource.GetAliases(), body: resource.GetResource()}
		switch {
		case c.name == "":
			r.faults = append(r.faults, errors.New("a resource has no name"))
			continue
		case seen[c.name]:
			r.faults = append(r.faults, fmt.Errorf("%q comes twice in one response", c.name))
			continue
		case c.body != nil && typeName(c.body.GetTypeUrl()) != typeName(url):
			r.faults = append(r.faults, fmt.Errorf("%q is a %s, want %s", c.name, clip(typeName(c.body.GetTypeUrl())), typeName(url)))
			continue
		}
		seen[c.name] = true
		if ttl := resource.GetTtl().AsDuration(); ttl > 0 {
			c.expires = now.Add(ttl)
		}
		// Without a body it is a heartbeat (xDS protocol, "TTL"), unless it has
		// no version either: then it is a virtual host that does not exist
		// (Envoy, "VHDS").
		c.beat = c.body == nil && c.version != ""
		c.hash = maphash.Bytes(seed, c.body.GetValue())
		r.changes = append(r.changes, c)
	}
	for _, name := range m.GetRemovedResources() {
		if !seen[name] {
			r.changes = append(r.changes, change{name: name})
		}
	}
	return r
}

func typeName(url string) string { return url[strings.LastIndexByte(url, '/')+1:] }

// clip shortens what a server sent, for messages.
func clip(s string) string {
	if len(s) > 200 {
		return s[:200] + "…"
	}
	return s
}
