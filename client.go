package deltaplane

import clientv3 "go.etcd.io/etcd/client/v3"

// Etcd is the store's client, for who keeps keys of their own in the same
// cluster, also in the embedded one. Keys below Config.Prefix are the store's.
// It goes with the store: do not close it, nor use it after Close.
func (s *Store) Etcd() *clientv3.Client { return s.etcd.client }
