// Command rivals serves as one side of a comparison by `deltaplane bench`:
// go-control-plane as its authors advise to use it, or a floor, which sends
// ready bytes and knows nothing of control planes.
//
//	rivals --kind snapshot|delta-per-node|delta|linear|floor|floor-tuned|tcp
//
// The floor has grpc-go's transport as it comes; floor-tuned and the kinds of
// go-control-plane have it without its pings (rpc.go).
//
// The first line that it prints says where it listens, and it ends when its
// standard input does (run.go). What it serves comes over HTTP (control.go).
// The kinds of go-control-plane and the gRPC floor speak ADS, delta but for
// snapshot, which speaks state-of-the-world; tcp has frames of its own (tcp.go).
//
// It is a module of its own, so that the product does not depend on rivals.
package main
