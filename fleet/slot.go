package fleet

import "github.com/deltaplane/deltaplane/resource"

// slots is the number of types that are tracked, one slot each.
const slots = resource.Ranks

// slot is a type's place in resource.Served; slots stands for all others.
type slot int

// slotOf reports false for a type that is not served: clients choose the names
// of types, so they must not become keys or labels.
func slotOf(t resource.Type) (slot, bool) {
	s := slot(t.Rank())
	return s, s < slots
}

func (s slot) resource() resource.Type { return resource.Served()[s] }

// slotSet is a set of slots.
type slotSet uint16

func (s slotSet) with(t slot) slotSet    { return s | 1<<t }
func (s slotSet) without(t slot) slotSet { return s &^ (1 << t) }
func (s slotSet) has(t slot) bool        { return s&(1<<t) != 0 }
