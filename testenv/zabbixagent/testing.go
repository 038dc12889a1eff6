package zabbixagent

import "testing"

// StartT is Start for tests: the agent is stopped at the test's end, and the end of its log is printed where the test failed.
func StartT(tb testing.TB, o Options) *Agent {
	tb.Helper()
	a, err := Start(o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := a.Stop(); err != nil {
			tb.Error(err)
		}
		if tb.Failed() {
			log := a.Log()
			tb.Logf("the end of agent %s's log:\n%s", a.version, log[max(0, len(log)-outputLimit):])
		}
	})
	return a
}
