package helper

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/nginx"
	"zabbix-agent2-plugin-hosting/testenv/apart"
)

const ok = `{"schema":1}`

var (
	goodAnswer = says(http.StatusOK, jsonType, ok)
	slabinfo   = Request{Verb: VerbSlabinfo}
	instances  = Request{Verb: VerbNginx}
)

// requireHealth compares all of the health but the time of the last question, which must be now.
func requireHealth(t *testing.T, c *Client, want Health) {
	t.Helper()

	got := c.Health()
	require.WithinDuration(t, time.Now(), got.AskedAt, time.Second)

	got.AskedAt = time.Time{}
	require.Equal(t, want, got)
}

// requireUnusable wants a state and a sentence, and returns the error.
func requireUnusable(t *testing.T, err error, state State, sentence string) *UnusableError {
	t.Helper()

	var unusable *UnusableError

	require.ErrorAs(t, err, &unusable)
	require.Equal(t, state, unusable.State, "%v", err)
	require.EqualError(t, err, "cannot ask the root helper: "+sentence)

	return unusable
}

func TestAnAnswerIsTakenAsItIs(t *testing.T) {
	t.Parallel()

	d := startDouble(t, func(conn net.Conn, target string) bool {
		if target == "/v1/slabinfo" {
			return always(says(http.StatusOK, "text/plain; charset=utf-8", "the kernel's text"))(conn, target)
		}

		return always(says(http.StatusOK, jsonType, fmt.Sprintf("%q", target)))(conn, target)
	})
	c := NewClient(d.socket)
	require.Equal(t, Health{State: Absent}, c.Health())
	require.True(t, c.Silent())

	body, err := c.JSON(t.Context(), Request{Verb: VerbListeners, Port: 80})
	require.NoError(t, err)
	require.Equal(t, `"/v1/listeners?port=80"`, string(body))

	body, err = c.JSON(t.Context(), Request{Verb: VerbNginxConfig, Instance: nginx.ID("edge")})
	require.NoError(t, err)
	require.Equal(t, `"/v1/nginx-config?instance=`+nginx.ID("edge")+`&wait_ms=4900"`, string(body))

	buf := make([]byte, 0, 100)
	body, err = c.Text(t.Context(), slabinfo, buf)
	require.NoError(t, err)
	require.Equal(t, "the kernel's text", string(body))
	require.Same(t, &buf[:1][0], &body[0], "the buffer is used again")

	body, err = c.Text(t.Context(), slabinfo, nil)
	require.NoError(t, err)
	require.Equal(t, "the kernel's text", string(body))

	requireHealth(t, c, Health{State: OK, Version: doubleVersion, Requests: 4})
	require.False(t, c.Silent())
	require.EqualValues(t, 1, d.connections.Load(), "one connection served them all")
}

func TestTheDeadlineOfTheCallerIsToldInSteps(t *testing.T) {
	t.Parallel()

	for left, want := range map[time.Duration]time.Duration{
		3 * time.Second:        2900 * time.Millisecond,
		220 * time.Millisecond: 100 * time.Millisecond,
		80 * time.Millisecond:  29 * time.Millisecond,
		0:                      time.Millisecond,
		-time.Second:           time.Millisecond,
	} {
		// Half a millisecond is for the time that passes here.
		got := waitUntil(time.Now().Add(left - 500*time.Microsecond))
		require.Equal(t, want, got, "%s are left", left)
	}
}

const looked = "; see systemctl status zabbix-hosting-helper.service"

func TestAHelperThatCannotBeReachedIsToldInASentence(t *testing.T) {
	t.Parallel()

	missing, closedToUs, silent, file := socketPath(t), socketPath(t), socketPath(t), socketPath(t)
	startDoubleAt(t, closedToUs, always(goodAnswer))
	require.NoError(t, os.Chmod(closedToUs, 0))
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.NoError(t, os.Chmod(file, 0o666))

	var nobody string

	apart.AsNobody(t, func() { nobody = userName() })

	// A socket that was left behind by who listened.
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: silent})
	require.NoError(t, err)
	listener.SetUnlinkOnClose(false)
	require.NoError(t, listener.Close())
	require.NoError(t, os.Chmod(silent, 0o666))

	for name, test := range map[string]struct {
		socket   string
		state    State
		sentence string
	}{
		"no socket is there": {missing, Absent, missing + " is missing; run systemctl enable --now zabbix-hosting-helper.socket"},
		"nobody listens":     {silent, NotAnswering, "nobody listens at " + silent + "; run systemctl restart zabbix-hosting-helper.socket"},
		"it is a file":       {file, NotAnswering, "nobody listens at " + file + "; run systemctl restart zabbix-hosting-helper.socket"},
		"its directory is a file": {
			file + "/socket", NotAnswering, "cannot connect to " + file + "/socket: connect: not a directory" + looked,
		},
		"the path is too long": {
			missing + strings.Repeat("x", 100), NotAnswering, "cannot connect to " + missing + strings.Repeat("x", 100) + ": connect: invalid argument" + looked,
		},
		"it is closed to this user": {
			closedToUs, Refused, closedToUs + " is closed to user " + nobody + "; run as root or as the agent's user",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			c := NewClient(test.socket)

			// Who dials is the thread that asks.
			var err error
			apart.AsNobody(t, func() { _, err = c.JSON(t.Context(), instances) })

			unusable := requireUnusable(t, err, test.state, test.sentence)
			require.Equal(t, test.state != NotAnswering, errors.Is(err, fs.ErrPermission), "it counts as a missing permission")
			requireHealth(t, c, Health{State: test.state, Err: unusable, Requests: 1, Failures: 1})
		})
	}
}

