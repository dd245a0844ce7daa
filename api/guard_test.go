package api

import (
	"strings"
	"testing"
)

func TestWithoutTokensOnlyLoopbackHostsAreAnswered(t *testing.T) {
	w := newWorld(t)
	for host, want := range map[string]int{
		"localhost": 200, "localhost:18001": 200, "LOCALHOST": 200, "127.0.0.1:18001": 200, "127.8.9.1": 200, "[::1]:18001": 200, "[::1]": 200,
		"evil.example": 403, "evil.example:18001": 403, "127.0.0.1.evil.example": 403, "192.0.2.1:18001": 403, "": 403,
	} {
		r := request("GET", "/v1/versions", "")
		r.Host = host
		if answer := w.do(r); answer.Code != want {
			t.Errorf("host %q: %d, want %d: %s", host, answer.Code, want, answer.Body)
		}
	}
}

func TestWebPagesOfOtherOriginsCannotCommit(t *testing.T) {
	w := newWorld(t)
	for _, header := range []struct{ name, value string }{
		{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"},
	} {
		for _, media := range []string{"application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x"} {
			r := request("POST", "/v1/apply", webCluster)
			r.Header.Set("Content-Type", media)
			r.Header.Set(header.name, header.value)
			if answer := w.do(r); answer.Code != 403 {
				t.Errorf("%s: %s as %s: %d, want 403", header.name, header.value, media, answer.Code)
			}
		}
	}
	if w.store.Latest().Version() != 0 {
		t.Error("a web page committed")
	}
}

func TestTokensAreNeededAndNameTheAuthor(t *testing.T) {
	tokens, err := ParseTokens([]byte("# those who deploy\n\nana: 0123456789abcdef\nfedcba9876543210\n"))
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, func(c *Config) { c.Tokens = tokens })
	for header, want := range map[string]int{
		"": 401, "Bearer ": 401, "Bearer 0123456789abcdee": 401, "Bearer ana: 0123456789abcdef": 401, "Basic 0123456789abcdef": 401,
		"0123456789abcdef": 401, "Bearer 0123456789abcdef": 200, "Bearer fedcba9876543210": 200,
	} {
		r := request("GET", "/v1/versions", "")
		r.Host = "cp.example" // a token is enough, whatever the host's name
		if header != "" {
			r.Header.Set("Authorization", header)
		}
		if answer := w.do(r); answer.Code != want {
			t.Errorf("Authorization %q: %d, want %d", header, answer.Code, want)
		}
	}
	r := request("POST", "/v1/apply?author=mallory", webCluster)
	r.Header.Set("Authorization", "Bearer 0123456789abcdef")
	if answer := w.do(r); answer.Code != 200 {
		t.Fatalf("%d %s", answer.Code, answer.Body)
	}
	commits, err := w.store.History(t.Context(), 0, 1)
	if err != nil || len(commits) != 1 || commits[0].Author != "ana" {
		t.Errorf("history %+v, %v: want the token's author", commits, err)
	}
}

func TestBadTokenFilesAreRefusedWithoutShowingThem(t *testing.T) {
	for _, bad := range []string{"", "# nothing\n", "short-secret\n", "ana:short-secret\n"} {
		_, err := ParseTokens([]byte(bad))
		if err == nil {
			t.Errorf("%q is taken", bad)
		} else if strings.Contains(err.Error(), "short-secret") {
			t.Errorf("error shows the secret: %v", err)
		}
	}
}
