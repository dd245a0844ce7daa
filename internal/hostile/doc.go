// Package hostile holds the tests of input that means harm: the real binary
// over real connections, bytes that no client would send, and a client that
// behaves beside it. Each test states the memory that the attack may cost, the
// status that ends it, and that the other client is served meanwhile.
package hostile
