package table

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/site"
)

var noColors = Colors{Head: plain, Bad: plain}

func plain(text string) string { return text }

// failedAt is when the sites of these tests failed last, noon of a day wherever the tests run.
var failedAt = time.Date(2026, 11, 24, 12, 0, 0, 0, time.Local)

func watched(name string, ok, failed, untested uint64) Watched {
	return Watched{Report: &site.Report{
		Site: name, URL: "http://" + name + ".example/", IntervalS: 0.5, Requests: ok + failed + untested, OK: ok, Failed: failed, NotTested: untested,
		Reasons: map[string]uint64{"ok": ok, "reset_before_response": failed, "local_error": untested, "tls_cert_invalid": 0},
	}}
}

func healthy(name string) Watched {
	w := watched(name, 118, 0, 0)
	w.Last = &site.Result{ReasonName: "ok", TotalS: 0.0312, Phases: site.Phases{ResolveS: 0.00004, ConnectS: 0.0002, TLSS: 0.004, SendS: 0.0001, WaitS: 0.0265, TransferS: 0.0004}}
	w.Windows = map[string]site.Window{
		"5m": {OK: site.Side{Count: 118, Total: &site.Quantiles{P50S: 0.031, P90S: 0.042, P99S: 0.19, MaxS: 1.5}}},
		"1h": {OK: site.Side{Count: 118, Total: &site.Quantiles{P50S: 0.031, P90S: 0.042, P99S: 0.19, MaxS: 1.5}}},
	}
	w.Recent = probes(31, 30, 62, 31)

	return w
}

// ailing is a site that fails sometimes; now tells whether it does.
func ailing(name string, now bool) Watched {
	w := healthy(name)
	failure := &site.Result{
		At: failedAt.Unix(), Reason: site.ReasonResetBeforeResponse, ReasonName: "reset_before_response", TotalS: 0.0004,
		Sentence: "the connection to 192.0.2.1:80 was reset after the request was sent and before the first byte of the answer: another process may be accepting on this port",
	}
	w.Requests, w.Failed, w.Reasons["reset_before_response"] = 120, 2, 2
	w.Evidence, w.Recent = []*site.Result{failure}, probes(31, -1, 31, 31, -1)

	if now {
		w.Last, w.ConsecutiveFailures = failure, 1
	}

	return w
}

func untestable(name string) Watched {
	w := watched(name, 0, 0, 3)
	w.Last = &site.Result{At: failedAt.Unix(), Reason: site.ReasonLocalError, ReasonName: "local_error", TotalS: 0.0001, Sentence: "the probe could not be made"}
	w.Evidence, w.Recent = []*site.Result{w.Last}, probes(0, 0, 0)

	return w
}

func live(all []Watched, columns, rows int, utf8 bool) string {
	return Live(all, failedAt.Add(3*time.Second), Look{Columns: columns, Rows: rows, UTF8: utf8, Colors: noColors})
}

func TestLiveViewOfAWideTerminalHasALinePerSite(t *testing.T) {
	t.Parallel()

	require.Equal(t, `
12:00:03  3 sites, 1 failing; Ctrl-C ends

site  last                     total       ok   failed  requests  in a row  not tested      p50      p90      p99  resolve  connect      tls     send     wait  transfer  ▃ usual latency, ▅ twice that, × failed, ? not tested
blog  reset_before_response  0.40 ms   98.3 %        2       120         1           0  31.0 ms  42.0 ms   190 ms        -        -        -        -        -         -  ▃×▃▃×
new   -                            -        -        0         0         0           0        -        -        -        -        -        -        -        -         -
shop  ok                     31.2 ms  100.0 %        0       118         0           0  31.0 ms  42.0 ms   190 ms  0.04 ms  0.20 ms  4.00 ms  0.10 ms  26.5 ms   0.40 ms  ▃▃▅▃

12:00:00 blog reset_before_response: the connection to 192.0.2.1:80 was reset after the request was sent and before the first byte of the answer: another process may be accepting on this port
`, "\n"+live([]Watched{ailing("blog", true), watched("new", 0, 0, 0), healthy("shop")}, 230, 24, true))
}

