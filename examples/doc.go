// Package examples holds configurations that can be applied as they are. Each
// directory has one, and a README that says what it shows. Their test applies
// every one of them to a real Envoy.
package examples

//go:generate go run ./sidecar/generate sidecar/sidecar.yaml
