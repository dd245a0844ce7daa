// Package types registers every v3 message of Envoy and xDS with the protobuf
// registry, so that each can stand inside an Any. Import it for that effect.
// Cost: about 19 MB of program and 6 ms at start.
package types

//go:generate go run generate.go
