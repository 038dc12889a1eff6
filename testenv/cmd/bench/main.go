// Command bench measures the plugin's binary through real agents, and the prober against other ways to request a page, and
// prints each figure beside its bound.
package main

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"time"

	"zabbix-agent2-plugin-hosting/plugin/table"
	"zabbix-agent2-plugin-hosting/testenv/fakeplugin"
	"zabbix-agent2-plugin-hosting/testenv/pageserver"
)

// figures collects what was measured.
type figures struct {
	table table.Table
}

func main() {
	fakeplugin.Main() // an agent started this program as the floor of all plugins
	pageserver.Main() // this program started itself as what is requested

	f := &figures{table: table.Table{Columns: []table.Column{
		{Title: "figure"}, {Title: "measured", Right: true}, {Title: "bound", Right: true}, {Title: ""},
	}}}
	parts := map[string]func(string) error{"agents": f.measureAgents, "probes": f.measureProbes}

	if len(os.Args) != 3 || parts[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: bench agents PATH-OF-THE-PLUGIN | probes PATH-OF-TESTENV-BLACKBOX")
		os.Exit(2)
	}

	if err := parts[os.Args[1]](os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}

	fmt.Print(f.table.String())
}

func (f *figures) add(name string, measured, bound float64, unit string) {
	verdict := "ok"
	if measured > bound {
		verdict = "OVER"
	}

	f.table.Add(name, fmt.Sprintf("%.2f %s", measured, unit), fmt.Sprintf("%.2f %s", bound, unit), verdict)
}

// note adds a figure that has no bound.
func (f *figures) note(name string, measured float64, unit string) {
	f.table.Add(name, fmt.Sprintf("%.2f %s", measured, unit), "", "")
}

func median[T cmp.Ordered](times []T) T {
	slices.Sort(times)

	return times[len(times)/2]
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func megabytes(n uint64) float64 { return float64(n) / 1e6 }