func TestAQueueThatIsFullIsWaitedForAndThenToldOf(t *testing.T) {
	t.Parallel()

	socket := socketPath(t)
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = unix.Close(fd) })
	require.NoError(t, unix.Bind(fd, &unix.SockaddrUnix{Name: socket}))
	require.NoError(t, unix.Listen(fd, 0))

	first, err := net.Dial("unix", socket)
	require.NoError(t, err)
	t.Cleanup(func() { _ = first.Close() })

	_, err = net.Dial("unix", socket)
	require.ErrorIs(t, err, unix.EAGAIN)

	c := NewClient(socket)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()

	_, err = c.JSON(ctx, instances)
	requireUnusable(t, err, NotAnswering, "too many others wait for it"+looked)

	answered := make(chan error, 1)

	go func() {
		_, err := c.JSON(t.Context(), instances)
		answered <- err
	}()

	// Both are taken out of the queue, and the second is answered.
	for range 2 {
		accepted, _, err := unix.Accept(fd)
		require.NoError(t, err)
		_, err = unix.Write(accepted, []byte(goodAnswer))
		require.NoError(t, err)
		t.Cleanup(func() { _ = unix.Close(accepted) })
	}

	require.NoError(t, <-answered)
}

func TestAnErrorOfACheckIsTheSameHereAsThere(t *testing.T) {
	t.Parallel()

	for code, kind := range map[Code]error{
		CodePermission: fs.ErrPermission, CodeNotSupported: fs.ErrNotExist, CodeUnknownInstance: nginx.ErrUnknownInstance, CodeFailed: nil, "of_a_newer_helper": nil,
	} {
		t.Run(string(code), func(t *testing.T) {
			t.Parallel()

			d := startDouble(t, always(says(500, jsonType, fmt.Sprintf(`{"schema":1,"code":%q,"message":"cannot see: it is dark"}`, code))))
			c := NewClient(d.socket)
			_, err := c.JSON(t.Context(), instances)
			require.EqualError(t, err, "cannot see: it is dark")

			for _, other := range []error{fs.ErrPermission, fs.ErrNotExist, nginx.ErrUnknownInstance} {
				require.Equal(t, other == kind, errors.Is(err, other), "%v", other)
			}

			requireHealth(t, c, Health{State: OK, Version: doubleVersion, Requests: 1})
		})
	}
}

func TestAHelperThatDoesNotDoItTellsWhy(t *testing.T) {
	t.Parallel()

	for code, test := range map[Code]struct {
		state    State
		sentence string
	}{
		CodeRefused:       {Refused, "it says so"},
		CodeUnknownVerb:   {VersionMismatch, "it says so; install plugin and helper of one version and restart both"},
		CodeMalformed:     {VersionMismatch, "it says so; install plugin and helper of one version and restart both"},
		CodeBusy:          {NotAnswering, "it says so"},
		CodeTooLate:       {NotAnswering, "it says so"},
		CodeConfiguration: {NotAnswering, "it says so"},
	} {
		t.Run(string(code), func(t *testing.T) {
			t.Parallel()

			d := startDouble(t, always(says(500, jsonType, fmt.Sprintf(`{"schema":1,"code":%q,"message":"it says so"}`, code))))
			c := NewClient(d.socket)

			for n := range uint64(2) {
				_, err := c.JSON(t.Context(), instances)
				unusable := requireUnusable(t, err, test.state, test.sentence)
				requireHealth(t, c, Health{State: test.state, Version: doubleVersion, Err: unusable, Requests: n + 1, Failures: n + 1})
			}

			require.EqualValues(t, 2, d.requests.Load(), "it is asked again at once, and not twice for one question")
		})
	}
}

func TestAManyfoldCrowdIsBoundedAndAnswered(t *testing.T) {
	t.Parallel()

	var now, most atomic.Int64

	d := startDouble(t, func(conn net.Conn, target string) bool {
		for here := now.Add(1); ; {
			seen := most.Load()
			if here <= seen || most.CompareAndSwap(seen, here) {
				break
			}
		}

		time.Sleep(5 * time.Millisecond)
		now.Add(-1)

		return always(goodAnswer)(conn, target)
	})
	c := NewClient(d.socket)

	requireAll(t, 1000, func() error {
		_, err := c.JSON(t.Context(), instances)

		return err
	})
	requireHealth(t, c, Health{State: OK, Version: doubleVersion, Requests: 1000})
	require.EqualValues(t, maxWaiting, most.Load())
}

// requireAll has n callers at a time, none of which may have an error.
func requireAll(t *testing.T, n int, ask func() error) {
	t.Helper()

	var (
		all  sync.WaitGroup
		errs = make(chan error, n)
	)

	for range n {
		all.Go(func() { errs <- ask() })
	}

	all.Wait()
	close(errs)

	for err := range errs {
		require.NoError(t, err)
	}
}
