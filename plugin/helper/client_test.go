package helper

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/nginx"
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
				require.Equal(t, errors.Is(kind, other), errors.Is(err, other), "%v", other)
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