func TestLiveViewOfANarrowTerminalContinuesInFurtherTables(t *testing.T) {
	t.Parallel()

	require.Equal(t, `
12:00:03  2 sites, 1 could not be tested; Ctrl-C ends

site  last                     total       ok   failed  latency
blog  ok                     31.2 ms   98.3 %        2  -x--x
odd   local_error            0.10 ms        -        0  ???

site  requests  in a row  not tested      p50      p90      p99  resolve
blog       120         0           0  31.0 ms  42.0 ms   190 ms  0.04 ms
odd          3         0           3        -        -        -        -

site  connect      tls     send     wait  transfer
blog  0.20 ms  4.00 ms  0.10 ms  26.5 ms   0.40 ms
odd         -        -        -        -         -

12:00:00 blog reset_before_response: the connection to 192.0.2.1:80 was reset
  after the request was sent and before the first byte of the answer: another
  process may be accepting on this port
12:00:00 odd local_error: the probe could not be made
`, "\n"+live([]Watched{ailing("blog", false), untestable("odd")}, 80, 24, false))
}

func TestLiveViewOfOneURLNamesItWhole(t *testing.T) {
	t.Parallel()

	w := healthy("")
	w.URL = "https://shop.example/a/path/that/is/longer"

	require.Equal(t, `
12:00:03  https://shop.example/a/path/that/is/longer every 0.5 s; Ctrl-C ends

site                  last    total       ok   failed  ▃ usual, ▅ twice, × failed
https://shop.exampl…  ok    31.2 ms  100.0 %        0  ▃▃▅▃

site                  requests  in a row  not tested      p50      p90      p99
https://shop.exampl…       118         0           0  31.0 ms  42.0 ms   190 ms

site                  resolve  connect      tls     send     wait  transfer
https://shop.exampl…  0.04 ms  0.20 ms  4.00 ms  0.10 ms  26.5 ms   0.40 ms
`, "\n"+live([]Watched{w}, 82, 24, true))
}

func TestLiveViewOfMoreSitesThanRowsShowsTheWorst(t *testing.T) {
	t.Parallel()

	var all []Watched
	for i := range 500 {
		all = append(all, healthy(fmt.Sprintf("s%03d", i)))
	}

	slow := healthy("s300")
	slow.Windows = map[string]site.Window{"5m": {OK: site.Side{Total: &site.Quantiles{P90S: 3}}}}
	all[300], all[200], all[100], all[250] = slow, ailing("s200", false), untestable("s100"), ailing("s250", true)

	require.Equal(t, `
12:00:03  500 sites, 1 failing, 1 could not be tested; Ctrl-C ends

site  last                     total       ok   failed  latency
s250  reset_before_response  0.40 ms   98.3 %        2  ▃×▃▃×
s100  local_error            0.10 ms        -        0  ???
s200  ok                     31.2 ms   98.3 %        2  ▃×▃▃×
s300  ok                     31.2 ms  100.0 %        0  ▃▃▅▃
s000  ok                     31.2 ms  100.0 %        0  ▃▃▅▃
and 495 more

12:00:00 s250 reset_before_response: the connection to 192.0.2.1:80 was reset
  after the request was sent and before the first byte of the answer: another…
`, "\n"+live(all, 80, 12, true))

	for i := 250; i < 500; i++ {
		all[i] = ailing(all[i].Site, true)
	}

	require.Contains(t, live(all, 80, 12, true), "\nand 495 more, 245 of them failing\n")
}

func TestLiveViewFitsEveryTerminal(t *testing.T) {
	t.Parallel()

	all := []Watched{ailing("blog", true), untestable("odd"), healthy("shop"), healthy(strings.Repeat("long", 16)), watched("new", 0, 0, 0)}
	for i := range 30 {
		all = append(all, ailing(fmt.Sprintf("more_%d", i), i%2 == 0))
	}

	for _, sites := range []int{1, 2, 5, len(all)} {
		for rows := 6; rows < 80; rows++ {
			for columns := 45; columns < 300; columns += 17 {
				text := live(all[:sites], columns, rows, true)
				lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
				require.LessOrEqual(t, len(lines), rows, "%d sites in %d rows:\n%s", sites, rows, text)

				for _, line := range lines {
					require.LessOrEqual(t, width(line), columns, "%d sites in %d columns:\n%s", sites, columns, text)
				}
			}
		}
	}

	require.NotEmpty(t, live(all, 1, 1, true))
}

func TestLiveViewColorsFailures(t *testing.T) {
	t.Parallel()

	look := Look{Columns: 230, Rows: 24, UTF8: true, Colors: Colors{
		Head: func(text string) string { return "<h>" + text + "</h>" },
		Bad:  func(text string) string { return "<b>" + text + "</b>" },
	}}
	text := Live([]Watched{ailing("blog", true), healthy("shop")}, failedAt, look)

	require.Contains(t, text, "<h>site  last")
	require.Contains(t, text, "\nblog  <b>reset_before_response</b>  0.40 ms")
	require.Contains(t, text, "  120         <b>1</b>  ")
	require.Contains(t, text, "  ▃<b>×</b>▃▃<b>×</b>\n")
	require.Contains(t, text, "\nshop  ok                     31.2 ms  100.0 %")
}

