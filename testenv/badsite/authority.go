package badsite

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"
)

// certificate is which of its certificates a server shows.
type certificate int

const (
	good certificate = iota
	expired
	notYetValid
	wrongHost
	strangersOwn
	selfSigned
	certificates
)

// GoodDays is how many days a good certificate is valid from the authority's making on.
const GoodDays = 60

const day = 24 * time.Hour

// Authority signs the servers' certificates. Clients that trust Pool accept the good one.
type Authority struct {
	root   *x509.Certificate
	signed [certificates]tls.Certificate
}

// NewAuthority makes an authority of its own keys.
func NewAuthority() (*Authority, error) {
	now := time.Now()
	root, err := makeRoot("badsite authority", now)
	if err != nil {
		return nil, err
	}
	stranger, err := makeRoot("badsite stranger", now)
	if err != nil {
		return nil, err
	}
	a := &Authority{root: root.Leaf}
	for kind, leaf := range map[certificate]struct {
		signer   tls.Certificate
		host     string
		from, to time.Time
	}{
		good:         {root, Host, now.Add(-day), now.Add(GoodDays * day)},
		expired:      {root, Host, now.Add(-30 * day), now.Add(-3 * day)},
		notYetValid:  {root, Host, now.Add(3 * day), now.Add(30 * day)},
		wrongHost:    {root, "", now.Add(-day), now.Add(GoodDays * day)},
		strangersOwn: {stranger, Host, now.Add(-day), now.Add(GoodDays * day)},
		selfSigned:   {tls.Certificate{}, Host, now.Add(-day), now.Add(GoodDays * day)},
	} {
		if a.signed[kind], err = makeLeaf(leaf.signer, leaf.host, leaf.from, leaf.to); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// Pool holds the authority's own certificate.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.root)
	return pool
}

// PEM is the authority's own certificate as a file of SSL_CERT_FILE holds it.
func (a *Authority) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.root.Raw})
}

func (a *Authority) config(kind certificate, http2 bool) *tls.Config {
	config := &tls.Config{Certificates: []tls.Certificate{a.signed[kind]}, NextProtos: []string{"http/1.1"}}
	if http2 {
		config.NextProtos = []string{"h2", "http/1.1"}
	}
	return config
}

func makeRoot(name string, now time.Time) (tls.Certificate, error) {
	return sign(tls.Certificate{}, &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, NotBefore: now.Add(-365 * day), NotAfter: now.Add(365 * day),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	})
}

// makeLeaf makes a server's certificate; where host is empty it is for a host that nobody asks.
func makeLeaf(signer tls.Certificate, host string, from, to time.Time) (tls.Certificate, error) {
	leaf := &x509.Certificate{
		Subject: pkix.Name{CommonName: "badsite"}, NotBefore: from, NotAfter: to,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames: []string{"other.test"},
	}
	if host != "" {
		leaf.DNSNames = []string{host, "localhost"}
		leaf.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv4(127, 0, 0, 2)}
	}
	return sign(signer, leaf)
}

// sign signs with the key of signer, or with the new certificate's own where signer is empty.
func sign(signer tls.Certificate, wanted *x509.Certificate) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("cannot make a key: %w; try again", err)
	}
	wanted.SerialNumber = big.NewInt(time.Now().UnixNano())
	made := tls.Certificate{PrivateKey: key}
	parent, by := signer.Leaf, signer.PrivateKey
	if parent == nil {
		parent, by = wanted, key
	}
	raw, err := x509.CreateCertificate(rand.Reader, wanted, parent, key.Public(), by)
	if err == nil {
		made.Certificate = [][]byte{raw}
		made.Leaf, err = x509.ParseCertificate(raw)
	}
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("cannot make a certificate: %w; mend package badsite", err)
	}
	return made, nil
}
