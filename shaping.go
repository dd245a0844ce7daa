package deltaplane

import (
	"slices"
	"time"

	"github.com/deltaplane/deltaplane/resource/deltaplanev1"
	"github.com/deltaplane/deltaplane/shape"
)

// Shaping is how the proxies of a fleet get large tables of which no Shape says
// otherwise.
type Shaping struct {
	AsWritten bool          // whole
	Options   shape.Options // else: of the split by which new listeners lead
	Past      []PastShape   // splits that they may have had before, from which connections may still drain
}

// PastShape is one that a fleet's proxies may have had before.
type PastShape struct {
	Options shape.Options
	Ended   Version   // the first at which they no longer do
	Since   time.Time // of that version
}

// maxPast is with how many past splits a fleet gets no new one, but tables as
// they are written, until some have expired: each is as much work for an Envoy
// as the one that leads.
const maxPast = 8

// asWritten are the options of what stands for no split: of what those who have
// a table as it is written may still drain from, for another reason than what
// their fleet says.
var asWritten shape.Options

// leads are the options of what leads new listeners.
func (s Shaping) leads() shape.Options {
	if s.AsWritten {
		return asWritten
	}
	return s.Options
}

// DefaultShaping is that of proxies of which no fleet says anything.
func DefaultShaping() Shaping { return Shaping{Options: shape.Defaults()} }

// ShapingOf is that of a fleet, whose entry is e.
func ShapingOf(fleet *deltaplanev1.Fleet, e *Entry) Shaping {
	options, off := shape.OptionsOf(fleet.Shape)
	return Shaping{AsWritten: off || len(e.Past) > maxPast, Options: options, Past: e.Past}
}

// Equal reports whether proxies get the same by s and o.
func (s Shaping) Equal(o Shaping) bool {
	return s.AsWritten == o.AsWritten && s.Options == o.Options && slices.Equal(s.Past, o.Past)
}

// Choose is which of a table's splits the proxies have: that which leads, nil
// if none does, and those of which only the leaves are still there for
// connections that drain. said: a Shape speaks of the table, for all fleets.
// A table that was stored before it had a split for each of its fleets' wishes
// has its first one for all of them.
func (s Shaping) Choose(splits []*shape.Split, said bool) (leads *shape.Split, drain []*shape.Split) {
	switch {
	case len(splits) == 0:
		return nil, nil
	case said:
		return splits[0], nil
	case !s.AsWritten:
		if leads = splitBy(splits, s.Options); leads == nil {
			leads = splits[0]
		}
	}
	if s.AsWritten {
		if whole := splitBy(splits, asWritten); whole != nil {
			drain = append(drain, whole)
		}
	}
	for _, p := range s.Past {
		if past := splitBy(splits, p.Options); past != nil && past != leads && past.Made < uint64(p.Ended) {
			drain = append(drain, past)
		}
	}
	return leads, drain
}

// splitBy is the one of splits that has these options, nil for none.
func splitBy(splits []*shape.Split, o shape.Options) *shape.Split {
	for _, s := range splits {
		if s.Options == o {
			return s
		}
	}
	return nil
}
