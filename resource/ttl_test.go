package resource

import (
	"strings"
	"testing"
	"time"
)

const plainCluster = `{"@type": type.googleapis.com/envoy.config.cluster.v3.Cluster, name: pay, type: STATIC}`

const wrappedCluster = `"@type": type.googleapis.com/envoy.service.discovery.v3.Resource
name: pay
version: any
ttl: 2.5s
resource: ` + plainCluster

func TestATTLIsReadKeptAndPrinted(t *testing.T) {
	r := decodeOne(t, wrappedCluster)
	if r.TTL() != 2500*time.Millisecond {
		t.Fatalf("TTL %s", r.TTL())
	}
	for _, print := range []func(*Resource, bool) ([]byte, error){ToYAML, ToJSON} {
		text, err := print(r, false)
		if err != nil {
			t.Fatal(err)
		}
		again := decodeOne(t, string(text))
		if again.Digest() != r.Digest() || again.TTL() != r.TTL() {
			t.Errorf("read again it differs:\n%s", text)
		}
	}
}

func TestTheDigestCoversTheTTLAndNothingElseChanges(t *testing.T) {
	r := decodeOne(t, wrappedCluster)
	without, longer := r.WithTTL(0), r.WithTTL(3*time.Second)
	plain := decodeOne(t, plainCluster)
	if without.Digest() != plain.Digest() {
		t.Error("without its TTL it is not what it is unwrapped")
	}
	if r.Digest() == without.Digest() || r.Digest() == longer.Digest() || longer.WithTTL(2500*time.Millisecond).Digest() != r.Digest() {
		t.Error("digests of different TTLs agree, or those of equal ones differ")
	}
	if string(longer.Bytes()) != string(plain.Bytes()) {
		t.Error("a TTL is in the bytes")
	}
	want := FieldChange{Path: "ttl", Kind: FieldChanged, Old: "2.5s", New: "3s"}
	if changes := Diff(r, longer); len(changes) != 1 || changes[0] != want {
		t.Errorf("difference %v", changes)
	}
}

func TestAPatchAndSplittingKeepTheTTL(t *testing.T) {
	r := decodeOne(t, wrappedCluster)
	patched, problems := ApplyPatch(r, []byte("merge: {connect_timeout: 3s}"))
	if len(problems) > 0 || patched.TTL() != r.TTL() || patched.Digest() == r.Digest() {
		t.Errorf("patched: %v, %v", patched, problems)
	}
	shell, hosts, err := decodeOne(t, threeHosts).WithTTL(time.Minute).SplitHosts()
	if err != nil || shell.TTL() != time.Minute || hosts[0].TTL() != 0 {
		t.Errorf("split: %v", err)
	}
}

func TestATTLThatCannotBeIsRefused(t *testing.T) {
	for _, c := range []struct{ ttl, resource, want string }{
		{"5", "{type: STATIC}", "expected a duration"},
		{"[1s]", "{type: STATIC}", "expected a duration"},
		{"0s", "{type: STATIC}", "must be between 1s and"},
		{"-1s", "{type: STATIC}", "must be between 1s and"},
		{"315576000000s", "{type: STATIC}", "must be between 1s and"},
		{"5s", `{"@type": type.googleapis.com/envoy.config.route.v3.VirtualHost, name: a/b, domains: ["*"]}`, "a virtual host cannot have a TTL"},
	} {
		text := "ttl: " + c.ttl + "\nresource: " + c.resource
		if !strings.Contains(text, "@type") {
			text = strings.Replace(text, "{type", `{"@type": type.googleapis.com/envoy.config.cluster.v3.Cluster, name: pay, type`, 1)
		}
		_, problems := Decoder{}.Decode("a.yaml", []byte(text))
		if len(problems) != 1 || !strings.Contains(problems[0].Message, c.want) {
			t.Errorf("%s: %v, want %q", text, problems, c.want)
		}
	}
}
