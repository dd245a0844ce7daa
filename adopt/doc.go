// Package adopt turns the static configuration of an existing Envoy into
// resources for the control plane, and into the bootstrap that then fits.
//
// What moves behaves as before: a listener, a cluster or a secret stays in the
// bootstrap where the bootstrap itself needs it, or where its dynamic form
// would do something else; a Note says which and why.
package adopt
