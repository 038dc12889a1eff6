//go:build e2e

package e2e

import (
	"testing"

	"zabbix-agent2-plugin-hosting/testenv/zabbixserver"
)

func TestEveryTriggerGoesToProblemAndBack(t *testing.T) {
	eachVersion(t, func(t *testing.T, s *zabbixserver.Server) {
		g := newStage(t, s, tables, pushed(s.Version()))
		g.play(t)
		g.require(t)
	})
}
