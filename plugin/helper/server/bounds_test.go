package server

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/plugin/helper"
	"zabbix-agent2-plugin-hosting/testenv/apart"
)

// soon is what others wait at most whatever a peer does, with much room for a machine that is busy.
const soon = time.Second

// drip sends a byte at a time until the server has had enough, and tells how long that took.
func drip(conn net.Conn, text string, every time.Duration) time.Duration {
	begun := time.Now()

	for _, b := range []byte(text) {
		if _, err := conn.Write([]byte{b}); err != nil {
			break
		}

		time.Sleep(every)
	}

	return time.Since(begun)
}

func TestASlowRequestIsCutOff(t *testing.T) {
	t.Parallel()

	f := start(t, Options{})

	for name, begin := range map[string]string{"in its first line": "", "in its header": "GET /v1/oom HTTP/1.1\r\nX: "} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			conn := f.dial(t)
			_, err := io.WriteString(conn, begin)
			require.NoError(t, err)

			took := drip(conn, strings.Repeat("x", 100), 100*time.Millisecond)
			require.InDelta(t, headerLimit.Seconds(), took.Seconds(), 1)
			f.requireAnswers(t, soon)
		})
	}
}

func TestARequestWithoutAnEndIsCutOff(t *testing.T) {
	t.Parallel()

	f := start(t, Options{})

	for name, raw := range map[string]string{
		"in its first line": "GET /" + strings.Repeat("x", 1<<20),
		"in a header":       "GET /v1/oom HTTP/1.1\r\nX: " + strings.Repeat("x", 1<<20),
		"in its headers":    "GET /v1/oom HTTP/1.1\r\n" + strings.Repeat("X: x\r\n", 1<<18),
	} {
		got := f.say(t, raw)
		// The server closes with much of it unread, so that the answer may be lost.
		require.True(t, got == "" || strings.HasPrefix(got, "HTTP/1.1 431 "), "%s: %q", name, got)
		f.requireAnswers(t, soon)
	}
}

func TestABodyIsRefusedUnread(t *testing.T) {
	t.Parallel()

	f := start(t, Options{})
	malformed := failed(helper.CodeMalformed, "not a request of this interface: it has a body")

	for name, raw := range map[string]string{
		"a short one":              "Content-Length: 2\r\n\r\n{}",
		"one that does not come":   "Content-Length: 1000000000000\r\n\r\n",
		"one that never ends":      "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat("1000\r\n"+strings.Repeat("x", 4096)+"\r\n", 100),
		"one that is waited for":   "Expect: 100-continue\r\nContent-Length: 10\r\n\r\n",
		"one in chunks, and empty": "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	} {
		conn := f.dial(t)
		// The server may have closed before it has read all.
		_, _ = io.WriteString(conn, "GET /v1/oom HTTP/1.1\r\nHost: x\r\n"+raw)

		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err, name)
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err, name)
		require.Equal(t, http.StatusBadRequest, response.StatusCode, name)
		require.Equal(t, malformed, string(body), name)
		require.True(t, response.Close, name)
	}
}

func TestRequestsInOneGoAreAnsweredInOrder(t *testing.T) {
	t.Parallel()

	f := start(t, Options{Handlers: allVerbs(func(_ context.Context, r helper.Request) (any, error) { return r.Port, nil })})
	conn := f.dial(t)

	go func() {
		for port := range 1000 {
			_, _ = fmt.Fprintf(conn, "GET /v1/listeners?port=%d HTTP/1.1\r\nHost: x\r\n\r\n", port+1)
		}
	}()

	reader := bufio.NewReader(conn)
	for port := range 1000 {
		response, err := http.ReadResponse(reader, nil)
		require.NoError(t, err)
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.Equal(t, fmt.Sprint(port+1), string(body))
	}
}

// TestACrowdThatSaysNothingKeepsNobodyOut has more connections than places, all of which stay open on the other side.
func TestACrowdThatSaysNothingKeepsNobodyOut(t *testing.T) {
	t.Parallel()

	f := start(t, Options{})

	const crowd = 2000

	for at := range crowd {
		conn := f.dial(t)
		if at%2 == 0 {
			_, err := io.WriteString(conn, "GET /v1/oo")
			require.NoError(t, err)
		}
	}

	f.requireAnswers(t, soon)

	status := f.status()
	require.LessOrEqual(t, status.Connections, maxConns)
	require.GreaterOrEqual(t, status.Dropped, uint64(crowd-maxConns))
}

