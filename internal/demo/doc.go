// Package demo shows what a control plane is for: it puts a real Envoy under a
// gateway with 10,000 routes and steady traffic, flips one route after the
// other through the public API, and times each from the change to the first
// request that takes the new route.
package demo
