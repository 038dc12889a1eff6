package agent

import (
	"context"
	"time"

	"golang.zabbix.com/sdk/log"
	"golang.zabbix.com/sdk/plugin"
)

// Plugin is what this package needs to know of a plugin to put it before an agent.
type Plugin struct {
	Name    string   // as in the agent's configuration: Plugins.<Name>.*
	Metrics []string // pairs of item key and description; a description starts with a capital and ends with a dot
	// Validate checks the agent's JSON of the Plugins.<Name>.* subtree. Its error stops the agent's start.
	Validate func(options []byte) error
	New      func(Host) Handler
}

// Handler is the plugin proper. Configure and Start are called before the first Export, in this order; Export is called
// concurrently. Options are the agent's JSON of the Plugins.<Name>.* subtree.
type Handler interface {
	plugin.Runner
	Configure(global plugin.GlobalOptions, options []byte) error
	// Export returns an item's value as text. It should return when ctx is done; the agent is answered then anyway.
	Export(ctx context.Context, key string, parameters []string) (string, error)
}

// Host is what a Handler may ask of the process that it runs in.
type Host interface {
	log.Logger // goes to the agent's log, rate limited
	Status() Status
}

// Status describes the plugin's processes and what they have served. Counters only grow while the worker lives.
type Status struct {
	StartedAt       time.Time // of the worker
	AgentProtocol   string    // "6.0" (requests carry no timeout) or "6.4"; empty before the first request
	Link            LinkStatus
	ServedTotal     uint64
	FailedTotal     uint64 // answered with an error, those below included
	RefusedTotal    uint64 // never ran: all slots were busy until the deadline
	TimedOutTotal   uint64 // still ran at the deadline
	RecoveredPanics uint64
	InFlight        int
	Slots           int
	Stuck           int // calls that outlived their deadline and have not returned yet
}

// LinkStatus is what the link tells each worker that it starts.
type LinkStatus struct {
	PID             int       `json:"pid"`
	StartedAt       time.Time `json:"started_at"`
	WorkerRestarts  int       `json:"worker_restarts"`
	LastWorkerDeath string    `json:"last_worker_death"`
}
