package nginx

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// certificateLife is longer than any test.
const certificateLife = 24 * time.Hour

// writeCertificate writes a self-signed certificate for 127.0.0.1 and its key, once for a directory.
func writeCertificate(dir string) error {
	certificatePath, keyPath := filepath.Join(dir, certificateName), filepath.Join(dir, keyName)
	if _, err := os.Stat(certificatePath); err == nil {
		return nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("cannot make a key: %w; try again", err)
	}
	wanted := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "nginx for tests"},
		NotBefore: time.Now().Add(-certificateLife), NotAfter: time.Now().Add(certificateLife),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	certificate, err := x509.CreateCertificate(rand.Reader, wanted, wanted, key.Public(), key)
	if err != nil {
		return fmt.Errorf("cannot make a certificate: %w; mend package nginx", err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("cannot write a key: %w; mend package nginx", err)
	}
	if err := errors.Join(writePEM(certificatePath, "CERTIFICATE", certificate), writePEM(keyPath, "PRIVATE KEY", secret)); err != nil {
		return fmt.Errorf("cannot write a certificate: %w; free space in %s", err, dir)
	}
	return nil
}

func writePEM(path, kind string, content []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o600)
}
