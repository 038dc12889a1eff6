//go:build e2e

package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/trapper"
	"zabbix-agent2-plugin-hosting/testenv/zabbixagent"
	"zabbix-agent2-plugin-hosting/testenv/zabbixapi"
	"zabbix-agent2-plugin-hosting/testenv/zabbixserver"
)

// agentHost is the name that testenv's agents give themselves.
const agentHost = "testenv"

// The keys that are asked for passively and actively.
const (
	passiveKey = "hosting.memory.sunreclaim[pused]"
	activeKey  = "hosting.memory.sunreclaim[bytes]"
)

func TestPassiveAndActiveValuesArriveThroughAProxy(t *testing.T) {
	eachVersion(t, func(t *testing.T, s *zabbixserver.Server) {
		proxy, err := s.StartProxy("proxy1")
		require.NoError(t, err)
		t.Cleanup(func() {
			if t.Failed() {
				t.Log("the proxy's log:\n" + proxy.Log())
			}
		})
		started := time.Now()
		host, err := s.API().CreateHost(zabbixapi.Host{Name: agentHost, ProxyID: proxy.ID})
		require.NoError(t, err)
		_, err = s.API().CreateItem(host, map[string]any{
			"name": "SUnreclaim", "key_": activeKey, "type": zabbixapi.TypeActive, "value_type": zabbixapi.ValueUnsigned, "delay": "1s",
		})
		require.NoError(t, err)
		// Agent 6.0 asks for its items no more often than each minute, so they have to be there when it asks first.
		await(t, patience, func() string {
			items, err := trapper.New(proxy.Address()).ActiveItems(agentHost)
			if err == nil && len(items) == 1 {
				return ""
			}
			return fmt.Sprintf("the proxy has no active item: %v, %v", items, err)
		})
		t.Logf("the proxy had the host's configuration after %.1f s", time.Since(started).Seconds())

		agent := zabbixagent.StartT(t, zabbixagent.Options{Version: s.Version(), Plugin: pluginBinary(t), Lines: []string{"ServerActive=" + proxy.Address()}})
		started = time.Now()
		polled, err := s.API().CreateHost(zabbixapi.Host{Name: "polled", ProxyID: proxy.ID, Agent: agent.Address()})
		require.NoError(t, err)
		_, err = s.API().CreateItem(polled, map[string]any{
			"name": "SUnreclaim", "key_": passiveKey, "type": zabbixapi.TypeAgent, "value_type": zabbixapi.ValueFloat, "delay": "1s",
		})
		require.NoError(t, err)
		items, took, err := s.API().WaitItems(polled, patience, started, passiveKey)
		require.NoError(t, err)
		require.Regexp(t, `^\d+(\.\d+)?$`, items[passiveKey].LastValue)
		t.Logf("a passive value came through the proxy after %.1f s", took.Seconds())
		items, _, err = s.API().WaitItems(host, patience, started, activeKey)
		require.NoError(t, err)
		require.Regexp(t, `^\d+$`, items[activeKey].LastValue)
		require.Greater(t, items[activeKey].LastValue, "0")
		t.Logf("an active value came through the proxy at most %.1f s after the agent's start", time.Since(started).Seconds())
	})
}
