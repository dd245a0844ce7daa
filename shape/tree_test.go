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
	t.Run("hosts", func(t *testing.T) {
		w := words{rand.New(rand.NewPCG(1, 1))}
		w.find(t, w.split(w.hosts(), func(host int) (paths int) {
			switch {
			case host == 100:
				return 600 // more than one mutation holds
			case host%17 == 0:
				return 15
			}
			return 0
		}))
	})
	t.Run("paths", func(t *testing.T) {
		w := words{rand.New(rand.NewPCG(1, 1))}
		w.find(t, w.split([]string{""}, func(int) int { return 800 }))
	})
}

// find sends requests that are next to the points of a split.
func (w words) find(t *testing.T, split *shape.Split) {
	config, err := read(t, anyText).Message()
	if err != nil {
		t.Fatal(err)
	}
	e := startPairs(t, served{config.(*routev3.RouteConfiguration), split}, map[string]string{"any": ""})
	c := newClient(t, e.WaitListener("split-any"))
	found, refused := map[string]bool{}, 0
	for range 4000 {
		l := split.Leaves[w.IntN(len(split.Leaves))]
		host, path := w.near(l.Host, hostCharacters), "/"+w.near(strings.TrimPrefix(l.Path, "/"), pathCharacters)
		if w.IntN(3) == 0 {
			host = strings.ToUpper(host[:len(host)/2]) + host[len(host)/2:]
		}
		got := c.send(fmt.Sprintf("GET %s?q HTTP/1.1\r\nHost: %s\r\n\r\n", path, host))
		if got.status == http.StatusBadRequest {
			refused++ // not an authority, to Envoy
			continue
		}
		if want := shape.Key("table", split.Find(host, path)); got.leaf != want {
			t.Errorf("host %q, path %q: status %d, leaf %q, want %q", host, path, got.status, got.leaf, want)
		}
		found[got.leaf] = true
	}
	if len(found) < len(split.Leaves)/2 || refused > 400 {
		t.Errorf("only %d of %d leaves were reached, and %d requests refused", len(found), len(split.Leaves), refused)
	}
}

// words makes texts at random.
type words struct{ *rand.Rand }

// of is a text of fewer characters than length.
func (w words) of(characters string, length int) string {
	b := make([]byte, w.IntN(length))
	for i := range b {
		b[i] = characters[w.IntN(len(characters))]
	}
	return string(b)
}

// hosts are points in all lengths, with each character that there is.
func (w words) hosts() []string {
	hosts := []string{""}
	for range 400 {
		hosts = append(hosts, w.of(hostCharacters, 5), "long-"+w.of(hostCharacters, 9), strings.Repeat("long", 20)+w.of(hostCharacters, 5))
	}
	for c := byte('!'); c <= '~'; c++ {
		hosts = append(hosts, strings.ToLower(strings.Repeat(string(c), 22)), strings.ToLower(string(c)))
	}
	return slices.DeleteFunc(hosts, func(host string) bool { return !shape.Usable(host) })
}

// split cuts at the hosts, and within each at as many paths as asked for, but
// for what is drawn twice.
func (w words) split(hosts []string, paths func(host int) int) *shape.Split {
	split := &shape.Split{}
	slices.Sort(hosts)
	for i, host := range slices.Compact(hosts) {
		points := []string{""}
		for range paths(i) {
			points = append(points, "/"+w.of(pathCharacters, 6))
		}
		slices.Sort(points)
		for _, path := range slices.Compact(points) {
			split.Leaves = append(split.Leaves, shape.Leaf{ID: uint32(len(split.Leaves)), Host: host, Path: path})
		}
	}
	return split
}

// near is point or a text next to it.
func (w words) near(point, characters string) string {
	c := string(characters[w.IntN(len(characters))])
	switch n := len(point); w.IntN(4) {
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
