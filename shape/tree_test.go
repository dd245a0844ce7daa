package shape_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"

	"github.com/deltaplane/deltaplane/shape"
)

const anyText = `
"@type": type.googleapis.com/envoy.config.route.v3.RouteConfiguration
name: table
virtual_hosts: [{name: all, domains: ["*"], routes: [{match: {prefix: ""}, direct_response: {status: 200}}]}]
`

// Points and requests are made of few characters, so that they are near each
// other, and of all kinds that a tree must escape or order.
const (
	hostCharacters = "abyz09.-_:%'()[]~"
	pathCharacters = "aBz/%')(\\\"-~"
)

func TestAnEnvoyFindsTheLeafThatFindSays(t *testing.T) {
	const seed = 1
	random := rand.New(rand.NewPCG(seed, seed))
	word := func(characters string, length int) string {
		b := make([]byte, random.IntN(length))
		for i := range b {
			b[i] = characters[random.IntN(len(characters))]
		}
		return string(b)
	}
	hosts, split := []string{""}, &shape.Split{}
	for range 400 {
		hosts = append(hosts, word(hostCharacters, 5), "long-"+word(hostCharacters, 9), strings.Repeat("long", 20)+word(hostCharacters, 5))
	}
	for c := byte('!'); c <= '~'; c++ {
		hosts = append(hosts, strings.ToLower(strings.Repeat(string(c), 22)), strings.ToLower(string(c)))
	}
	hosts = slices.DeleteFunc(hosts, func(host string) bool { return !shape.Usable(host) })
	slices.Sort(hosts)
	paths := []string{""}
	for i, host := range slices.Compact(hosts) {
		for paths = paths[:1]; i%17 == 0 && len(paths) < 15; {
			paths = append(paths, "/"+word(pathCharacters, 4))
		}
		slices.Sort(paths)
		for _, path := range slices.Compact(paths) {
			split.Leaves = append(split.Leaves, shape.Leaf{ID: uint32(len(split.Leaves)), Host: host, Path: path})
		}
	}
	config, err := read(t, anyText).Message()
	if err != nil {
		t.Fatal(err)
	}
	e := startPairs(t, served{config.(*routev3.RouteConfiguration), split}, map[string]string{"any": ""})
	c := newClient(t, e.WaitListener("split-any"))
	found, refused := map[string]bool{}, 0
	for range 4000 {
		l := split.Leaves[random.IntN(len(split.Leaves))]
		host, path := near(random, l.Host, hostCharacters), "/"+near(random, strings.TrimPrefix(l.Path, "/"), pathCharacters)
		if random.IntN(3) == 0 {
			host = strings.ToUpper(host[:len(host)/2]) + host[len(host)/2:]
		}
		got := c.send(fmt.Sprintf("GET %s?q HTTP/1.1\r\nHost: %s\r\n\r\n", path, host))
		if got.status == http.StatusBadRequest {
			refused++ // not an authority, to Envoy
			continue
		}
		if want := shape.Key("table", split.Find(host, path)); got.leaf != want {
			t.Errorf("seed %d: host %q, path %q: status %d, leaf %q, want %q", seed, host, path, got.status, got.leaf, want)
		}
		found[got.leaf] = true
	}
	if len(found) < len(split.Leaves)/2 || refused > 400 {
		t.Errorf("only %d of %d leaves were reached, and %d requests refused", len(found), len(split.Leaves), refused)
	}
}

// near is point or a text next to it.
func near(random *rand.Rand, point, characters string) string {
	c := string(characters[random.IntN(len(characters))])
	switch n := len(point); random.IntN(4) {
	case 0:
		return point + c
	case 1:
		return point[:max(0, n-1)]
	case 2:
		return point[:max(0, n-1)] + c
	default:
		return point
	}
}
