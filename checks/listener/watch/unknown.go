package watch

import (
	"fmt"

	"zabbix-agent2-plugin-hosting/checks/listener"
)

// withoutMasters says why it cannot be told of each socket whether it is an nginx's; empty where it can.
func withoutMasters(states []listener.MasterState, mastersErr error) string {
	if mastersErr != nil {
		return mastersErr.Error()
	}

	for _, state := range states {
		if state.Error != "" {
			return state.Error
		}
	}

	return ""
}

// withoutCookies says where sock_diag could not be asked.
func withoutCookies(standings []listener.Standing) string {
	var weak []listener.Standing

	for _, s := range standings {
		if len(s.Notes) > 0 {
			weak = append(weak, s)
		}
	}

	switch {
	case len(weak) == 0:
		return ""
	case weak[0].PID == 0:
		return "cannot tell which sockets are nginx's: " + weak[0].Notes[0]
	}

	others := ""
	if len(weak) > 1 {
		others = fmt.Sprintf(" and %d others", len(weak)-1)
	}

	return fmt.Sprintf("cannot tell which sockets are nginx's in the network namespace of process %d (a container's)%s: %s; "+
		"who listens there beside nginx is seen by hosting.listener.get, when it is asked", weak[0].PID, others, weak[0].Notes[0])
}
