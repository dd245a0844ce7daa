// Package deltaplane keeps a fleet of Envoy proxies configured.
//
// The packages, in the order in which configuration passes through them:
//
//	resource      one v3 resource: canonical form, digest, validation
//	adopt         the static configuration of an Envoy as resources
//	radix         persistent Merkle radix tree
//	shape         a large route table in small pieces
//	.             Store: atomic commits on etcd, history, watch
//	source        what is watched becomes commits: source/dir files, source/keys the user's own etcd keys
//	api           the admin API: what turns into commits
//	view          what one set of namespaces serves, and what changed in it
//	wire          changes as the bytes of discovery responses
//	xds           the xDS server: one goroutine owns each stream
//	fleet         what each proxy was sent, holds and refused
//	loadreport    what proxies report of the load of their upstreams
//	clientstatus  what each proxy holds, for tools that speak CSDS
//	client        for programs that want the configuration: an xDS client, which imports none of these
//
// A Store holds resources in namespaces. Commit changes any number of them at
// once; Apply, Delete, Patch, Revert and Rollback are commits that know about
// owners, references and accidents. Latest is the newest Snapshot, Watch waits
// for a newer one, At and History look back. xds.NewServer serves a Store to
// proxies. The example shows a store's life.
//
// How it is kept in etcd stands in layout.go; how a commit gets there in
// write.go (many become one transaction), draft.go (one becomes a record) and
// submit.go (the transaction); how replicas follow in follow.go and load.go.
package deltaplane
