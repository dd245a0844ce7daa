package keys

import (
	"context"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

const (
	requestTimeout = 3 * time.Second
	pageKeys       = 1000 // keys of one request that reads all
)

// reading is what changed below the prefix between two revisions.
type reading struct {
	revision int64
	puts     []*mvccpb.KeyValue // that are there and were changed
	present  map[string]bool    // all that are there; nil: none was deleted
}

// read lists what changed since the revision at which the known keys were
// read; 0 and none: everything. It is linearizable: what any replica may have
// seen before is in it.
// Cost: one request that carries the changes, and another one that lists the
// names when a key was deleted.
func (s *Source) read(ctx context.Context, since int64, known map[string]*value) (*reading, error) {
	r := &reading{}
	var count int64
	var err error
	if since == 0 {
		count, err = r.all(ctx, s.cfg.Client, s.cfg.Prefix)
	} else {
		count, err = r.changes(ctx, s.cfg.Client, s.cfg.Prefix, since)
	}
	if err != nil {
		return nil, err
	}
	if r.revision < since { // the cluster was restored from a backup
		r = &reading{}
		if _, err := r.all(ctx, s.cfg.Client, s.cfg.Prefix); err != nil {
			return nil, err
		}
		return r, r.names(ctx, s.cfg.Client, s.cfg.Prefix)
	}
	total := int64(len(known))
	for _, kv := range r.puts {
		if known[string(kv.Key)] == nil {
			total++
		}
	}
	if total == count {
		return r, nil
	}
	return r, r.names(ctx, s.cfg.Client, s.cfg.Prefix)
}

// get is one request, at the reading's revision when that is fixed.
func (r *reading) get(ctx context.Context, kv clientv3.KV, from, end string, options ...clientv3.OpOption) (*clientv3.GetResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	options = append(options, clientv3.WithRange(end), clientv3.WithRev(r.revision))
	got, err := kv.Get(ctx, from, options...)
	if err == nil && r.revision == 0 {
		r.revision = got.Header.Revision
	}
	return got, err
}

// all reads every key, in pages.
func (r *reading) all(ctx context.Context, kv clientv3.KV, prefix string) (count int64, err error) {
	for from := prefix; ; {
		got, err := r.get(ctx, kv, from, clientv3.GetPrefixRangeEnd(prefix), clientv3.WithLimit(pageKeys))
		if err != nil {
			return 0, err
		}
		r.puts = append(r.puts, got.Kvs...)
		if !got.More {
			return int64(len(r.puts)), nil
		}
		from = string(got.Kvs[len(got.Kvs)-1].Key) + "\x00"
	}
}

// changes reads the keys that were put after the revision since.
func (r *reading) changes(ctx context.Context, kv clientv3.KV, prefix string, since int64) (count int64, err error) {
	got, err := r.get(ctx, kv, prefix, clientv3.GetPrefixRangeEnd(prefix), clientv3.WithMinModRev(since+1))
	if err != nil {
		return 0, err
	}
	r.puts = got.Kvs
	counted, err := r.get(ctx, kv, prefix, clientv3.GetPrefixRangeEnd(prefix), clientv3.WithCountOnly())
	if err != nil {
		return 0, err
	}
	return counted.Count, nil
}

// names lists the keys that are there.
func (r *reading) names(ctx context.Context, kv clientv3.KV, prefix string) error {
	got, err := r.get(ctx, kv, prefix, clientv3.GetPrefixRangeEnd(prefix), clientv3.WithKeysOnly())
	if err != nil {
		return err
	}
	r.present = make(map[string]bool, len(got.Kvs))
	for _, kv := range got.Kvs {
		r.present[string(kv.Key)] = true
	}
	return nil
}
