package conformance

import (
	"crypto/sha256"
	"fmt"
	"sync"

	"google.golang.org/protobuf/proto"

	"github.com/deltaplane/deltaplane/resource"
)

// Rules are what every response must keep, whatever the test is about. One
// Rules serves all clients of a test: the same version of a resource must be
// the same bytes on every stream and server. Safe for concurrent use.
type Rules struct {
	mu     sync.Mutex
	nonces map[*Stream]map[string]bool
	bytes  map[versioned][sha256.Size]byte
}

type versioned struct {
	typ           resource.Type
	name, version string
}

// NewRules starts with nothing seen.
func NewRules() *Rules {
	return &Rules{nonces: map[*Stream]map[string]bool{}, bytes: map[versioned][sha256.Size]byte{}}
}

// Check reports the first rule that r, received on s, breaks.
func (u *Rules) Check(s *Stream, r *Response) error {
	if s.typ != "" && r.Type != s.typ {
		return fmt.Errorf("a response of type %s on the stream of %s", r.Type, s.typ)
	}
	if err := u.nonce(s, r.Nonce); err != nil {
		return err
	}
	if !s.delta && r.Version == "" {
		return fmt.Errorf("%s: version_info is empty", r.Type)
	}
	seen := map[string]bool{}
	for _, name := range r.Removed {
		if seen[name] {
			return fmt.Errorf("%s %q stands twice in one response (Duplicate Resource Names)", r.Type, name)
		}
		seen[name] = true
	}
	for _, item := range r.Resources {
		if seen[item.Name] {
			return fmt.Errorf("%s %q stands twice in one response (Duplicate Resource Names)", r.Type, item.Name)
		}
		seen[item.Name] = true
		if err := u.item(s, r, item); err != nil {
			return err
		}
	}
	return nil
}

func (u *Rules) nonce(s *Stream, nonce string) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.nonces[s] == nil {
		u.nonces[s] = map[string]bool{}
	}
	if nonce == "" || u.nonces[s][nonce] {
		return fmt.Errorf("nonce %q is empty or was used before on the stream", nonce)
	}
	u.nonces[s][nonce] = true
	return nil
}

func (u *Rules) item(s *Stream, r *Response, item Item) error {
	if item.heartbeat() && s.delta {
		return nil
	}
	if item.Body == nil {
		if r.Type != resource.VirtualHost {
			return fmt.Errorf("%s %q has no body", r.Type, item.Name)
		}
		return nil
	}
	if got := resource.TypeOfURL(item.Body.TypeUrl); got != r.Type {
		return fmt.Errorf("a resource of type %s in a response of type %s", got, r.Type)
	}
	own, _, err := read(item.Body)
	if err != nil {
		return err
	}
	if own != item.Name {
		return fmt.Errorf("the wrapper's name %q is not the resource's own, %q", item.Name, own)
	}
	if !s.delta {
		return nil
	}
	if item.Version == "" {
		return fmt.Errorf("%s %q has no version", r.Type, item.Name)
	}
	bytes, err := proto.MarshalOptions{Deterministic: true}.Marshal(item.Body)
	if err != nil {
		return err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	key, sum := versioned{r.Type, item.Name, item.Version}, sha256.Sum256(bytes)
	if old, ok := u.bytes[key]; ok && old != sum {
		return fmt.Errorf("%s %q: version %s stands for two contents", r.Type, item.Name, item.Version)
	}
	u.bytes[key] = sum
	return nil
}
