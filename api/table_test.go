package api

import (
	"fmt"
	"strings"
	"testing"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/shape"
)

// validated is what is said of YAML documents.
func validated(t *testing.T, docs string) Validation {
	t.Helper()
	list, problems := resource.Decoder{}.Decode("test.yaml", []byte(docs))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	v, err := Validate(list)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// largeTable has one route in each of so many hosts.
func largeTable(hosts int) string {
	var b strings.Builder
	b.WriteString("'@type': type.googleapis.com/envoy.config.route.v3.RouteConfiguration\nname: large\nvirtual_hosts:\n")
	for i := range hosts {
		fmt.Fprintf(&b, "- {name: h%04d, domains: [h%04[1]d.test], routes: [{match: {prefix: /}, direct_response: {status: 200}}]}\n", i)
	}
	return b.String()
}

func fleetDocument(name, shape string) string {
	return fmt.Sprintf("---\n'@type': type.googleapis.com/deltaplane.v1.Fleet\nname: %s\nselectors: [{}]\nnamespaces: [default]\nshape: %s\n", name, shape)
}

func TestATableIsValidatedForEachThingThatFleetsSayOfIt(t *testing.T) {
	table := largeTable(2 * shape.Threshold)
	if v := validated(t, table); len(v.Tables) != 1 || v.Tables[0].Parts < 100 || v.Tables[0].Fleets != nil {
		t.Errorf("without a fleet: %+v", v.Tables)
	}
	v := validated(t, table+fleetDocument("a", "{shards: 4}")+fleetDocument("b", "auto")+fleetDocument("c", "{shards: 4}")+fleetDocument("d", "off"))
	var got []string
	for _, table := range v.Tables {
		got = append(got, fmt.Sprintf("%d%s%s", min(table.Parts, 10), table.To(), table.Whole))
	}
	if want := "4 to fleets a, c|10 to fleet b|0 to fleet dits fleet says so"; strings.Join(got, "|") != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if len(v.Warnings) != 1 || !strings.Contains(v.Warnings[0].Message, "as written to fleet d: its fleet says so") {
		t.Errorf("warnings: %v", v.Warnings)
	}
	said := "---\n'@type': type.googleapis.com/deltaplane.v1.Shape\nname: large\nshards: 8\n"
	if v := validated(t, table+fleetDocument("a", "{shards: 4}")+said); len(v.Tables) != 1 || v.Tables[0].Parts != 8 {
		t.Errorf("with a Shape: %+v", v.Tables)
	}
}
