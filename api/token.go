package api

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"strings"
)

// Tokens are those who may call the API. Only digests of the secrets are kept.
type Tokens []token

type token struct {
	name   string // author of the commits; "" leaves that to the request
	digest [sha256.Size]byte
}

// shortestToken keeps out secrets that can be guessed.
const shortestToken = 16

// ParseTokens reads one token per line, "secret" or "name:secret". Empty lines
// and lines that start with # mean nothing. Errors name the line, never the
// secret.
func ParseTokens(data []byte) (Tokens, error) {
	var tokens Tokens
	lines := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, secret, named := strings.Cut(line, ":")
		if !named {
			name, secret = "", line
		}
		name, secret = strings.TrimSpace(name), strings.TrimSpace(secret)
		if len(secret) < shortestToken {
			return nil, fmt.Errorf("line %d: a token needs at least %d characters", n, shortestToken)
		}
		tokens = append(tokens, token{name, sha256.Sum256([]byte(secret))})
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if len(tokens) == 0 {
		return nil, fmt.Errorf("no token in it: write one per line, as SECRET or NAME:SECRET")
	}
	return tokens, nil
}

// find looks a secret up. It compares with all tokens, in constant time.
func (ts Tokens) find(secret string) (name string, ok bool) {
	digest := sha256.Sum256([]byte(secret))
	for _, t := range ts {
		if subtle.ConstantTimeCompare(digest[:], t.digest[:]) == 1 {
			name, ok = t.name, true
		}
	}
	return name, ok
}

type callerKey struct{}

func withCaller(ctx context.Context, name string) context.Context {
	return context.WithValue(ctx, callerKey{}, name)
}

// caller is the name of the token that the request came with, "" if it had none.
func caller(ctx context.Context) string {
	name, _ := ctx.Value(callerKey{}).(string)
	return name
}
