package swarm

import "encoding/binary"

// bare is a connection without HTTP/2: messages with their length before them.
type bare struct {
	messages messages
	out      []byte // to be written
}

func (c *bare) feed(b []byte) error { return c.messages.feed(b) }

// ack puts out a message.
func (c *bare) ack(build func([]byte) []byte) {
	start := len(c.out)
	c.out = build(append(c.out, 0, 0, 0, 0))
	binary.BigEndian.PutUint32(c.out[start:], uint32(len(c.out)-start-4))
}

func (c *bare) sent() bool { return true }

func (c *bare) output() *[]byte { return &c.out }
