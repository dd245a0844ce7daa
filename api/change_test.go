package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"mime/multipart"
	"net/textproto"
	"strings"
	"testing"

	"github.com/deltaplane/deltaplane"
)

func TestApplyStoresAllOfTheBodyAsOneCommit(t *testing.T) {
	w := newWorld(t)
	plan := w.applied("?author=ana&message=first", webCluster+"---\n"+edgeRoute)
	if plan.Version != 1 || plan.Base != 0 || plan.Counts.Added != 2 || len(plan.Steps) != 2 {
		t.Fatalf("plan %+v, want version 1 with two resources added", plan)
	}
	var history Versions
	w.ask(200, "GET", "/v1/versions", "", &history)
	if len(history.Versions) != 1 || history.Versions[0].Author != "ana" || history.Versions[0].Message != "first" {
		t.Errorf("history %+v, want one commit by ana with the message", history)
	}
}

func TestApplyingTheSameAgainMakesNoVersion(t *testing.T) {
	w := newWorld(t)
	w.applied("", webCluster)
	plan := w.applied("", `{"@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster", "connectTimeout": "1.000s", "name": "web"}`)
	if plan.Version != 1 || plan.Base != 1 || plan.Counts != (Counts{Unchanged: 1}) {
		t.Errorf("plan %+v, want version 1 and one unchanged", plan)
	}
}

func TestADryRunStoresNothingAndTellsTheFields(t *testing.T) {
	w := newWorld(t)
	w.applied("", webCluster)
	plan := w.applied("?dry_run&fields", strings.Replace(webCluster, "1s", "0.25s", 1))
	if plan.Version != 1 || !plan.DryRun || plan.Counts.Changed != 1 {
		t.Fatalf("plan %+v, want one change and no new version", plan)
	}
	fields := plan.Steps[0].Fields
	if len(fields) != 1 || fields[0].Path != "connect_timeout" || fields[0].Old == fields[0].New {
		t.Errorf("fields %+v, want connect_timeout alone", fields)
	}
	if w.store.Latest().Version() != 1 {
		t.Error("the dry run made a version")
	}
}

func TestPruneRemovesWhatTheBodyLacks(t *testing.T) {
	w := newWorld(t)
	w.applied("", webCluster+"---\n"+edgeRoute)
	if plan := w.applied("?prune=true", webCluster); plan.Counts != (Counts{Removed: 1, Unchanged: 1}) {
		t.Errorf("plan %+v, want the route removed", plan)
	}
}

func TestRefusedInputStoresNothingAndNamesAllProblems(t *testing.T) {
	w := newWorld(t)
	bad := webCluster + "no_such_field: 1\n---\n" + strings.Replace(webCluster, "name: web", "name: ''", 1)
	var failure Failure
	w.ask(422, "POST", "/v1/apply?file=bad.yaml", bad, &failure)
	if failure.Code != "invalid" || len(failure.Problems) < 2 {
		t.Fatalf("failure %+v, want the problems of both documents", failure)
	}
	for _, p := range failure.Problems {
		if p.File != "bad.yaml" || p.Line == 0 {
			t.Errorf("problem %+v lacks its place", p)
		}
	}
	if w.store.Latest().Version() != 0 {
		t.Error("something of the refused input is stored")
	}
}

func TestConflictsAreToldApart(t *testing.T) {
	w := newWorld(t)
	w.applied("", webCluster)
	changed := strings.Replace(webCluster, "1s", "2s", 1)
	for _, test := range []struct{ query, code string }{
		{"?if_version=7", "conflict"},
		{"?owner=somebody", "owned"},
	} {
		var failure Failure
		w.ask(409, "POST", "/v1/apply"+test.query, changed, &failure)
		if failure.Code != test.code {
			t.Errorf("apply%s: code %q, want %q", test.query, failure.Code, test.code)
		}
	}
	if plan := w.applied("?owner=somebody&take_ownership=true&if_version=1", changed); plan.Version != 2 {
		t.Errorf("plan %+v, want version 2", plan)
	}
}

