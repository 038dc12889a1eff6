package site

import "time"

// recentCount is how many latencies the live view shows.
const recentCount = 60

// state is what is known of a site, under its lock. Its size is bounded whatever the site does.
type state struct {
	startedAt   int64
	reasons     [reasonCount]uint64
	bytes       uint64
	late        uint64
	overlapping uint64
	consecutive uint64
	lastSuccess int64
	lastExpiry  int64
	last        *Result
	windows     windows
	evidence    evidence
	recent      [recentCount]Recent
	recentNext  int
	recentFull  bool
}

// Recent is one probe in the live view's strip.
type Recent struct {
	TotalS float32
	Reason Reason
}

func newState(now time.Time) state {
	return state{startedAt: now.Unix(), windows: windows{start: now}}
}

func (s *state) count(r *Result, now time.Time) {
	s.reasons[r.Reason]++
	s.bytes += uint64(max(0, r.Bytes))
	s.last = r

	if r.CertificateExpiresAt != nil {
		s.lastExpiry = *r.CertificateExpiresAt
	}

	s.recent[s.recentNext] = Recent{TotalS: float32(r.TotalS), Reason: r.Reason}
	s.recentNext = (s.recentNext + 1) % recentCount
	s.recentFull = s.recentFull || s.recentNext == 0

	switch {
	case r.Reason == ReasonOK:
		s.consecutive = 0
		s.lastSuccess = r.At
		s.windows.record(now, r)
	case r.Reason.Tested():
		s.consecutive++
		s.windows.record(now, r)
		s.evidence.add(r)
	default:
		s.evidence.add(r)
	}
}

func (s *state) totals() (requests, ok, failed, notTested uint64) {
	for _, n := range s.reasons {
		requests += n
	}

	ok, notTested = s.reasons[ReasonOK], s.reasons[ReasonLocalError]

	return requests, ok, requests - ok - notTested, notTested
}

// strip returns the recent probes, the oldest first.
func (s *state) strip() []Recent {
	if !s.recentFull {
		return append([]Recent{}, s.recent[:s.recentNext]...)
	}

	return append(append([]Recent{}, s.recent[s.recentNext:]...), s.recent[:s.recentNext]...)
}
