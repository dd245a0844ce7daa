package shape_test

import (
	"strings"
	"testing"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"

	"github.com/deltaplane/deltaplane/shape"
)

const tableText = `
"@type": type.googleapis.com/envoy.config.route.v3.RouteConfiguration
name: table
virtual_hosts:
- name: alpha
  domains: [alpha.test, "alpha.test:8080"]
  routes:
  - {name: alpha-exact, match: {path: /a/b}, route: {cluster: back}}
  - {name: alpha-prefix, match: {prefix: /a}, route: {cluster: back}}
  - {name: alpha-upper, match: {prefix: /A}, route: {cluster: back}}
  - {name: alpha-upgrade, match: {prefix: /ws}, route: {cluster: back}}
  - {name: alpha-rest, match: {prefix: /}, route: {cluster: back}}
  response_headers_to_add: [{header: {key: route, value: "%ROUTE_NAME%"}}]
- name: metric
  domains: [Metric.Test, metric.test.]
  routes:
  - {name: metric-a, match: {prefix: /a}, route: {cluster: back}}
  - {name: metric-m, match: {prefix: /m}, direct_response: {status: 201}}
  - {name: metric-regex, match: {safe_regex: {regex: "/[x-z].*"}}, redirect: {path_redirect: /elsewhere}}
  response_headers_to_add: [{header: {key: route, value: "%ROUTE_NAME%"}}]
- name: odd
  domains: ["%odd'):1%", "[::1]", "[::1]:80", ":80"]
  routes: [{name: odd-rest, match: {prefix: /}, direct_response: {status: 202}}]
- name: suffix
  domains: ["*.wild.test"]
  routes: [{name: suffix-rest, match: {prefix: /}, direct_response: {status: 203}}]
- name: prefix
  domains: ["www.*"]
  routes: [{name: prefix-rest, match: {prefix: /}, direct_response: {status: 206}}]
- name: rest
  domains: ["*"]
  routes:
  - {name: rest-connect, match: {connect_matcher: {}}, direct_response: {status: 226}}
  - {name: rest, match: {prefix: /r}, direct_response: {status: 207}}
`

// modes are the fields of an HTTP connection manager that change what routing
// sees of an authority and a path.
var modes = map[string]string{
	"default": "",
	"normal": `
      normalize_path: true
      merge_slashes: true
      path_with_escaped_slashes_action: UNESCAPE_AND_FORWARD
      strip_any_host_port: true
      strip_trailing_host_dot: true
      http_protocol_options: {accept_http_10: true, default_host_for_http_10: Metric.Test}`,
	"redirect": `
      path_with_escaped_slashes_action: UNESCAPE_AND_REDIRECT
      strip_matching_host_port: true
      scheme_header_transformation: {scheme_to_overwrite: https}`,
	"mutated": `
      early_header_mutation_extensions:
      - name: own
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation
          mutations:
          - remove_on_match: {key_matcher: {suffix: "shape"}}
          - append: {append_action: OVERWRITE_IF_EXISTS_OR_ADD, header: {key: x-deltaplane-shape, value: own}}`,
}

func TestTheSplitListenerRoutesOddRequestsLikeThePlainOne(t *testing.T) {
	message, err := read(t, tableText).Message()
	if err != nil {
		t.Fatal(err)
	}
	split := &shape.Split{Leaves: []shape.Leaf{
		{ID: 0}, {ID: 1, Path: "/a"}, {ID: 2, Path: "/a/b'"},
		{ID: 3, Host: "%odd'):1%"}, {ID: 4, Host: "[::1]"}, {ID: 5, Host: "alpha.test"}, {ID: 6, Host: "alpha.test", Path: "/a/b"},
		{ID: 7, Host: "alpha.test:"}, {ID: 8, Host: "m"}, {ID: 9, Host: "metric.test"}, {ID: 10, Host: "metric.test", Path: "/m\\%)%\""},
		{ID: 11, Host: "metric.test."}, {ID: 12, Host: "wild"}, {ID: 13, Host: "z_{~"},
	}}
	e := startPairs(t, served{message.(*routev3.RouteConfiguration), split}, modes)
	for mode := range modes {
		plain, divided := newClient(t, e.WaitListener("plain-"+mode)), newClient(t, e.WaitListener("split-"+mode))
		reached := map[string]bool{}
		for _, request := range requests() {
			want, got := plain.send(request), divided.send(request)
			if got.text != want.text || len(got.seen) > 0 {
				t.Errorf("mode %s, request %q:\nplain: %q\nsplit: %q (leaf %s, the backend saw %q)", mode, request, want.text, got.text, got.leaf, got.seen)
			}
			reached[got.leaf] = true
		}
		for _, request := range http2Requests() {
			want, got := sendHTTP2(t, plain.address, request...), sendHTTP2(t, divided.address, request...)
			if got.text != want.text || len(got.seen) > 0 {
				t.Errorf("mode %s, HTTP/2 request %q:\nplain: %q\nsplit: %q (leaf %s, the backend saw %q)", mode, request, want.text, got.text, got.leaf, got.seen)
			}
		}
		if len(reached) < 12 {
			t.Errorf("mode %s: only the leaves %v have answered", mode, reached)
		}
	}
}