func TestAvailabilityIsNotRoundedUp(t *testing.T) {
	t.Parallel()

	require.Equal(t, "99.9 %", availability(watched("shop", 99_999, 1, 0)))
	require.Equal(t, "100.0 %", availability(watched("shop", 99_999, 0, 5)))
	require.Equal(t, "-", availability(watched("shop", 0, 0, 5)))
}

func TestLogLinesTellWhatIsNew(t *testing.T) {
	t.Parallel()

	now := failedAt.Add(time.Second)
	ill := ailing("blog", true)
	hidden := ailing("blog", false)
	hostile := healthy("shop")
	hostile.Site, hostile.URL = "", "http://shop.example/?\u009b31m"

	for name, test := range map[string]struct {
		site   Watched
		before *site.Report
		want   string
	}{
		"a success":            {healthy("shop"), nil, "12:00:01 shop: ok, 31.2 ms; 118 of 118 ok (100.0 %)\n"},
		"nothing new":          {healthy("shop"), healthy("shop").Report, ""},
		"nothing at all":       {watched("shop", 0, 0, 0), nil, ""},
		"a failure":            {ill, &site.Report{Requests: 119, Failed: 1}, "12:00:01 blog: reset_before_response, 0.40 ms; 118 of 120 ok (98.3 %): " + ill.Evidence[0].Sentence + "\n"},
		"a failure in between": {hidden, &site.Report{Requests: 115, Failed: 1}, "12:00:01 blog: ok, 31.2 ms; 1 of 5 failed; 118 of 120 ok (98.3 %): " + ill.Evidence[0].Sentence + "\n"},
		"a failure of before":  {hidden, &site.Report{Requests: 115, Failed: 2}, "12:00:01 blog: ok, 31.2 ms; 118 of 120 ok (98.3 %)\n"},
		"not tested":           {untestable("odd"), nil, "12:00:01 odd: local_error, 0.10 ms; 0 of 3 ok: the probe could not be made\n"},
		"a hostile URL":        {hostile, nil, "12:00:01 http://shop.example/??31m: ok, 31.2 ms; 118 of 118 ok (100.0 %)\n"},
	} {
		require.Equal(t, test.want, LiveLine(test.site, test.before, now), name)
	}
}

func TestSummaryCountsEverything(t *testing.T) {
	t.Parallel()

	long := ailing("blog", false)
	long.OK, long.Overlapping = 9000, 3
	long.Reasons["tls_cert_invalid"] = 1

	require.Equal(t, "shop: 118 requests, 118 ok (100.0 %), 0 failed, 0 not tested; ok p50 31.0 ms, p90 42.0 ms, p99 190 ms, max 1.50 s\n", LiveSummary(healthy("shop")))
	require.Equal(t, "odd: 3 requests, 0 ok, 0 failed, 3 not tested\n", LiveSummary(untestable("odd")))
	require.Equal(t, "blog: 120 requests, 9000 ok (99.9 %), 2 failed (reset_before_response 2, tls_cert_invalid 1), 0 not tested; "+
		"ok in the last hour p50 31.0 ms, p90 42.0 ms, p99 190 ms, max 1.50 s; 3 left out, as the request before still ran\n", LiveSummary(long))
}

func TestProbesBreakSentencesToFit(t *testing.T) {
	t.Parallel()

	all := []Probed{
		{Site: "blog", Result: ailing("blog", true).Last},
		{Site: "shop", Result: &site.Result{ReasonName: "ok", Status: 200, TotalS: 0.0312, Phases: site.Phases{WaitS: 0.03}}},
	}

	require.Equal(t, ""+
		"site  reason                 status    total     wait  sentence\n"+
		"blog  reset_before_response  -       0.40 ms        -  the connection to 192.0.2.1:80 was reset after the\n"+
		"                                                       request was sent and before the first byte of the\n"+
		"                                                       answer: another process may be accepting on this port\n"+
		"shop  ok                     200     31.2 ms  30.0 ms\n", Probes(all, 110, noColors))

	require.Contains(t, Probes(all, 0, noColors), "before the first byte of the answer: another")
	require.Equal(t, Probes(all, 0, noColors), Probes(all, 60, noColors), "no room beside the table")
}
