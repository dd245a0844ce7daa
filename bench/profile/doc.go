// Package profile records where a control plane spends its time while
// something is measured: CPU, allocation, heap, waiting for locks and blocking,
// and an execution trace, as files for `go tool pprof` and `go tool trace`, and
// as the functions at the top of them.
//
// It asks the process itself, at /debug/pprof, in rounds (recording.go): so the
// one that is profiled may be a child or run on another machine. What a
// profile says is added up in function.go. Envoys are asked at their admin
// interface (envoy.go).
package profile
