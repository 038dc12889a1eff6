package zabbixserver

import "testing"

// StartT is Start for tests: the server is stopped at the test's end, and the end of its log is printed where the test failed.
func StartT(tb testing.TB, o Options) *Server {
	tb.Helper()
	s, err := Start(o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		errs := s.FrontendErrors()
		if err := s.Stop(); err != nil {
			tb.Error(err)
		}
		if tb.Failed() {
			log := s.Log()
			tb.Logf("the end of Zabbix server %s's log:\n%s", o.Version, log[max(0, len(log)-logLimit):])
			for _, line := range errs[max(0, len(errs)-20):] {
				tb.Log("the frontend says: " + line)
			}
		}
	})
	return s
}
