package plane

import (
	"crypto/tls"
	"net/http"
)

// Transport is the way to the API of a control plane that others use, too. It
// keeps its connections, as each new one would be in the way of what is
// measured. A token, and a configuration of TLS, are for those that want them.
func Transport(token string, secure *tls.Config) http.RoundTripper {
	return &authorized{token, &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: secure, MaxIdleConnsPerHost: idleMost}}
}

// idleMost is how many connections stay open at most.
const idleMost = 8

// authorized adds a token to each request.
type authorized struct {
	token string
	over  *http.Transport
}

// RoundTrip implements http.RoundTripper.
func (a *authorized) RoundTrip(req *http.Request) (*http.Response, error) {
	if a.token != "" {
		req = req.Clone(req.Context())
		req.Header.Set("Authorization", "Bearer "+a.token)
	}
	return a.over.RoundTrip(req)
}

// CloseIdleConnections is what http.Client's of that name calls.
func (a *authorized) CloseIdleConnections() { a.over.CloseIdleConnections() }
