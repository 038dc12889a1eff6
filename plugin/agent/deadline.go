package agent

import (
	"time"

	"golang.zabbix.com/sdk/plugin"
)

// Agent 7.0 waits this long beyond the timeout that it announces in a request; agent 6.0 announces none and waits no
// longer than its own Timeout.
const agentGrace = 500 * time.Millisecond

// The agent's own default for Timeout, used until Configure tells the real one.
const defaultTimeoutS = 3

// deadlines say when each layer gives up on one request, so that the innermost, which knows most, answers first and the
// agent always hears an answer before it gives up itself.
type deadlines struct {
	handler time.Duration // the handler's context ends
	worker  time.Duration // the worker answers for a handler that does not return
	link    time.Duration // the link answers for a worker that does not
}

func newDeadlines(timeoutS *int, global plugin.GlobalOptions) deadlines {
	if timeoutS != nil && *timeoutS > 0 {
		timeout := time.Duration(*timeoutS) * time.Second

		return deadlines{handler: timeout - timeout/20, worker: timeout, link: timeout + agentGrace/2}
	}

	timeout := time.Duration(global.Timeout) * time.Second
	if timeout <= 0 {
		timeout = defaultTimeoutS * time.Second
	}

	return deadlines{handler: timeout - timeout*3/20, worker: timeout - timeout/10, link: timeout - timeout/20}
}
