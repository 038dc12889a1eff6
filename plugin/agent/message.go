package agent

import (
	"encoding/json"
	"fmt"

	"golang.zabbix.com/sdk/plugin"
	"golang.zabbix.com/sdk/plugin/comms"
)

// Message types between link and worker only; the agent never sees them.
const (
	pingType uint32 = iota + 100
	pongType
	helloType
	answeredType // the worker has answered the request with this id itself
)

// exportRequest differs from comms.ExportRequest in telling an absent timeout (agent 6.0) from one of zero.
type exportRequest struct {
	comms.Common
	Key        string   `json:"key"`
	Parameters []string `json:"parameters"`
	TimeoutS   *int     `json:"timeout"`
}

// exportResponse has a string value, because an agent turns every JSON number into a float with six decimals.
type exportResponse struct {
	comms.Common
	Value *string `json:"value,omitempty"`
	Error string  `json:"error,omitempty"`
}

type configureRequest struct {
	comms.Common
	Global  *plugin.GlobalOptions `json:"global_options"`
	Private json.RawMessage       `json:"private_options"`
}

type validateRequest struct {
	comms.Common
	Private json.RawMessage `json:"private_options"`
}

// pong tells the link that the worker reads and schedules, and how many of its request slots are held by calls that
// outlived their deadline.
type pong struct {
	comms.Common
	Slots int `json:"slots"`
	Stuck int `json:"stuck"`
}

type hello struct {
	comms.Common
	Link LinkStatus `json:"link"`
}

func decode[T any](f frame) (T, error) {
	var message T
	if err := json.Unmarshal(f.payload(), &message); err != nil {
		return message, fmt.Errorf("cannot decode a %s: %w", messageName(f), err)
	}

	return message, nil
}

func messageName(f frame) string {
	common, err := f.peek()
	if err != nil {
		return "message"
	}

	if name := comms.GetRequestName(common.Type); name != "" {
		return name
	}

	return fmt.Sprintf("message of type %d", common.Type)
}
