package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"zabbix-agent2-plugin-hosting/plugin/keys"
	"zabbix-agent2-plugin-hosting/testenv/fakeplugin"
	"zabbix-agent2-plugin-hosting/testenv/scripted"
	"zabbix-agent2-plugin-hosting/testenv/zabbixagent"
)

const (
	pairs         = 2000
	mixedRequests = 10000
	starts        = 21
)

// mixed is what a server asks, with wrong requests among them.
var mixed = []string{
	"hosting.memory.get", "hosting.memory.sunreclaim[pused]", "hosting.plugin.get", "hosting.slab.get[10,size]",
	"hosting.slab.get[50,growth]", "hosting.slab.top", "hosting.slab.discovery", "hosting.oom.get", "hosting.slab.get[0]",
}

// measureAgents measures a plugin as the agents have it.
func (f *figures) measureAgents(plugin string) error {
	if err := f.measureStart(plugin); err != nil {
		return err
	}

	for _, version := range zabbixagent.Versions() {
		if err := f.measureVersion(version, plugin); err != nil {
			return err
		}
	}

	return nil
}

// measureVersion runs two agents of a version: one with the plugin, one with the smallest that there can be.
func (f *figures) measureVersion(version zabbixagent.Version, plugin string) (err error) {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("cannot find this program: %w", err)
	}

	floor, err := zabbixagent.Start(zabbixagent.Options{Version: version, Plugin: self, Name: fakeplugin.Name})
	if err != nil {
		return err
	}

	defer func() { err = errors.Join(err, floor.Stop()) }()

	a, err := zabbixagent.Start(zabbixagent.Options{Version: version, Plugin: plugin, Timeout: 10})
	if err != nil {
		return err
	}

	defer func() { err = errors.Join(err, a.Stop()) }()

	if err := f.measureLatency(a, floor); err != nil {
		return err
	}

	if err := f.measureMemory(a); err != nil {
		return err
	}

	return f.measureSite(version, plugin)
}

// measureStart times the way from the start of the process to its first answer, as the agent sees it.
func (f *figures) measureStart(plugin string) error {
	var times []time.Duration

	for range starts {
		begin := time.Now()

		p, err := scripted.Run(scripted.V70(), plugin, false)
		if err != nil {
			return err
		}

		_, err = p.Configure(3, "Hosting")
		if err == nil {
			_, err = p.Start()
		}

		if err == nil {
			var id uint32
			if id, err = p.Export(3, "hosting.memory.get"); err == nil {
				_, err = p.Answer(id, 3*time.Second)
			}
		}

		times = append(times, time.Since(begin))
		p.Stop()

		if err != nil {
			return err
		}
	}

	f.add("start to first answer, p50", milliseconds(median(times)), 150, "ms")

	return nil
}

// measureLatency asks turn by turn for a built-in key, a key of ours and a key of the floor.
func (f *figures) measureLatency(a, floor *zabbixagent.Agent) error {
	turns := []struct {
		agent *zabbixagent.Agent
		key   string
	}{{a, "agent.ping"}, {a, "hosting.memory.sunreclaim"}, {floor, fakeplugin.Key + "[x]"}}
	times := make([][]time.Duration, len(turns))

	for range pairs {
		for i, turn := range turns {
			begin := time.Now()
			if _, err := turn.agent.Get(turn.key); err != nil {
				return err
			}

			times[i] = append(times[i], time.Since(begin))
		}
	}

	name := "agent " + string(a.Version()) + ": "
	ping := milliseconds(median(times[0]))

	f.note(name+"agent.ping, p50", ping, "ms")
	f.note(name+"the smallest plugin, p50", milliseconds(median(times[2])), "ms")
	f.add(name+"hosting.memory.sunreclaim, p50", milliseconds(median(times[1])), 1.3*ping+0.25, "ms")

	return nil
}

func (f *figures) measureMemory(a *zabbixagent.Agent) error {
	for i := range mixedRequests {
		// A wrong request has an error for an answer; a plugin that died shows in the next lines.
		_, _ = a.Get(mixed[i%len(mixed)])
	}

	state, err := pluginState(a)
	if err != nil {
		return err
	}

	name := "agent " + string(a.Version()) + ": "
	after := fmt.Sprintf(" after %d mixed requests", mixedRequests)
	f.add(name+"worker's RSS"+after, megabytes(state.RSSBytes), 15, "MB")
	f.add(name+"link's RSS"+after, megabytes(state.Link.RSSBytes), 7, "MB")
	f.add(name+"worker restarts", float64(state.WorkerRestarts), 0, "")

	return nil
}

// pluginState is what the plugin says of itself.
func pluginState(a *zabbixagent.Agent) (keys.PluginReport, error) {
	var state keys.PluginReport

	value, err := a.Get("hosting.plugin.get")
	if err != nil {
		return state, err
	}

	if err := json.Unmarshal([]byte(value), &state); err != nil {
		return state, fmt.Errorf("cannot read hosting.plugin.get: %w", err)
	}

	return state, nil
}
