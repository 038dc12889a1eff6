package site

import (
	"fmt"
	"strconv"
	"strings"
)

const (
	minStatus = 100
	maxStatus = 599
)

// StatusSet is a set of HTTP statuses. The zero value is empty.
type StatusSet struct {
	bits [maxStatus/64 + 1]uint64
}

// ParseStatusSet reads statuses and ranges of them separated by commas, such as "200-299,301,404". It fails where there
// is none, and where one is not within 100 and 599.
func ParseStatusSet(text string) (StatusSet, error) {
	var set StatusSet

	for part := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(strings.TrimSpace(part), "-")
		if !isRange {
			last = first
		}

		from, to := parseStatus(first), parseStatus(last)
		if from == 0 || to == 0 || from > to {
			return StatusSet{}, fmt.Errorf("cannot use the statuses %q: %q is not a status or a range of them; write them as 200-299,301",
				capText(text, textLimit), capText(part, textLimit))
		}

		for status := from; status <= to; status++ {
			set.bits[status/64] |= 1 << (status % 64)
		}
	}

	return set, nil
}

// parseStatus returns 0 where text is not a status.
func parseStatus(text string) int {
	status, err := strconv.ParseUint(strings.TrimSpace(text), 10, 16)
	if err != nil || status < minStatus || status > maxStatus {
		return 0
	}

	return int(status)
}

// Has tells whether a status is in the set.
func (s StatusSet) Has(status int) bool {
	return status >= minStatus && status <= maxStatus && s.bits[status/64]&(1<<(status%64)) != 0
}

// String is the shortest text that ParseStatusSet makes the set of.
func (s StatusSet) String() string {
	var parts []string

	for first := minStatus; first <= maxStatus; first++ {
		if !s.Has(first) {
			continue
		}

		last := first
		for s.Has(last + 1) {
			last++
		}

		part := strconv.Itoa(first)
		if last > first {
			part += "-" + strconv.Itoa(last)
		}

		parts = append(parts, part)
		first = last
	}

	return strings.Join(parts, ",")
}
