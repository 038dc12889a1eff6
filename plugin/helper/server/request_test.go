package server

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/nginx"
	"zabbix-agent2-plugin-hosting/plugin/helper"
)

const hostHeader = "\r\nHost: helper\r\n\r\n"

// hostileRequests are requests that no plugin sends, each with the status that it gets; 0 where the connection is closed without an answer.
var hostileRequests = map[string]int{
	"":                         0,
	"\r\n":                     400,
	"\x00\x01\x02\x03\r\n\r\n": 400,
	"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n":                               400, // TLS
	"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n":                                                   400,
	"GET /v1/oom\r\n\r\n":                                                                400, // HTTP/0.9
	"GET /v1/oom HTTP/3.0" + hostHeader:                                                  505,
	"GET /v1/oom HTTP/1.1\r\n\r\n":                                                       400, // no Host
	"GET /v1/oom HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n":                                 400,
	"GET /v1/oom HTTP/1.1\r\nHost: a\r\n folded: x\r\n\r\n":                              400,
	"GET /v1/oom HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n":                      400,
	"GET /v1/oom HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx": 400,
	"GET /v1/oom HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n":                 501,
	"get /v1/oom HTTP/1.1" + hostHeader:                                                  400,
	"HEAD /v1/oom HTTP/1.1" + hostHeader:                                                 400,
	"POST /v1/oom HTTP/1.1" + hostHeader:                                                 400,
	"PUT /v1/oom HTTP/1.1" + hostHeader:                                                  400,
	"DELETE /v1/oom HTTP/1.1" + hostHeader:                                               400,
	"TRACE /v1/oom HTTP/1.1" + hostHeader:                                                400,
	"OPTIONS * HTTP/1.1" + hostHeader:                                                    400,
	"CONNECT 127.0.0.1:22 HTTP/1.1" + hostHeader:                                         400,
	"CONNECT /v1/oom HTTP/1.1" + hostHeader:                                              400,
	"GET * HTTP/1.1" + hostHeader:                                                        404,
	"GET http://helper/v1/oom HTTP/1.1" + hostHeader:                                     404,
	"GET file:///etc/shadow HTTP/1.1" + hostHeader:                                       404,
	"GET /v1/oom/../slabinfo HTTP/1.1" + hostHeader:                                      404,
	"GET /v1/%2e%2e/%2e%2e/etc/shadow HTTP/1.1" + hostHeader:                             404,
	"GET /v1/oom%00 HTTP/1.1" + hostHeader:                                               404,
	"GET /v1/oom?x HTTP/1.1" + hostHeader:                                                400,
	"GET /v1/oom#x HTTP/1.1" + hostHeader:                                                404,
	"GET /v1/oom?port=80 HTTP/1.1" + hostHeader:                                          400,
	"GET /v1/listeners?port=+80 HTTP/1.1" + hostHeader:                                   400,
	"GET /v1/listeners?port=%38%30 HTTP/1.1" + hostHeader:                                400,
	"GET /v1/listeners?port=080 HTTP/1.1" + hostHeader:                                   400,
	"GET /v1/listeners?port=0x50 HTTP/1.1" + hostHeader:                                  400,
	"GET /v1/listeners?port=65536 HTTP/1.1" + hostHeader:                                 400,
	"GET /v1/listeners?port=٨٠ HTTP/1.1" + hostHeader:                                    400,
	"GET /v1/listeners?port=80&port=81 HTTP/1.1" + hostHeader:                            400,
	"GET /v1/listeners?port=80;id HTTP/1.1" + hostHeader:                                 400,
	"GET /v1/listeners?port=80 81 HTTP/1.1" + hostHeader:                                 400,
	"GET /v1/listeners?port=80\x00 HTTP/1.1" + hostHeader:                                400,
	"GET /v1/listeners?port=80\nX: y HTTP/1.1" + hostHeader:                              400,
	"GET /v1/nginx-config?instance=../../etc/nginx HTTP/1.1" + hostHeader:                400,
	"GET /v1/nginx-config?instance=%2fetc%2fnginx%2fnginx.conf HTTP/1.1" + hostHeader:    400,
	"GET /v1/nginx-config?instance=$(id) HTTP/1.1" + hostHeader:                          400,
	"GET /v1/nginx-config?config=/tmp/evil.conf HTTP/1.1" + hostHeader:                   400,
	"GET /v1/nginx-config?wait_ms=1&instance=0123456789abcdef HTTP/1.1" + hostHeader:     400,
	"GET /v1/" + strings.Repeat("x", 3000) + " HTTP/1.1" + hostHeader:                    400,
}

