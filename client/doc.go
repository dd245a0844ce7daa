// Package client follows Envoy configuration as a control plane serves it: an
// xDS v3 client that speaks the incremental protocol, to deltaplane or to any
// other server of it.
//
//	c, err := client.New(client.Config{Targets: []string{"127.0.0.1:18000"}})
//	if err != nil {
//		return err
//	}
//	defer c.Close()
//	for update, err := range client.Watch[*clusterv3.Cluster](ctx, c) {
//		if err != nil {
//			return err // ctx has ended
//		}
//		for _, r := range update.Resources {
//			fmt.Println(r.Name, r.Message.GetConnectTimeout().AsDuration())
//		}
//	}
//
// A Client is one connection. Watch and Handle follow resources of one type,
// each on a stream of its own; on the Stream that Client.Aggregated returns
// several types share one, with the server's order between them. Cache keeps
// what a watch holds, Get asks for one resource, and a Watcher may change its
// names while it goes on.
//
// What comes is accepted or refused by the application: Update.Refuse, or an
// error from Handle's function, tells the control plane why, and the resource
// stays at the last good version. Until then nothing more is asked for: a slow
// application gets fewer and larger updates, and costs no memory.
//
// A broken connection ends no watch. Streams come back by themselves, after
// delays that grow and are spread at random, and say what they hold, so that
// only what differs is sent, removals among it. A resource with a time to live
// that is not renewed comes as removed. Status tells how a stream fares.
//
// Where to look: recovery.go decides when a stream comes back;
// subscription.go, merge.go and batch.go are the protocol for one type, pure;
// stream.go and attempt.go run them on a connection; watcher.go hands out.
package client
