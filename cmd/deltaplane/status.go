package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/api"
	"github.com/deltaplane/deltaplane/resource"
)

var stateColours = map[api.State]colour{api.InSync: green, api.Behind: yellow, api.Refused: red, api.Disconnected: grey}

func (t *terminal) statusCommand() *cobra.Command {
	var watch bool
	var output string
	cmd := &cobra.Command{
		Use:   "status [NODE]",
		Short: "Show what each Envoy was sent, acknowledged and refused",
		Long: `Show what each Envoy was sent, acknowledged and refused, for the types that it
subscribes to, and how each watched source stands. The exit code is 1 when a
proxy has refused something, or the store or a source is not healthy.`,
		Example: `  deltaplane status
  deltaplane status edge-7
  deltaplane status --watch`,
		Args: cobra.MaximumNArgs(1),
	}
	c := clientFlags(cmd)
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "go on with each change, until interrupted")
	cmd.Flags().StringVarP(&output, "output", "o", "", "json: the answer as the API gives it")
	cmd.RunE = action(func(cmd *cobra.Command, args []string) error {
		if output != "" && output != "json" {
			return usageError{fmt.Sprintf("-o %s: status prints text, or json", output)}
		}
		switch {
		case len(args) == 1 && watch:
			return usageError{"--watch shows all nodes: leave NODE out"}
		case len(args) == 1:
			return t.nodeStatus(cmd.Context(), c, args[0], output)
		case watch:
			return t.watchStatus(cmd.Context(), c, output)
		}
		return t.status(cmd.Context(), c, output)
	})
	return cmd
}

// wholeStatus fetches all pages.
func wholeStatus(ctx context.Context, c *client) (api.Status, error) {
	var whole api.Status
	for after := ""; ; {
		var page api.Status
		err := c.call(ctx, request{method: http.MethodGet, path: []string{"status"}, query: map[string]string{"after": after}}, &page)
		if err != nil {
			return whole, err
		}
		page.Proxies = append(whole.Proxies, page.Proxies...)
		whole, after = page, page.Next
		if after == "" {
			return whole, nil
		}
	}
}

func (t *terminal) status(ctx context.Context, c *client, output string) error {
	status, err := wholeStatus(ctx, c)
	if err != nil {
		return err
	}
	if output == "json" {
		if err := t.printJSON(status); err != nil {
			return err
		}
	} else {
		t.printStatus(status)
	}
	if status.Summary.Refused > 0 || !status.Store.Connected || unhealthy(status.Sources) {
		return errDiffer
	}
	return nil
}

func (t *terminal) printStatus(s api.Status) {
	etcd := "ok"
	if !s.Store.Connected {
		etcd = fmt.Sprintf("away for %s: %s", age(s.Store.Since), s.Store.Detail)
	}
	fmt.Fprintf(t.out, "Control plane  version %d  etcd %s\n", s.Version, etcd)
	t.printSources(s.Sources)
	if len(s.Proxies) == 0 {
		fmt.Fprintln(t.out, "No Envoy is connected. deltaplane bootstrap prints a configuration for one.")
		return
	}
	columns := subscribedTypes(s.Proxies)
	var tab table
	header := texts("NODE", "FLEET", "VERSION")
	for _, name := range columns {
		header = append(header, cell{text: strings.ToUpper(name)})
	}
	header = append(header, cell{text: "LAST ACK"})
	loads := slices.ContainsFunc(s.Proxies, func(p api.Proxy) bool { return p.Load != nil })
	if loads {
		header = append(header, texts("REQ/S", "FAILED/S")...)
	}
	tab.row(header...)
	for _, p := range s.Proxies {
		row := proxyRow(p, columns)
		if loads {
			row = append(row, loadCells(p.Load)...)
		}
		tab.row(row...)
	}
	tab.print(t, t.out)
	for _, p := range s.Proxies {
		t.printRefusals(p)
	}
	t.printSummary(s.Summary)
}

// subscribedTypes are the types that any of the proxies subscribes to, in
// serving order.
func subscribedTypes(proxies []api.Proxy) []string {
	present := map[string]bool{}
	for _, p := range proxies {
		for _, pt := range p.Types {
			present[pt.Type] = true
		}
	}
	var columns []string
	for _, served := range resource.Served() {
		if present[served.Short()] {
			columns = append(columns, served.Short())
		}
	}
	return columns
}

func proxyRow(p api.Proxy, columns []string) []cell {
	row := texts(p.Node, fleetText(p), fmt.Sprint(p.Version))
	if !p.Connected {
		row[0].colour = grey
	}
	for _, name := range columns {
		mark := cell{text: ""}
		for _, pt := range p.Types {
			if pt.Type == name {
				mark = typeMark(p, pt)
			}
		}
		row = append(row, mark)
	}
	last := cell{text: age(p.LastAck)}
	if !p.Connected {
		last = cell{"gone " + age(p.Since), grey}
	}
	return append(row, last)
}

