package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	statusv3 "github.com/envoyproxy/go-control-plane/envoy/service/status/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/deltaplane/deltaplane/internal/envoy"
	"github.com/deltaplane/deltaplane/internal/envoytest"
	"github.com/deltaplane/deltaplane/resource"
)

// statusOf asks the control plane what one node holds, as a tool that knows
// nothing of us would: each resource as "Type name STATUS", sorted.
func statusOf(t *testing.T, plane *envoytest.Plane) func(context.Context) ([]string, *statusv3.ClientConfig, error) {
	conn, err := grpc.NewClient(plane.XDS, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	client := statusv3.NewClientStatusDiscoveryServiceClient(conn)
	return func(ctx context.Context) (all []string, config *statusv3.ClientConfig, err error) {
		response, err := client.FetchClientStatus(ctx, &statusv3.ClientStatusRequest{NodeMatchers: []*matcherv3.NodeMatcher{{
			NodeId: &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_Exact{Exact: node}},
		}}})
		if err != nil || len(response.Config) != 1 {
			return nil, nil, fmt.Errorf("%d nodes: %w", len(response.GetConfig()), err)
		}
		for _, x := range response.Config[0].GenericXdsConfigs {
			all = append(all, resource.TypeOfURL(x.TypeUrl).Short()+" "+x.Name+" "+x.ConfigStatus.String())
		}
		slices.Sort(all)
		return all, response.Config[0], nil
	}
}

func TestToolsSeeWhatEachEnvoyHolds(t *testing.T) {
	for _, mode := range envoy.Modes() {
		t.Run(mode.String(), func(t *testing.T) {
			plane, e := start(t, mode)
			config := documents(mode, cluster("web"), endpoints("web", 9), listener("web", rds("edge"), ""), table("edge", to("web")))
			plane.Apply(config)
			e.WaitListener("web")
			ask := statusOf(t, plane)
			expect := func(want ...string) (config *statusv3.ClientConfig) {
				t.Helper()
				envoytest.Eventually(t, "the status of all resources", func(ctx context.Context) error {
					got, answer, err := ask(ctx)
					if err == nil && !slices.Equal(got, want) {
						err = fmt.Errorf("it is %q", got)
					}
					config = answer
					return err
				})
				return config
			}
			expect("Cluster web SYNCED", "Endpoint web SYNCED", "Listener web SYNCED", "Route edge SYNCED")

			// What Envoy refuses: two routes by the same name of a filter that it lacks.
			plane.Apply(documents(mode, strings.Replace(listener("bad", rds("edge"), ""), "name: router", "name: router\n        disabled: true", 1)))
			status := expect("Cluster web SYNCED", "Endpoint web SYNCED", "Listener bad ERROR", "Listener web SYNCED", "Route edge SYNCED")
			for _, x := range status.GenericXdsConfigs {
				if x.Name == "bad" && !strings.Contains(x.ErrorState.GetDetails(), "bad") {
					t.Errorf("error state is %v", x.ErrorState)
				}
			}
		})
	}
}
