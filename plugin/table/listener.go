package table

import (
	"cmp"
	"fmt"
	"strings"

	"zabbix-agent2-plugin-hosting/checks/listener"
)

// maxShownProcesses keeps a line of the table readable.
const maxShownProcesses = 3

// ofOnePort is why an ordinary user gets no processes of all ports from the helper.
const ofOnePort = "the root helper looks for the processes of one port only: use --port"

// Listeners returns who listens as text, those that take clients of an nginx first.
func Listeners(r *listener.Report) string {
	var text strings.Builder

	switch {
	case len(r.Groups) > 0:
		text.WriteString(listenerRows(r))
	case r.Port != 0:
		fmt.Fprintf(&text, "nobody listens on port %d\n", r.Port)
	default:
		text.WriteString("nobody listens\n")
	}

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

	if note := whyUnknown(r); note != "" {
		text.WriteString("\nnote: " + onLine(note) + "\n")
	}

	return text.String()
}

// whyUnknown says why processes are missing; empty where none is, or nobody holds the socket.
func whyUnknown(r *listener.Report) string {
	unknown, known := 0, 0

	for i := range r.Groups {
		switch g := &r.Groups[i]; {
		case len(g.PIDs) == 0:
			unknown++
		case !g.Foreign:
			known++
		}
	}

	switch {
	case unknown > 0 && r.Search != nil && r.Search.Note != "":
		return r.Search.Note
	case unknown > 0 && known == 0 && r.Port == 0 && (r.Search == nil || len(r.Foreigners) > 0): // strangers alone were looked for
		return ofOnePort
	}

	return ""
}

func listenerRows(r *listener.Report) string {
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

	return rows.String()
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
	if len(g.PIDs) == 0 {
		return "?"
	}

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
