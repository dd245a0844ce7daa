package main

import (
	"crypto/x509"
	"fmt"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"google.golang.org/grpc/credentials"
)

// identityRule says which node ids a certificate may have: one with a subject
// alternative name (RFC 5280, 4.2.1.6: a DNS name or a URI) that matches san.
// A * in san stands for any text; that text takes the place of a * in node.
// Without a * in san, a * in node stands for any text, too.
type identityRule struct{ san, node string }

// parseIdentityRule reads SAN=NODE. URIs may hold "=", node ids of a rule not.
func parseIdentityRule(text string) (identityRule, error) {
	i := strings.LastIndexByte(text, '=')
	if i <= 0 || i == len(text)-1 || strings.Count(text[:i], "*") > 1 || strings.Count(text[i+1:], "*") > 1 {
		return identityRule{}, usageError{fmt.Sprintf("--node-identity %q: expected SAN=NODE with at most one * in each, such as spiffe://example.org/edge/*=*", text)}
	}
	return identityRule{text[:i], text[i+1:]}, nil
}

// allows reports whether the holder of a certificate with this name may be
// the node.
func (r identityRule) allows(san, node string) bool {
	text, ok := match(r.san, san)
	if ok && strings.Contains(r.san, "*") {
		return strings.Replace(r.node, "*", text, 1) == node
	}
	_, same := match(r.node, node)
	return ok && same
}

// match finds the text that the * in pattern stands for.
func match(pattern, text string) (found string, ok bool) {
	before, after, wild := strings.Cut(pattern, "*")
	if !wild {
		return "", pattern == text
	}
	if len(text) < len(before)+len(after) || !strings.HasPrefix(text, before) || !strings.HasSuffix(text, after) {
		return "", false
	}
	return text[len(before) : len(text)-len(after)], true
}

// identities says which node a client may be, by its certificate.
type identities []identityRule

// check is the reason why the client may not be the node; nil if it may.
func (rules identities) check(info credentials.AuthInfo, node *corev3.Node) error {
	verified, ok := info.(credentials.TLSInfo)
	if !ok || len(verified.State.PeerCertificates) == 0 {
		return fmt.Errorf("node %q: the connection has no client certificate", node.GetId())
	}
	names := sans(verified.State.PeerCertificates[0])
	for _, san := range names {
		for _, rule := range rules {
			if rule.allows(san, node.GetId()) {
				return nil
			}
		}
	}
	return fmt.Errorf("node %q: a certificate for %q may not be this node by any --node-identity", node.GetId(), names)
}

func sans(c *x509.Certificate) []string {
	names := append([]string(nil), c.DNSNames...)
	for _, uri := range c.URIs {
		names = append(names, uri.String())
	}
	return names
}
