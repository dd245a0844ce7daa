package resource

// Reference is a name that one resource takes for granted of another type.
type Reference struct {
	Type Type
	Name string
	Path string // field that holds it
}

// References lists what r needs over ADS: clusters of routes and filters,
// endpoints of EDS clusters, routes and scopes of listeners, secrets,
// extension configurations. Sources other than ADS are left out.
func (r *Resource) References() []Reference { panic("contract: to be written") }
