// Package shape splits a large route table, so that a changed route costs an
// Envoy a millisecond and not the tens of milliseconds that it needs to
// rebuild a RouteConfiguration of ten thousand routes.
//
// A table is a RouteConfiguration's shell with its virtual hosts. Its key space
// is all pairs of an authority and a path; a [Split] divides it into leaves,
// which are ranges of that space. Envoy finds the leaf of a request itself: an
// early header mutation writes the leaf's key into a header of ours by a
// decision tree of comparisons, and scoped routes lead from that header to the
// leaf's own RouteConfiguration. This has in it, in their order, the hosts and
// routes which a request of the leaf could match, so that routing is exactly
// that of the whole table.
//
// All of it is pure: the same table, split and options give the same bytes on
// each replica and after each restart. A split is kept with its table in the
// store, so that it changes only when a leaf has outgrown its bound.
package shape
