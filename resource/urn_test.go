package resource

import (
	"fmt"
	"strings"
	"testing"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	"pgregory.net/rapid"
)

const urnOfCluster = "xdstp://auth/envoy.config.cluster.v3.Cluster/"

func TestEqualURNsHaveOneCanonicalForm(t *testing.T) {
	for _, names := range [][]string{
		{"xdstp://auth/T/a/b?k=1&l=2", "xdstp://auth/T/a/b?l=2&k=1", "xdstp://auth/T/%61/b?%6c=2&k=1", "xdstp://auth/T/a%2fb?k=1&l=2"},
		{"xdstp://auth/T/a%3A80", "xdstp://auth/T/a:80", "xdstp://auth/T/a%3a80"},
		{"xdstp:///T/a", "xdstp:///T/a?"},
		{"xdstp://a%2Fb/T/%25?k=%26%3D", "xdstp://a%2fb/T/%25?%6B=%26%3d"},
		{"xdstp://auth/T/%C3%BC%7E?flag=", "xdstp://auth/T/ü~?flag"},
		{"plain:/name?b=2&a=1"},
	} {
		for _, name := range names {
			if got, err := CanonicalName(name); err != nil || got != names[0] {
				t.Errorf("%s: %s, %v; want %s", name, got, err, names[0])
			}
		}
	}
}

func TestWhatIsNoURNIsRefused(t *testing.T) {
	for _, name := range []string{
		"xdstp:", "xdstp://", "xdstp:/auth/T/a", "xdstp://auth", "xdstp://auth/T", "xdstp://auth/T/", "xdstp://auth//a",
		"xdstp://auth/T/a#alt=b", "xdstp://auth/T/%4", "xdstp://auth/T/%zz", "xdstp://auth/T/a?k=1&k=2", "xdstp://auth/T/a?=1", "xdstp://auth/T/a?k=%",
	} {
		if got, err := CanonicalName(name); err == nil || got != name {
			t.Errorf("%s became %s, %v", name, got, err)
		}
	}
}

func TestACollectionHasWhatDiffersInTheLastPartAlone(t *testing.T) {
	for _, c := range []struct{ name, collection string }{
		{"xdstp://auth/T/foo/bar", "xdstp://auth/T/foo/*"},
		{"xdstp://auth/T/bar", "xdstp://auth/T/*"},
		{"xdstp://auth/T/foo/bar/baz?k=a/b", "xdstp://auth/T/foo/bar/*?k=a/b"},
		{"plain/name", ""},
	} {
		if got := CollectionOf(c.name); got != c.collection {
			t.Errorf("%s is in %q, want %q", c.name, got, c.collection)
		}
		if IsCollection(c.name) || c.collection != "" && !IsCollection(c.collection) {
			t.Errorf("%s or %q is taken for what it is not", c.name, c.collection)
		}
		if !strings.HasPrefix(c.name, CollectionPrefix(c.collection)) {
			t.Errorf("%s does not begin with the prefix of %s", c.name, c.collection)
		}
	}
}

func TestCanonicalNamesAreTheirOwnCanonicalForm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.StringOf(rapid.RuneFrom([]rune("aZ%:?#[]&=/~ ü*,")))
		name := fmt.Sprintf("xdstp://%s/T/%s?%s=%s&b=%s", escape(part.Draw(t, "authority"), authorityEscapes),
			escape(part.Draw(t, "id")+"x", idEscapes), escape("a"+part.Draw(t, "key"), contextEscapes), escape(part.Draw(t, "value"), contextEscapes), "1")
		once, err := CanonicalName(name)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if twice, err := CanonicalName(once); err != nil || twice != once {
			t.Fatalf("%s became %s, and that %s, %v", name, once, twice, err)
		}
	})
}

func TestTheNameOfAResourceMustFitIt(t *testing.T) {
	for _, c := range []struct{ name, want string }{
		{urnOfCluster + "a?l=2&k=1", ""},
		{"xdstp://auth/envoy.config.listener.v3.Listener/a", "is a name of type envoy.config.listener.v3.Listener"},
		{urnOfCluster + "foo/*", "stands for a collection"},
		{"xdstp:nonsense", "is no xdstp:// name"},
	} {
		m := &clusterv3.Cluster{Name: c.name, ClusterDiscoveryType: &clusterv3.Cluster_Type{Type: clusterv3.Cluster_STATIC}}
		r, err := New(m)
		if c.want == "" {
			if err != nil || r.Name() != urnOfCluster+"a?k=1&l=2" || m.Name != c.name {
				t.Errorf("%s: %v, %v; the message says %s", c.name, r, err, m.Name)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestReferencesToURNsMustBeCanonical(t *testing.T) {
	cluster := func(service string) string {
		return `{"@type": type.googleapis.com/envoy.config.cluster.v3.Cluster, name: a, type: EDS,
 eds_cluster_config: {service_name: "` + service + `", eds_config: {ads: {}, resource_api_version: V3}}}`
	}
	const endpoints = "xdstp://auth/envoy.config.endpoint.v3.ClusterLoadAssignment/a"
	for _, c := range []struct{ service, want string }{
		{endpoints + "?k=1&l=2", ""},
		{endpoints + "?l=2&k=1", "must be written " + endpoints + "?k=1&l=2"},
		{urnOfCluster + "a", "is a name of type envoy.config.cluster.v3.Cluster"},
	} {
		_, problems := Decoder{}.Decode("a.yaml", []byte(cluster(c.service)))
		for _, service := range []string{"", "service_name: x, "} {
			named := strings.Replace(strings.Replace(cluster(""), `service_name: "", `, service, 1), "name: a", "name: '"+urnOfCluster+"a'", 1)
			if _, problems := (Decoder{}).Decode("a.yaml", []byte(named)); (len(problems) == 1) != (service == "") {
				t.Errorf("%s: %v", named, problems)
			}
		}
		switch {
		case c.want == "" && len(problems) == 0:
		case c.want == "" || len(problems) != 1 || !strings.Contains(problems[0].Message, c.want) || problems[0].Path != "eds_cluster_config.service_name" || problems[0].Line != 2:
			t.Errorf("%s: %v, want %q", c.service, problems, c.want)
		}
	}
}
