package main

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/deltaplane/deltaplane/source"
)

func parsed(t *testing.T, args ...string) *pflag.FlagSet {
	t.Helper()
	flags := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	settingFlags(flags)
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	return flags
}

func configFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "deltaplane.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// samples are values that pass the checks, by kind of field.
func sample(field reflect.StructField) string {
	switch {
	case strings.HasSuffix(field.Name, "Address"):
		return "127.0.0.1:4711"
	case field.Type.Kind() == reflect.Bool:
		return "true"
	case field.Name == "Watch" || field.Name == "WatchEtcd":
		return "/a,namespace=b;/c,owner=d,allow-shrink"
	case field.Name == "NodeIdentities":
		return "spiffe://a/*=*,b=c"
	case field.Type == reflect.TypeFor[[]string]():
		return "a,b"
	case field.Type.String() == "time.Duration":
		return "47s"
	case field.Type.Kind() == reflect.Int, field.Type.Kind() == reflect.Int64:
		return "4711"
	}
	return "sample"
}

// partner are settings that go only together.
var partners = map[string]string{"tls-cert": "tls-key", "tls-key": "tls-cert", "etcd-cert": "etcd-key", "etcd-key": "etcd-cert"}

func TestEachSettingIsAFlagAVariableAndAKey(t *testing.T) {
	fields := map[string]reflect.StructField{}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[settings]()) {
		fields[field.Tag.Get("koanf")] = field
	}
	parsed(t).VisitAll(func(f *pflag.Flag) {
		if _, ok := fields[f.Name]; !ok {
			t.Errorf("flag --%s sets nothing", f.Name)
		}
	})
	for name, field := range fields {
		want := map[string]string{name: sample(field)}
		if other := partners[name]; other != "" {
			want[other] = "sample"
		}
		if name == "tls-client-ca" || name == "node-identity" {
			want["tls-client-ca"], want["tls-cert"], want["tls-key"] = "sample", "sample", "sample"
		}
		var args []string
		var file strings.Builder
		for key, value := range want {
			args = append(args, "--"+key+"="+value)
			fmt.Fprintf(&file, "%s: %s\n", key, value)
		}
		byFlag, err := readSettings(parsed(t, args...), "")
		if err != nil {
			t.Fatalf("--%s: %v", name, err)
		}
		byFile, err := readSettings(parsed(t), configFile(t, file.String()))
		if err != nil {
			t.Fatalf("%s in a file: %v", name, err)
		}
		for key, value := range want {
			t.Setenv(environment+strings.ToUpper(strings.ReplaceAll(key, "-", "_")), value)
		}
		byEnv, err := readSettings(parsed(t), "")
		if err != nil {
			t.Fatalf("%s in the environment: %v", name, err)
		}
		for key := range want {
			t.Setenv(environment+strings.ToUpper(strings.ReplaceAll(key, "-", "_")), "")
		}
		if !reflect.DeepEqual(byFlag, byFile) || !reflect.DeepEqual(byFlag, byEnv) {
			t.Errorf("%s: flag %+v, file %+v, environment %+v", name, byFlag, byFile, byEnv)
		}
		if defaults, err := readSettings(parsed(t), ""); err != nil || reflect.DeepEqual(byFlag, defaults) {
			t.Errorf("%s: the sample is the default, or %v", name, err)
		}
	}
}

func TestWhatIsWatchedHasANamespaceAndAnOwnerOfItsOwn(t *testing.T) {
	s, err := readSettings(parsed(t, "--watch=/etc/a", "--watch=/etc/b/,namespace=edge,owner=team-b,allow-shrink", "--watch-etcd=/conf/"), "")
	if err != nil {
		t.Fatal(err)
	}
	all, err := s.watches()
	if err != nil {
		t.Fatal(err)
	}
	want := []watched{
		{Identity: source.Identity{Kind: "dir", From: "/etc/a", Namespace: "default", Owner: "dir:/etc/a"}},
		{Identity: source.Identity{Kind: "dir", From: "/etc/b", Namespace: "edge", Owner: "team-b"}, allowShrink: true},
		{Identity: source.Identity{Kind: "etcd", From: "/conf/", Namespace: "default", Owner: "etcd:/conf/"}},
	}
	if !slices.Equal(all, want) {
		t.Errorf("it watches %+v, want %+v", all, want)
	}
}

