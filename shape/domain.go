package shape

import "strings"

// covered is where a domain can match: the authorities, in lower case, for
// which Envoy may choose the virtual host by it. It may be more than that, and
// holds whether or not the table ignores ports
// (RouteConfiguration.ignore_port_in_host_matching).
func covered(domain string) []span {
	domain = lower(domain)
	switch {
	case strings.HasPrefix(domain, "*"):
		return []span{{}}
	case strings.HasSuffix(domain, "*"):
		return []span{under(domain[:len(domain)-1])}
	}
	return []span{point(domain), under(domain + ":")}
}

// exact is a domain that one authority matches, in lower case: where ranges
// may be cut. ok is false for those with a wildcard.
func exact(domain string) (key string, ok bool) {
	if strings.HasPrefix(domain, "*") || strings.HasSuffix(domain, "*") {
		return "", false
	}
	return lower(domain), true
}
