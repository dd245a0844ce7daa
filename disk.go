package deltaplane

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/encoding/protodelim"

	"github.com/deltaplane/deltaplane/internal/fault"
	"github.com/deltaplane/deltaplane/internal/storepb"
	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
)

// The snapshot on disk is
//
//	diskMagic, Checkpoint, { Stored }, SHA-256 of all that
//
// with each message behind its length. It is written beside the old one and
// then takes its name, so that there is always a whole one.
const (
	diskName  = "snapshot"
	diskMagic = "deltaplane snapshot 1\n"
)

// It is written at most every diskRest, and takes at most one part in
// diskShare of the time. Until then a crash while etcd is away loses sight of
// what was published last: etcd has it, proxies may hold it.
const (
	diskRest  = 250 * time.Millisecond
	diskShare = 20
)

// disk keeps the last snapshot of an external etcd, to serve it when that is
// away. What an embedded etcd holds is on this disk anyway.
type disk struct {
	path    string // "" for an embedded etcd
	log     *slog.Logger
	version atomic.Uint64 // of what is there
}

func newDisk(cfg Config) *disk {
	if len(cfg.Endpoints) == 0 {
		return &disk{log: cfg.Logger}
	}
	return &disk{path: filepath.Join(cfg.DataDir, diskName), log: cfg.Logger}
}

// run is the goroutine that writes what is published, the last of it when ctx
// ends.
func (d *disk) run(ctx context.Context, s *Store) {
	if d.path == "" {
		return
	}
	d.tidy()
	news := s.Watch()
	for {
		began := time.Now()
		err := d.keep(s.Latest())
		rest := time.NewTimer(max(diskRest, diskShare*time.Since(began)))
		select {
		case <-rest.C:
		case <-ctx.Done():
			rest.Stop()
		}
		if ctx.Err() == nil && err == nil {
			_, _ = news.Next(ctx) // an error is that of ctx
		}
		if ctx.Err() != nil {
			_ = d.keep(s.Latest()) // which logs it
			return
		}
	}
}

// keep writes now, unless it is there.
func (d *disk) keep(now *Snapshot) error {
	if uint64(now.version) == d.version.Load() {
		return nil
	}
	err := d.write(now)
	if err != nil {
		d.log.Warn("cannot keep a snapshot on disk", "error", err)
	}
	return err
}

// tidy removes what a crash in the middle of write has left.
func (d *disk) tidy() {
	left, _ := filepath.Glob(d.path + ".*") // the only error is that of a bad pattern
	for _, file := range left {
		if err := os.Remove(file); err != nil {
			d.log.Warn("cannot remove what a crash has left", "error", err)
		}
	}
}

// write replaces the snapshot on disk.
func (d *disk) write(now *Snapshot) error {
	if err := os.MkdirAll(filepath.Dir(d.path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(d.path), diskName+".*") // mode 0600: there may be private keys
	if err != nil {
		return err
	}
	err = errors.Join(encodeSnapshot(f, now), f.Sync(), f.Close())
	if err == nil {
		err = fault.Error("disk.snapshot-written")
	}
	if err == nil {
		err = os.Rename(f.Name(), d.path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	d.version.Store(uint64(now.version))
	fault.Point("disk.snapshot-renamed")
	return nil
}

func encodeSnapshot(f io.Writer, now *Snapshot) error {
	sum := sha256.New()
	buffer := bufio.NewWriterSize(io.MultiWriter(f, sum), 1<<20)
	if _, err := io.WriteString(buffer, diskMagic); err != nil {
		return err
	}
	root := now.tree.Hash()
	head := &storepb.Checkpoint{
		Version: uint64(now.version), Root: root[:], UnixNanos: now.time.UnixNano(), Entries: uint64(now.tree.Len()),
	}
	if _, err := protodelim.MarshalTo(buffer, head); err != nil {
		return err
	}
	fault.Point("disk.snapshot-begun")
	for path, e := range now.tree.All() {
		stored := &storepb.Stored{Placement: &storepb.Placement{Path: path, Item: itemOf(e)}}
		for _, segment := range e.Resource.Segments() {
			stored.Segments = append(stored.Segments, segment.Bytes)
		}
		if _, err := protodelim.MarshalTo(buffer, stored); err != nil {
			return err
		}
	}
	if err := buffer.Flush(); err != nil {
		return err
	}
	_, err := f.Write(sum.Sum(nil))
	return err
}

// read is the snapshot on disk: the empty one when there is none that is
// whole.
func (d *disk) read() *Snapshot {
	if d.path == "" {
		return empty
	}
	b, err := os.ReadFile(d.path)
	if errors.Is(err, fs.ErrNotExist) {
		return empty
	}
	var s *Snapshot
	if err == nil {
		s, err = decodeSnapshot(b)
	}
	if err != nil {
		d.log.Warn("the snapshot on disk is not used", "error", err)
		return empty
	}
	d.version.Store(uint64(s.version))
	return s
}

func decodeSnapshot(b []byte) (*Snapshot, error) {
	content, ok := bytes.CutPrefix(b, []byte(diskMagic))
	if !ok || len(content) < sha256.Size {
		return nil, errDamaged
	}
	end := len(b) - sha256.Size
	if sha256.Sum256(b[:end]) != [sha256.Size]byte(b[end:]) {
		return nil, errDamaged
	}
	r := bytes.NewReader(content[:len(content)-sha256.Size])
	unlimited := protodelim.UnmarshalOptions{MaxSize: -1}
	var head storepb.Checkpoint
	if err := unlimited.UnmarshalFrom(r, &head); err != nil {
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	txn := radix.Tree[*Entry]{}.Txn()
	for range head.Entries {
		var stored storepb.Stored
		if err := unlimited.UnmarshalFrom(r, &stored); err != nil {
			return nil, fmt.Errorf("%w: %w", errDamaged, err)
		}
		e, err := entryOfStored(&stored)
		if err != nil {
			return nil, err
		}
		txn.Put(stored.Placement.Path, e)
	}
	tree := txn.Commit()
	if root, err := digestOf(head.Root); err != nil || root != resource.Digest(tree.Hash()) {
		return nil, errDamaged
	}
	return &Snapshot{Version(head.Version), time.Unix(0, head.UnixNanos), tree}, nil
}

func entryOfStored(stored *storepb.Stored) (*Entry, error) {
	if stored.Placement == nil || stored.Placement.Item == nil {
		return nil, errDamaged
	}
	refs := refsOf(stored.Placement.Item)
	if len(refs) != len(stored.Segments) {
		return nil, errDamaged
	}
	segments := make([]resource.Segment, len(refs))
	for i, b := range stored.Segments {
		d, err := digestOf(refs[i].Digest)
		if err != nil {
			return nil, err
		}
		segments[i] = resource.Segment{Digest: d, Bytes: b}
	}
	return entryWith(stored.Placement.Path, stored.Placement.Item, segments)
}
