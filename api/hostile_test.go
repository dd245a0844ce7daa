package api

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestHostileBodiesAreErrorsInJSON(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.MaxBody = 1 << 20 })
	bomb := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := range 9 {
		bomb += fmt.Sprintf("a%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i), 10), ", "))
	}
	for name, test := range map[string]struct {
		body, media string
		want        int
	}{
		"binary":                     {"\x00\xff\xfe\x01", "", 422},
		"not UTF-8":                  {"name: \xc3\x28", "", 422},
		"only a scalar":              {"hello", "", 422},
		"list":                       {"[1, 2]", "", 422},
		"no type":                    {"name: x", "", 422},
		"unknown type":               {`{"@type": "type.googleapis.com/no.such.Type"}`, "", 422},
		"v2":                         {`{"@type": "type.googleapis.com/envoy.api.v2.Cluster", "name": "x"}`, "", 422},
		"deep flow":                  {strings.Repeat("[", 20_000), "", 422},
		"deep JSON":                  {strings.Repeat(`{"a":`, 20_000), "application/json", 422},
		"alias bomb":                 {bomb, "", 422},
		"unclosed":                   {`{"@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster"`, "", 422},
		"too large":                  {strings.Repeat("# nothing\n", 200_000), "", 413},
		"too large part":             {"--x\r\nContent-Disposition: form-data; name=f; filename=a\r\n\r\n" + strings.Repeat("# nothing\n", 200_000), "multipart/form-data; boundary=x", 413},
		"multipart without boundary": {"x", "multipart/form-data", 400},
		"multipart cut off":          {"--x\r\nContent-Disposition: form-data", "multipart/form-data; boundary=x", 400},
		"multipart of nothing":       {"hello", "multipart/form-data; boundary=x", 400},
		"bad disposition":            {"--x\r\nContent-Disposition: ;;;\r\n\r\nhi\r\n--x--\r\n", "multipart/form-data; boundary=x", 400},
	} {
		for _, path := range []string{"/v1/apply", "/v1/delete", "/v1/diff", "/v1/validate"} {
			r := request("POST", path, test.body)
			if test.media != "" {
				r.Header.Set("Content-Type", test.media)
			}
			answer := w.do(r)
			var failure Failure
			if err := json.Unmarshal(answer.Body.Bytes(), &failure); err != nil {
				t.Errorf("%s to %s: answer is not JSON: %.200s", name, path, answer.Body)
			}
			if answer.Code != test.want || failure.Error == "" || failure.Code == "" {
				t.Errorf("%s to %s: %d %.300s, want %d", name, path, answer.Code, answer.Body, test.want)
			}
		}
	}
	if w.store.Latest().Version() != 0 {
		t.Error("something was stored")
	}
}

func TestABodyThatSaysThatItIsTooLargeIsNotAskedFor(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.MaxBody = 1000 })
	body := strings.NewReader(strings.Repeat("# nothing\n", 101))
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:18001/v1/apply", body)
	r.Header.Set("Expect", "100-continue")
	if answer := w.do(r); answer.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("answer %d %s, want 413", answer.Code, answer.Body)
	}
	if body.Len() != 1010 {
		t.Errorf("%d of 1010 bytes are left, want all", body.Len())
	}
}

func TestWhoSendsTooMuchLearnsIt(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.MaxBody = 1 << 20 })
	server := httptest.NewServer(w)
	defer server.Close()
	for _, length := range []int64{6 << 20, -1} { // -1: in chunks
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		r, err := http.NewRequest(http.MethodPost, server.URL+"/v1/apply", io.LimitReader(zeros{}, 6<<20))
		if err != nil {
			t.Fatal(err)
		}
		r.ContentLength = length
		if err := r.Write(conn); err != nil { // all of it before any of the answer
			t.Fatalf("of length %d: %v", length, err)
		}
		answer, err := http.ReadResponse(bufio.NewReader(conn), r)
		if err != nil {
			t.Fatalf("of length %d: %v", length, err)
		}
		if answer.Body.Close(); answer.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("of length %d: %s, want 413", length, answer.Status)
		}
	}
}

