//go:build e2e

package zabbixserver

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/trapper"
	"zabbix-agent2-plugin-hosting/testenv/valueagent"
	"zabbix-agent2-plugin-hosting/testenv/zabbixapi"
)

// patience is how long a busy machine may take for what an idle one does in 1 to 5 s.
const patience = 60 * time.Second

// eachServer runs a test with a server of its own of each version.
func eachServer(t *testing.T, test func(*testing.T, *Server)) {
	eachVersion(t, func(t *testing.T, v Version) { test(t, StartT(t, Options{Version: v})) })
}

// itemHost makes a host of an agent with a text item for each key.
func itemHost(t *testing.T, s *Server, agent string, types map[string]int) (id string) {
	t.Helper()
	id, err := s.API().CreateHost(zabbixapi.Host{Name: "web1", Agent: agent, Macros: map[string]string{"{$N}": "7"}})
	require.NoError(t, err)
	for key, kind := range types {
		fields := map[string]any{"name": key, "key_": key, "type": kind, "value_type": zabbixapi.ValueText}
		if kind != zabbixapi.TypeTrapper {
			fields["delay"] = "1s"
		}
		_, err := s.API().CreateItem(id, fields)
		require.NoError(t, err)
	}
	require.NoError(t, s.Sync())
	return id
}

func TestAServerTakesTheValuesThatAnAgentIsGiven(t *testing.T) {
	const passive, active = "passive[{$N}]", "active[{$N}]"
	eachServer(t, func(t *testing.T, s *Server) {
		agent := valueagent.StartT(t)
		agent.Set("passive[7]", "first")
		agent.Set("active[7]", "second")
		id := itemHost(t, s, agent.Address(), map[string]int{passive: zabbixapi.TypeAgent, active: zabbixapi.TypeActive})
		agent.StartActive(s.Address(), "web1")

		items, took, err := s.API().WaitItems(id, patience, time.Time{}, passive, active)
		require.NoError(t, err)
		t.Logf("both values were there after %.1f s", took.Seconds())
		require.Equal(t, []string{"first", "second"}, []string{items[passive].LastValue, items[active].LastValue})

		for _, key := range []string{passive, active} {
			agent.SetUnsupported(key[:len(key)-len("[{$N}]")]+"[7]", "Cannot read "+key)
			awaitItem(t, s, id, key, func(i zabbixapi.Item) bool { return i.Error == "Cannot read "+key })
		}
		agent.Set("passive[7]", "third")
		awaitItem(t, s, id, passive, func(i zabbixapi.Item) bool { return i.Error == "" && i.LastValue == "third" })

		require.NoError(t, agent.Vanish())
		asked := agent.Asked("passive[7]")
		agent.Set("passive[7]", "fourth")
		time.Sleep(3 * time.Second)
		require.LessOrEqual(t, agent.Asked("passive[7]"), asked+1)
		require.NoError(t, agent.Appear())
		awaitItem(t, s, id, passive, func(i zabbixapi.Item) bool { return i.LastValue == "fourth" })
	})
}

func awaitItem(t *testing.T, s *Server, hostID, key string, ready func(zabbixapi.Item) bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(200 * time.Millisecond) {
		item, err := s.API().Item(hostID, key)
		require.NoError(t, err)
		if ready(item) {
			return
		}
		require.True(t, time.Now().Before(deadline), "the item is still %+v", item)
	}
}

func TestPushedValuesKeepTheirTimes(t *testing.T) {
	eachServer(t, func(t *testing.T, s *Server) {
		id := itemHost(t, s, "", map[string]int{"k": zabbixapi.TypeTrapper})
		now := time.Now()
		want := []zabbixapi.Value{{At: now.Add(time.Hour), Value: "2"}, {At: now, Value: "1"}, {At: now.Add(-time.Hour), Value: "0"}}
		for i := range want {
			value := want[len(want)-1-i]
			require.NoError(t, s.Push(trapper.Value{Host: "web1", Key: "k", Value: value.Value, At: value.At}))
		}
		item, err := s.API().Item(id, "k")
		require.NoError(t, err)
		var history []zabbixapi.Value
		for deadline := time.Now().Add(patience); len(history) < len(want) && time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
			history, err = s.API().History(item, 10)
			require.NoError(t, err)
		}
		require.Equal(t, unixNano(want), unixNano(history))

		require.Error(t, s.Push(trapper.Value{Host: "web1", Key: "unknown", Value: "1"}))
	})
}

// unixNano makes values comparable: times of the API have no monotonic part.
func unixNano(values []zabbixapi.Value) []string {
	all := make([]string, len(values))
	for i, value := range values {
		all[i] = fmt.Sprint(value.At.UnixNano(), " ", value.Value)
	}
	return all
}