func fleetText(p api.Proxy) string {
	if p.Retained {
		return p.Fleet + " (retained)"
	}
	return dash(p.Fleet)
}

// typeMark is ✓ in sync, NACK, or … with how long it has been behind.
func typeMark(p api.Proxy, pt api.ProxyType) cell {
	switch {
	case pt.State == api.Refused:
		return cell{"NACK", red}
	case !p.Connected:
		return cell{"·", grey}
	case pt.State == api.InSync:
		return cell{"✓", green}
	}
	return cell{"… " + age(pt.Since), yellow}
}

func (t *terminal) printRefusals(p api.Proxy) {
	for _, pt := range p.Types {
		if pt.State != api.Refused || pt.Refusal == nil {
			continue
		}
		name := ""
		if len(pt.Refusal.Resources) == 1 {
			name = fmt.Sprintf(" %q", pt.Refusal.Resources[0])
		}
		fmt.Fprintf(t.out, "%s %s %s%s refused: %s\n", t.paint(red, t.out, "!"), onOneLine(p.Node), strings.ToUpper(pt.Type), name, visible(firstLine(pt.Refusal.Reason)))
		fmt.Fprintf(t.out, "  version %d, %s ago → deltaplane show %d\n", pt.Refusal.Version, age(pt.Refusal.Time), pt.Refusal.Version)
	}
}

func (t *terminal) printSummary(s api.Summary) {
	parts := []string{fmt.Sprintf("%d in sync", s.InSync)}
	for _, part := range []struct {
		count int
		what  string
	}{{s.Behind, "behind"}, {s.Refused, "refused"}, {s.Disconnected, "disconnected"}} {
		if part.count > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", part.count, part.what))
		}
	}
	fmt.Fprintln(t.out, strings.Join(parts, " · "))
}

func (t *terminal) nodeStatus(ctx context.Context, c *client, node, output string) error {
	var p api.Proxy
	if err := c.call(ctx, request{method: http.MethodGet, path: []string{"status", node}}, &p); err != nil {
		return err
	}
	if output == "json" {
		if err := t.printJSON(p); err != nil {
			return err
		}
	} else {
		t.printNode(p)
	}
	if p.State == api.Refused {
		return errDiffer
	}
	return nil
}

// versionText is "-" for none: after a reconnect a proxy holds what it was
// never sent on this stream.
func versionText(v deltaplane.Version) string {
	if v == 0 {
		return "-"
	}
	return fmt.Sprint(v)
}

func (t *terminal) printNode(p api.Proxy) {
	connected := "connected for " + age(p.Since)
	if !p.Connected {
		connected = "disconnected for " + age(p.Since)
	}
	fmt.Fprintf(t.out, "%s  cluster %s  fleet %s  %s  %s\n", onOneLine(p.Node), onOneLine(dash(p.Cluster)), onOneLine(fleetText(p)), connected, p.Peer)
	if p.AsWritten != "" {
		fmt.Fprintf(t.out, "gets large route configurations as written: %s\n", visible(p.AsWritten))
	}
	var tab table
	tab.row(texts("TYPE", "STATE", "SINCE", "HOLDS", "SENT", "ACKED", "LAST ACK", "SUBSCRIPTION")...)
	for _, pt := range p.Types {
		subscription := count(pt.Names, "name", "names")
		switch {
		case pt.Wildcard && pt.Names > 0:
			subscription = "all, " + subscription
		case pt.Wildcard:
			subscription = "all"
		}
		row := texts(pt.Type, string(pt.State), age(pt.Since), versionText(pt.Held), versionText(pt.Sent), versionText(pt.Acked), age(pt.LastAck), subscription)
		row[1].colour = stateColours[pt.State]
		tab.row(row...)
	}
	tab.print(t, t.out)
	t.printLoad(p.Load)
	for _, pt := range p.Types {
		if pt.Refusal == nil {
			continue
		}
		fmt.Fprintf(t.out, "%s %s refused version %d, %s ago:\n    %s\n", t.paint(red, t.out, "!"), pt.Type, pt.Refusal.Version,
			age(pt.Refusal.Time), strings.ReplaceAll(visible(strings.TrimSpace(pt.Refusal.Reason)), "\n", "\n    "))
		if len(pt.Refusal.Resources) > 0 {
			fmt.Fprintf(t.out, "    in the response: %s\n", onOneLine(strings.Join(pt.Refusal.Resources, ", ")))
		}
	}
}
