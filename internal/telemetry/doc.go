// Package telemetry makes OpenTelemetry traces of commits: one for each, from
// the request that asks for it to the last proxy's answer. The store, the API
// and the xDS server tell it what happens through interfaces of their own;
// nothing else knows OpenTelemetry.
//
// Spans of the way to the store are made as it happens. Those of the fan-out
// are made afterwards, from times that events carry, and only a few: see
// delivery. What is not sampled costs one atomic read per push and keeps
// nothing.
package telemetry
