package watch

import "zabbix-agent2-plugin-hosting/checks/listener"

const (
	schema = 1
	// maxKept bounds the lists of a payload.
	maxKept = 100
)

// Events is the payload of hosting.listener.events: who began and ceased to listen since the watch was started. The
// counters only grow. What this plugin itself opens is in Ours only.
type Events struct {
	Schema    int      `json:"schema"`
	StartedAt float64  `json:"started_at"`
	TCP       Coverage `json:"tcp"`
	// UDP is watched on the ports of an nginx only.
	UDP Coverage `json:"udp"`
	// Opened and Closed count sockets. Of those opened, Refused are calls of listen(2) that the kernel refused after all.
	Opened  uint64 `json:"opened"`
	Closed  uint64 `json:"closed"`
	Refused uint64 `json:"refused"`
	Ours    uint64 `json:"ours"`
	// Lost are openings and closings of which nothing else is known, as too many came at once.
	Lost uint64 `json:"lost"`
	// Skipped counts runs of the programs in the kernel that it left out, as another one was interrupted on that processor. It
	// is a figure of health: connections are what this happens to, hardly ever a socket that begins to receive clients.
	Skipped uint64 `json:"skipped"`
	// Foreign counts events beside an nginx to which the process does not belong. An address is counted once for as long as a
	// process listens there.
	Foreign uint64 `json:"foreign"`
	// ForeignByPort and ForeignByExecutable have the largest first, and at most 64; the others are counted as Other.
	ForeignByPort            []PortCount       `json:"foreign_by_port"`
	ForeignByPortOther       uint64            `json:"foreign_by_port_other"`
	ForeignByExecutable      []ExecutableCount `json:"foreign_by_executable"`
	ForeignByExecutableOther uint64            `json:"foreign_by_executable_other"`
	// Masters are the nginx that are watched over.
	Masters []listener.MasterState `json:"masters"`
	// ForeignersKnown is false where it cannot be told what is an nginx's, so that a foreigner may be missing;
	// ForeignersError says why.
	ForeignersKnown bool   `json:"foreigners_known"`
	ForeignersError string `json:"foreigners_error,omitempty"`
	// Foreigners and Events are the last 100 of each, newest first. An event that is foreign is in both.
	Foreigners []Event `json:"foreigners"`
	Events     []Event `json:"events"`
}

// PortCount is how many foreigners listened on a port.
type PortCount struct {
	Port  uint16 `json:"port"`
	Count uint64 `json:"count"`
}

// ExecutableCount is how many foreigners were of a program: its path, or the process's short name where that is all that
// is known.
type ExecutableCount struct {
	Executable string `json:"executable"`
	Count      uint64 `json:"count"`
}
