package server

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/plugin/helper"
)

const (
	idle = time.Second
	// accuracy is how exactly the idle time is kept at least; a machine that is busy may be late.
	accuracy = 200 * time.Millisecond
)

// requireEnds wants the server to end without an error, not sooner than so long after a moment, and not much later.
func (f *fixture) requireEnds(t *testing.T, moment time.Time, after time.Duration) {
	t.Helper()

	select {
	case err := <-f.ended:
		require.NoError(t, err)
		require.Greater(t, time.Since(moment), after-accuracy)
	case <-time.After(after + 5*time.Second):
		require.Fail(t, "it has not ended")
	}
}

func (f *fixture) requireLives(t *testing.T, long time.Duration) {
	t.Helper()

	select {
	case err := <-f.ended:
		require.Fail(t, "it has ended", "%v", err)
	case <-time.After(long):
	}
}

func TestTheServerEndsWhenItIsIdle(t *testing.T) {
	t.Parallel()

	t.Run("after its start", func(t *testing.T) {
		t.Parallel()

		begun := time.Now()
		start(t, Options{IdleExit: idle}).requireEnds(t, begun, idle)
	})

	t.Run("after the last answer, though connections are open", func(t *testing.T) {
		t.Parallel()

		f := start(t, Options{IdleExit: idle})
		kept := f.dial(t)

		var asked time.Time

		for range 4 {
			asked = time.Now()

			ask(t, kept, "/v1/oom")
			f.requireLives(t, idle/2)
		}

		f.requireEnds(t, asked, idle)

		_, err := kept.Read(make([]byte, 1))
		require.ErrorIs(t, err, io.EOF)
	})

	t.Run("after a request that takes longer", func(t *testing.T) {
		t.Parallel()

		g := newGate()
		f := start(t, Options{IdleExit: idle, Handlers: allVerbs(g.handle)})
		_, err := fmt.Fprint(f.dial(t), "GET /v1/listeners HTTP/1.1\r\nHost: x\r\n\r\n")
		require.NoError(t, err)
		g.await(t, 1)
		f.requireLives(t, 3*idle)

		finished := time.Now()

		close(g.open)
		f.requireEnds(t, finished, idle)
	})

	t.Run("after work whose callers have gone", func(t *testing.T) {
		t.Parallel()

		g := newGate()
		f := start(t, Options{IdleExit: idle, Handlers: allVerbs(g.handle)})
		status, _ := f.get(t, "/v1/nginx-config?wait_ms=1")
		require.Equal(t, http.StatusGatewayTimeout, status)
		f.requireLives(t, 3*idle)

		finished := time.Now()

		close(g.open)
		f.requireEnds(t, finished, idle)
	})

	t.Run("after what goes on in the background", func(t *testing.T) {
		t.Parallel()

		var busy atomic.Bool

		busy.Store(true)

		f := start(t, Options{IdleExit: idle, Busy: busy.Load})
		f.requireLives(t, 3*idle)

		finished := time.Now()

		busy.Store(false)
		f.requireEnds(t, finished, idle)
	})

	t.Run("though refused users ask", func(t *testing.T) {
		t.Parallel()

		begun := time.Now()
		f := start(t, Options{IdleExit: 3 * idle, Allowed: func(uint32) bool { return false }})
		f.requireLives(t, 2*idle)
		f.get(t, "/v1/oom")
		f.requireEnds(t, begun, 3*idle)
		require.Less(t, time.Since(begun), 5*idle, "the refused question has prolonged its life")
	})

	t.Run("though a peer has connected and says nothing", func(t *testing.T) {
		t.Parallel()

		begun := time.Now()
		f := start(t, Options{IdleExit: idle})
		f.dial(t)
		f.requireEnds(t, begun, idle+silenceLimit+stopLimit)
	})
}

