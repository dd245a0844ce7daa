package resource

import (
	"fmt"
	"strings"
	"testing"
)

var secretive = []string{
	`"@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret
name: key
tls_certificate:
  private_key: {inline_string: HUSH}
  password: {inline_bytes: SFVTSA==}
  certificate_chain: {inline_string: public}
`,
	`"@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret
name: tickets
session_ticket_keys: {keys: [{inline_string: HUSH}, {filename: /path/public}]}
`,
	`"@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret
name: generic
generic_secret: {secret: {inline_string: HUSH}, secrets: {public: {inline_bytes: SFVTSA==}}}
`,
	clusterType + `
name: c
transport_socket:
  name: tls
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
    sni: public
    common_tls_context:
      tls_certificates:
      - private_key_provider: {provider_name: p, typed_config: {"@type": type.googleapis.com/google.protobuf.Struct, value: {key: HUSH}}}
        certificate_chain: {inline_string: public}
`,
	`"@type": type.googleapis.com/envoy.config.route.v3.VirtualHost
name: rc/h
domains: [public]
request_headers_to_add: [{header: {key: Authorization, value: HUSH}}, {header: {key: x, value: public}}]
`,
}

func TestKeyMaterialIsNeverShown(t *testing.T) {
	for _, text := range secretive {
		r, other := decodeOne(t, text), decodeOne(t, strings.NewReplacer("HUSH", "HUSHED", "SFVTSA==", "SFVTSEVE").Replace(text))
		masked, err := r.Masked()
		if err != nil {
			t.Fatal(err)
		}
		yaml, err := ToYAML(r, true)
		if err != nil {
			t.Fatal(err)
		}
		json, err := ToJSON(r, true)
		if err != nil {
			t.Fatal(err)
		}
		changes := Diff(r, other)
		if len(changes) == 0 {
			t.Errorf("%s: a changed key makes no difference", r.Name())
		}
		for how, shown := range map[string]string{
			"Mask": fmt.Sprint(masked), "ToYAML": string(yaml), "ToJSON": string(json),
			"Diff": lines(changes), "Diff from nothing": lines(Diff(nil, r)),
		} {
			if strings.Contains(shown, "HUSH") || strings.Contains(shown, "SFVTS") {
				t.Errorf("%s of %s shows a key:\n%s", how, r.Name(), shown)
			}
		}
		if !strings.Contains(string(yaml), Redacted) || !strings.Contains(string(yaml), "public") {
			t.Errorf("%s: masks the wrong things:\n%s", r.Name(), yaml)
		}
		if plain, err := ToYAML(r, false); err != nil || !strings.Contains(string(plain), "HUSH") {
			t.Errorf("unmasked (error %v):\n%s", err, plain)
		}
	}
}
