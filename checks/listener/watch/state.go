package watch

import (
	"zabbix-agent2-plugin-hosting/checks/enum"
)

// State is how well a network is watched. The numbers are stable.
type State int

// The states of a watch.
const (
	StateOff State = 0
	// StateWatching has the kernel tell of every socket.
	StateWatching State = 1
	// StatePolling looks at what is there, again and again.
	StatePolling State = 2
)

var stateNames = enum.Of[State]("state", "off", "watching", "polling")

// String is the name in payloads, such as "watching".
func (s State) String() string { return stateNames.Name(s) }

// States returns every state's name by its number.
func States() map[int]string { return stateNames.All() }
