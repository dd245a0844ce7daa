// Package hops tells the hops of a change apart, by the traces that a control
// plane makes of it: the bench begins the trace of each change, receives what
// the control plane has to say of it, as a collector of OpenTelemetry does, and
// sends all of it on to one, with what it saw of requests itself.
package hops
