package helper

import (
	"fmt"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

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