// reopen returns another listener of the same socket, as systemd's next helper has.
func reopen(t *testing.T, listener *net.UnixListener) *net.UnixListener {
	t.Helper()

	file, err := listener.File()
	require.NoError(t, err)
	t.Cleanup(func() { _ = file.Close() })

	other, err := net.FileListener(file)
	require.NoError(t, err)

	return other.(*net.UnixListener)
}

// TestNoQuestionIsLostWhileServersComeAndGo keeps the socket open as systemd does, and starts the next server when one has ended.
func TestNoQuestionIsLostWhileServersComeAndGo(t *testing.T) {
	t.Parallel()

	socket := listen(t)
	t.Cleanup(func() { _ = socket.Close() })

	ctx, stop := context.WithCancel(t.Context())
	servers := make(chan int)

	go func() {
		count := 0

		for ; ctx.Err() == nil; count++ {
			f := startAt(t, reopen(t, socket), Options{IdleExit: time.Millisecond})
			<-f.ended
		}

		servers <- count
	}()

	client := helper.NewClient(socket.Addr().String())
	defer client.Close()

	for range 500 {
		// On a connection of its own there is no second attempt.
		conn, err := net.Dial("unix", socket.Addr().String())
		require.NoError(t, err)

		status, _ := ask(t, conn, "/v1/oom")
		require.Equal(t, http.StatusOK, status)
		require.NoError(t, conn.Close())

		_, err = client.JSON(t.Context(), helper.Request{Verb: helper.VerbOOM})
		require.NoError(t, err)
		time.Sleep(time.Millisecond)
	}

	stop()
	require.Greater(t, <-servers, 50)
	require.Zero(t, client.Health().Failures)
}

func TestAServerThatIsStoppedEndsSoonWhateverRuns(t *testing.T) {
	t.Parallel()

	g := newGate()
	defer close(g.open)

	socket := listen(t)
	t.Cleanup(func() { _ = socket.Close() })

	f := startAt(t, reopen(t, socket), Options{Handlers: allVerbs(g.handle)})
	f.dial(t)

	answered := make(chan error, 1)

	go func() {
		_, err := f.client().JSON(t.Context(), helper.Request{Verb: helper.VerbListeners})
		answered <- err
	}()

	g.await(t, 1)

	stopped := time.Now()

	f.stop()
	f.requireEnds(t, stopped, silenceLimit+stopLimit)

	// The client asks the next.
	startAt(t, reopen(t, socket), Options{})
	require.NoError(t, <-answered)
}

func TestAServerThatIsStoppedLetsARequestEnd(t *testing.T) {
	t.Parallel()

	g := newGate()
	f := start(t, Options{Handlers: allVerbs(g.handle)})
	conn := f.dial(t)
	_, err := fmt.Fprint(conn, "GET /v1/listeners HTTP/1.1\r\nHost: x\r\n\r\n")
	require.NoError(t, err)
	g.await(t, 1)
	f.stop()
	time.Sleep(stopLimit / 5)
	close(g.open)

	text, err := io.ReadAll(conn)
	require.NoError(t, err)
	require.True(t, bytes.HasSuffix(text, []byte(goodBody)), "%s", text)
}

func TestWorkThatHangsEndsTheServer(t *testing.T) {
	t.Parallel()

	g := newGate()
	defer close(g.open)

	f := start(t, Options{stuckAfter: idle, Handlers: allVerbs(g.handle)})

	for _, wait := range []string{"100", "101"} {
		status, _ := f.get(t, "/v1/nginx-config?wait_ms="+wait)
		require.Equal(t, http.StatusGatewayTimeout, status)
	}

	require.EqualError(t, <-f.ended,
		"cannot serve on: nginx-config has not ended 1s after its 100ms; systemd starts the helper again, see what hangs in the kernel's log")
}

func TestASocketThatBreaksEndsTheServer(t *testing.T) {
	t.Parallel()

	f := start(t, Options{})
	require.NoError(t, f.listener.Close())
	require.ErrorContains(t, <-f.ended, "cannot serve: accept unix")
}
