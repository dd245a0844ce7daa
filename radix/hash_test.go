package radix

import (
	"crypto/sha256"
	"encoding/binary"
	"testing"
)

// Replicas of different builds compare hashes: this test spells the encoding
// out, and must not be made to follow the code.
func TestTheEncodingOfNodesStaysWhatItIs(t *testing.T) {
	type edge struct {
		prefix string
		hash   [32]byte
	}
	hash := func(value *number, children ...edge) [32]byte {
		b := []byte("radix-1\x00")
		if value == nil {
			b = append(b, 0)
		} else {
			sum := value.Sum()
			b = append(append(b, 1), sum[:]...)
		}
		b = binary.AppendUvarint(b, uint64(len(children)))
		for _, c := range children {
			b = binary.AppendUvarint(b, uint64(len(c.prefix)))
			b = append(append(b, c.prefix...), c.hash[:]...)
		}
		return sha256.Sum256(b)
	}
	one, two, three := number(1), number(2), number(3)
	fork := hash(&one, edge{"\x00", hash(&two)}, edge{"bc", hash(&three)})
	want := Hash(hash(nil, edge{"key", fork}))
	got := Tree[number]{}.Put("key\x00", two).Put("key", one).Put("keybc", three)
	if got.Hash() != want {
		t.Errorf("hash is %v, want %v", got.Hash(), want)
	}
	if got := got.PrefixHash("key"); got != fork {
		t.Errorf("hash under %q is %v, want %v", "key", got, Hash(fork))
	}
	const fixed = "3fe6acf38569cb69b8c8e5da8d24264d203395de0bbf3190b36e04ede8d91596"
	if got.Hash().String() != fixed {
		t.Errorf("hash is %v, want %v", got.Hash(), fixed)
	}
}
