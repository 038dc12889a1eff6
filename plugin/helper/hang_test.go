package helper

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// busy is how late a busy machine may be.
const busy = 3 * time.Second

// requireSilent wants what is said of a helper that hangs, and returns it.
func requireSilent(t *testing.T, err error) *UnusableError {
	t.Helper()

	require.Regexp(t, `^cannot ask the root helper: no answer within \d\.\d s`+looked+`$`, err)

	var unusable *UnusableError

	require.ErrorAs(t, err, &unusable)
	require.Equal(t, NotAnswering, unusable.State)

	return unusable
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
	requireSilent(t, err)
	require.Less(t, took, patience/5+busy)

	took, err = ask(patience * 2)
	first := requireSilent(t, err)
	require.GreaterOrEqual(t, took, patience*2)
	require.Less(t, took, patience*2+busy)
	require.EqualValues(t, 2, d.connections.Load())

	requireAll(t, 100, func() error {
		if took, err := ask(patience * 2); !errors.Is(err, first) || took > busy {
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
	require.GreaterOrEqual(t, time.Since(begun), time.Second)
	require.Less(t, time.Since(begun), time.Second+busy)
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
