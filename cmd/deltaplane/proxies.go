package main

import (
	"context"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/api"
	"github.com/deltaplane/deltaplane/fleet"
	"github.com/deltaplane/deltaplane/loadreport"
)

// proxies shows a Fleet, and what its proxies report of their load, to the API.
type proxies struct {
	fleet *fleet.Fleet
	load  *loadreport.Server
}

func (p proxies) Proxies() []api.Proxy {
	all := proxiesOf(p.fleet.Nodes())
	for i := range all {
		if total, at, ok := p.load.Total(all[i].Node); ok {
			all[i].Load = &api.Load{At: at, Rates: api.Rates(total)}
		}
	}
	return all
}

func (p proxies) Proxy(node string) (api.Proxy, bool) {
	status, ok := p.fleet.Node(node)
	proxy := proxyOf(status)
	if l, reports := p.load.Node(node); reports && !l.At.IsZero() {
		proxy.Load = loadOf(l)
	}
	return proxy, ok
}

func (p proxies) Changed() <-chan struct{} { return p.fleet.Changed() }

func (p proxies) Wait(ctx context.Context, v deltaplane.Version) ([]api.Proxy, error) {
	missing, err := p.fleet.Wait(ctx, v)
	return proxiesOf(missing), err
}

func proxiesOf(all []fleet.NodeStatus) []api.Proxy {
	proxies := make([]api.Proxy, len(all))
	for i, n := range all {
		proxies[i] = proxyOf(n)
	}
	return proxies
}

func proxyOf(n fleet.NodeStatus) api.Proxy {
	p := api.Proxy{
		Node: n.Node, Cluster: n.Cluster, Agent: n.Agent, Fleet: n.Fleet, Retained: n.Retained,
		Connected: n.Connected, Since: n.Since, Peer: n.Peer, AsWritten: n.AsWritten, State: api.State(n.State),
		Version: n.Version, Behind: n.Behind, LastAck: n.LastAck,
		Responses: n.Responses, Refusals: n.Refusals, Bytes: n.Bytes, Types: make([]api.ProxyType, len(n.Types)),
	}
	for i, t := range n.Types {
		p.Types[i] = api.ProxyType{
			Type: t.Type.Short(), State: api.State(t.State), Since: t.Since, ADS: t.ADS, Delta: t.Delta,
			Wildcard: t.Wildcard, Names: t.Names, Sent: t.Sent, Acked: t.Acked, Held: t.Held,
			LastSent: t.LastSent, LastAck: t.LastAck,
		}
		if r := t.Refusal; r != nil {
			p.Types[i].Refusal = &api.Refusal{Version: r.Version, Time: r.Time, Reason: r.Detail, Resources: r.Resources}
		}
	}
	return p
}
