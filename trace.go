package deltaplane

import (
	"context"
	"log/slog"
	"time"
)

// Tracer puts the way of each commit into a trace. Its methods are called from
// any goroutine, on the way of commits: they must return fast and not block.
type Tracer interface {
	// Commit begins what a call of Store.Commit is in the trace, below what
	// ctx has of it, and returns ctx with it. A nil CommitSpan means that the
	// commit is not traced.
	Commit(ctx context.Context) (context.Context, CommitSpan)
	// Published tells that Latest is about to show a version. It is called
	// once for each that this process heard of by itself, in their order; not
	// for those that it skipped, as at its start or after a compaction.
	Published(Publication)
}

// CommitSpan is one call of Store.Commit.
type CommitSpan interface {
	// Link is kept in the commit's record, for other replicas to join the
	// trace: nil, or at most 64 bytes.
	Link() []byte
	// Stored tells of a transaction with the commit in it, which took until
	// now; err says why it was not carried out.
	Stored(began time.Time, err error)
	// End tells how Commit ended: with the version that the store is at, if
	// without an error.
	End(v Version, err error)
}

// Publication is a version on its way to Latest.
type Publication struct {
	Version   Version
	Link      []byte    // of the commit, as its record has it; nil: not traced
	Own       bool      // this process committed it
	Committed time.Time // by the committer's clock
	Seen      time.Time // when it was known here that the commit is durable
	Ready     time.Time // when its tree was there
}

// maxLink bounds the bytes of a record that a Tracer has.
const maxLink = 64

// trace begins the span of a commit; nil without a Tracer.
func (s *Store) trace(ctx context.Context) (context.Context, CommitSpan) {
	if s.cfg.Tracer == nil {
		return ctx, nil
	}
	return s.cfg.Tracer.Commit(ctx)
}

// ended tells how the commit that r asked for ended.
func (s *Store) ended(r *request, o outcome) {
	if o.made != nil && o.err == nil {
		s.log.LogAttrs(r.ctx, slog.LevelInfo, "committed", slog.Uint64("version", uint64(o.version)), slog.String("author", o.made.record.Author))
	}
	if r.span != nil {
		r.span.End(o.version, o.err)
	}
}

// stored tells the traces of p's commits of a transaction that took until now.
func (p *proposal) stored(began time.Time, err error) {
	for _, d := range p.drafts {
		if d.span != nil {
			d.span.Stored(began, err)
		}
	}
}

// linked puts the way to its trace into d's record.
func (d *draft) linked(span CommitSpan) *draft {
	d.span = span
	if span == nil {
		return d
	}
	if link := span.Link(); len(link) <= maxLink {
		d.record.Trace = link
	}
	return d
}

// tellPublished tells the Tracer, if there is one, that p is next.
func (s *Store) tellPublished(p Publication) {
	if s.cfg.Tracer != nil {
		p.Ready = time.Now()
		s.cfg.Tracer.Published(p)
	}
}
