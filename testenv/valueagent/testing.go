package valueagent

import "testing"

// StartT is Start for tests: the agent is stopped at the test's end, which fails where the agent could not answer somebody.
func StartT(tb testing.TB) *Agent {
	tb.Helper()
	a, err := Start()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := a.Stop(); err != nil {
			tb.Error(err)
		}
	})
	return a
}
