//go:build faults

package xds

const resets = 500_000
