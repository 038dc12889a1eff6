package site

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
)

// tlsFacts is what a handshake tells, also where it fails.
type tlsFacts struct {
	version   string
	expiresAt int64
}

// certificateError is a certificate that was shown and cannot be trusted.
type certificateError struct{ err error }

func (e *certificateError) Error() string { return e.err.Error() }

func (e *certificateError) Unwrap() error { return e.err }

// handshake encrypts the connection. It verifies by itself, after it has noted what the certificate says.
func (h *hop) handshake(c *conn) (net.Conn, error) {
	host := h.url.Hostname()
	config := &tls.Config{
		ServerName: host, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"},
		InsecureSkipVerify: true,
		VerifyConnection:   func(state tls.ConnectionState) error { return h.verify(state, host) },
	}

	if h.prober.target.HTTP2 {
		config.NextProtos = []string{"h2", "http/1.1"}
	}

	client := tls.Client(c, config)
	if err := client.HandshakeContext(h.ctx); err != nil {
		_ = c.Close()

		return nil, err
	}

	http2 := client.ConnectionState().NegotiatedProtocol == "h2"

	h.mu.Lock()
	h.http2 = http2
	h.mu.Unlock()
	c.gated.Store(true)

	if http2 {
		// The transport takes HTTP/2 from nothing but TLS's own connection.
		return client, nil
	}

	return &answerConn{Conn: client, hop: h}, nil
}

func (h *hop) verify(state tls.ConnectionState, host string) error {
	if len(state.PeerCertificates) == 0 {
		return nil
	}

	leaf := state.PeerCertificates[0]

	h.mu.Lock()
	h.tls = tlsFacts{version: tls.VersionName(state.Version), expiresAt: leaf.NotAfter.Unix()}
	h.mu.Unlock()

	if !h.prober.target.VerifyCertificate {
		return nil
	}

	options := x509.VerifyOptions{DNSName: host, Roots: h.prober.target.RootCAs, Intermediates: x509.NewCertPool()}
	for _, other := range state.PeerCertificates[1:] {
		options.Intermediates.AddCert(other)
	}

	if err := trust(leaf, options); err != nil {
		return &certificateError{err}
	}

	return nil
}

// trust reads the system's authorities again where that failed: crypto/x509 reads them once in a process's life, be it
// while no descriptor is free.
func trust(leaf *x509.Certificate, options x509.VerifyOptions) error {
	_, err := leaf.Verify(options)
	if _, unread := errors.AsType[x509.SystemRootsError](err); !unread {
		return err
	}

	if options.Roots, err = x509.SystemCertPool(); err != nil {
		return x509.SystemRootsError{Err: err}
	}

	_, err = leaf.Verify(options)

	return err
}
