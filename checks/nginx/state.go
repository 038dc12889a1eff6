package nginx

import "zabbix-agent2-plugin-hosting/checks/enum"

// State is what a configuration test found. The numbers are stable: value maps and triggers rely on them.
type State int

// The states of hosting.nginx.config.
const (
	StateValid             State = 0
	StateValidWithWarnings State = 1
	// StateInvalid is a configuration that nginx refuses for what stands in it.
	StateInvalid State = 2
	// StateEnvironment is one that nginx refuses for what surrounds it, such as a name that does not resolve or an address
	// that the host lacks. A reload would fail, too.
	StateEnvironment State = 3
	StateTimedOut    State = 4
	// StateNotTested says nothing about the configuration; the sentence tells why there was no test, or no whole one.
	StateNotTested State = 5
	// StateUnsafeRefused is a test that was not made because it would endanger the host.
	StateUnsafeRefused State = 6
)

var stateNames = enum.Of[State]("state",
	"valid", "valid_with_warnings", "invalid", "environment", "timed_out", "not_tested", "unsafe_refused")

// String is the name in payloads, such as "valid_with_warnings".
func (s State) String() string { return stateNames.Name(s) }

// States returns every state's name by its number.
func States() map[int]string { return stateNames.All() }
