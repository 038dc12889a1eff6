package sandbox

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// certificate writes a certificate and its key to tls.pem.
func certificate(t *testing.T, p *prefix) {
	t.Helper()
	certificate, key := newCertificate(t)
	p.write(t, "tls.pem", certificate+key)
}

// secret has the key in a file that only its owner's betters may read.
func secret(t *testing.T, p *prefix) {
	t.Helper()
	certificate, key := newCertificate(t)
	p.write(t, "tls.pem", certificate)
	p.write(t, "key.pem", key)
	require.NoError(t, os.Chmod(p.path("key.pem"), 0))
}

// passwords has a file of passwords beside the key, which needs none of them.
func passwords(t *testing.T, p *prefix) {
	t.Helper()
	certificate(t, p)
	p.write(t, "passwords", "one\ntwo\n")
}

func newCertificate(t *testing.T) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	wanted := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	made, err := x509.CreateCertificate(rand.Reader, wanted, wanted, private.Public(), private)
	require.NoError(t, err)
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	text := func(kind string, data []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: data}))
	}
	return text("CERTIFICATE", made), text("PRIVATE KEY", encoded)
}
