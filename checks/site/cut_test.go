package site_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/site"
	"zabbix-agent2-plugin-hosting/testenv/badsite"
)

// cutReason is what an answer that ends after n of its bytes has to be told as, and with a reset.
type cutReason func(text string, n int, reset bool) site.Reason

// complete is the reason of an answer that says how long it is.
func complete(text string, n int, reset bool) site.Reason {
	switch {
	case n == len(text):
		return site.ReasonOK
	case n == 0 && reset:
		return site.ReasonResetBeforeResponse
	case n == 0:
		return site.ReasonClosedBeforeResponse
	case reset:
		return site.ReasonResetInResponse
	}

	return site.ReasonTruncated
}

// untilClose is that of an answer whose body ends where the connection does.
func untilClose(text string, n int, reset bool) site.Reason {
	if n >= strings.Index(text, "\r\n\r\n")+4 {
		if reset {
			return site.ReasonResetInResponse
		}

		return site.ReasonOK
	}

	return complete(text, n, reset)
}

// An answer that was cut within its header or its last chunk was told as wrong HTTP: net/http hides the end.
func TestAnAnswerThatIsCutAnywhereIsToldByHowItEnded(t *testing.T) {
	t.Parallel()

	authority, err := badsite.NewAuthority()
	require.NoError(t, err)

	for name, answer := range map[string]struct {
		text   string
		reason cutReason
	}{
		"a length":                   {"HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 5\r\n\r\nhello", complete},
		"chunks":                     {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", complete},
		"chunks and a trailer":       {"HTTP/1.1 200 OK\r\nTrailer: X\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n!\r\n0\r\nX: y\r\n\r\n", complete},
		"a body that ends by itself": {"HTTP/1.0 200 OK\r\nServer: x\r\n\r\nhello", untilClose},
	} {
		for _, encrypted := range []bool{false, true} {
			for _, end := range []string{"FIN", "RST", "FIN without TLS's farewell"} {
				if !encrypted && strings.Contains(end, "TLS") {
					continue
				}

				t.Run(fmt.Sprintf("an answer with %s, encrypted %t, %s", name, encrypted, end), func(t *testing.T) {
					t.Parallel()

					server := badsite.StartT(t, badsite.OK(), badsite.WithAuthority(authority))

					for n := range len(answer.text) + 1 {
						b := badsite.Behaves("cut", "", answer.text[:n])

						switch {
						case end == "RST":
							b = b.Resetting()
						case strings.Contains(end, "TLS"):
							b = b.Cutting()
						}

						if encrypted {
							b = b.OverTLS()
						}

						require.NoError(t, server.Set(b))

						result := site.NewProber(target(t, server, b)).Probe(context.Background())
						want := answer.reason(answer.text, n, end == "RST")
						require.Equal(t, want.String(), result.ReasonName, "after %q: %s", answer.text[:n], result.Sentence)
						requireSum(t, result.Phases, result.TotalS)
					}
				})
			}
		}
	}
}

// atOnce holds back what is written after the handshake until all is written.
type atOnce struct {
	net.Conn
	held bytes.Buffer
	hold bool
}

func (c *atOnce) Write(b []byte) (int, error) {
	if c.hold {
		return c.held.Write(b)
	}

	return c.Conn.Write(b)
}

// SetWriteDeadline does nothing: TLS uses it to have nothing written after its farewell.
func (c *atOnce) SetWriteDeadline(time.Time) error { return nil }

// TLS 1.2 tells of the end of an answer along with its last bytes where both come in one packet.
func TestWrongHTTPThatEndsInTheSamePacketIsNotCut(t *testing.T) {
	t.Parallel()

	donor := httptest.NewTLSServer(nil)
	defer donor.Close()

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)

	defer listener.Close()

	go func() {
		raw, err := listener.Accept()
		if err != nil {
			return
		}
		defer raw.Close()

		slow := &atOnce{Conn: raw}
		server := tls.Server(slow, &tls.Config{Certificates: donor.TLS.Certificates, MaxVersion: tls.VersionTLS12})
		// It reads a request after the handshake.
		_, _ = server.Read(make([]byte, 4096))
		slow.hold = true
		_, _ = server.Write([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno number\r\n"))
		_ = server.CloseWrite()
		_, _ = raw.Write(slow.held.Bytes())
		_, _ = raw.Read(make([]byte, 1))
	}()

	asked, err := site.NewTarget("https://" + listener.Addr().String())
	require.NoError(t, err)

	asked.VerifyCertificate = false
	result := site.NewProber(asked).Probe(context.Background())
	require.Equal(t, "protocol_error", result.ReasonName, result.Sentence)
}