func TestDeleteNeedsNamesThatExist(t *testing.T) {
	w := newWorld(t)
	w.applied("", webCluster)
	var failure Failure
	w.ask(404, "DELETE", "/v1/resources/cluster/other", "", &failure)
	if failure.Code != "not_found" {
		t.Errorf("failure %+v, want not_found", failure)
	}
	w.ask(200, "DELETE", "/v1/resources/cluster/other?ignore_not_found", "", nil)
	var plan Plan
	w.ask(200, "POST", "/v1/delete", webCluster, &plan)
	if plan.Counts != (Counts{Removed: 1}) || plan.Version != 2 {
		t.Errorf("plan %+v, want the cluster removed as version 2", plan)
	}
	w.ask(404, "POST", "/v1/delete", webCluster, nil)
}

func TestFilesOfAMultipartBodyKeepTheirNames(t *testing.T) {
	w := newWorld(t)
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for name, content := range map[string]string{"conf.d/a.yaml": webCluster, "conf.d/sub/b.json": `{"@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster", "nam": "x"}`} {
		header := textproto.MIMEHeader{}
		header.Set("Content-Disposition", multipart.FileContentDisposition("file", name))
		part, err := form.CreatePart(header)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	r := request("POST", "/v1/apply", body.String())
	r.Header.Set("Content-Type", form.FormDataContentType())
	answer := w.do(r)
	var failure Failure
	if err := json.Unmarshal(answer.Body.Bytes(), &failure); err != nil || answer.Code != 422 {
		t.Fatalf("%d %s", answer.Code, answer.Body)
	}
	for _, p := range failure.Problems {
		if p.File != "conf.d/sub/b.json" {
			t.Errorf("problem %+v, want it in conf.d/sub/b.json", p)
		}
	}
}

func TestAFailedWaitSaysWhoAndThatTheCommitIsStored(t *testing.T) {
	w := newWorld(t)
	w.proxies.missing = []Proxy{{Node: "edge-7", Connected: true, State: Refused, Types: []ProxyType{
		{Type: "Cluster", State: Refused, Refusal: &Refusal{Version: 1, Reason: "connect_timeout: must be > 0"}}}}}
	w.proxies.err = errors.New("refused by a proxy")
	var failure Failure
	w.ask(504, "POST", "/v1/apply?wait=5s", webCluster, &failure)
	if failure.Code != "unacknowledged" || failure.Plan == nil || failure.Plan.Version != 1 ||
		failure.Acks == nil || len(failure.Acks.Missing) != 1 || failure.Acks.Missing[0].Types[0].Refusal.Reason == "" {
		t.Errorf("failure %+v, want the plan and edge-7's reason", failure)
	}
	if w.store.Latest().Version() != 1 {
		t.Error("the commit is not stored")
	}
}

func TestAWaitEndsWhenTheServerCloses(t *testing.T) {
	w := newWorld(t)
	w.proxies.waiting = make(chan struct{})
	go func() {
		<-w.proxies.waiting
		w.Close()
	}()
	w.ask(504, "POST", "/v1/apply?wait=1h", webCluster, nil)
}

func TestAPatchChangesOneHostAndLeavesTheOthersAsTheyWere(t *testing.T) {
	w := newWorld(t)
	w.applied("", webCluster+"---\n"+edgeRoute)
	var plan Plan
	w.ask(200, "POST", "/v1/patch/VirtualHost/edge/shop?fields", `{"route": {"name": "cart", "match": {"prefix": "/cart"}, "route": {"cluster": "cart-v2"}}}`, &plan)
	if plan.Version != 2 || plan.Counts != (Counts{Changed: 1}) {
		t.Fatalf("plan %+v, want one change as version 2", plan)
	}
	var got Resource
	w.ask(200, "GET", "/v1/resources/route/edge", "", &got)
	text := string(got.Content)
	if strings.Count(text, "cart-v2") != 1 || strings.Count(text, `"web"`) != 2 {
		t.Errorf("route %s, want one route to cart-v2 and two to web", text)
	}
	var diff Plan
	w.ask(200, "GET", "/v1/versions/1/diff/2", "", &diff)
	if len(diff.Steps) != 1 || diff.Steps[0].Type != "Route" || len(diff.Steps[0].Fields) != 1 ||
		diff.Steps[0].Fields[0].Path != `virtual_hosts["shop"].routes["cart"].route.cluster` {
		t.Errorf("diff %+v, want one field of the host shop", diff)
	}
	var commit Commit
	for version, want := range map[string]Counts{"1": {Added: 2}, "2": {Changed: 1}} {
		if w.ask(200, "GET", "/v1/versions/"+version, "", &commit); commit.Counts != want {
			t.Errorf("version %s counts %+v, want %+v: hosts are part of their route configuration", version, commit.Counts, want)
		}
	}
	w.ask(200, "POST", "/v1/patch?type=vhost&name=edge/shop", `{"remove_route": "cart"}`, &plan)
	if plan.Version != 3 {
		t.Errorf("plan %+v, want version 3", plan)
	}
	w.ask(400, "POST", "/v1/patch?type=vhost", `merge: {}`, nil)
	w.ask(404, "POST", "/v1/patch/VirtualHost/edge/none", `merge: {}`, nil)
	w.ask(422, "POST", "/v1/patch/VirtualHost/edge/shop", `{"remove_route": "none"}`, nil)
	w.ask(200, "POST", "/v1/patch/Route/edge", `{"merge": {"validate_clusters": true}}`, nil)
	w.ask(200, "GET", "/v1/resources/route/edge", "", &got)
	if got.Hosts != 2 {
		t.Errorf("route %+v, want its two hosts", got)
	}
}

func TestRevertAndRollbackBringBackWhatWas(t *testing.T) {
	w := newWorld(t)
	w.applied("", webCluster)
	w.applied("", strings.Replace(webCluster, "1s", "2s", 1))
	w.ask(200, "POST", "/v1/versions/2/revert", "", nil)
	var diff Plan
	w.ask(200, "GET", "/v1/versions/1/diff/3", "", &diff)
	if len(diff.Steps) != 0 {
		t.Errorf("diff %+v, want none after the revert", diff)
	}
	w.ask(200, "POST", "/v1/versions/2/rollback", "", nil)
	w.ask(200, "GET", "/v1/versions/2/diff/4", "", &diff)
	if len(diff.Steps) != 0 {
		t.Errorf("diff %+v, want none after the rollback", diff)
	}
	w.ask(404, "POST", "/v1/versions/99/revert", "", nil)
	w.ask(400, "POST", "/v1/versions/x/revert", "", nil)
}

func TestAFleetIsGlobalAndItsProxiesAreCounted(t *testing.T) {
	w := newWorld(t)
	fleet := `"@type": type.googleapis.com/deltaplane.v1.Fleet
name: edge
selectors: [{node_ids: ["edge-*"]}]
namespaces: [default, edge]
`
	w.applied("?namespace=other", fleet)
	if _, ok := w.store.Latest().Get(deltaplane.Key{Type: "deltaplane.v1.Fleet", Name: "edge"}); !ok {
		t.Error("the fleet is not global")
	}
	var got Resource
	w.ask(200, "GET", "/v1/resources/Fleet/edge", "", &got)
	if got.Namespace != "" {
		t.Errorf("namespace %q, want none", got.Namespace)
	}
	w.proxies.set(Proxy{Node: "edge-1", Connected: true, Fleet: "edge"}, Proxy{Node: "x", Connected: true})
	var diff Plan
	w.ask(200, "POST", "/v1/diff?namespace=edge", webCluster, &diff)
	if n := diff.Steps[0].Proxies; n == nil || *n != 1 {
		t.Errorf("diff %+v, want one proxy concerned", diff)
	}
	w.ask(200, "POST", "/v1/diff", strings.Replace(fleet, "default, ", "", 1), &diff)
	if n := diff.Steps[0].Proxies; n == nil || *n != 1 {
		t.Errorf("diff %+v, want the one proxy of the fleet", diff)
	}
}

func TestValidateTellsWhatOnlyAServerKnows(t *testing.T) {
	w := newWorld(t)
	var valid Validation
	w.ask(200, "POST", "/v1/validate", `{"@type": "type.googleapis.com/envoy.config.route.v3.VirtualHost", "name": "edge/a", "domains": ["a"]}`, &valid)
	if len(valid.Unknown) != 1 || !strings.Contains(valid.Unknown[0], "Route edge: not in the input") {
		t.Errorf("unknown %v, want the route configuration of the host", valid.Unknown)
	}
}
