package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/deltaplane/deltaplane/api"
	"github.com/deltaplane/deltaplane/internal/envoy"
	"github.com/deltaplane/deltaplane/internal/envoytest"
)

// Only Envoy can know these: they are valid by its own published rules.
var refused = []struct {
	name, bad, good, typ, resource string
	rejections                     string // Envoy's counter of them
	reason                         string // part of what it says
	dump                           string // where Envoy shows what it has
}{
	{
		"an access log with a command that no Envoy has",
		listener("second", "access_log: [{name: log, typed_config: {\"@type\": type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog, log_format: {text_format_source: {inline_string: \"%NO_SUCH_COMMAND%\"}}}}]\n      "+rds("table"), ""),
		listener("second", rds("table"), ""),
		"Listener", "second", "listener_manager.lds.update_rejected", "NO_SUCH_COMMAND", "dynamic_listeners",
	},
	{
		"a cluster that trusts what is no certificate",
		cluster("second") + trusting("no certificate"),
		cluster("second"),
		"Cluster", "second", "cluster_manager.cds.update_rejected", "certificate", "dynamic_active_clusters",
	},
}

func trusting(ca string) string {
	return fmt.Sprintf(`transport_socket:
  name: tls
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
    common_tls_context: {validation_context: {trusted_ca: {inline_string: %q}}}
`, ca)
}

func TestARefusedResourceIsReportedOnceAndItsFixGoesThrough(t *testing.T) {
	for _, c := range refused {
		for _, mode := range []envoy.Mode{envoy.DeltaADS, envoy.SotwADS} {
			t.Run(c.name+"/"+mode.String(), func(t *testing.T) {
				blue, green := envoytest.Backend(t, "blue"), envoytest.Backend(t, "green")
				plane, e := start(t, mode)
				plane.Apply(documents(mode, listener("web", rds("table"), ""), table("table", to("one")),
					cluster("one"), endpoints("one", blue.Port()), endpoints("second", blue.Port())))
				answer(t, e, "web", root, "blue")
				plane.WaitInSync(node, 1)

				plane.Apply(documents(mode, c.bad))
				var refusal *api.Refusal
				envoytest.Eventually(t, "the refusal", func(ctx context.Context) error {
					proxy, err := plane.Status(ctx, node)
					if err != nil {
						return err
					}
					i := slices.IndexFunc(proxy.Types, func(t api.ProxyType) bool { return t.Type == c.typ })
					if i < 0 || proxy.Types[i].Refusal == nil {
						return fmt.Errorf("status is %+v", proxy)
					}
					refusal = proxy.Types[i].Refusal
					return nil
				})
				if !strings.Contains(refusal.Reason, c.reason) || !slices.Contains(refusal.Resources, c.resource) {
					t.Errorf("refusal is %+v, want a reason with %q, and resource %q", refusal, c.reason, c.resource)
				}

				// Other types still go through, and the refused one is not sent again.
				plane.Apply(documents(mode, endpoints("one", green.Port())))
				answer(t, e, "web", root, "green")
				if n := e.Stat(c.rejections); n != 1 {
					t.Errorf("Envoy refused %d times, want once", n)
				}

				fix := plane.ApplyWait(documents(mode, c.good))
				plane.WaitInSync(node, fix.Version)
				if n := e.Stat(c.rejections); n != 1 {
					t.Errorf("Envoy refused %d times after the fix, want once", n)
				}
				envoytest.Eventually(t, "the fixed resource in Envoy", func(ctx context.Context) error {
					dump, err := e.ConfigDump(ctx, c.dump, "")
					if err == nil && (!strings.Contains(string(dump), `"second"`) || strings.Contains(string(dump), "error_state")) {
						return fmt.Errorf("it has %s", dump)
					}
					return err
				})
			})
		}
	}
}
