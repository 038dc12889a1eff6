package table

import (
	"cmp"
	"fmt"
	"strings"

	"zabbix-agent2-plugin-hosting/checks/listener"
)

// maxShownProcesses keeps a line of the table readable.
const maxShownProcesses = 3

// Listeners returns who listens as text, those that take clients of an nginx first.
func Listeners(r *listener.Report) string {
	processes := make(map[int]listener.Process, len(r.Processes))
	for _, p := range r.Processes {
		processes[p.PID] = p
	}

	rows := Table{Columns: []Column{
		{Title: ""}, {Title: "address"}, {Title: "sockets", Right: true}, {Title: "reuseport"}, {Title: "queue", Right: true}, {Title: "processes"},
	}}

	for i := range r.Groups {
		g := &r.Groups[i]
		mark := ""

		if g.Foreign {
			mark = "!!"
		}

		rows.Add(mark, listenerAddress(g), fmt.Sprint(g.SocketCount), reusePort(g.ReusePort), queue(g), listenerProcesses(g, processes))
	}

	var text strings.Builder

	text.WriteString(rows.String())

	if r.GroupsOmitted > 0 {
		fmt.Fprintf(&text, "and %d addresses more; choose a port\n", r.GroupsOmitted)
	}

	for _, f := range r.Foreigners {
		text.WriteString("\n!! " + onLine(f.Sentence) + "\n")
	}

	for _, m := range r.Masters {
		if m.Error != "" {
			text.WriteString("\nnote: " + onLine(m.Error) + "\n")
		}
	}

	return text.String()
}

func listenerAddress(g *listener.Group) string {
	address := string(g.Network) + " " + g.Address.String()
	if g.Interface != "" {
		address += "%" + g.Interface
	}

	if g.NamespacePID != 0 {
		address += fmt.Sprintf(" (network of process %d)", g.NamespacePID)
	}

	return address
}

func reusePort(known *bool) string {
	switch {
	case known == nil:
		return "?"
	case *known:
		return "yes"
	default:
		return "no"
	}
}

// queue is how many connections wait in all sockets of a group.
func queue(g *listener.Group) string {
	var waiting, room uint32

	for _, s := range g.Sockets {
		if s.Queue == nil || s.Backlog == nil {
			return "-"
		}

		waiting, room = waiting+*s.Queue, room+*s.Backlog
	}

	return fmt.Sprintf("%d/%d", waiting, room)
}

func listenerProcesses(g *listener.Group, processes map[int]listener.Process) string {
	var shown []string

	for _, pid := range g.PIDs[:min(len(g.PIDs), maxShownProcesses)] {
		p := processes[pid]
		name := fmt.Sprintf("%s[%d]", cmp.Or(p.Name, "?"), pid)

		if p.Unit != "" {
			name += " of " + p.Unit
		}

		shown = append(shown, name)
	}

	if more := len(g.PIDs) + g.PIDsOmitted - len(shown); more > 0 {
		shown = append(shown, fmt.Sprintf("%d more", more))
	}

	return strings.Join(shown, ", ")
}
