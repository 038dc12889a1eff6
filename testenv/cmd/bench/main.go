// Command bench measures the plugin's binary through real agents and prints each figure beside its bound.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"time"

	"zabbix-agent2-plugin-hosting/plugin/table"
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

// figures collects what was measured.
type figures struct {
	table table.Table
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: bench PATH-OF-THE-PLUGIN")
		os.Exit(2)
	}

	f := &figures{table: table.Table{Columns: []table.Column{
		{Title: "figure"}, {Title: "measured", Right: true}, {Title: "bound", Right: true}, {Title: ""},
	}}}

	if err := f.measure(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}

	fmt.Print(f.table.String())
}

func (f *figures) measure(plugin string) error {
	if err := f.measureStart(plugin); err != nil {
		return err
	}

	for _, version := range zabbixagent.Versions() {
		a, err := zabbixagent.Start(zabbixagent.Options{Version: version, Plugin: plugin, Timeout: 10})
		if err != nil {
			return err
		}

		err = f.measureAgent(a)
		if stopErr := a.Stop(); err == nil {
			err = stopErr
		}

		if err != nil {
			return err
		}
	}

	return nil
}

func (f *figures) add(name string, measured, bound float64, unit string) {
	verdict := "ok"
	if measured > bound {
		verdict = "OVER"
	}

	f.table.Add(name, fmt.Sprintf("%.2f %s", measured, unit), fmt.Sprintf("%.2f %s", bound, unit), verdict)
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

func (f *figures) measureAgent(a *zabbixagent.Agent) error {
	name := "agent " + string(a.Version()) + ": "

	ping, key, err := interleave(a, "agent.ping", "hosting.memory.sunreclaim")
	if err != nil {
		return err
	}

	f.add(name+"agent.ping, p50", ping, ping, "ms")
	f.add(name+"hosting.memory.sunreclaim, p50", key, 1.3*ping+0.25, "ms")

	for i := range mixedRequests {
		// A wrong request has an error for an answer; a plugin that died shows in the next lines.
		_, _ = a.Get(mixed[i%len(mixed)])
	}

	value, err := a.Get("hosting.plugin.get")
	if err != nil {
		return err
	}

	var state struct {
		RSSBytes uint64 `json:"rss_bytes"`
		Restarts int    `json:"worker_restarts"`
		Link     struct {
			RSSBytes uint64 `json:"rss_bytes"`
		} `json:"link"`
	}

	if err := json.Unmarshal([]byte(value), &state); err != nil {
		return fmt.Errorf("cannot read hosting.plugin.get: %w", err)
	}

	f.add(fmt.Sprintf("%sworker's RSS after %d mixed requests", name, mixedRequests), megabytes(state.RSSBytes), 15, "MB")
	f.add(fmt.Sprintf("%slink's RSS after %d mixed requests", name, mixedRequests), megabytes(state.Link.RSSBytes), 7, "MB")
	f.add(name+"worker restarts", float64(state.Restarts), 0, "")

	return nil
}

// interleave asks for two keys turn by turn and returns the median of each in milliseconds.
func interleave(a *zabbixagent.Agent, first, second string) (float64, float64, error) {
	times := map[string][]time.Duration{}

	for range pairs {
		for _, key := range []string{first, second} {
			begin := time.Now()
			if _, err := a.Get(key); err != nil {
				return 0, 0, err
			}

			times[key] = append(times[key], time.Since(begin))
		}
	}

	return milliseconds(median(times[first])), milliseconds(median(times[second])), nil
}

func median(times []time.Duration) time.Duration {
	slices.Sort(times)

	return times[len(times)/2]
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func megabytes(n uint64) float64 { return float64(n) / 1e6 }
