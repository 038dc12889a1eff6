package baddns

import "testing"

// StartT is Start for tests: the server is closed at the test's end.
func StartT(tb testing.TB, b Behavior, zone Zone) *Server {
	tb.Helper()
	s, err := Start(b, zone)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.Close)
	return s
}