func TestABodyThatIsCutOffOrStallsIsItsSendersError(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Timeout = 50 * time.Millisecond })
	server := httptest.NewServer(w)
	defer server.Close()
	head := "POST /v1/apply HTTP/1.1\r\nHost: " + server.Listener.Addr().String() + "\r\n"
	for name, test := range map[string]struct {
		sent  string
		stall bool
		want  int
	}{
		"cut off":           {head + "Content-Length: 9\r\n\r\nname", false, 400},
		"cut off in chunks": {head + "Transfer-Encoding: chunked\r\n\r\n4\r\nname\r\n", false, 400},
		"bad chunk":         {head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", false, 400},
		"stalled":           {head + "Content-Length: 9\r\n\r\nname", true, 408},
	} {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err = io.WriteString(conn, test.sent); err == nil && !test.stall {
			err = conn.(*net.TCPConn).CloseWrite()
		}
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var failure Failure
		if err := json.NewDecoder(answer.Body).Decode(&failure); err != nil || answer.StatusCode != test.want || failure.Error == "" {
			t.Errorf("%s: %s %+v (%v), want %d", name, answer.Status, failure, err, test.want)
		}
		answer.Body.Close()
	}
}

// zeros is a body without end.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }

func TestALongNameIsNotRepeatedInFull(t *testing.T) {
	w := newWorld(t)
	answer := w.do(request("POST", "/v1/apply", `{"@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster", "name": "`+strings.Repeat("é", 300_000)+`"}`))
	var failure Failure
	if err := json.Unmarshal(answer.Body.Bytes(), &failure); err != nil || answer.Code != 422 {
		t.Fatalf("%d %.300s: %v", answer.Code, answer.Body, err)
	}
	if size := answer.Body.Len(); size > 8<<10 || !strings.Contains(failure.Error, "(600000 bytes)") || failure.Problems[0].Path != "name" {
		t.Errorf("%d bytes: %.3000s", size, answer.Body)
	}
}

func TestAnEncodedBodyIsRefused(t *testing.T) {
	r := request("POST", "/v1/apply", "x")
	r.Header.Set("Content-Encoding", "gzip")
	answer := newWorld(t).do(r)
	var failure Failure
	if err := json.Unmarshal(answer.Body.Bytes(), &failure); err != nil || answer.Code != http.StatusUnsupportedMediaType || !strings.Contains(failure.Error, "gzip") {
		t.Errorf("%d %.300s, want 415 in JSON", answer.Code, answer.Body)
	}
}

func TestUnknownOrWrongQueriesAreRefused(t *testing.T) {
	w := newWorld(t)
	for _, target := range []string{
		"POST /v1/apply?dry-run=true", "POST /v1/apply?dry_run=maybe", "POST /v1/apply?wait=soon", "POST /v1/apply?wait=-1s", "POST /v1/apply?wait=100h",
		"POST /v1/apply?if_version=-1", "POST /v1/apply?namespace=%ff", "POST /v1/apply?namespace=a%00b", "POST /v1/apply?prune=1&prune=0", "POST /v1/apply?%zz",
		"GET /v1/resources?limit=0", "GET /v1/resources?limit=10001", "GET /v1/resources?after=x", "GET /v1/resources?type=Nonsense", "GET /v1/resources?version=x",
		"GET /v1/resources/Nonsense/x", "GET /v1/resources/cluster/x?format=xml", "GET /v1/versions/x", "GET /v1/versions?before=x", "GET /v1/status?timeout=x",
	} {
		method, path, _ := strings.Cut(target, " ")
		var failure Failure
		w.ask(400, method, path, map[bool]string{true: webCluster}[method == "POST"], &failure)
	}
	if w.store.Latest().Version() != 0 {
		t.Error("something was stored")
	}
}

func TestNamespacesThatCannotBeAreRefused(t *testing.T) {
	w := newWorld(t)
	for _, namespace := range []string{"a%2Fb", "a%20b", "-a", strings.Repeat("a", 64), "%C3%A4"} {
		var failure Failure
		w.ask(422, "POST", "/v1/apply?namespace="+namespace, webCluster, &failure)
		w.ask(422, "POST", "/v1/diff?namespace="+namespace, webCluster, &failure)
		w.ask(422, "POST", "/v1/patch/cluster/web?namespace="+namespace, "merge: {}", nil)
		w.ask(404, "GET", "/v1/resources/cluster/web?namespace="+namespace, "", nil)
	}
}

func TestWhatIsNoRouteIsAnErrorInJSON(t *testing.T) {
	w := newWorld(t)
	for target, want := range map[string]int{
		"GET /": 404, "GET /v1": 404, "GET /v2/apply": 404, "GET /v1/apply": 405, "PUT /v1/resources/cluster/x": 405, "POST /v1/versions": 405, "OPTIONS /v1/apply": 405,
	} {
		method, path, _ := strings.Cut(target, " ")
		var failure Failure
		answer := w.ask(want, method, path, "", &failure)
		if want == 405 && answer.Header().Get("Allow") == "" {
			t.Errorf("%s: no Allow header", target)
		}
	}
}

