package helper

import (
	"context"
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/apart"
)

const (
	head    = "HTTP/1.1 200 OK\r\n" + VersionHeader + ": " + doubleVersion + "\r\nContent-Type: application/json\r\n"
	unusual = "its answer cannot be used: "
)

// answersThatCannotBeUsed are what a helper may say at its worst, each with what is told of it. A connection is closed after them.
var answersThatCannotBeUsed = map[string]struct {
	raw string
	// version is whether the helper could tell its own.
	version  bool
	sentence string
}{
	"is not HTTP":                 {"220 mail.example ESMTP\r\n\r\n", false, unusual + `malformed HTTP status code "mail.example"` + looked},
	"is binary garbage":           {"\x00\xff\xfe\x01\r\n\r\n", false, unusual + `malformed HTTP response "\x00\xff\xfe\x01"` + looked},
	"is one long line of garbage": {strings.Repeat("x", 4000) + "\r\n\r\n", false, unusual + `malformed HTTP response "` + strings.Repeat("x", 75) + "…" + looked},
	"has no header of ours":       {"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}", false, unusual + "it is not the helper's" + looked},
	"has a broken header":         {"HTTP/1.1 200 OK\r\nno header\r\n\r\n", false, unusual + `malformed MIME header: missing colon: "no header"` + looked},
	"has another content type":    {says(200, "text/html", ok), true, unusual + "status 200 without a reason" + looked},
	"is a redirect": {
		"HTTP/1.1 302 Found\r\n" + VersionHeader + ": 9.9.9\r\nLocation: http://192.0.2.1/\r\nContent-Length: 0\r\n\r\n", true,
		unusual + "status 302 without a reason" + looked,
	},
	"is an error without a reason":       {says(500, "text/plain", "oops"), true, unusual + "status 500 without a reason" + looked},
	"is an error with half a reason":     {says(500, jsonType, `{"code":"failed"}`), true, unusual + "status 500 without a reason" + looked},
	"asks to go on first":                {"HTTP/1.1 100 Continue\r\n\r\n" + goodAnswer, false, unusual + "it is not the helper's" + looked},
	"has an empty body":                  {says(200, jsonType, ""), true, unusual + "it is no JSON" + looked},
	"is no JSON":                         {says(200, jsonType, "oops"), true, unusual + "it is no JSON" + looked},
	"is JSON that was cut":               {says(200, jsonType, `{"schema":1`), true, unusual + "it is no JSON" + looked},
	"has a negative length":              {head + "Content-Length: -1\r\n\r\n{}", false, unusual + `bad Content-Length "-1"` + looked},
	"has two lengths":                    {head + "Content-Length: 2\r\nContent-Length: 12\r\n\r\n{}", false, unusual + "http: message cannot contain multiple Content-Length headers; got [\"2\" \"12\"]" + looked},
	"has a length that is none":          {head + "Content-Length: 2x\r\n\r\n{}", false, unusual + `bad Content-Length "2x"` + looked},
	"has chunks that are none":           {head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", true, unusual + "invalid byte in chunk length" + looked},
	"has a header without an end":        {head + strings.Repeat("X-Long: "+strings.Repeat("x", 1000)+"\r\n", 100), false, unusual + "it has no end" + looked},
	"has a body that is too long":        {says(200, jsonType, `"`+strings.Repeat("x", maxBody)+`"`), true, unusual + "it has no end" + looked},
	"has a body without a length or end": {head + "\r\n\"" + strings.Repeat("x", maxBody+maxHead), true, unusual + "it has no end" + looked},
	"has chunks without an end":          {head + "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat("1000\r\n"+strings.Repeat("x", 4096)+"\r\n", maxBody/4096+2), true, unusual + "it has no end" + looked},
	"claims to be huge and ends":         {head + "Content-Length: 9000000000\r\n\r\n{}", true, "it ended before it answered, twice" + looked},
	"ends in its first line":             {"HTTP/1.1 20", false, unusual + `malformed HTTP status code "20"` + looked},
	"ends in its header":                 {head, false, "it ended before it answered, twice" + looked},
	"ends in its body":                   {goodAnswer[:len(goodAnswer)-1], true, "it ended before it answered, twice" + looked},
	"ends in a chunk":                    {head + "Transfer-Encoding: chunked\r\n\r\n10\r\n{", true, "it ended before it answered, twice" + looked},
	"never begins":                       {"", false, "it ended before it answered, twice" + looked},
}

func TestAnAnswerThatCannotBeUsedIsToldInASentence(t *testing.T) {
	t.Parallel()

	for name, test := range answersThatCannotBeUsed {
		t.Run("one that "+name, func(t *testing.T) {
			t.Parallel()

			d := startDouble(t, func(conn net.Conn, target string) bool {
				always(test.raw)(conn, target)

				return false
			})
			c := NewClient(d.socket)
			_, err := c.JSON(t.Context(), instances)
			unusable := requireUnusable(t, err, NotAnswering, test.sentence)

			want := Health{State: NotAnswering, Err: unusable, Requests: 1, Failures: 1}
			if test.version {
				want.Version = doubleVersion
			}

			requireHealth(t, c, want)

			// It answers again, and nobody has told the client.
			d.stop()
			startDoubleAt(t, d.socket, always(goodAnswer))

			_, err = c.JSON(t.Context(), instances)
			require.NoError(t, err)
			requireHealth(t, c, Health{State: OK, Version: doubleVersion, Requests: 2, Failures: 1})
		})
	}
}

func TestAnAnswerOfStatusThatIsAnotherValueCannotBeUsed(t *testing.T) {
	t.Parallel()

	for _, body := range []string{"[]", `"x"`, `{"pid":"x"}`} {
		_, err := NewClient(startDouble(t, always(says(200, jsonType, body))).socket).Status(t.Context())
		requireUnusable(t, err, NotAnswering, unusual+"it is no status"+looked)
	}

	status, err := NewClient(startDouble(t, always(says(200, jsonType, `{"schema":1,"version":"9.9.9","pid":7}`))).socket).Status(t.Context())
	require.NoError(t, err)
	require.Equal(t, Status{Schema: 1, Version: "9.9.9", PID: 7}, status)
}

func TestAHelperThatIsKilledIsAskedOnceMore(t *testing.T) {
	t.Parallel()

	for name, begun := range map[string]string{"before its answer": "", "in its header": head, "in its body": goodAnswer[:len(goodAnswer)-1]} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			asked := 0
			d := startDouble(t, func(conn net.Conn, target string) bool {
				if asked++; asked%2 == 0 {
					return always(goodAnswer)(conn, target)
				}

				always(begun)(conn, target)

				return false
			})
			c := NewClient(d.socket)

			for n := range uint64(3) {
				_, err := c.JSON(t.Context(), instances)
				require.NoError(t, err)
				requireHealth(t, c, Health{State: OK, Version: doubleVersion, Requests: n + 1})
			}

			// The second and third found an old connection, which ended without an answer, and asked on a new one.
			require.EqualValues(t, 6, d.requests.Load())
		})
	}
}

