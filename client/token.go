package client

import (
	"context"
	"fmt"
	"os"
	"strings"
)

// StaticToken is always the same token.
func StaticToken(token string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return token, nil }
}

// TokenFile is what a file holds, without the white space around it. It is
// read for each stream, so that a token may be rotated.
func TokenFile(path string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) {
		data, err := os.ReadFile(path)
		if err != nil {
			return "", fmt.Errorf("token: %w", err)
		}
		token := strings.TrimSpace(string(data))
		if token == "" {
			return "", fmt.Errorf("token: %s is empty", path)
		}
		return token, nil
	}
}

// bearer sends a token with each stream.
type bearer struct {
	token  func(context.Context) (string, error)
	secure bool // it must not travel in plain text
}

func (b bearer) GetRequestMetadata(ctx context.Context, _ ...string) (map[string]string, error) {
	token, err := b.token(ctx)
	if err != nil {
		return nil, err
	}
	return map[string]string{"authorization": "Bearer " + token}, nil
}

func (b bearer) RequireTransportSecurity() bool { return b.secure }