var statusLine = regexp.MustCompile(`^HTTP/1\.[01] (\d{3}) `)

func TestNoHostileRequestReachesAHandler(t *testing.T) {
	t.Parallel()

	var reached atomic.Int64

	f := start(t, Options{Handlers: allVerbs(func(_ context.Context, r helper.Request) (any, error) {
		reached.Add(1)

		return r, nil
	})})

	for raw, want := range hostileRequests {
		got, status := f.say(t, raw), "0"
		if line := statusLine.FindStringSubmatch(got); line != nil {
			status = line[1]
		}

		require.Equal(t, fmt.Sprint(want), status, "%q: %q", raw, got)
		require.Zero(t, reached.Load(), "%q", raw)
	}
}

func TestAnOldOrAmbitiousClientIsAnswered(t *testing.T) {
	t.Parallel()

	f := start(t, Options{})

	for raw, proto := range map[string]string{
		"GET /v1/oom HTTP/1.0\r\n\r\n": "HTTP/1.0",
		// What is upgraded or encoded elsewhere is not here.
		"GET /v1/oom HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nAccept-Encoding: gzip\r\n\r\n": "HTTP/1.1",
	} {
		conn := f.dial(t)
		_, err := io.WriteString(conn, raw)
		require.NoError(t, err)

		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err)
		require.Equal(t, proto+" 200 OK", response.Proto+" "+response.Status)
		require.Empty(t, response.Header.Get("Content-Encoding"))

		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.Equal(t, goodBody, string(body))
	}
}

func TestEachVerbReachesItsHandlerWithItsParameters(t *testing.T) {
	t.Parallel()

	handlers := make(map[helper.Verb]Handler)
	for _, info := range helper.Verbs() {
		handlers[info.Verb] = func(_ context.Context, r helper.Request) (any, error) {
			return []byte(fmt.Sprint(info.Verb, " ", r)), nil
		}
	}

	f := start(t, Options{Handlers: handlers})

	for _, r := range []helper.Request{
		{Verb: helper.VerbSlabinfo},
		{Verb: helper.VerbSlabKinds},
		{Verb: helper.VerbOOM},
		{Verb: helper.VerbNginx},
		{Verb: helper.VerbNginxConfig},
		{Verb: helper.VerbNginxConfig, Instance: nginx.ID("edge"), Wait: 1000000000},
		{Verb: helper.VerbListeners},
		{Verb: helper.VerbListeners, Port: 80},
	} {
		conn := f.dial(t)
		_, err := fmt.Fprintf(conn, "GET %s HTTP/1.1%s", r.Target(), hostHeader)
		require.NoError(t, err)

		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err)
		require.Equal(t, "text/plain; charset=utf-8", response.Header.Get("Content-Type"))

		_, body := f.get(t, r.Target())
		require.Equal(t, fmt.Sprint(r.Verb, " ", r), body)
	}
}

// FuzzServer has a connection say anything at all, and another be answered while it is open and afterwards.
func FuzzServer(f *testing.F) {
	for raw := range hostileRequests {
		f.Add([]byte(raw))
	}

	f.Add([]byte("GET /v1/oom HTTP/1.1" + hostHeader + "GET /v1/listeners?port=80 HTTP/1.1" + hostHeader))
	f.Add([]byte("GET /v1/oom HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"))

	server := start(f, Options{Handlers: allVerbs(func(_ context.Context, r helper.Request) (any, error) {
		if again, err := helper.ParseRequest(http.MethodGet, r.Target()); err != nil || again != r {
			panic(fmt.Sprint(r, err)) // recovered, and told in the answer
		}

		return done, nil
	})})

	f.Fuzz(func(t *testing.T, raw []byte) {
		conn := server.dial(t)
		// The server may have had enough.
		_, _ = conn.Write(raw)

		server.requireAnswers(t, soon)
		require.NotContains(t, server.say(t, string(raw)), "panicked")
		server.requireAnswers(t, soon)
	})
}
