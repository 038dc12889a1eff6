package table

import (
	"fmt"
	"slices"
	"strings"

	"zabbix-agent2-plugin-hosting/checks/listener/watch"
)

// maxShownEvents fits a screen.
const maxShownEvents = 20

// Events returns who began and ceased to listen as text, the newest first.
func Events(r *watch.Events) string {
	var text strings.Builder

	fmt.Fprintf(&text, "listeners since %s: %d opened, %d closed, %d lost, %d beside an nginx\n", local(r.StartedAt), r.Opened, r.Closed, r.Lost, r.Foreign)

	reasons := slices.Compact([]string{r.TCP.Reason, r.UDP.Reason})
	for _, reason := range slices.DeleteFunc(reasons, func(reason string) bool { return reason == "" }) {
		text.WriteString("note: " + onLine(reason) + "\n")
	}

	rows := Table{Columns: []Column{
		{Title: ""}, {Title: "opened"}, {Title: "lived", Right: true}, {Title: "address"}, {Title: "process"}, {Title: "started by"},
	}}

	for i := range r.Events[:min(len(r.Events), maxShownEvents)] {
		e := &r.Events[i]
		mark := ""

		if e.Foreign {
			mark = "!!"
		}

		rows.Add(mark, local(e.OpenedAt), lifetime(e), string(e.Network)+" "+e.Address.String(), watchedProcess(e.Process), parents(e))
	}

	text.WriteString("\n" + rows.String())

	for i := range r.Foreigners[:min(len(r.Foreigners), maxShownProcesses)] {
		text.WriteString("\n!! " + onLine(r.Foreigners[i].Sentence) + "\n")
	}

	return text.String()
}

func lifetime(e *watch.Event) string {
	switch {
	case e.Listening:
		return "listens"
	case e.LifetimeS == nil:
		return "?"
	case *e.LifetimeS < 1:
		return fmt.Sprintf("%.1f ms", 1000**e.LifetimeS)
	}

	return fmt.Sprintf("%.0f s", *e.LifetimeS)
}

func watchedProcess(p *watch.Process) string {
	if p == nil {
		return "?"
	}

	return fmt.Sprintf("%s (%d)", onLine(p.Name), p.PID)
}

func parents(e *watch.Event) string {
	names := make([]string, 0, len(e.Parents))
	for i := range e.Parents {
		names = append(names, watchedProcess(&e.Parents[i]))
	}

	return strings.Join(names, " < ")
}
