package site

import "time"

// Report is the payload of hosting.site.get.
type Report struct {
	Schema    int     `json:"schema"`
	Site      string  `json:"site"`
	URL       string  `json:"url"`
	IntervalS float64 `json:"interval_s"`
	// StartedAt is the Unix time of Start, in seconds. The counters below began at 0 then and never fall.
	StartedAt int64  `json:"started_at"`
	Requests  uint64 `json:"requests"`
	OK        uint64 `json:"ok"`
	Failed    uint64 `json:"failed"`
	NotTested uint64 `json:"not_tested"`
	// Reasons has every reason's name.
	Reasons map[string]uint64 `json:"reasons"`
	Bytes   uint64            `json:"bytes"`
	// Late counts probes that began more than a tenth of the interval (at least 50 ms) late, and starts that a stalled
	// process missed.
	Late uint64 `json:"late"`
	// Overlapping counts starts that were left out as the last probe still ran.
	Overlapping         uint64 `json:"overlapping"`
	ConsecutiveFailures uint64 `json:"consecutive_failures"`
	// LastSuccessAt is nil before the first success, and Last before the first probe.
	LastSuccessAt *int64  `json:"last_success_at,omitempty"`
	Last          *Result `json:"last,omitempty"`
	// CertificateDays is of the last probe that saw a certificate, as of now.
	CertificateDays *float64          `json:"certificate_days,omitempty"`
	Windows         map[string]Window `json:"windows"`
	// Evidence is the last 20 failures, the newest first.
	Evidence []*Result `json:"evidence"`
}

const schema = 1

// Report tells what is known of a site. For a name that is not configured errors.Is(err, ErrUnknownSite).
func (m *Monitor) Report(name string) (*Report, error) {
	w := m.byName[name]
	if w == nil {
		return nil, m.unknown(name)
	}

	w.mu.Lock()
	defer w.mu.Unlock()

	return w.report(time.Now()), nil
}

func (w *watched) report(now time.Time) *Report {
	s := &w.state
	r := &Report{
		Schema: schema, Site: w.Name, URL: shownURL(w.Target.URL), IntervalS: w.Interval.Seconds(), StartedAt: s.startedAt,
		Reasons: make(map[string]uint64, reasonCount), Bytes: s.bytes, Late: s.late, Overlapping: s.overlapping,
		ConsecutiveFailures: s.consecutive, Last: s.last, Windows: s.windows.report(now), Evidence: s.evidence.newest(),
	}
	r.Requests, r.OK, r.Failed, r.NotTested = s.totals()

	for number, n := range s.reasons {
		r.Reasons[Reason(number).String()] = n
	}

	if s.lastSuccess != 0 {
		r.LastSuccessAt = new(s.lastSuccess)
	}

	if s.lastExpiry != 0 {
		r.CertificateDays = new(days(s.lastExpiry, now))
	}

	return r
}

// SiteState is a site in the live view.
type SiteState struct { //nolint:revive // The monitor's own state is called state: this is a site's.
	Name, URL                       string
	Interval                        time.Duration
	Requests, OK, Failed, NotTested uint64
	Late, Overlapping               uint64
	ConsecutiveFailures             uint64
	// LastSuccessAt is a Unix time in seconds, 0 before the first success.
	LastSuccessAt int64
	// Last is nil before the first probe.
	Last *Result
	// Recent is the last 60 probes, the oldest first.
	Recent []Recent
}

// Summary returns all sites in the order of their names.
func (m *Monitor) Summary() []SiteState {
	all := make([]SiteState, len(m.sites))
	for i, w := range m.sites {
		w.mu.Lock()
		s := &w.state
		all[i] = SiteState{
			Name: w.Name, URL: shownURL(w.Target.URL), Interval: w.Interval, Late: s.late, Overlapping: s.overlapping,
			ConsecutiveFailures: s.consecutive, LastSuccessAt: s.lastSuccess, Last: s.last, Recent: s.strip(),
		}
		all[i].Requests, all[i].OK, all[i].Failed, all[i].NotTested = s.totals()
		w.mu.Unlock()
	}

	return all
}
