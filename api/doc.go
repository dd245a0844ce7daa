// Package api is the admin API: HTTP requests that become commits, and views
// of what is stored, of its history and of the proxies that hold it.
//
// The main path of a change is input.go (body → documents), change.go
// (documents → commit) and plan.go (commit → JSON). openapi.yaml describes
// every route; a test compares it with the mux.
package api
