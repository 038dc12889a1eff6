package boot

import "testing"

// StartT is Start for tests: the machine is stopped at the test's end, and where the test failed, its console and the end of its journal are printed.
func StartT(tb testing.TB) *Machine {
	tb.Helper()
	m, err := Start()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if tb.Failed() {
			// The test's context has ended by now, so this takes one of its own.
			journal, err := m.lastMessages()
			tb.Logf("the machine's console:\n%s\nthe end of its journal (%v):\n%s", m.Console(), err, journal)
		}
		if err := m.Stop(); err != nil {
			tb.Error(err)
		}
	})
	return m
}
