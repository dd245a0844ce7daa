// Package interop has tests of the Go client against xDS servers of others.
package interop
