package helper

import "zabbix-agent2-plugin-hosting/checks/enum"

// State is how the plugin stands with the root helper. Numbers are stable: templates map them to names.
type State int

// The states, as hosting.plugin.get has them.
const (
	NotNeeded       State = 0 // the plugin itself is root
	OK              State = 1
	Absent          State = 2 // there is no socket: the helper is not installed
	Refused         State = 3 // this user may not ask it
	NotAnswering    State = 4 // it hangs, dies or answers garbage
	VersionMismatch State = 5 // it speaks another version of the interface
)

// States returns the value map of State.
func States() map[int]string { return stateNames.All() }

var stateNames = enum.Of[State]("state", "not_needed", "ok", "absent", "refused", "not_answering", "version_mismatch")

func (s State) String() string { return stateNames.Name(s) }
