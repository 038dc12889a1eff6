package agent

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"golang.zabbix.com/sdk/log"
	"golang.zabbix.com/sdk/plugin/comms"
)

// Dialects as Status tells them.
const (
	protocol60 = "6.0"
	protocol64 = "6.4"
)

// knownProtocols are the versions that agents 6.0, 6.2 and 7.0 announce. Others are served all the same: refusing them
// would stop the agent, and unknown messages and fields are ignored.
var knownProtocols = []string{"6.0.13", "6.2.7", comms.ProtocolVersion}

// An agent 7.0 that is not content with an answer says nothing and waits, for ever, for the plugin to exit; only then
// does it report the reason and stop. So a registration without a next request ends here.
const registrationPatience = 10 * time.Second

// registration is the first of the two processes that an agent starts: it registers the keys and validates the options.
// It needs no worker, since it runs no check and the agent expects it to end.
type registration struct {
	log.Logger

	conn     *frameConn
	plugin   Plugin
	patience time.Duration
	version  string // of the protocol, as the agent announced it
}

func newRegistration(conn net.Conn, p Plugin) *registration {
	r := &registration{conn: newFrameConn(conn), plugin: p, patience: registrationPatience}
	r.Logger = newAgentLog(r.conn.write)

	return r
}

// run serves until Terminate. The error says why it ended in another way.
func (r *registration) run() error {
	for {
		if err := r.conn.conn.SetReadDeadline(time.Now().Add(r.patience)); err != nil {
			return fmt.Errorf("cannot watch the agent: %w", err)
		}

		f, err := r.conn.read()

		switch {
		case errors.Is(err, errSkippedFrame):
			r.Warningf("%s", err)
		case errors.Is(err, os.ErrDeadlineExceeded):
			return fmt.Errorf("cannot register: the agent sent nothing for %s; it did not accept the last answer", r.patience)
		case err != nil:
			return fmt.Errorf("cannot register: the agent closed the connection: %w", err)
		default:
			if terminate := r.handle(f); terminate {
				return nil
			}
		}
	}
}

func (r *registration) handle(f frame) (terminate bool) {
	common, err := f.peek()
	if err != nil {
		r.Warningf("%s", err)

		return false
	}

	switch common.Type {
	case comms.RegisterRequestType:
		r.register(f)
	case comms.ValidateRequestType:
		r.validate(f)
	case comms.TerminateRequestType:
		return true
	default:
		r.Debugf("ignored a message of type %d during registration", common.Type)
	}

	return false
}

func (r *registration) register(f frame) {
	request, err := decode[comms.RegisterRequest](f)
	if err != nil {
		r.Warningf("%s", err)

		return
	}

	r.version = request.ProtocolVersion

	if !slices.Contains(knownProtocols, r.version) {
		r.Warningf("the agent speaks protocol version %q, which this plugin was not tested with (%s); it goes on",
			r.version, strings.Join(knownProtocols, ", "))
	}

	r.answer(comms.RegisterResponse{
		Common:     comms.Common{Id: request.Id, Type: comms.RegisterResponseType},
		Name:       r.plugin.Name,
		Metrics:    r.plugin.Metrics,
		Interfaces: comms.Exporter | comms.Configurator | comms.Runner,
	})
}

func (r *registration) validate(f frame) {
	response := comms.ValidateResponse{Common: comms.Common{Type: comms.ValidateResponseType}}

	request, err := decode[validateRequest](f)
	if err == nil {
		err = r.validateOptions(request.Private)
	}

	response.Id = request.Id
	if err != nil {
		response.Error = err.Error()
	}

	r.answer(response)
}

func (r *registration) validateOptions(options []byte) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("cannot validate the options: %v", p)
		}
	}()

	return r.plugin.Validate(options)
}

func (r *registration) answer(message any) {
	if err := r.conn.send(message); err != nil {
		// The read that follows finds the connection closed and ends the registration.
		return
	}
}

// mustLinger tells that the process has to stay until the agent goes. Agent 6.0 has two readers of SIGCHLD; when its last
// child ends, one of them may find none to reap, and panics. A child that stays prevents that for the agent's whole life.
func (r *registration) mustLinger() bool { return strings.HasPrefix(r.version, "6.0") }
