package table

import (
	"fmt"
	"strings"

	"zabbix-agent2-plugin-hosting/checks/unit"
)

// unitsOf returns the units of a report as text; nothing where no systemd runs.
func unitsOf(r *unit.Report) string {
	if r == nil {
		return ""
	}

	if r.UnitsError != "" {
		return "\nnote: " + onLine(r.UnitsError) + "\n"
	}

	all := r.Units
	if r.AgentUnit != nil {
		all = append([]unit.Fate{*r.AgentUnit}, all...)
	}

	if len(all) == 0 {
		return ""
	}

	rows := Table{Columns: []Column{
		{Title: "unit"}, {Title: "state"}, {Title: "result"}, {Title: "restarts", Right: true}, {Title: "memory", Right: true},
		{Title: "OOM kills", Right: true}, {Title: "last one at"},
	}}

	for _, u := range all {
		kills, last := "-", ""
		if u.OOMKills != nil {
			kills = fmt.Sprint(*u.OOMKills)
		}

		if u.LastOOMAt != nil {
			last = local(*u.LastOOMAt)
		}

		rows.Add(u.Unit, unitState(&u.Facts), u.ResultName, unitRestarts(&u.Facts), size(u.MemoryCurrentBytes), kills, last)
	}

	text := "\n" + rows.String()
	if r.UnitsOmitted > 0 {
		text += fmt.Sprintf("and %d failed units more; see systemctl --failed\n", r.UnitsOmitted)
	}

	return text
}

func unitState(f *unit.Facts) string {
	if f.LoadState != "loaded" {
		return f.LoadState
	}

	return fmt.Sprintf("%s (%s)", f.ActiveStateName, f.SubState)
}

func unitRestarts(f *unit.Facts) string {
	if f.Restarts == nil {
		return "-"
	}

	return fmt.Sprint(*f.Restarts)
}

// unitLine is a unit in one line, such as "nginx.service failed (failed) since 2026-11-24 02:07:23, result oom-kill".
func unitLine(f *unit.Facts) string {
	parts := []string{f.Unit + " " + unitState(f)}

	if f.ChangedAt != nil {
		parts[0] += " since " + local(float64(*f.ChangedAt))
	}

	if f.Result != nil {
		parts = append(parts, "result "+f.ResultName)
	}

	if f.Restarts != nil {
		parts = append(parts, fmt.Sprintf("%d restarts", *f.Restarts))
	}

	if f.MemoryCurrentBytes != nil {
		parts = append(parts, Bytes(*f.MemoryCurrentBytes))
	}

	return strings.Join(parts, ", ")
}
