package shape

// aside are authorities with upper-case letters that do not stand among others
// as they do in lower case: those from first up to end, in the order of bytes,
// that have one.
type aside struct {
	first, end string
	mixed      bool // there are authorities without upper-case letters between them
}

// misplaced are the authorities that stand from `from` up to `to`, and in lower
// case behind it; and others with upper-case letters, which may be set aside as
// well.
//
// An authority is never less in lower case than it is as written. It gets from
// before `to` to behind only if the first character in which it differs from
// `to` is an upper-case letter, and what `to` has there is greater than Z: so it
// begins with a part of `to`, and A to Z after that. Most points have no such
// place in reach, as they differ from the point before in their last character.
func misplaced(from, to string) (a aside) {
	for i := range len(to) {
		if c := to[i]; c <= 'Z' || c > 'z' || to[:i]+"[" <= from {
			continue
		}
		if a.end == "" {
			a.first = to[:i] + "A"
		} else {
			a.mixed = true
		}
		a.end = to[:i] + "["
	}
	return a
}

// condition is for authorities that are set aside; "" for none. Most others cost
// one comparison.
func (a aside) condition() string {
	if a.end == "" {
		return ""
	}
	condition := "request.host<" + literal(a.end) + "&&request.host>=" + literal(a.first)
	if a.mixed {
		condition += "&&request.host.matches('[A-Z]')"
	}
	return condition
}

// lastAside is where the last authorities that are set aside end; "" if none
// are.
func (t tree) lastAside() string {
	for i := len(t.leaves) - 1; i > 0; i-- {
		if t.leaves[i].Host != t.leaves[i-1].Host {
			if end := misplaced(t.leaves[i-1].Host, t.leaves[i].Host).end; end != "" {
				return end
			}
		}
	}
	return ""
}
