package table

import (
	"fmt"
	"strings"
	"time"

	"zabbix-agent2-plugin-hosting/checks/oom"
	"zabbix-agent2-plugin-hosting/checks/oomunit"
	"zabbix-agent2-plugin-hosting/checks/unit"
)

// OOM returns the kills since boot, the last victims, where they were killed and, where systemd runs, the units that matter as text.
func OOM(r *oom.Report, killed *oomunit.Report, units *unit.Report) string {
	return victims(r) + killedUnits(killed) + unitsOf(units)
}

func victims(r *oom.Report) string {
	kills := "not counted by this kernel"
	if r.Kills != nil {
		kills = fmt.Sprint(*r.Kills)
	}

	text := fmt.Sprintf("OOM kills since %s: %s\n", local(r.BootAt), kills)

	if !r.VictimsKnown {
		text += "note: " + r.VictimsError + "\n"
	}

	// An older helper does not tell.
	if known := Sources(r.Sources); known != "" {
		text += "victims are known from " + known + "\n"
	}

	text += unusedSources(r)

	switch {
	case len(r.Victims) > 0:
		return text + "\n" + victimRows(r.Victims) + victimsLeftOut(r)
	case r.VictimsKnown:
		return text + "no victim is known\n"
	}

	return text
}

// victimsLeftOut is nothing where each kill is shown.
func victimsLeftOut(r *oom.Report) string {
	shown := len(r.Victims)
	if r.Kills == nil || *r.Kills <= uint64(shown) {
		return ""
	}

	return fmt.Sprintf("the last %d of %d are shown\n", shown, *r.Kills)
}

func unusedSources(r *oom.Report) string {
	var notes strings.Builder

	for _, s := range r.Sources {
		if !strings.Contains(r.VictimsError, s.Error) {
			fmt.Fprintf(&notes, "note: %s\n", s.Error)
		}
	}

	return notes.String()
}

func victimRows(victims []oom.Victim) string {

	rows := Table{Columns: []Column{
		{Title: "killed at"}, {Title: "process"}, {Title: "pid", Right: true}, {Title: "RSS", Right: true},
		{Title: "limit"}, {Title: "cgroup"}, {Title: "triggered by"},
	}}

	for _, v := range victims {
		trigger := v.Trigger
		if v.TriggerPID != 0 {
			trigger += fmt.Sprintf(" (%d)", v.TriggerPID)
		}

		rows.Add(local(v.At), v.Name, fmt.Sprint(v.PID), size(v.RSSBytes), string(v.Constraint), v.Cgroup, trigger)
	}

	return rows.String()
}

// Sources returns where victims are known from, in words.
func Sources(all []oom.SourceState) string {
	var used []string

	for _, s := range all {
		if !s.Used {
			continue
		}

		text := "the " + strings.ReplaceAll(s.SourceName, "_", " ")
		if s.Since != nil {
			text += " since " + local(*s.Since)
		}

		if s.Lost > 0 {
			text += fmt.Sprintf(", which lost %d", s.Lost)
		}

		used = append(used, text)
	}

	return strings.Join(used, " and ")
}

// killedUnits is nothing where no unit that runs was hit.
func killedUnits(r *oomunit.Report) string {
	if r == nil || len(r.Units) == 0 {
		return ""
	}

	rows := Table{Columns: []Column{
		{Title: "killed in"}, {Title: "kills", Right: true}, {Title: "at its limit", Right: true}, {Title: "cgroup"},
	}}

	for _, u := range r.Units {
		name, atLimit := u.Name, unknown
		if u.Ended {
			name = "what has ended in " + name
		}

		if u.AtLimit != nil {
			atLimit = fmt.Sprint(*u.AtLimit)
		}

		rows.Add(name, fmt.Sprint(u.Kills), atLimit, u.Cgroup)
	}

	text := "\n" + rows.String()
	if r.UnitsOmitted > 0 {
		text += fmt.Sprintf("and %d units more\n", r.UnitsOmitted)
	}

	if r.Incomplete {
		text += "note: there are more cgroups than were looked at\n"
	}

	return text
}

func local(unix float64) string {
	return time.UnixMilli(int64(unix * 1000)).Format(time.DateTime)
}