func TestAConnectionThatTheHelperHasClosedIsNoFailure(t *testing.T) {
	t.Parallel()

	for name, end := range map[string]func(*double, *Client){
		"it was closed while it was idle": func(d *double, _ *Client) { d.cut() },
		"the helper was started again":    func(d *double, _ *Client) { d.stop(); startDoubleAt(t, d.socket, always(goodAnswer)) },
		"the client let go of it":         func(_ *double, c *Client) { c.Close() },
		"it is older than the helper keeps it": func(_ *double, c *Client) {
			for _, idle := range c.pool.idle {
				idle.usedAt = idle.usedAt.Add(-maxIdleTime)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			d := startDouble(t, always(goodAnswer))
			c := NewClient(d.socket)

			// More connections at a time than are kept.
			requireAll(t, maxWaiting, func() error {
				_, err := c.JSON(t.Context(), instances)

				return err
			})
			require.LessOrEqual(t, len(c.pool.idle), maxIdle)
			end(d, c)

			_, err := c.JSON(t.Context(), instances)
			require.NoError(t, err)
			requireHealth(t, c, Health{State: OK, Version: doubleVersion, Requests: maxWaiting + 1})
		})
	}
}

func TestAnAnswerIsNotTakenForThatOfTheNextQuestion(t *testing.T) {
	t.Parallel()

	asked := 0
	d := startDouble(t, func(conn net.Conn, target string) bool {
		asked++

		return always(says(200, jsonType, fmt.Sprint(asked))+says(200, jsonType, `"nobody asked for this"`))(conn, target)
	})
	c := NewClient(d.socket)

	for n := range 3 {
		body, err := c.JSON(t.Context(), instances)
		require.NoError(t, err)
		require.Equal(t, fmt.Sprint(n+1), string(body))
	}
}

