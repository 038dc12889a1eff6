package unit

import "zabbix-agent2-plugin-hosting/checks/enum"

// ActiveState tells whether a unit runs. The numbers are stable: value maps and triggers rely on them.
type ActiveState int

// The states, in systemd's words.
const (
	StateActive       ActiveState = 0
	StateReloading    ActiveState = 1
	StateInactive     ActiveState = 2
	StateFailed       ActiveState = 3
	StateActivating   ActiveState = 4
	StateDeactivating ActiveState = 5
	StateMaintenance  ActiveState = 6
	StateRefreshing   ActiveState = 7
	// StateOther is a word that a later systemd has added.
	StateOther ActiveState = 8
)

var stateNames = enum.Of[ActiveState]("state",
	"active", "reloading", "inactive", "failed", "activating", "deactivating", "maintenance", "refreshing", "other")

// String is systemd's word, such as "active".
func (s ActiveState) String() string { return stateNames.Name(s) }

// ActiveStates returns every state's name by its number.
func ActiveStates() map[int]string { return stateNames.All() }

// Result is how the last run of a unit ended. The numbers are stable: value maps and triggers rely on them.
type Result int

// The results, in systemd's words.
const (
	ResultSuccess  Result = 0
	ResultExitCode Result = 1
	ResultSignal   Result = 2
	ResultCoreDump Result = 3
	ResultWatchdog Result = 4
	ResultTimeout  Result = 5
	// ResultOOMKill is a run in which the OOM killer killed a process: of all of them only where the unit's OOMPolicy says
	// so, and only with cgroup version 2. Otherwise it is ResultSignal where the main process was the victim.
	ResultOOMKill       Result = 6
	ResultResources     Result = 7
	ResultProtocol      Result = 8
	ResultStartLimitHit Result = 9
	ResultExecCondition Result = 10
	// ResultOther is a word that a later systemd has added.
	ResultOther Result = 11
)

var resultNames = enum.Of[Result]("result",
	"success", "exit-code", "signal", "core-dump", "watchdog", "timeout", "oom-kill", "resources", "protocol", "start-limit-hit",
	"exec-condition", "other")

// String is systemd's word, such as "oom-kill".
func (r Result) String() string { return resultNames.Name(r) }

// Results returns every result's name by its number.
func Results() map[int]string { return resultNames.All() }

// valueOf finds a word of systemd's, or other where a later one has added it.
func valueOf[E ~int](names enum.Names[E], word string, other E) E {
	if value, ok := names.Value(word); ok {
		return value
	}

	return other
}
