package conformance

import (
	"context"
	"fmt"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/proto"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/resource/deltaplanev1"
	"github.com/deltaplane/deltaplane/xds"
)

// World is a configuration and the servers that serve it. One goroutine may
// use it.
type World struct {
	Config xds.Config // of servers to come

	tree       radix.Tree[*deltaplane.Entry]
	version    deltaplane.Version
	namespaces map[string]bool
	servers    map[string]*Server
	barriers   int
}

// Server is one replica, reached over gRPC in memory.
type Server struct {
	Conn *grpc.ClientConn

	publisher *deltaplane.Publisher
	xds       *xds.Server
	grpc      *grpc.Server
	listener  *bufconn.Listener
	served    chan error // what Serve returned
}

// NewWorld has no resources and no servers.
func NewWorld() *World {
	return &World{namespaces: map[string]bool{deltaplane.DefaultNamespace: true}, servers: map[string]*Server{}}
}

// Server returns the replica of that name, started if it is not running. It
// knows nothing of what others have sent.
func (w *World) Server(name string) (*Server, error) {
	if s, ok := w.servers[name]; ok {
		return s, nil
	}
	s := &Server{publisher: &deltaplane.Publisher{}, served: make(chan error, 1)}
	s.publisher.Publish(w.snapshot())
	s.xds = xds.NewServer(s.publisher, w.Config)
	s.grpc = grpc.NewServer(s.xds.GRPCOptions()...)
	s.xds.Register(s.grpc)
	s.listener = bufconn.Listen(1 << 16)
	go func() { s.served <- s.grpc.Serve(s.listener) }()
	var err error
	if s.Conn, err = s.Dial(); err != nil {
		return nil, err
	}
	w.servers[name] = s
	return s, nil
}

// Dial makes another connection, which the caller closes. The client accepts
// messages of up to gRPC's default limit, 4 MiB, unless options say otherwise.
func (s *Server) Dial(options ...grpc.DialOption) (*grpc.ClientConn, error) {
	return grpc.NewClient("passthrough:///bufconn", append([]grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return s.listener.DialContext(ctx) }),
	}, options...)...)
}

// Stop ends one replica as a crash would: streams break.
func (w *World) Stop(name string) {
	s, ok := w.servers[name]
	if !ok {
		return
	}
	delete(w.servers, name)
	s.grpc.Stop()
	s.xds.Close()
	<-s.served //nolint:errcheck // Stop makes Serve return nil
	s.Conn.Close()
}

// Close stops every replica.
func (w *World) Close() {
	for name := range w.servers {
		w.Stop(name)
	}
}

func (w *World) snapshot() *deltaplane.Snapshot {
	return deltaplane.NewSnapshot(w.version, time.Unix(int64(w.version), 0), w.tree)
}

// Commit publishes one version on every replica: first what remove names is
// taken away, then put is set.
func (w *World) Commit(put, remove []Spec) error {
	tree := w.tree.Txn()
	for _, spec := range remove {
		w.drop(tree, spec)
	}
	for _, spec := range put {
		w.drop(tree, spec)
		m, err := spec.Build()
		if err == nil {
			err = w.put(tree, spec.Namespace, m, spec.TTL)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", spec.Token(), err)
		}
	}
	w.publish(tree.Commit())
	return nil
}

// CommitMessages publishes one version with resources that no Spec describes,
// in the default namespace.
func (w *World) CommitMessages(messages ...proto.Message) error {
	tree := w.tree.Txn()
	for _, m := range messages {
		if err := w.put(tree, deltaplane.DefaultNamespace, m, 0); err != nil {
			return err
		}
	}
	w.publish(tree.Commit())
	return nil
}

// CommitFleet sets a fleet, or with nil namespaces removes it.
func (w *World) CommitFleet(f *deltaplanev1.Fleet) error {
	key := deltaplane.Key{Type: resource.Fleet, Name: f.Name}
	tree := w.tree.Txn()
	tree.Delete(key.Path())
	if len(f.Namespaces) > 0 {
		r, err := resource.New(f)
		if err != nil {
			return err
		}
		tree.Put(key.Path(), w.entry(r, false))
		for _, ns := range f.Namespaces {
			w.namespaces[ns] = true
		}
	}
	w.publish(tree.Commit())
	return nil
}

func (w *World) publish(tree radix.Tree[*deltaplane.Entry]) {
	w.tree = tree
	w.version++
	s := w.snapshot()
	for _, server := range w.servers {
		server.publisher.Publish(s)
	}
}

func (w *World) entry(r *resource.Resource, inline bool) *deltaplane.Entry {
	return &deltaplane.Entry{Resource: r, Owner: "conformance", Inline: inline, Since: w.version + 1}
}

// put stores m the way a commit does: a route configuration as a shell and one
// entry for each host.
func (w *World) put(tree *radix.Txn[*deltaplane.Entry], namespace string, m proto.Message, ttl time.Duration) error {
	r, err := resource.New(m)
	if err != nil {
		return err
	}
	r = r.WithTTL(ttl)
	w.namespaces[namespace] = true
	set := func(r *resource.Resource, inline bool) {
		key := deltaplane.Key{Namespace: namespace, Type: r.Type(), Name: r.Name()}
		tree.Put(key.Path(), w.entry(r, inline))
	}
	if r.Type() != resource.Route {
		set(r, false)
		return nil
	}
	shell, hosts, err := r.SplitHosts()
	if err != nil {
		return err
	}
	set(shell, false)
	for _, host := range hosts {
		set(host, true)
	}
	return nil
}

// drop removes spec and the hosts that came inside of it.
func (w *World) drop(tree *radix.Txn[*deltaplane.Entry], spec Spec) {
	tree.Delete(deltaplane.Key{Namespace: spec.Namespace, Type: spec.Type, Name: spec.Name}.Path())
	if spec.Type == resource.Route {
		tree.Delete(deltaplane.Key{Namespace: spec.Namespace, Type: resource.VirtualHost, Name: spec.Name + "/main"}.Path())
	}
}
