package table

import (
	"fmt"
	"time"

	"zabbix-agent2-plugin-hosting/checks/oom"
	"zabbix-agent2-plugin-hosting/checks/unit"
)

// OOM returns the kills since boot, the last victims and, where systemd runs, the units that matter as text.
func OOM(r *oom.Report, units *unit.Report) string { return victims(r) + unitsOf(units) }

func victims(r *oom.Report) string {
	kills := "not counted by this kernel"
	if r.Kills != nil {
		kills = fmt.Sprint(*r.Kills)
	}

	text := fmt.Sprintf("OOM kills since %s: %s\n", local(r.BootAt), kills)

	if !r.VictimsKnown {
		return text + "note: " + r.VictimsError + "\n"
	}

	if len(r.Victims) == 0 {
		return text + "the kernel log names no victim\n"
	}

	rows := Table{Columns: []Column{
		{Title: "killed at"}, {Title: "process"}, {Title: "pid", Right: true}, {Title: "RSS", Right: true},
		{Title: "limit"}, {Title: "cgroup"}, {Title: "triggered by"},
	}}
	for _, v := range r.Victims {
		rows.Add(local(v.At), v.Name, fmt.Sprint(v.PID), size(v.RSSBytes), string(v.Constraint), v.Cgroup, v.Trigger)
	}

	return text + "\n" + rows.String()
}

func local(unix float64) string {
	return time.UnixMilli(int64(unix * 1000)).Format(time.DateTime)
}
