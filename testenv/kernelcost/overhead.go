package kernelcost

import (
	"runtime/debug"
	"testing"
	"time"

	"zabbix-agent2-plugin-hosting/testenv/paired"
)

// Load is a work that programs in the kernel slow down.
type Load struct {
	// Unit is what it does over and over, such as a connection.
	Unit string
	// Do does it so often, and returns how much processor time all took that had a part in it.
	Do func() (spent time.Duration, units int)
	// Turns is how often each way of doing it is measured, twice each time; half of it suffices for the kernel's account.
	Turns int
	// Tracepoints are those that the programs are at.
	Tracepoints []string
	// Programs starts what is measured.
	Programs paired.Way
}

// Overhead is what programs add to each unit of a load, of whose processor time it is the percentage.
type Overhead struct {
	// Spent is without programs, in ns.
	Spent paired.Interval
	// Total is measured with and without the programs, KernelsPart with programs in their place that do nothing.
	Total, KernelsPart paired.Interval
	// Own is how much longer the programs take than such ones by the kernel's own account: with KernelsPart a second measure of Total. It has no part of
	// what else a program's process does.
	Own paired.Interval
	// Runs are how often the programs run for each unit, RunNs how much longer each run takes than that of a program that does nothing.
	Runs, RunNs float64
}

const (
	bare = iota
	idle
	programs
)

// Measure takes each figure in a comparison of its own, as the account changes what is measured.
func (l Load) Measure(tb testing.TB) Overhead {
	tb.Helper()

	// A start allocates a lot, whose collection would fall into one kind of round only.
	collect := debug.SetGCPercent(-1)
	defer debug.SetGCPercent(collect)

	nothing := Idle(tb, l.Tracepoints...)
	costs := paired.Compare(l.Turns, l.cost, nil, nothing, l.Programs)
	o := Overhead{Spent: costs.Of(bare), Total: costs.MorePct(programs), KernelsPart: costs.MorePct(idle)}

	var runs []float64

	took := paired.Compare(l.Turns/2, func() float64 {
		took, count := l.account(tb)
		runs = append(runs, count)

		return took
	}, nothing, l.Programs)
	longer := took.More(1)
	pct := 100 / o.Spent.Median
	o.Own = paired.Interval{Median: longer.Median * pct, Low: longer.Low * pct, High: longer.High * pct}
	o.Runs = paired.Median(runs).Median
	o.RunNs = longer.Median / o.Runs

	return o
}

// cost is in ns for each unit.
func (l Load) cost() float64 {
	spent, units := l.Do()

	return float64(spent) / float64(units)
}

// account is how long programs run for each unit, in ns, and how often.
func (l Load) account(tb testing.TB) (took, count float64) {
	tb.Helper()

	units := 0

	for _, one := range Account(tb, func() { _, units = l.Do() }) {
		took += float64(one.Time)
		count += float64(one.Count)
	}

	return took / float64(units), count / float64(units)
}

// Report reports the figures beside the bound of Total, in percent, and says whether it is met.
func (o Overhead) Report(b *testing.B, l Load, bound float64) {
	b.Helper()
	b.ReportMetric(o.Spent.Median, "ns/"+l.Unit)
	b.ReportMetric(o.Total.Median, "more-%")
	b.ReportMetric(bound, "bound-%")
	b.ReportMetric(o.Runs, "runs/"+l.Unit)
	b.ReportMetric(o.RunNs, "own-ns/run")
	b.ReportMetric(0, "ns/op")

	verdict := "it is not certain whether the bound is met"

	switch {
	case o.Total.High <= bound:
		verdict = "the bound is met"
	case o.Total.Low > bound:
		verdict = "OVER the bound"
	}

	b.Logf("%s: %s %% more, bound %g %%: %s", l.Unit, o.Total, bound, verdict)
	b.Logf("the kernel's part, for programs that do nothing: %s %%; by its account the programs take %s %% more than such ones", o.KernelsPart, o.Own)
}
