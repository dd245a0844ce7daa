package e2e

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/deltaplane/deltaplane/api"
	"github.com/deltaplane/deltaplane/internal/envoy"
	"github.com/deltaplane/deltaplane/internal/envoytest"
	"github.com/deltaplane/deltaplane/internal/traffic"
)

// sharded is a table of a hundred hosts with six routes each, which answer
// with a revision. Each host in bad has a route that Envoy refuses.
func sharded(revision string, bad ...int) string {
	var b strings.Builder
	b.WriteString("\"@type\": type.googleapis.com/envoy.config.route.v3.RouteConfiguration\nname: table\nvirtual_hosts:\n")
	for i := range 100 {
		fmt.Fprintf(&b, "- name: h%02d\n  domains: [h%02[1]d.test]\n  routes:\n", i)
		if slices.Contains(bad, i) {
			b.WriteString("  - {match: {path: /bad}, direct_response: {status: 200}, response_headers_to_add: [{header: {key: x, value: \"%NO_SUCH_COMMAND%\"}}]}\n")
		}
		for range 6 {
			fmt.Fprintf(&b, "  - {match: {prefix: /}, direct_response: {status: 200, body: {inline_string: %s}}}\n", revision)
		}
	}
	return b.String()
}

// TestARefusedLeafIsToldByItsTableAndHarmsNoOther changes all hosts of a split
// table, two of them to what Envoy refuses.
func TestARefusedLeafIsToldByItsTableAndHarmsNoOther(t *testing.T) {
	for _, mode := range []envoy.Mode{envoy.DeltaADS, envoy.SotwADS} {
		t.Run(mode.String(), func(t *testing.T) {
			plane := envoytest.StartPlane(t)
			plane.Apply(documents(mode, listener("gateway", rds("table"), ""), sharded("one")))
			e := startEnvoy(t, plane, mode)
			e.WaitReady()
			client := envoytest.Client(t, e.WaitListener("gateway"), nil)
			reach := func(host int, want string) {
				t.Helper()
				request := traffic.Request{Host: fmt.Sprintf("h%02d.test", host), Path: "/"}
				if _, err := client.Until(envoytest.Context(t), request, want); err != nil {
					t.Fatalf("h%02d: %v", host, err)
				}
			}
			reach(99, "one")
			plane.Apply(sharded("two", 3, 50))
			for i := range 100 {
				// A leaf has a host or two: the bad ones' neighbours may stay behind.
				if i > 5 && i < 48 || i > 52 {
					reach(i, "two")
				}
			}
			reach(3, "one")
			var refusal string
			envoytest.Eventually(t, "the refusal", func(ctx context.Context) error {
				status, err := plane.Status(ctx, node)
				if err != nil {
					return err
				}
				at := slices.IndexFunc(status.Types, func(s api.ProxyType) bool { return s.Refusal != nil })
				if at < 0 {
					return errors.New("there is none")
				}
				refusal = fmt.Sprint(status.Types[at].Refusal.Resources, status.Types[at].Refusal.Reason)
				return nil
			})
			if strings.Contains(refusal, "deltaplane/shape") || !strings.Contains(refusal, "table") {
				t.Errorf("the refusal is told as %q", refusal)
			}
			plane.Apply(sharded("three"))
			for i := range 100 {
				reach(i, "three")
			}
		})
	}
}