// TestAFloodOfTheAgentsUserKeepsRootNotOut has the test's own user stand for root, where it is, and nobody for the agent's.
func TestAFloodOfTheAgentsUserKeepsRootNotOut(t *testing.T) {
	t.Parallel()

	g := newGate()
	f := start(t, Options{Handlers: allVerbs(func(ctx context.Context, r helper.Request) (any, error) {
		if r.Verb == helper.VerbListeners {
			return g.handle(ctx, r)
		}

		return done, nil
	})})

	defer close(g.open)

	// All places are taken by questions that are being answered, and all work by some of them.
	connect := func(target string) {
		conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: f.socket, Net: "unix"})
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })

		_, err = fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: helper\r\n\r\n", target)
		require.NoError(t, err)
	}

	apart.AsNobody(t, func() {
		for at := range maxConns {
			connect(fmt.Sprintf("/v1/listeners?port=%d", at+1))
		}
	})
	g.await(t, maxRunning)
	require.Eventually(t, func() bool { return f.requests.Load() == maxConns }, soon, time.Millisecond)

	// One more of theirs is told so.
	apart.AsNobody(t, func() {
		status, body := f.get(t, "/v1/oom")
		require.Equal(t, http.StatusServiceUnavailable, status)
		require.Equal(t, failed(helper.CodeBusy, "64 connections are being answered already; ask again"), body)
	})

	if os.Geteuid() == 0 {
		f.requireAnswers(t, soon)

		status, _ := f.get(t, "/v1/listeners?port=1")
		require.Equal(t, http.StatusGatewayTimeout, status, "root's work began, and the handler hangs")
		require.EqualValues(t, maxRunning+1, g.started.Load())
	}
}

func TestAPeerThatDoesNotReadItsAnswerIsCutOff(t *testing.T) {
	t.Parallel()

	large := []byte(strings.Repeat("x", 8<<20))
	f := start(t, Options{Handlers: map[helper.Verb]Handler{
		helper.VerbSlabinfo: func(context.Context, helper.Request) (any, error) { return large, nil },
		helper.VerbOOM:      atOnce,
	}})

	for range 2 * maxRunning {
		_, err := io.WriteString(f.dial(t), "GET /v1/slabinfo HTTP/1.1\r\nHost: x\r\n\r\n")
		require.NoError(t, err)
	}

	require.Eventually(t, func() bool { return f.requests.Load() == 2*maxRunning }, soon, time.Millisecond)
	f.requireAnswers(t, soon)
	require.Zero(t, f.status().Running, "they hold no work")

	info, _ := helper.VerbSlabinfo.Info()
	require.Eventually(t, func() bool { return f.active.Load() == 0 }, info.Limit+writeLimit+soon, 10*time.Millisecond)
	f.requireAnswers(t, soon)
}

func TestAHandlerThatPanicsIsToldAndHarmsNobody(t *testing.T) {
	t.Parallel()

	f := start(t, Options{Handlers: map[helper.Verb]Handler{
		helper.VerbNginx: func(context.Context, helper.Request) (any, error) { panic(errors.New("index out of range")) },
		helper.VerbOOM:   atOnce,
	}})

	for range 3 * maxRunning {
		status, body := f.get(t, "/v1/nginx")
		require.Equal(t, http.StatusInternalServerError, status)
		require.Equal(t, failed(helper.CodeFailed,
			"cannot do nginx: it panicked (index out of range); the stack is in the journal, please report it"), body)
	}

	require.Zero(t, f.status().Running)
	require.Contains(t, f.journal.String(), "<3>recovered a panic in nginx: index out of range\ngoroutine ")
	require.Contains(t, f.journal.String(), "bounds_test.go")
	f.requireAnswers(t, soon)
}

// TestHandlersThatHangAreToldAndOthersAnswered has handlers take no notice of the time.
func TestHandlersThatHangAreToldAndOthersAnswered(t *testing.T) {
	t.Parallel()

	g := newGate()
	f := start(t, Options{Handlers: map[helper.Verb]Handler{
		helper.VerbNginxConfig: g.handle, helper.VerbOOM: atOnce,
	}})
	hang := func(wait string) (status int, body string) { return f.get(t, "/v1/nginx-config?wait_ms="+wait) }

	for at := range maxRunning - 1 {
		status, body := hang(fmt.Sprint(100 + at))
		require.Equal(t, http.StatusGatewayTimeout, status)
		require.Equal(t, failed(helper.CodeTooLate, fmt.Sprintf("nginx-config takes longer than %dms; it goes on, ask again", 100+at)), body)
	}

	require.Equal(t, maxRunning-1, f.status().Running)
	f.requireAnswers(t, soon)

	// Whoever asks the same waits for the same.
	hang("100")
	require.EqualValues(t, maxRunning-1, g.started.Load())
	f.requireAnswers(t, soon)

	// Only when all work is taken others wait, and are told.
	hang("200")
	status, body := hang("300")
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.Equal(t, failed(helper.CodeBusy, "cannot do nginx-config: 4 other requests take their time; ask again"), body)
	require.EqualValues(t, maxRunning, g.started.Load())

	close(g.open)
	require.Eventually(t, func() bool { return f.status().Running == 0 }, soon, time.Millisecond)
	f.requireAnswers(t, soon)
}

func TestAHandlerIsToldWhenItsTimeIsOver(t *testing.T) {
	t.Parallel()

	over := make(chan time.Duration, 1)
	f := start(t, Options{Handlers: allVerbs(func(ctx context.Context, _ helper.Request) (any, error) {
		begun := time.Now()
		<-ctx.Done()
		over <- time.Since(begun)

		return nil, ctx.Err()
	})})

	status, _ := f.get(t, "/v1/nginx-config?wait_ms=300")
	require.Contains(t, []int{http.StatusGatewayTimeout, http.StatusInternalServerError}, status, "the handler and the server are equally fast")
	require.InDelta(t, 0.3, (<-over).Seconds(), 0.2)
}
