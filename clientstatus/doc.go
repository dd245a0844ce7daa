// Package clientstatus answers what the connected proxies hold, in the form
// that tools know: the Client Status Discovery Service
// (envoy.service.status.v3).
package clientstatus
