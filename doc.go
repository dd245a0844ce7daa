// Package deltaplane keeps a fleet of Envoy proxies configured.
//
// The packages, in the order in which configuration passes through them:
//
//	resource  one v3 resource: canonical form, digest, validation
//	radix     persistent Merkle radix tree
//	.         Store: atomic commits on etcd, history, watch
//	api       the admin API: what turns into commits
//	view      what one set of namespaces serves, and what changed in it
//	wire      changes as the bytes of discovery responses
//	xds       the xDS server: one goroutine owns each stream
//	fleet     what each proxy was sent, holds and refused
package deltaplane
