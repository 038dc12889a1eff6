package watch

import (
	"fmt"
	"time"
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

// Coverage is how well one network is watched.
type Coverage struct {
	State     State  `json:"state"`
	StateName string `json:"state_name"`
	// Reason says why it is not watched better and what mends it; empty where it cannot be better.
	Reason string `json:"reason,omitempty"`
	// BlindS is how long, in seconds, a socket can be open without being seen; 0 where none is missed.
	BlindS float64 `json:"blind_s"`
}

func coverage(s State, reason string, blind time.Duration) Coverage {
	return Coverage{State: s, StateName: s.String(), Reason: reason, BlindS: blind.Seconds()}
}
