package paired

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheWaysTakeTurnsThereAndBackAgain(t *testing.T) {
	t.Parallel()

	order, now := "", 0.0
	way := func(name string, more float64) Way {
		return func() func() {
			order += name
			now += more

			return func() {
				order += "."
				now -= more
			}
		}
	}

	// The machine slows down all the while, which meets all alike.
	costs := Compare(2, func() float64 {
		now++

		return now
	}, nil, way("b", 10), way("c", 20))

	require.Equal(t, "b.c.c.b.b.c.c.b.", order)
	require.Equal(t, Costs{{3.5, 9.5}, {13.5, 19.5}, {23.5, 29.5}}, costs)
	require.Equal(t, Interval{Median: 6.5, Low: 3.5, High: 9.5}, costs.Of(0))
	require.Equal(t, Interval{Median: 10, Low: 10, High: 10}, costs.More(1))
	require.Equal(t, Interval{Median: 20, Low: 20, High: 20}, costs.More(2))
	require.InDelta(t, 100*10/3.5, costs.MorePct(1).High, 1e-9)
}

// The numbers are those of tables of the sign test.
func TestTheIntervalHasAsManyValuesOutsideAsTheSignTestAllows(t *testing.T) {
	t.Parallel()

	for values, want := range map[int]int{1: 0, 5: 0, 6: 0, 8: 0, 9: 1, 12: 2, 20: 5, 25: 7, 40: 13, 100: 39} {
		require.Equal(t, want, outside(values), "%d", values)
	}
}

func TestTheIntervalHasTheTrueDifferenceInItAsOftenAsItSays(t *testing.T) {
	t.Parallel()

	const (
		tries = 2000
		more  = 3.0
	)

	random := rand.New(rand.NewPCG(1, 2))
	inside := 0

	for range tries {
		level := 100.0
		costs := Compare(25, func() float64 {
			// Others on the machine disturb some rounds a lot.
			if random.IntN(10) == 0 {
				return level + 50*random.Float64()
			}

			return level + random.NormFloat64()
		}, nil, func() func() {
			level += more

			return func() { level -= more }
		})

		if found := costs.More(1); found.Low <= more && more <= found.High {
			inside++
		}
	}

	require.GreaterOrEqual(t, inside, tries*94/100)
}
