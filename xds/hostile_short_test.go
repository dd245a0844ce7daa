//go:build !faults

package xds

const resets = 20_000
