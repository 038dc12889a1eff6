package keys

import (
	"errors"
	"io/fs"
	"maps"
	"sync"

	"zabbix-agent2-plugin-hosting/checks/enum"
	"zabbix-agent2-plugin-hosting/checks/nginx"
	"zabbix-agent2-plugin-hosting/checks/site"
)

// Check is a check package behind one or more keys.
type Check string

// The checks whose health is reported.
const (
	CheckSite     Check = "site"
	CheckMemory   Check = "memory"
	CheckSlab     Check = "slab"
	CheckOOM      Check = "oom"
	CheckNginx    Check = "nginx"
	CheckListener Check = "listener"
)

// CheckState tells how a check's last evaluation went. Numbers are stable: templates map them to names.
type CheckState int

// States of a check.
const (
	StateNotRun CheckState = iota
	StateOK
	StateFailing
	StateNoPermission
	StateNotSupported
)

// CheckStates returns the value map of CheckState.
func CheckStates() map[int]string { return stateNames.All() }

var stateNames = enum.Of[CheckState]("state", "not_run", "ok", "failing", "no_permission", "not_supported")

func (s CheckState) String() string { return stateNames.Name(s) }

// CheckHealth is the state of one check in hosting.plugin.get.
type CheckHealth struct {
	State CheckState `json:"state"`
	Name  string     `json:"state_name"`
	Error string     `json:"error"`
}

func newCheckHealth(state CheckState, err error) CheckHealth {
	health := CheckHealth{State: state, Name: state.String()}
	if err != nil {
		health.Error = err.Error()
	}

	return health
}

// StateOf classifies the outcome of a check.
func StateOf(err error) CheckState {
	switch {
	case err == nil:
		return StateOK
	case errors.Is(err, fs.ErrPermission):
		return StateNoPermission
	case errors.Is(err, fs.ErrNotExist):
		return StateNotSupported
	default:
		return StateFailing
	}
}

// healthBook keeps the last outcome of each check.
type healthBook struct {
	mu     sync.Mutex
	checks map[Check]CheckHealth
}

func newHealthBook() *healthBook {
	book := &healthBook{checks: make(map[Check]CheckHealth)}
	for _, check := range []Check{CheckSite, CheckMemory, CheckSlab, CheckOOM} {
		book.checks[check] = newCheckHealth(StateNotRun, nil)
	}

	return book
}

func (b *healthBook) note(check Check, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()

	b.checks[check] = newCheckHealth(StateOf(err), err)
}

func (b *healthBook) snapshot() map[Check]CheckHealth {
	b.mu.Lock()
	defer b.mu.Unlock()

	return maps.Clone(b.checks)
}

// isAboutTheName tells an error that says nothing of the check: somebody asked for a site or an instance that there is not.
func isAboutTheName(err error) bool {
	return errors.Is(err, site.ErrUnknownSite) || errors.Is(err, nginx.ErrUnknownInstance)
}
