// Package relay stands between one Envoy and its control plane, and dates what
// passes: when a response of the incremental protocol had arrived at this
// machine, and when Envoy's acknowledgement had. Envoy itself tells neither.
// Arrivals are dated by the kernel, where that can (Linux), so that a busy
// process does not date them late; what the relay adds to the way is told, too.
package relay