func requests() []string {
	hosts := []string{"alpha.test", "ALPHA.test", "Alpha.Test:8080", "alpha.test:80", "alpha.test.", "alpha.test.:8080", "metric.test", "METRIC.TEST.",
		"metric.test:443", "[::1]", "[::1]:80", "[::1]:81", ":80", "", "unknown", "UNKNOWN", "a.wild.test", "A.WILD.TEST", "www.x", "WWW.y:1", "WwW",
		"%odd'):1%", "%ODD'):1%", "%odd", "%OdD'", "z_", "Z_~", "~", "a_b~!$&'()*+,;=@x%41", "alpha.tesu", "ALPHA.TESS", "alpha.test:zz", "metrid", "METRID", "l", "M", "[", "_", "alpha.test,b"}
	paths := []string{"/", "/a", "/A", "/a/b", "/a/b?q=/z#", "/a/b/c", "/a%2fb", "/a//b", "/a/../m", "/m\\%)%\"x", "/m\\%)%", "/x/y", "/r", "/a/b'", "/a/b&", "/m?x", "/;p=1", "/%61", "/a/./b", "//a", "/ws"}
	var all []string
	for _, host := range hosts {
		for _, path := range paths {
			all = append(all, "GET "+path+" HTTP/1.1\r\nHost: "+host+"\r\n\r\n")
		}
	}
	head := "\r\nHost: alpha.test\r\n\r\n"
	return append(all,
		"GET /a/b HTTP/1.0\r\n\r\n", "GET /a/b HTTP/1.0"+head, "GET /a/b HTTP/1.1\r\n\r\n",
		"OPTIONS * HTTP/1.1"+head, "OPTIONS /a/b HTTP/1.1"+head, "GET b HTTP/1.1"+head, "GET ?q HTTP/1.1"+head,
		"GET http://Metric.Test/m?x HTTP/1.1"+head, "GET http://metric.test HTTP/1.1"+head, "GET http://metric.test?a HTTP/1.1"+head, "GET https://u:p@metric.test:8/a HTTP/1.1"+head,
		"CONNECT alpha.test:443 HTTP/1.1\r\nHost: alpha.test:443\r\n\r\n", "CONNECT Metric.test:1 HTTP/1.1\r\nHost: other\r\n\r\n", "CONNECT unknown:1 HTTP/1.1\r\nHost: unknown:1\r\n\r\n",
		"GET /ws HTTP/1.1\r\nHost: alpha.test\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
		"GET /.well-known/masque/udp/a/1/ HTTP/1.1\r\nHost: alpha.test\r\nUpgrade: connect-udp\r\nConnection: upgrade\r\nCapsule-Protocol: ?1\r\n\r\n",
		"GET /a/b HTTP/1.1\r\nHost: alpha.test\r\nX-Deltaplane-Shape: "+shape.Key("table", 9)+"\r\nx-deltaplane-shape: ^\r\n\r\n",
		"GET /a/b HTTP/1.1\r\nHost: Alpha.test\r\nX-Deltaplane-Shape: "+shape.Key("table", 9)+"\r\n\r\n",
		"GET /a/b HTTP/1.1\r\nHost: alpha.test\r\nHost: metric.test\r\n\r\n",
		"POST /a/b HTTP/1.1\r\nHost: alpha.test\r\nContent-Length: 2\r\n\r\nok",
		"HEAD /a/b"+strings.Replace(" HTTP/1.1"+head, "alpha", "ALPHA", 1),
		"GET /"+strings.Repeat("a", 8000)+" HTTP/1.1"+head,
	)
}
