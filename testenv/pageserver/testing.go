package pageserver

import (
	"testing"

	"zabbix-agent2-plugin-hosting/testenv/badsite"
)

// StartT is Start for tests: the server is stopped at the test's end. It returns the sites' URLs.
func StartT(tb testing.TB, behaviors ...badsite.Behavior) []string {
	tb.Helper()
	s, err := Start(behaviors...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.Stop)
	return s.URLs
}
