package table

import (
	"cmp"
	"fmt"
	"slices"
)

// pick returns the sites for so many lines, in their own order where there is a line for each, and what the others are.
func pick(all []Watched, lines int) (shown []Watched, more string) {
	if len(all) <= lines {
		return all, ""
	}

	// The last line is for the others.
	lines = max(lines-1, 1)
	all = slices.Clone(all)
	slices.SortStableFunc(all, worse)

	more = fmt.Sprintf("and %d more", len(all)-lines)
	if failing := count(all[lines:], isFailing); failing > 0 {
		more += fmt.Sprintf(", %d of them failing", failing)
	}

	return all[:lines], more
}

// trueFirst compares for a sort.
func trueFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	default:
		return 1
	}
}

// worse puts failing sites first, then those that could not be tested, and then those that failed most or are slowest. It does not
// look at single requests, as rows that change places cannot be read.
func worse(a, b Watched) int {
	return cmp.Or(
		trueFirst(isFailing(a), isFailing(b)),
		trueFirst(isUntested(a), isUntested(b)),
		cmp.Compare(okShare(a), okShare(b)),
		cmp.Compare(quantilesOf(b).P90S, quantilesOf(a).P90S),
	)
}

func count(all []Watched, is func(Watched) bool) int {
	n := 0

	for _, w := range all {
		if is(w) {
			n++
		}
	}

	return n
}

func isFailing(w Watched) bool { return w.ConsecutiveFailures > 0 }

func isUntested(w Watched) bool { return w.Last != nil && !w.Last.Reason.Tested() }

// okShare is of the requests that say something about the site; 1 where there is none.
func okShare(w Watched) float64 {
	if w.OK+w.Failed == 0 {
		return 1
	}

	return float64(w.OK) / float64(w.OK+w.Failed)
}
