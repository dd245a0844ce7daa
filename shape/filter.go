package shape

import hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"

// obstacle says why m must route by the table as written, as a sentence for
// users; "" if it need not.
func obstacle(_ *hcmv3.HttpConnectionManager) string { return "" }
