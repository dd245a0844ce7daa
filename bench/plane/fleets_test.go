package plane

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/resource/deltaplanev1"
)

func TestABenchsFleetsLeaveAllOtherProxiesWithWhatTheyHave(t *testing.T) {
	own := []Fleet{{"deltaplane-bench-a", []string{"a"}}, {"deltaplane-bench-b", []string{"a", "b"}}}
	for listed, rest := range map[string]bool{
		`{"resources":[]}`: true,
		`{"resources":[{"name":"deltaplane-bench-rest"}]}`:                      true, // it goes when its own bench ends
		`{"resources":[{"name":"deltaplane-bench"},{"name":"edge"}],"next":""}`: false,
	} {
		text, err := Fleets([]byte(listed), own...)
		if err != nil {
			t.Fatal(err)
		}
		docs, problems := resource.Decoder{MaxResourceBytes: 1 << 20}.Decode("fleets.yaml", []byte(text))
		if len(problems) > 0 {
			t.Fatalf("%v in\n%s", problems, text)
		}
		selected := map[string]string{} // namespaces, by the fleet of each cluster
		for _, d := range docs {
			m, err := d.Resource.Message()
			if err != nil {
				t.Fatal(err)
			}
			f := m.(*deltaplanev1.Fleet)
			selected[strings.Join(f.Selectors[0].Clusters, " ")] = strings.Join(f.Namespaces, " ")
			if everybody := len(f.Selectors[0].Clusters) == 0; everybody != (f.Priority < 0) {
				t.Errorf("fleet %v has the wrong priority", f)
			}
		}
		want := 2
		if rest {
			want++
		}
		if len(docs) != want || selected["deltaplane-bench-b"] != "a b" || rest && selected[""] != "default" {
			t.Errorf("%s: fleets\n%s", listed, text)
		}
	}
	if _, err := Fleets([]byte("not found"), own...); err == nil {
		t.Error("what is no list is no error")
	}
}

func TestATokenGoesWithEachRequestButNotIntoTheCallersOwn(t *testing.T) {
	var got []string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = append(got, r.Header.Get("Authorization")) }))
	defer server.Close()
	for _, token := range []string{"secret", ""} {
		client := http.Client{Transport: Transport(token, nil)}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		client.CloseIdleConnections()
		if req.Header.Get("Authorization") != "" {
			t.Error("the caller's request has the token")
		}
	}
	if len(got) != 2 || got[0] != "Bearer secret" || got[1] != "" {
		t.Errorf("tokens %q", got)
	}
}
