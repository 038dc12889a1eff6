// Package hazard says what makes an ordinary `nginx -t` dangerous on this host, or hides what it should find, and who
// runs one.
package hazard

import (
	"cmp"
	"fmt"
	"slices"

	"zabbix-agent2-plugin-hosting/checks/enum"
)

// ID is a hazard. The numbers are stable: value maps and triggers rely on them.
type ID int

// The hazards.
const (
	// ReusePortTestStealsConnections: nginx 1.9.1 to 1.12.1 and 1.13.0 to 1.13.3 join the running nginx's listeners when
	// they test, and reset what they were given (nginx ticket 1300).
	ReusePortTestStealsConnections ID = 1
	// UDPTestStealsDatagrams: nginx before 1.21.1 takes datagrams when it tests (nginx ticket 2187).
	UDPTestStealsDatagrams ID = 2
	// TestWouldChownLiveDirectories: a test gives the directories of a running nginx to the user of the new configuration.
	TestWouldChownLiveDirectories ID = 3
	// TestWouldOpenPorts: a test listens where nobody does, and accepts clients.
	TestWouldOpenPorts ID = 4
	// StaleUnixSocket: a configuration passes the test, but nginx cannot start.
	StaleUnixSocket ID = 5
	// PlainTestScheduled: something runs an ordinary test again and again.
	PlainTestScheduled ID = 6
	// TCPMigrateReqOff: the kernel could hand over the connections that a test would reset, and does not.
	TCPMigrateReqOff ID = 7
	// PlainTestAtStart: a unit runs an ordinary test when it is started or reloaded, as distributions have it.
	PlainTestAtStart ID = 8
)

var names = enum.Of[ID]("hazard",
	"none", "reuseport_test_steals_connections", "udp_test_steals_datagrams", "test_would_chown_live_directories",
	"test_would_open_ports", "stale_unix_socket", "plain_test_scheduled", "tcp_migrate_req_off", "plain_test_at_start")

// String is the name in payloads, such as "stale_unix_socket"; "none" for 0.
func (id ID) String() string { return names.Name(id) }

// IDs returns every hazard's name by its number, and "none" for 0.
func IDs() map[int]string { return names.All() }

// Severity tells how much a hazard matters on this host as it is.
type Severity int

// The severities.
const (
	// SeverityInfo harms nobody by itself.
	SeverityInfo Severity = 1
	// SeverityGeneral can do harm when something else changes, such as nginx being stopped.
	SeverityGeneral Severity = 2
	// SeverityNow does harm with this version, this configuration and what runs now.
	SeverityNow Severity = 3
)

var severityNames = enum.Of[Severity]("severity", "none", "info", "general", "now")

// String is the name, such as "now".
func (s Severity) String() string { return severityNames.Name(s) }

// Severities returns every severity's name by its number, and "none" for 0.
func Severities() map[int]string { return severityNames.All() }

// Hazard is one hazard of one instance.
type Hazard struct {
	ID   ID
	Name string
	// Sentence says what is dangerous and what mends it.
	Sentence string
	// Where is a file and a line, such as /etc/cron.d/check:3; empty where the hazard is none of a file.
	Where    string
	Severity Severity
}

// Find says which hazards there are, the worst first.
func Find(f Facts) []Hazard {
	all := slices.Concat(f.reusePort(), f.udp(), f.chown(), f.ports(), f.staleSockets())

	dangerous := slices.ContainsFunc(all, func(h Hazard) bool {
		return h.ID <= TestWouldChownLiveDirectories && h.Severity == SeverityNow
	})
	all = append(all, f.scheduled(dangerous)...)

	slices.SortStableFunc(all, func(a, b Hazard) int {
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), cmp.Compare(a.ID, b.ID))
	})

	return all
}

func newHazard(id ID, severity Severity, where, format string, args ...any) Hazard {
	return Hazard{ID: id, Name: id.String(), Severity: severity, Where: where, Sentence: fmt.Sprintf(format, args...)}
}
