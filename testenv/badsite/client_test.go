package badsite

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const readLimit = 1 << 20

// meets asks a server once with a plain socket and says what came of it: the step that failed and how, or the end of the answer.
func meets(s *Server) string {
	b := s.Behavior()
	dialer := net.Dialer{Timeout: b.Probe.Timeout}
	dialer.SetMultipathTCP(false)
	tcp, err := dialer.Dial("tcp4", s.Addr())
	if err != nil {
		return "connect: " + kind(err)
	}
	defer func() { _ = tcp.Close() }()
	_ = tcp.SetDeadline(time.Now().Add(b.Probe.Timeout))
	conn := tcp
	if b.TLS {
		secure := tls.Client(tcp, &tls.Config{RootCAs: s.Authority().Pool(), ServerName: Host, InsecureSkipVerify: b.Probe.DistrustAuthority})
		if err := secure.Handshake(); err != nil {
			return "handshake: " + kind(err)
		}
		conn = secure
	}
	request := fmt.Sprintf("GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nX-Padding: %s\r\n\r\n", b.Probe.Path, Host, strings.Repeat("x", b.Probe.HeaderBytes))
	if _, err := io.WriteString(conn, request); err != nil {
		return "request: " + kind(err)
	}
	answer, err := io.ReadAll(io.LimitReader(conn, readLimit))
	end := "…" + string(answer[max(0, len(answer)-12):])
	switch {
	case len(answer) == readLimit:
		end = "a MiB"
	case len(answer) == 0:
		end = "nothing"
	}
	if err == nil {
		err = io.EOF
	}
	return fmt.Sprintf("answer: %q, %s", end, kind(err))
}

// kind names an error of a socket or of TLS.
func kind(err error) string {
	var errno syscall.Errno
	var operation *net.OpError
	var record tls.RecordHeaderError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(err, &certificate):
		return "certificate"
	case errors.As(err, &operation) && operation.Op == "remote error":
		return "alert"
	case errors.As(err, &record):
		return "no TLS"
	case errors.As(err, &operation) && operation.Timeout():
		return "timeout"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "reset"
	case errors.As(err, &errno):
		return errno.Error()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "EOF"
	}
	return err.Error()
}

// browser is an HTTP client that trusts a server and never keeps a connection.
func browser(tb testing.TB, s *Server) *http.Client {
	b := s.Behavior()
	protocols := new(http.Protocols)
	protocols.SetHTTP1(!b.Probe.HTTP2)
	protocols.SetHTTP2(b.Probe.HTTP2)
	transport := &http.Transport{
		DisableKeepAlives: true, Protocols: protocols,
		TLSClientConfig: &tls.Config{RootCAs: s.Authority().Pool(), InsecureSkipVerify: b.Probe.DistrustAuthority},
	}
	tb.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: b.Probe.Timeout}
}

// visitPage asks with client and returns the final answer's protocol and the start of its body.
func visitPage(tb testing.TB, client *http.Client, url string) (protocol, body string, err error) {
	tb.Helper()
	response, err := client.Get(url)
	if err != nil {
		return "", "", err
	}
	defer func() { require.NoError(tb, response.Body.Close()) }()
	read, err := io.ReadAll(io.LimitReader(response.Body, 4096))
	return response.Proto, string(read), err
}
