package fleet

import "github.com/deltaplane/deltaplane/resource"

// slots is the number of types that are tracked, one slot each.
const slots = 9

// slot is a type's place in resource.Served; slots stands for all others.
type slot int

var slotByType = func() map[resource.Type]slot {
	m := make(map[resource.Type]slot, slots)
	for i, t := range resource.Served()[:slots] {
		m[t] = slot(i)
	}
	return m
}()

// slotOf reports false for a type that is not served: clients choose the names
// of types, so they must not become keys or labels.
func slotOf(t resource.Type) (slot, bool) {
	s, ok := slotByType[t]
	if !ok {
		return slots, false
	}
	return s, true
}

func (s slot) resource() resource.Type { return resource.Served()[s] }

// slotSet is a set of slots.
type slotSet uint16

func (s slotSet) with(t slot) slotSet    { return s | 1<<t }
func (s slotSet) without(t slot) slotSet { return s &^ (1 << t) }
func (s slotSet) has(t slot) bool        { return s&(1<<t) != 0 }
