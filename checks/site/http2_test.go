package site

import (
	"context"
	"crypto/tls"
	"io"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/badsite"
)

// The transport dialed 60 times in 2 s for one request.
func TestAServerThatTurnsAnHTTP2RequestAwayGetsOneConnection(t *testing.T) {
	t.Parallel()

	const (
		settings = "\x00\x00\x00\x04\x00\x00\x00\x00\x00"
		goAway   = "\x00\x00\x08\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	)

	donor := httptest.NewTLSServer(nil)
	defer donor.Close()

	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: donor.TLS.Certificates, NextProtos: []string{"h2"}})
	require.NoError(t, err)

	defer listener.Close()

	var connections atomic.Int64

	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}

			connections.Add(1)

			go func() {
				defer conn.Close()

				_, _ = io.WriteString(conn, settings)
				_, _ = conn.Read(make([]byte, 4096))
				_, _ = io.WriteString(conn, goAway)
				_, _ = io.Copy(io.Discard, conn)
			}()
		}
	}()

	target, err := NewTarget("https://" + listener.Addr().String())
	require.NoError(t, err)

	target.HTTP2, target.VerifyCertificate = true, false
	result := NewProber(target).Probe(context.Background())

	require.Equal(t, int64(1), connections.Load())
	require.Equal(t, ReasonProtocolError, result.Reason, result.Sentence)
	require.Contains(t, result.Sentence, "turned the request away")
}

// A reset that followed the request at once was read before the transport had told that the request was sent.
func TestAResetAfterAnHTTP2RequestAlwaysCountsAsOne(t *testing.T) {
	t.Parallel()

	server := badsite.StartT(t, badsite.ResetAfterHTTP2Request())
	prober := proberOf(t, server.URL())
	prober.target.RootCAs = server.Authority().Pool()
	prober.transport.Protocols.SetHTTP2(true)
	prober.target.HTTP2 = true

	for range 200 {
		result := prober.Probe(context.Background())
		require.Equal(t, ReasonResetBeforeResponse, result.Reason, result.Sentence)
		require.Equal(t, "wait", result.Phase)
	}
}
