package table

import (
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/site"
)

// A host whose IPv6 is dead is up for the probe, and slow for every visitor.
func TestAnAddressThatDidNotConnectIsShown(t *testing.T) {
	t.Parallel()

	text := Probe(&site.Result{ReasonName: "ok", Status: 200, Protocol: "HTTP/1.1", ConnectAttempts: []site.ConnectAttempt{
		{Address: "[2001:db8::1]:443", Error: "no answer within 0.30 s"}, {Address: "192.0.2.1:443", StartS: 0.3},
	}})
	require.Contains(t, text, "ok, status 200, HTTP/1.1, 0 B\n[2001:db8::1]:443 did not connect: no answer within 0.30 s\n")
	require.NotContains(t, text, "192.0.2.1:443 did not connect")
}
