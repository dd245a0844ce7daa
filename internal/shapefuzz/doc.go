// Package shapefuzz proves that package shape changes nothing about routing.
// It makes tables, splits of them and requests at random, all from one seed,
// and compares what becomes of a request by the table as written and by its
// leaves: on a real Envoy with both side by side (see [Compare]), and far more
// often by a [Model] of Envoy's matching (see [Case.Search]). Envoy is the
// judge; wherever the model says something else, the model is wrong.
package shapefuzz
