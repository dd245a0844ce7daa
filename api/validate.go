package api

import (
	"net/http"
	"slices"
	"strings"

	"github.com/deltaplane/deltaplane/resource"
)

// Validation is what can be said about an input by itself.
type Validation struct {
	Resources int               `json:"resources"`
	Warnings  resource.Problems `json:"warnings,omitempty"`
	Unknown   []string          `json:"unknown"` // what only a server could tell, in words
	Tables    []Table           `json:"tables,omitempty"`
}

func (s *Server) validate(w http.ResponseWriter, r *http.Request) error {
	docs, warnings, err := s.documents(r)
	if err != nil {
		return err
	}
	validation, err := Validate(docs)
	validation.Warnings = append(warnings, validation.Warnings...)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, validation)
	return nil
}

// Validate checks documents without a store: names that stand twice are the
// error; references that the input does not resolve are listed as unknown, as
// the store or a proxy's bootstrap may hold them.
func Validate(docs []resource.Document) (Validation, error) {
	type id struct {
		t    resource.Type
		name string
	}
	v := Validation{Resources: len(docs), Unknown: []string{}}
	first := map[id]resource.Document{}
	var problems resource.Problems
	for _, d := range docs {
		r := d.Resource
		if earlier, twice := first[id{r.Type(), r.Name()}]; twice {
			problems = append(problems, problemAt(d, "stands twice in the input; the first is in "+placeOf(earlier)))
			continue
		}
		first[id{r.Type(), r.Name()}] = d
	}
	unknown := map[string]bool{}
	missing := func(d resource.Document, t resource.Type, name, verb string) {
		if _, here := first[id{t, name}]; !here {
			unknown[t.Short()+" "+name+": not in the input; "+d.Resource.Type().Short()+" "+d.Resource.Name()+" "+verb+" it"] = true
		}
	}
	for _, d := range docs {
		for _, ref := range d.Resource.References() {
			missing(d, ref.Type, ref.Name, "refers to")
		}
		if d.Resource.Type() == resource.VirtualHost {
			if route, _, ok := resource.HostOf(d.Resource.Name()); ok {
				missing(d, resource.Route, route, "belongs to")
			}
		}
	}
	v.shapes(docs)
	for text := range unknown {
		v.Unknown = append(v.Unknown, text)
	}
	slices.Sort(v.Unknown)
	if problems != nil {
		return v, problems
	}
	return v, nil
}

func problemAt(d resource.Document, message string) resource.Problem {
	return resource.Problem{File: d.File, Line: d.Line, Type: d.Resource.Type().Short(), Name: d.Resource.Name(), Message: message}
}

// placeOf is where a document stands, without its type and name.
func placeOf(d resource.Document) string {
	at := resource.Problem{File: d.File, Line: d.Line}
	if at.File == "" {
		at.File = "the input"
	}
	return strings.TrimSuffix(at.String(), ": ")
}
