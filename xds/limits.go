package xds

import (
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/deltaplane/deltaplane/resource"
)

// What a client may not exceed, whatever the configuration.
const (
	maxNameBytes   = 4 << 10  // of one resource name
	maxTypes       = 64       // subscribed on one stream
	fewTypes       = 8        // what an Envoy subscribes to
	maxNodeParts   = 10_000   // fields and elements of a node that is kept: each may take 200 bytes
	maxHeaderBytes = 64 << 10 // of HTTP/2 headers
	maxDetailBytes = 4 << 10  // of a refusal's reason that is kept
	maxEventNames  = 100      // of a refused response in an event
)

func invalid(format string, args ...any) error {
	return status.Errorf(codes.InvalidArgument, format, args...)
}

func exhausted(format string, args ...any) error {
	return status.Errorf(codes.ResourceExhausted, format, args...)
}

// clip shortens what a client sent, for messages.
func clip(s string) string {
	if len(s) > 200 {
		return s[:200] + "…"
	}
	return s
}

// checkSizes refuses names that no resource can have, and nodes that are too
// large to keep.
func (c *conversation) checkSizes(t resource.Type, q request) error {
	check := func(name string) error {
		if len(name) > maxNameBytes {
			return invalid("%s: a resource name of %d bytes, at most %d are allowed", t.Short(), len(name), maxNameBytes)
		}
		return nil
	}
	for _, names := range q.namesIn() {
		for _, name := range names {
			if err := check(name); err != nil {
				return err
			}
		}
	}
	for name := range q.initial {
		if err := check(name); err != nil {
			return err
		}
	}
	return nil
}

// checkBudget refuses a subscription that would make the stream, or all
// streams together, hold too many names. more is an upper bound.
func (c *conversation) checkBudget(t resource.Type, more int) error {
	if more == 0 {
		return nil
	}
	held := 0
	for _, l := range c.lanes {
		held += len(l.sub.Names())
	}
	if held+more > c.common.maxNames {
		return exhausted("%s: %d names subscribed on one stream, at most %d are allowed (xds.Config.MaxNames)",
			t.Short(), held+more, c.common.maxNames)
	}
	if all := c.common.interner.Names() + c.common.claims.total(); all+more > c.common.maxNamesInAll {
		return exhausted("%s: %d names subscribed, or said to be held, in all, at most %d are allowed (xds.Config.MaxNamesInAll)",
			t.Short(), all+more, c.common.maxNamesInAll)
	}
	return nil
}
