// Package probe makes paced requests through a proxy and dates the one that is
// the first to be routed anew. It is lean, so that it leaves the cores to what
// it measures: one HTTP/1.1 connection at a time, answers that are not kept,
// waits that are true to 0.1 ms.
package probe
