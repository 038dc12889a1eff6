package table

import (
	"fmt"
	"strings"

	"zabbix-agent2-plugin-hosting/checks/slabowner"
)

// Owners returns who allocated slab memory, with the code path of each, as text.
func Owners(r *slabowner.Report) string {
	var text strings.Builder

	fmt.Fprintf(&text, "slab owners over %.0f s, 1 in %.0f addresses followed: SUnreclaim %s\n\n", r.DurationS, r.OneIn, change(r.SUnreclaimGrowthBytes))

	if r.Sentence != "" {
		text.WriteString("note: " + onLine(r.Sentence) + "\n\n")
	}

	rows := Table{Columns: []Column{
		{Title: "#", Right: true}, {Title: "holds", Right: true}, {Title: "±", Right: true}, {Title: "objects", Right: true}, {Title: "cache"},
		{Title: "process"}, {Title: "allocated by"},
	}}

	for _, o := range r.Owners {
		rows.Add(fmt.Sprint(o.Rank), size(&o.Bytes), fmt.Sprintf("%.0f %%", o.ErrorPct), fmt.Sprint(o.Objects), o.Cache,
			fmt.Sprintf("%s (%d)", onLine(o.Process), o.Processes), o.CallSite)
	}

	switch {
	case len(r.Owners) == 0 && r.State == slabowner.StateCutShort:
		return text.String() + "that was too short to tell who holds what\n"
	case len(r.Owners) == 0:
		return text.String() + "nobody holds more than the noise\n"
	}

	text.WriteString(rows.String())

	if r.OwnersOmitted > 0 {
		fmt.Fprintf(&text, "and %d more\n", r.OwnersOmitted)
	}

	for _, o := range r.Owners {
		fmt.Fprintf(&text, "\n%d  %s\n   %s\n", o.Rank, onLine(o.Sentence), strings.Join(withSource(o.Stack, o.Source), " < "))
	}

	return text.String()
}

// withSource puts behind each frame of a stack the line that it is in, where that is known.
func withSource(stack, source []string) []string {
	if len(source) != len(stack) {
		return stack
	}

	all := make([]string, len(stack))

	for i, frame := range stack {
		all[i] = frame
		if source[i] != "" {
			all[i] += " (" + onLine(source[i]) + ")"
		}
	}

	return all
}

// change is a growth in words.
func change(bytes int64) string {
	if bytes < 0 {
		return "shrank by " + size(new(uint64(-bytes)))
	}

	return "grew by " + size(new(uint64(bytes)))
}
