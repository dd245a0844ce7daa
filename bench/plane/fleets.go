package plane

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Fleet has the proxies of a cluster get namespaces that a bench fills, and
// nothing else. Its name, which is the cluster's, begins with FleetPrefix.
type Fleet struct {
	Name       string
	Namespaces []string
}

// FleetPrefix begins the names of all benches' fleets.
const FleetPrefix = "deltaplane-bench"

// Fleets are the documents by which a control plane that others use gives a
// bench's proxies what is theirs, and leaves all others with what they have.
// Where there are no fleets but benches', that takes a further one: proxies
// without any fleet would no longer get the default namespace. listed is the
// answer of /v1/resources?type=Fleet.
func Fleets(listed []byte, own ...Fleet) (documents string, err error) {
	var page struct {
		Resources []struct{ Name string }
	}
	if err := json.Unmarshal(listed, &page); err != nil {
		return "", fmt.Errorf("the list of fleets: %.200q: %w", listed, err)
	}
	var all strings.Builder
	for _, f := range own {
		// Above all others, whatever else these select.
		fmt.Fprintf(&all, "---\n\"@type\": type.googleapis.com/deltaplane.v1.Fleet\nname: %q\npriority: 2147483647\nselectors: [{clusters: [%[1]q]}]\nnamespaces: [%s]\n",
			f.Name, quoted(f.Namespaces))
	}
	for _, r := range page.Resources {
		if !strings.HasPrefix(r.Name, FleetPrefix) {
			return all.String(), nil
		}
	}
	fmt.Fprintf(&all, "---\n\"@type\": type.googleapis.com/deltaplane.v1.Fleet\nname: %q\npriority: -2147483648\nselectors: [{}]\nnamespaces: [default]\n", own[0].Name+"-rest")
	return all.String(), nil
}

func quoted(names []string) string {
	list := make([]string, len(names))
	for i, n := range names {
		list[i] = fmt.Sprintf("%q", n)
	}
	return strings.Join(list, ", ")
}
