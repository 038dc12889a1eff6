package watch

import (
	"fmt"
	"strings"
	"time"

	"zabbix-agent2-plugin-hosting/checks/listener"
)

// sentence tells an administrator who it was and what it did.
func (e *Event) sentence() string {
	var text strings.Builder

	text.WriteString(e.who())
	text.WriteString(e.did())

	for _, c := range e.Concerns {
		text.WriteString(c.clause())
	}

	return text.String()
}

func (e *Event) who() string {
	if e.Process == nil {
		return "an unknown process "
	}

	var who strings.Builder

	fmt.Fprintf(&who, "process %s (%d", e.Process.Name, e.Process.PID)

	if e.Process.CommandLine != "" {
		who.WriteString(": " + e.Process.CommandLine)
	}

	who.WriteString(")")

	if len(e.Parents) == 0 {
		return who.String() + " "
	}

	who.WriteString(", started")

	for _, parent := range e.Parents {
		fmt.Fprintf(&who, " by %s (%d)", parent.Name, parent.PID)
	}

	return who.String() + ", "
}

func (e *Event) did() string {
	address := e.Address.String()
	if e.before {
		address += ", since before the watch began,"
	}

	switch {
	case e.Refused:
		return "was refused to listen on " + address
	case e.Listening:
		return "listens on " + address
	case e.LifetimeS == nil:
		return "listened on " + address
	}

	return fmt.Sprintf("listened on %s for %s", address, lifetime(*e.LifetimeS))
}

func (c *Concern) clause() string {
	switch c.Relation {
	case listener.RelationMoreSpecific:
		return fmt.Sprintf(" before nginx's %s (master %d)", c.MasterAddress, c.MasterPID)
	case listener.RelationLessSpecific:
		return fmt.Sprintf(" behind nginx's %s (master %d)", c.MasterAddress, c.MasterPID)
	}

	return fmt.Sprintf(" beside nginx (master %d)", c.MasterPID)
}

func lifetime(seconds float64) string {
	switch {
	case seconds < 1:
		return fmt.Sprintf("%.1f ms", 1000*seconds)
	case seconds < 60:
		return fmt.Sprintf("%.1f s", seconds)
	}

	return time.Duration(seconds * float64(time.Second)).Round(time.Second).String()
}
