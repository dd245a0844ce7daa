package resource

import (
	"fmt"
	"strings"
	"testing"
)

// gateway is a RouteConfiguration of many routes, as YAML: one virtual host,
// each route with a header match, a timeout and a retry policy.
func gateway(routes int) string {
	var b strings.Builder
	b.WriteString("\"@type\": type.googleapis.com/envoy.config.route.v3.RouteConfiguration\nname: gateway\nvirtual_hosts:\n- name: all\n  domains: [\"*\"]\n  routes:\n")
	for i := range routes {
		fmt.Fprintf(&b, "  - name: r%d\n    match: {prefix: /service/%d, headers: [{name: x-version, string_match: {exact: v%d}}]}\n", i, i, i%7)
		fmt.Fprintf(&b, "    route:\n      cluster: service-%d\n      timeout: 1.5s\n      retry_policy: {retry_on: 5xx, num_retries: 2}\n", i%1000)
	}
	return b.String()
}

func gatewayJSON(t testing.TB, routes int) []byte {
	t.Helper()
	b, err := ToJSON(decodeOne(t, gateway(routes)), false)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func BenchmarkDecodeYAML10kRoutes(b *testing.B) {
	data := []byte(gateway(10_000))
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, problems := (Decoder{}).Decode("gateway.yaml", data); len(problems) > 0 {
			b.Fatal(problems)
		}
	}
}

func BenchmarkDecodeJSON10kRoutes(b *testing.B) {
	data := gatewayJSON(b, 10_000)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, problems := (Decoder{}).Decode("gateway.json", data); len(problems) > 0 {
			b.Fatal(problems)
		}
	}
}

// BenchmarkDigest is the canonical form of a route table and its digest,
// without the checks of New.
func BenchmarkDigest(b *testing.B) {
	for _, routes := range []int{1, 100, 10_000} {
		b.Run(fmt.Sprint(routes, " routes"), func(b *testing.B) {
			r := decodeOne(b, gateway(routes))
			m, err := r.Message()
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(r.Size()))
			b.ReportAllocs()
			for b.Loop() {
				e := encoder{}
				canonical := e.encode(nil, m.ProtoReflect())
				if fromCanonical(r.typ, r.name, m.ProtoReflect().Descriptor(), canonical).Digest() != r.Digest() {
					b.Fatal("another digest")
				}
			}
		})
	}
}

func BenchmarkNew10kRoutes(b *testing.B) {
	m, err := decodeOne(b, gateway(10_000)).Message()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := New(m); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReferences10kRoutes(b *testing.B) {
	r := decodeOne(b, gateway(10_000))
	b.ReportAllocs()
	for b.Loop() {
		if n := len(FromStored(r.typ, r.name, r.digest, 0, r.segments).References()); n != 1000 {
			b.Fatal(n)
		}
	}
}

func BenchmarkSplitHosts10kRoutes(b *testing.B) {
	r := decodeOne(b, gateway(10_000))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := r.SplitHosts(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPatchOneOf10kRoutes(b *testing.B) {
	_, hosts, err := decodeOne(b, gateway(10_000)).SplitHosts()
	if err != nil {
		b.Fatal(err)
	}
	patch := []byte(`{route: {name: r5000, match: {prefix: /new}, route: {cluster: other}}}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, problems := ApplyPatch(hosts[0], patch); len(problems) > 0 {
			b.Fatal(problems)
		}
	}
}

func BenchmarkDiffOneOf10kRoutes(b *testing.B) {
	_, hosts, err := decodeOne(b, gateway(10_000)).SplitHosts()
	if err != nil {
		b.Fatal(err)
	}
	now, problems := ApplyPatch(hosts[0], []byte(`{route: {name: r5000, match: {prefix: /new}, route: {cluster: other}}}`))
	if len(problems) > 0 {
		b.Fatal(problems)
	}
	b.ReportAllocs()
	for b.Loop() {
		if len(Diff(hosts[0], now)) == 0 {
			b.Fatal("no difference")
		}
	}
}