func TestAHelperThatHangsIsLeftAloneForAWhile(t *testing.T) {
	t.Parallel()

	d := startDouble(t, never)
	c := NewClient(d.socket)
	ask := func(limit time.Duration) (time.Duration, error) {
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()

		begun := time.Now()
		_, err := c.JSON(ctx, instances)

		return time.Since(begun), err
	}

	// Of a caller who hardly waits it is not known.
	took, err := ask(patience / 5)
	requireUnusable(t, err, NotAnswering, "no answer within 0.1 s"+looked)
	require.Less(t, took, patience)

	took, err = ask(patience * 2)
	first := requireUnusable(t, err, NotAnswering, "no answer within 1.0 s"+looked)
	require.InDelta(t, (patience * 2).Seconds(), took.Seconds(), 0.3)
	require.EqualValues(t, 2, d.connections.Load())

	requireAll(t, 100, func() error {
		if took, err := ask(patience * 2); err != first || took > patience {
			return fmt.Errorf("after %s: %w", took, err)
		}

		return nil
	})
	require.EqualValues(t, 2, d.connections.Load(), "nothing was asked meanwhile")
	requireHealth(t, c, Health{State: NotAnswering, Err: first, Requests: 2, Failures: 2})

	d.stop()
	startDoubleAt(t, d.socket, always(goodAnswer))
	require.Eventually(t, func() bool {
		_, err := ask(patience)

		return err == nil
	}, pause+time.Second, pause/100, "it recovers by itself")
	requireHealth(t, c, Health{State: OK, Version: doubleVersion, Requests: 3, Failures: 2})
}

func TestACrowdBeforeAHelperThatHangsWaitsOnce(t *testing.T) {
	t.Parallel()

	d := startDouble(t, never)
	c := NewClient(d.socket)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()

	begun := time.Now()

	requireAll(t, 1000, func() error {
		if _, err := c.JSON(ctx, instances); err == nil {
			return fmt.Errorf("it has answered")
		}

		return nil
	})
	require.InDelta(t, 1, time.Since(begun).Seconds(), 0.5)
	require.EqualValues(t, maxWaiting, d.connections.Load())
}

func TestACallerThatGivesUpIsNotTheHelpersFault(t *testing.T) {
	t.Parallel()

	d := startDouble(t, never)
	c := NewClient(d.socket)
	ctx, cancel := context.WithCancel(t.Context())

	time.AfterFunc(2*patience, cancel)

	for range 2 {
		_, err := c.JSON(ctx, instances)
		require.EqualError(t, err, "cannot wait for the root helper: context canceled")
		require.ErrorIs(t, err, context.Canceled)
	}

	require.Equal(t, Health{State: Absent}, c.Health())
	require.EqualValues(t, 1, d.connections.Load(), "who has given up asks nothing")

	// All places are taken by questions that wait.
	for range maxWaiting {
		c.waiting <- struct{}{}
	}

	_, err := c.JSON(ctx, instances)
	require.ErrorIs(t, err, context.Canceled)

	late, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()

	_, err = c.JSON(late, instances)
	requireUnusable(t, err, NotAnswering, "16 other questions to it wait already")
}

func TestNothingIsLeftBehind(t *testing.T) {
	t.Parallel()

	if !apart.Here() {
		apart.Run(t, apart.Place{})

		return
	}

	descriptors := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		require.NoError(t, err)

		return len(entries)
	}
	// The first listener starts what the runtime keeps.
	startDouble(t, always(goodAnswer)).stop()

	goroutines, files := runtime.NumGoroutine(), descriptors()

	for _, test := range answersThatCannotBeUsed {
		d := startDouble(t, always(test.raw))
		c := NewClient(d.socket)
		ctx, cancel := context.WithTimeout(t.Context(), patience/2)
		_, err := c.JSON(ctx, instances)
		require.Error(t, err)
		cancel()
		c.Close()
		d.stop()
	}

	d := startDouble(t, always(goodAnswer))
	c := NewClient(d.socket)

	requireAll(t, 100, func() error {
		_, err := c.JSON(t.Context(), instances)

		return err
	})
	c.Close()
	d.stop()

	// A goroutine of its own, as Eventually has, would be counted.
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline) && runtime.NumGoroutine() > goroutines; {
		time.Sleep(time.Millisecond)
	}

	require.Equal(t, []int{goroutines, files}, []int{runtime.NumGoroutine(), descriptors()}, "goroutines and descriptors")
}