func TestBodiesWaitForMemory(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.MaxBody, c.Timeout = 1000, 50*time.Millisecond })
	if err := w.bodies.Acquire(t.Context(), bodiesInMemory*1000-int64(len(webCluster))); err != nil {
		t.Fatal(err)
	}
	w.applied("", webCluster) // what is left is just enough
	var failure Failure
	w.ask(504, "POST", "/v1/apply", webCluster+"# more\n", &failure)
	if failure.Code != "timeout" {
		t.Errorf("failure %+v, want a timeout", failure)
	}
	w.applied("", webCluster)
}

func TestOddNamesSurviveThePath(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"a/b", "//x//", "%2F", "a b", "..", "xdstp://auth/envoy.config.cluster.v3.Cluster/a?b=c%23d", "ü|é", "a|b|c"} {
		encoded, err := json.Marshal(map[string]string{"@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster", "name": name})
		if err != nil {
			t.Fatal(err)
		}
		w.applied("", string(encoded))
		var got Resource
		w.ask(200, "GET", "/v1/resources/cluster/"+escaped(name), "", &got)
		if got.Name != name {
			t.Errorf("asked for %q, got %q", name, got.Name)
		}
	}
	seen := 0
	for after := ""; ; seen++ {
		var page Resources
		w.ask(200, "GET", "/v1/resources?limit=1&after="+strings.ReplaceAll(escaped(after), "&", "%26"), "", &page)
		if len(page.Resources) != 1 {
			t.Fatalf("page %+v, want one entry", page)
		}
		if after = page.Next; after == "" {
			break
		}
	}
	if seen != 7 {
		t.Errorf("%d pages followed the first, want 7", seen)
	}
}

// escaped writes every byte as %XX.
func escaped(name string) string {
	var b strings.Builder
	for _, c := range []byte(name) {
		fmt.Fprintf(&b, "%%%02X", c)
	}
	return b.String()
}

func TestSecretsAreNeverShown(t *testing.T) {
	w := newWorld(t)
	w.applied("", secretDocument)
	changed := strings.Replace(secretDocument, key, "bmV3"+key, 1)
	answers := map[string]string{}
	keep := func(target string, body string, method string) {
		answers[method+" "+target] = w.do(request(method, target, body)).Body.String()
	}
	keep("/v1/resources/secret/tls", "", "GET")
	keep("/v1/resources/secret/tls?format=yaml", "", "GET")
	keep("/v1/diff", changed, "POST")
	keep("/v1/apply?fields", changed, "POST")
	keep("/v1/versions/1/diff/2", "", "GET")
	keep("/v1/versions/0/diff/2", "", "GET")
	keep("/v1/blame/secret/tls", "", "GET")
	keep("/v1/apply", strings.Replace(secretDocument, "private_key: {", "private_key: {no_such: 1, ", 1), "POST")
	keep("/v1/apply", strings.Replace(secretDocument, "inline_string: "+key, "inline_bytes: "+key+"%", 1), "POST")
	keep("/v1/apply", secretDocument+"}", "POST")
	keep("/v1/patch/secret/tls?fields", `{"merge": {"tls_certificate": {"private_key": {"inline_string": "x`+key+`"}}}}`, "POST")
	for target, answer := range answers {
		if answer == "" || strings.Contains(answer, key) {
			t.Errorf("%s shows the key, or nothing: %s", target, answer)
		}
	}
	if !strings.Contains(answers["GET /v1/resources/secret/tls"], "a-certificate") {
		t.Errorf("the certificate is not shown: %s", answers["GET /v1/resources/secret/tls"])
	}
}

func TestLargeInputsAreParsedOneAfterTheOther(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.MaxDecodes = 2 })
	w.large <- struct{}{}
	input := `{"@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster", "name": "%s", "type": "STATIC"}` + strings.Repeat(" ", largeInput)
	codes := make(chan int)
	for i := range 3 {
		go func() { codes <- w.do(request("POST", "/v1/apply", fmt.Sprintf(input, fmt.Sprint("c", i)))).Code }()
	}
	if small := w.do(request("POST", "/v1/apply", strings.TrimRight(fmt.Sprintf(input, "small"), " "))); small.Code != http.StatusOK {
		t.Errorf("a small one beside large ones: %d %s", small.Code, small.Body)
	}
	if v := w.store.Latest().Version(); v > 1 {
		t.Errorf("version %d while the slot is taken, want the small one's", v)
	}
	<-w.large
	for range 3 {
		if code := <-codes; code != http.StatusOK {
			t.Errorf("answer %d", code)
		}
	}
}
