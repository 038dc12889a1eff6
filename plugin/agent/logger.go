package agent

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.zabbix.com/sdk/log"
	"golang.zabbix.com/sdk/plugin/comms"
)

const (
	logBurst        = 100
	logPerSecond    = 10
	maxMessageBytes = 8 << 10
)

// Severities of the agent's log request; the agent drops any other (SDK, log.go).
const (
	severityInfo uint32 = iota
	severityCrit
	severityErr
	severityWarning
	severityDebug
	severityTrace
)

// agentLog sends messages to the agent's log. A loop that logs must not fill the disk of the host that it watches, so
// messages over the rate are dropped and counted.
type agentLog struct {
	send func(frame) error
	now  func() time.Time

	mu      sync.Mutex
	tokens  float64
	last    time.Time
	dropped int
}

var _ log.Logger = (*agentLog)(nil)

func newAgentLog(send func(frame) error) *agentLog {
	return &agentLog{send: send, now: time.Now, tokens: logBurst, last: time.Now()}
}

func (l *agentLog) Infof(format string, args ...any)    { l.write(severityInfo, format, args) }
func (l *agentLog) Critf(format string, args ...any)    { l.write(severityCrit, format, args) }
func (l *agentLog) Errf(format string, args ...any)     { l.write(severityErr, format, args) }
func (l *agentLog) Warningf(format string, args ...any) { l.write(severityWarning, format, args) }
func (l *agentLog) Debugf(format string, args ...any)   { l.write(severityDebug, format, args) }
func (l *agentLog) Tracef(format string, args ...any)   { l.write(severityTrace, format, args) }

func (l *agentLog) write(severity uint32, format string, args []any) {
	dropped, ok := l.take()
	if !ok {
		return
	}

	message := fmt.Sprintf(format, args...)
	if dropped > 0 {
		message += fmt.Sprintf(" (%d messages before this one were dropped: more than %d a second)", dropped, logPerSecond)
	}

	f, err := newFrame(comms.LogRequest{
		Common:   comms.Common{Id: comms.NonRequiredID, Type: comms.LogRequestType},
		Severity: severity,
		Message:  escapeMessage(message),
	})
	if err == nil {
		// A log that cannot be written has nowhere to be reported.
		_ = l.send(f)
	}
}

// take returns how many messages were dropped since the last one that passed, and whether this one passes.
func (l *agentLog) take() (int, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()

	now := l.now()
	l.tokens = min(logBurst, l.tokens+now.Sub(l.last).Seconds()*logPerSecond)
	l.last = now

	if l.tokens < 1 {
		l.dropped++

		return 0, false
	}

	l.tokens--

	dropped := l.dropped
	l.dropped = 0

	return dropped, true
}

// escapeMessage caps a message and doubles each '%': the agent uses the message as a format string.
func escapeMessage(message string) string {
	if len(message) > maxMessageBytes {
		cut := len(message) - maxMessageBytes
		message = strings.ToValidUTF8(message[:maxMessageBytes], "") + fmt.Sprintf(" … (%d more bytes)", cut)
	}

	return strings.ReplaceAll(message, "%", "%%")
}
