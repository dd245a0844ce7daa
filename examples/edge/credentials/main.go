// Credentials makes the demonstration credentials of the edge example: a
// certificate for example.test (valid for 100 years), the key set that its
// tokens are checked against, and a token. The private keys are public, in
// this repository: they protect nothing.
//
//	go run ./examples/edge/credentials examples/edge
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// lifetime is how long everything is valid.
const lifetime = 100 * 365 * 24 * time.Hour

const secretTemplate = `# DEMONSTRATION ONLY. The private key is public, in this repository: it
# protects nothing. Made by ` + "`go run ./examples/edge/credentials examples/edge`" + `.
"@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret
name: example.test
tls_certificate:
  certificate_chain:
    inline_string: |
%s  private_key:
    inline_string: |
%s`

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: credentials DIRECTORY")
	}
	if err := generate(os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func generate(dir string) error {
	certificate, key, err := certificate()
	if err != nil {
		return err
	}
	jwks, token, err := token()
	if err != nil {
		return err
	}
	secret := fmt.Sprintf(secretTemplate, indent(certificate), indent(key))
	for name, content := range map[string]string{
		"certificate.yaml": secret,
		"certificate.pem":  certificate,
		"token.txt":        token + "\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			return err
		}
	}
	return replaceKeySet(filepath.Join(dir, "edge.yaml"), jwks)
}

// certificate makes a self-signed certificate and its key, in PEM.
func certificate() (certificate, key string, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", err
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "example.test", Organization: []string{"deltaplane demonstration only"}},
		DNSNames:              []string{"example.test", "*.example.test"},
		NotBefore:             time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:              time.Now().Add(lifetime),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		return "", "", err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return "", "", err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})), nil
}

// token makes a key pair, its JSON Web Key Set, and a token signed with it
// (RFC 7515, RFC 7517, ES256).
func token() (jwks, token string, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", err
	}
	point, err := private.PublicKey.Bytes() // 0x04, x, y
	if err != nil {
		return "", "", err
	}
	encode := base64.RawURLEncoding.EncodeToString
	set, err := json.Marshal(map[string]any{"keys": []map[string]string{{
		"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "demo",
		"x": encode(point[1:33]), "y": encode(point[33:]),
	}}})
	if err != nil {
		return "", "", err
	}
	claims, err := json.Marshal(map[string]any{
		"iss": "https://issuer.example.test", "aud": "shop", "sub": "demo",
		"exp": time.Now().Add(lifetime).Unix(),
	})
	if err != nil {
		return "", "", err
	}
	signed := encode([]byte(`{"alg":"ES256","kid":"demo","typ":"JWT"}`)) + "." + encode(claims)
	digest := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, private, digest[:])
	if err != nil {
		return "", "", err
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return string(set), signed + "." + encode(signature), nil
}

var keySet = regexp.MustCompile(`(local_jwks:\s+inline_string: )'[^']*'`)

// replaceKeySet puts the key set into the listener.
func replaceKeySet(file, jwks string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if !keySet.Match(text) {
		return fmt.Errorf("%s: there is no local_jwks to replace", file)
	}
	return os.WriteFile(file, keySet.ReplaceAll(text, []byte("${1}'"+jwks+"'")), 0o644)
}

// indent makes text the content of a YAML block scalar.
func indent(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString("      " + line)
	}
	return b.String()
}
