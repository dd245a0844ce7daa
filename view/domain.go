package view

import (
	"strings"

	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
)

// resolve finds the virtual host for "<route configuration>/<domain>", by the
// precedence of Envoy's RouteConfiguration: exact domain, longest suffix
// wildcard ("*.x"), longest prefix wildcard ("x.*"), "*".
// Cost: O(length²) in the domain's length, which is at most MaxDomain.
func (v *View) resolve(name string) (*Resource, bool) {
	route, domain, ok := resource.HostOf(name)
	if !ok || len(domain) > MaxDomain {
		return nil, false
	}
	domain = strings.ToLower(domain)
	try := func(pattern string) (*Resource, bool) { return v.domains.Get(route + "/" + pattern) }
	if host, ok := try(domain); ok {
		return host, true
	}
	for i := 1; i < len(domain); i++ {
		if host, ok := try("*" + domain[i:]); ok {
			return host, true
		}
	}
	for i := len(domain) - 1; i > 0; i-- {
		if host, ok := try(domain[:i] + "*"); ok {
			return host, true
		}
	}
	return try("*")
}

// MaxDomain is the length in bytes up to which a domain is looked for.
const MaxDomain = 255

// indexDomains moves host's domains from what they were to what they are;
// either may be nil.
func indexDomains(domains *radix.Txn[*Resource], old, now *Resource) {
	if old != nil {
		route, _, _ := resource.HostOf(old.Name())
		for _, domain := range domainsOf(old.source) {
			key := route + "/" + strings.ToLower(domain)
			if there, ok := domains.Get(key); ok && there.Name() == old.Name() {
				domains.Delete(key)
			}
		}
	}
	if now != nil {
		route, _, _ := resource.HostOf(now.Name())
		for _, domain := range domainsOf(now.source) {
			domains.Put(route+"/"+strings.ToLower(domain), now)
		}
	}
}
