package watch

import (
	"fmt"
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

	stateCount = 3
)

var stateNames = [stateCount]string{"off", "watching", "polling"}

// String is the name in payloads, such as "watching".
func (s State) String() string {
	if s < 0 || s >= stateCount {
		return fmt.Sprintf("state_%d", int(s))
	}

	return stateNames[s]
}

// States returns every state's name by its number.
func States() map[int]string {
	all := make(map[int]string, stateCount)
	for number, name := range stateNames {
		all[number] = name
	}

	return all
}
