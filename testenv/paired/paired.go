// Package paired measures how much more one way of doing a work costs than another, where the noise of the machine is greater than that.
//
// The ways take turns in short rounds, there and back again (A B C C B A), so that whatever changes slowly meets all alike. Each turn tells the
// difference once, and the median of many turns is told with the interval in which it lies.
package paired

import (
	"fmt"
	"slices"
)

// Way prepares for a round, and returns what puts an end to that; nil where there is nothing to prepare.
type Way func() (end func())

// Costs are what the rounds cost, by way and turn.
type Costs [][]float64

// Compare has each way cost twice a turn.
func Compare(turns int, cost func() float64, ways ...Way) Costs {
	costs := make(Costs, len(ways))

	for range turns {
		sums := make([]float64, len(ways))

		for i := range 2 * len(ways) {
			way := min(i, 2*len(ways)-1-i)
			sums[way] += one(ways[way], cost)
		}

		for way, sum := range sums {
			costs[way] = append(costs[way], sum/2)
		}
	}

	return costs
}

func one(way Way, cost func() float64) float64 {
	if way != nil {
		defer way()()
	}

	return cost()
}

// Of is what a way costs.
func (c Costs) Of(way int) Interval { return Median(c[way]) }

// More is how much more than the first a way costs.
func (c Costs) More(way int) Interval {
	return c.each(way, func(first, cost float64) float64 { return cost - first })
}

// MorePct is the same in percent of the first.
func (c Costs) MorePct(way int) Interval {
	return c.each(way, func(first, cost float64) float64 { return 100 * (cost/first - 1) })
}

func (c Costs) each(way int, difference func(first, cost float64) float64) Interval {
	all := make([]float64, len(c[way]))
	for turn := range all {
		all[turn] = difference(c[0][turn], c[way][turn])
	}

	return Median(all)
}

// Interval is the median of what was measured. That of endlessly many turns lies from Low to High in 95 of 100 cases, or
// more; with less than six turns nothing is known of it.
type Interval struct{ Median, Low, High float64 }

func (i Interval) String() string {
	return fmt.Sprintf("%.2f (%.2f to %.2f)", i.Median, i.Low, i.High)
}

// Median makes no assumption on how the noise is spread: each value lies above the true median or below it, like the sides of a coin (sign test).
func Median(values []float64) Interval {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	outside := outside(n)

	return Interval{Median: (sorted[(n-1)/2] + sorted[n/2]) / 2, Low: sorted[outside], High: sorted[n-1-outside]}
}

// outside is how many of the values at each end are no bounds: so many coins or less of n show one side in 2.5 of 100 cases at most.
func outside(n int) int {
	const oneSide = 0.025

	chance := 1.0
	for range n {
		chance /= 2
	}

	sum := chance

	for k := 0; ; k++ {
		if sum > oneSide {
			return max(k-1, 0)
		}

		chance *= float64(n-k) / float64(k+1)
		sum += chance
	}
}
