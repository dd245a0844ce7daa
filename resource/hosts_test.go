package resource

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

const threeHosts = `
"@type": type.googleapis.com/envoy.config.route.v3.RouteConfiguration
name: edge
max_direct_response_body_size_bytes: 100
virtual_hosts:
- name: c
  domains: [c.example]
  routes:
  - match: {prefix: /}
    route: {cluster: pay}
- name: a
  domains: [a.example]
- name: b
  domains: [b.example]
`

func decodeOne(t testing.TB, text string) *Resource {
	t.Helper()
	docs, problems := Decoder{}.Decode("test.yaml", []byte(text))
	if len(problems) > 0 || len(docs) != 1 {
		t.Fatalf("%d documents, problems:\n%v", len(docs), problems)
	}
	return docs[0].Resource
}

func TestJoiningHostsUndoesSplitting(t *testing.T) {
	whole := decodeOne(t, threeHosts)
	shell, hosts, err := whole.SplitHosts()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, h := range hosts {
		names = append(names, h.Name())
		m, err := h.Message()
		if err != nil {
			t.Fatal(err)
		}
		again, err := New(m)
		if err != nil || again.Digest() != h.Digest() {
			t.Fatalf("%s: New of its own message: digest %v, error %v", h.Name(), again, err)
		}
	}
	if got := fmt.Sprint(names); got != "[edge/a edge/b edge/c]" {
		t.Errorf("hosts %s", got)
	}
	if got := JoinHosts(shell, hosts); !bytes.Equal(got, whole.Bytes()) {
		t.Errorf("joined\n%x\nwant\n%x", got, whole.Bytes())
	}
	m, err := shell.Message()
	if err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprint(m); strings.Contains(text, "example") {
		t.Errorf("the shell kept hosts: %s", text)
	}
}