func TestSourcesThatWouldRemoveWhatOthersHaveAreRefused(t *testing.T) {
	for says, args := range map[string][]string{
		"watched twice":                {"--watch=/a", "--watch=/a/,namespace=b"},
		"for the same owner":           {"--watch=/a,owner=x", "--watch=/b,owner=x"},
		"the store keeps its own keys": {"--watch-etcd=/delta"},
		"choose another prefix":        {"--watch-etcd=/deltaplane/mine"},
		"expected namespace=NAME":      {"--watch=/a,owners=x"},
		"expected something to watch":  {"--watch=,owner=x"},
	} {
		if _, err := readSettings(parsed(t, args...), ""); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v: %v, want %q", args, err, says)
		}
	}
	if _, err := readSettings(parsed(t, "--watch-etcd=/deltaplane/mine", "--watch-etcd-endpoints=http://other:2379"), ""); err != nil {
		t.Errorf("in another cluster every prefix is fine: %v", err)
	}
}

func TestAFlagBeatsTheEnvironmentWhichBeatsTheFile(t *testing.T) {
	path := configFile(t, "log-level: warn\nlog-format: json\netcd-prefix: /file/\n")
	t.Setenv("DELTAPLANE_LOG_LEVEL", "error")
	t.Setenv("DELTAPLANE_LOG_FORMAT", "text")
	s, err := readSettings(parsed(t, "--log-level=debug"), path)
	if err != nil {
		t.Fatal(err)
	}
	if s.LogLevel != "debug" || s.LogFormat != "text" || s.EtcdPrefix != "/file/" || s.DataDir != "deltaplane-data" {
		t.Errorf("settings %+v", s)
	}
}

func TestOtherAddressesThanLoopbackNeedProtection(t *testing.T) {
	tls := []string{"--tls-cert=c", "--tls-key=k"}
	for _, test := range []struct {
		args []string
		safe bool
	}{
		{[]string{"--xds-address=:18000"}, false},
		{[]string{"--xds-address=0.0.0.0:18000"}, false},
		{[]string{"--xds-address=[::]:18000"}, false},
		{[]string{"--xds-address=192.0.2.1:18000"}, false},
		{[]string{"--xds-address=cp.example:18000"}, false},
		{append(tls, "--xds-address=:18000"), false}, // anybody could read the secrets
		{append(tls, "--xds-address=:18000", "--tls-client-ca=a"), true},
		{[]string{"--xds-address=:18000", "--insecure"}, true},
		{[]string{"--xds-address=[::1]:18000"}, true},
		{[]string{"--xds-address=localhost:18000"}, true},
		{[]string{"--api-address=:18001"}, false},
		{[]string{"--api-address=:18001", "--token-file=t"}, false}, // tokens in plain text
		{append(tls, "--api-address=:18001"), false},
		{append(tls, "--api-address=:18001", "--token-file=t"), true},
		{[]string{"--api-address=:18001", "--insecure"}, true},
	} {
		if _, err := readSettings(parsed(t, test.args...), ""); (err == nil) != test.safe {
			t.Errorf("%v: %v, want it to be allowed: %v", test.args, err, test.safe)
		}
	}
}

// A demo in the shell of somebody who runs a real server must not get there.
func TestADemoDoesNotListenToTheEnvironment(t *testing.T) {
	without, err := demoSettings("d")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("DELTAPLANE_ETCD_ENDPOINTS", "https://etcd.example:2379")
	t.Setenv("DELTAPLANE_WATCH", "/etc/gateway")
	if with, err := demoSettings("d"); err != nil || !reflect.DeepEqual(with, without) {
		t.Errorf("settings are %+v (%v), want %+v", with, err, without)
	}
}
